//! The ledger without its server: what a transaction needs to be taken, what it costs, and that a
//! journal makes the same ledger again.

use headwater_base::{Address, Amount};
use headwater_devnet::genesis::{self, ASSET_ID, account_key};
use headwater_devnet::journal::{Error, Journal};
use headwater_devnet::ledger::{Ledger, Refusal};
use headwater_devnet::limit;
use headwater_tron::key::SecretKey;
use headwater_tron::transaction::{
    Contract, Raw, Transaction, Transfer, TransferAsset, TriggerContract, UnixMillis,
};

const NEW: Address = Address([7; 20]);

fn later(ledger: &Ledger, millis: u64) -> UnixMillis {
    UnixMillis(ledger.head().millis.0 + millis)
}

fn pays(from: &SecretKey, to: Address, sun: u64) -> Contract {
    Contract::Transfer(Transfer { owner: from.address(), to, amount: Amount(sun.into()) })
}

fn signed(ledger: &Ledger, contract: Contract, key: &SecretKey) -> Transaction {
    ledger.draft(contract).sign(key).expect("drafts have their form")
}

fn send(ledger: &mut Ledger, contract: Contract, key: &SecretKey) -> Result<(), Refusal> {
    let transaction = signed(ledger, contract, key);
    ledger.broadcast(later(ledger, 10), &transaction).map(|_| ())
}

#[test]
fn ledgers_begin_alike() {
    let ((one, here), (other, there)) = (genesis::ledger(), genesis::ledger());
    assert_eq!(one.head(), other.head());
    assert_eq!((here.vault, here.btt), (there.vault, there.btt));
    let first = one.block(0).expect("the first");
    let id = u32::from_be_bytes(first.id.0[28..].try_into().expect("4 bytes"));
    assert_eq!(u64::from(id), one.chain_id());
}

#[test]
fn blocks_are_made_when_due_and_for_each_transaction() {
    let (mut ledger, _) = genesis::ledger();
    let number = ledger.head().number();
    assert!(!ledger.tick(later(&ledger, limit::BLOCK_MILLIS - 1)));
    assert!(ledger.tick(later(&ledger, limit::BLOCK_MILLIS)));
    assert_eq!(ledger.head().number(), number + 1);
    let key = account_key(0);
    send(&mut ledger, pays(&key, account_key(1).address(), 5), &key).expect("has it");
    assert_eq!(ledger.head().transactions.len(), 1);
    // However far back the caller's clock is, time goes on.
    let millis = ledger.head().millis;
    let transaction = signed(&ledger, pays(&key, account_key(1).address(), 6), &key);
    ledger.broadcast(UnixMillis(0), &transaction).expect("has it");
    assert!(ledger.head().millis > millis);
}

#[test]
fn account_that_does_not_exist_costs_its_activation() {
    let (mut ledger, _) = genesis::ledger();
    let key = account_key(0);
    let before = ledger.balance(key.address());
    send(&mut ledger, pays(&key, NEW, 5), &key).expect("has it");
    assert_eq!(ledger.balance(key.address()), before - 5 - limit::ACTIVATION_SUN);
    assert_eq!(ledger.balance(NEW), 5);
    assert!(ledger.account(NEW).is_some());
}

#[test]
fn bytes_are_free_until_they_are_not() {
    let (mut ledger, _) = genesis::ledger();
    let (key, to) = (account_key(0), account_key(1).address());
    let mut fees = Vec::new();
    for sun in 1..5 {
        let before = ledger.balance(key.address());
        send(&mut ledger, pays(&key, to, sun), &key).expect("has it");
        fees.push(before - sun - ledger.balance(key.address()));
    }
    assert_eq!(fees[..2], [0, 0], "two transfers fit into 600 bytes");
    assert!(fees[2] > 200 * limit::BYTE_SUN, "fee {}", fees[2]);
    assert_eq!(fees[2], fees[3]);
}

#[test]
fn refused_transaction_changes_nothing() {
    let (mut ledger, _) = genesis::ledger();
    let (key, to) = (account_key(0), account_key(1).address());
    let (balance, head) = (ledger.balance(key.address()), ledger.head().clone());
    let asset = |id: &str, amount| {
        let (owner, asset) = (key.address(), id.as_bytes().to_vec());
        Contract::TransferAsset(TransferAsset { asset, owner, to: NEW, amount: Amount(amount) })
    };
    let known = ASSET_ID.to_string();
    for (contract, code) in [
        (pays(&key, to, 0), "CONTRACT_VALIDATE_ERROR"),
        (pays(&key, key.address(), 1), "CONTRACT_VALIDATE_ERROR"),
        (pays(&key, to, balance + 1), "CONTRACT_VALIDATE_ERROR"),
        (asset(&known, u128::from(u64::MAX / 2)), "CONTRACT_VALIDATE_ERROR"),
        (asset("1", 1), "CONTRACT_VALIDATE_ERROR"),
        (asset("BTT", 1), "CONTRACT_VALIDATE_ERROR"),
    ] {
        let refusal = send(&mut ledger, contract, &key).expect_err("refused");
        assert_eq!(refusal.code(), code, "{refusal}");
    }
    assert_eq!((ledger.balance(key.address()), ledger.head()), (balance, &head));
    assert!(ledger.account(NEW).is_none());
}

#[test]
fn only_its_owner_signs_a_transaction() {
    let (mut ledger, _) = genesis::ledger();
    let (key, thief, to) = (account_key(0), account_key(2), account_key(1).address());
    let refusal = send(&mut ledger, pays(&key, to, 1), &thief).expect_err("not the owner");
    assert_eq!(refusal.code(), "SIGERROR");
    let mut twice = signed(&ledger, pays(&key, to, 1), &key);
    twice.signatures.push(twice.signatures[0]);
    let now = later(&ledger, 1);
    assert_eq!(ledger.broadcast(now, &twice), Err(Refusal::Signature { signatures: 2 }));
    twice.signatures.clear();
    assert_eq!(ledger.broadcast(now, &twice), Err(Refusal::Signature { signatures: 0 }));
}

#[test]
fn transaction_counts_once() {
    let (mut ledger, _) = genesis::ledger();
    let key = account_key(0);
    let transaction = signed(&ledger, pays(&key, account_key(1).address(), 1), &key);
    let id = ledger.broadcast(later(&ledger, 1), &transaction).expect("good");
    assert_eq!(ledger.broadcast(later(&ledger, 1), &transaction), Err(Refusal::Known));
    assert!(ledger.receipt(&id).is_some_and(headwater_devnet::ledger::Receipt::succeeded));
}

#[test]
fn transaction_names_a_block_of_this_chain_and_expires() {
    let (mut ledger, _) = genesis::ledger();
    let key = account_key(0);
    let draft = ledger.draft(pays(&key, account_key(1).address(), 1));
    let mut sent = |raw: Raw, millis| {
        let transaction = raw.sign(&key).expect("has its form");
        ledger.broadcast(later(&ledger, millis), &transaction).map_err(|refusal| refusal.code())
    };
    let mut foreign = draft.clone();
    foreign.reference.hash[0] ^= 1;
    assert_eq!(sent(foreign, 1), Err("TAPOS_ERROR"));
    let mut unborn = draft.clone();
    unborn.reference.number = [0xff, 0xff];
    assert_eq!(sent(unborn, 1), Err("TAPOS_ERROR"));
    assert_eq!(sent(draft.clone(), 60_000), Err("TRANSACTION_EXPIRATION_ERROR"));
    let far = UnixMillis(draft.expiration.0 + limit::EXPIRATION_MILLIS_MAX);
    let far = Raw { expiration: far, ..draft.clone() };
    assert_eq!(sent(far, 1), Err("TRANSACTION_EXPIRATION_ERROR"));
    assert!(sent(draft, 59_999).is_ok());
}

#[test]
fn call_may_burn_no_more_than_its_fee_limit() {
    let (mut ledger, places) = genesis::ledger();
    let key = account_key(0);
    let call = |data| {
        Contract::Trigger(TriggerContract {
            owner: key.address(),
            contract: places.vault,
            call_value: Amount(0),
            data,
            call_token_value: Amount(0),
            token_id: 0,
        })
    };
    let exit = headwater_tron::keccak256(&[b"requestExit(uint128)"])[..4].to_vec();
    let data = [exit, vec![0; 32]].concat();
    for (fee_limit, result) in [(100_000, "OUT_OF_ENERGY"), (100_000_000, "SUCCESS")] {
        let raw = Raw { fee_limit: Amount(fee_limit), ..ledger.draft(call(data.clone())) };
        let transaction = raw.sign(&key).expect("has its form");
        let id = ledger.broadcast(later(&ledger, 1), &transaction).expect("is taken");
        let receipt = ledger.receipt(&id).expect("is kept");
        assert_eq!(receipt.result(), result);
        let ending = receipt.ending.as_ref().expect("it ran");
        assert!(u128::from(ending.energy_fee) <= fee_limit);
    }
}

#[test]
fn journal_makes_the_same_ledger_again_and_forgets_a_torn_line() {
    let name = format!("headwater-ledger-{}", std::process::id());
    let path = std::env::temp_dir().join(name);
    let (mut ledger, _) = genesis::ledger();
    let mut journal = Journal::open(&path, &mut ledger).expect("a new file");
    let key = account_key(0);
    for sun in 1..4 {
        let transaction = signed(&ledger, pays(&key, NEW, sun), &key);
        let now = later(&ledger, 50);
        ledger.broadcast(now, &transaction).expect("has it");
        journal.note(now, Some(&transaction)).expect("disk");
        let now = later(&ledger, limit::BLOCK_MILLIS);
        ledger.tick(now);
        journal.note(now, None).expect("disk");
    }
    let whole = std::fs::read(&path).expect("is there");
    std::fs::write(&path, [&whole[..], b"1767225700000 0a"].concat()).expect("disk");
    let (mut again, _) = genesis::ledger();
    drop(Journal::open(&path, &mut again).expect("the same file"));
    assert_eq!(again.head(), ledger.head());
    assert_eq!(again.balance(NEW), 6);
    assert_eq!(std::fs::read(&path).expect("is there"), whole);
    std::fs::write(&path, b"nonsense 00\n").expect("disk");
    let failed = Journal::open(&path, &mut genesis::ledger().0).err();
    assert!(matches!(failed, Some(Error::Line { line: 1 })));
    std::fs::remove_file(&path).expect("is there");
}
