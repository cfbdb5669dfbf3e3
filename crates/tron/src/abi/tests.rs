//! Selectors and words are those that compilers agree on; odd answers of tokens are told apart.

use headwater_base::{Amount, Signature, UnixTime, hex};

use super::vault::{Claim, Reserved, VaultAccount};
use super::*;
use crate::digest::keccak256;
use crate::node::{Log, Words};
use crate::typed::Grant;

fn claim() -> Claim {
    Claim {
        grant: Grant {
            owner: Address([1; 20]),
            key: Address([2; 20]),
            cap: Amount(3),
            expiry: UnixTime(4),
            salt: [5; 32],
        },
        owner_signature: Signature([6; 65]),
        payee: Address([7; 20]),
        amount: Amount(8),
        key_signature: Signature([9; 65]),
    }
}

/// The selector of a signature, as every compiler makes it.
fn check(data: &[u8], signature: &str) {
    assert_eq!(hex(&data[..4]), hex(&keccak256(&[signature.as_bytes()])[..4]), "{signature}");
}

fn number(value: u128) -> Vec<u8> {
    [&[0; 16], value.to_be_bytes().as_slice()].concat()
}

fn padded(address: Address) -> [u8; 32] {
    let mut word = [0; 32];
    word[12..].copy_from_slice(&address.0);
    word
}

#[test]
fn calls_of_the_vault_have_the_signatures_agreed_on() {
    let grant = "(address,address,uint128,uint64,bytes32)";
    let (session, payee) = ([1; 32], Address([2; 20]));
    check(&vault::deposit(Amount(1)), "deposit(uint128)");
    check(&vault::claim(&claim()), &format!("claim({grant},bytes,address,uint128,bytes)"));
    let many = vault::claim_many(&[claim()]).expect("one claim");
    check(&many, &format!("claimMany(({grant},bytes,address,uint128,bytes)[])"));
    check(&vault::reserve(&claim()), &format!("reserve({grant},bytes,address,uint128,bytes)"));
    check(&vault::release(session, payee), "release(bytes32,address)");
    check(&vault::request_exit(Amount(1)), "requestExit(uint128)");
    check(&vault::exit(), "exit()");
    check(&vault::accounts(payee), "accounts(address)");
    check(&vault::spent(session), "spent(bytes32)");
    check(&vault::claimed(session, payee), "claimed(bytes32,address)");
    check(&vault::reserve_of(session, payee), "reserveOf(bytes32,address)");
    check(&vault::domain_separator(), "domainSeparator()");
    check(&vault::token(), "token()");
    check(&vault::max_session(), "MAX_SESSION()");
    check(&vault::claim_window(), "CLAIM_WINDOW()");
}

#[test]
fn calls_of_a_token_are_those_known_from_everywhere() {
    let (to, amount) = (Address([0x44; 20]), Amount(100));
    let tail = format!("{}{}", hex(&padded(to)), hex(&number(100)));
    assert_eq!(hex(&token::transfer(to, amount)), format!("a9059cbb{tail}"));
    assert_eq!(hex(&token::approve(to, amount)), format!("095ea7b3{tail}"));
    assert_eq!(hex(&token::balance_of(to)), format!("70a08231{}", hex(&padded(to))));
    assert_eq!(hex(&token::allowance(to, to)[..4]), "dd62ed3e");
    assert_eq!(hex(&token::decimals()), "313ce567");
    assert_eq!(hex(&token::symbol()), "95d89b41");
}

#[test]
fn claim_carries_both_signatures_whole() {
    let data = vault::claim(&claim());
    assert_eq!(data.len() % 32, 4);
    for part in [[6_u8; 65], [9; 65]] {
        assert!(data.windows(65).any(|window| window == part));
    }
}

#[test]
fn claims_of_one_call_are_counted() {
    let (none, allowed) = (AbiError::Claims { found: 0, allowed: 64 }, 64);
    assert_eq!(vault::claim_many(&[]), Err(none));
    let found = allowed + 1;
    let error = AbiError::Claims { found, allowed };
    assert_eq!(vault::claim_many(&vec![claim(); found]), Err(error));
}

#[test]
fn views_of_the_vault_are_read_and_short_ones_refused() {
    let words = [number(10), number(3), number(2), number(1_800_000_000)].concat();
    let known = VaultAccount {
        balance: Amount(10),
        reserved: Amount(3),
        exiting: Amount(2),
        exit_at: UnixTime(1_800_000_000),
    };
    assert_eq!(vault::read_account(&words), Ok(known));
    for short in [0, 1, 32, 127] {
        let error = AbiError::Form { what: "account", found: short };
        assert_eq!(vault::read_account(&words[..short]), Err(error));
    }
    let owner = Address([9; 20]);
    let words = [number(5), number(6), padded(owner).to_vec()].concat();
    let known = Reserved { amount: Amount(5), until: UnixTime(6), owner };
    assert_eq!(vault::read_reserve(&words), Ok(known));
    assert_eq!(vault::read_separator(&[7; 32]), Ok([7; 32]));
    assert_eq!(vault::read_token(&padded(owner)), Ok(owner));
    assert_eq!(vault::read_seconds(&number(86_400)), Ok(86_400));
}

#[test]
fn number_that_its_type_cannot_hold_is_refused() {
    assert!(vault::read_amount(&[0xff; 32]).is_err());
    assert!(vault::read_seconds(&number(1 << 64)).is_err());
    assert!(vault::read_token(&[0xff; 32]).is_err());
}

#[test]
fn token_that_returns_nothing_has_done_it_and_one_that_returns_false_has_not() {
    assert!(token::read_done(&[]));
    assert!(token::read_done(&number(1)));
    assert!(!token::read_done(&number(0)));
    assert!(!token::read_done(&[1]));
}

#[test]
fn unlimited_allowance_is_the_largest_amount() {
    assert_eq!(token::read_amount(&[0xff; 32]), Ok(Amount(u128::MAX)));
    assert_eq!(token::read_amount(&number(7)), Ok(Amount(7)));
    assert!(token::read_amount(&[]).is_err());
}

#[test]
fn symbol_is_read_of_a_string_and_of_32_bytes() {
    let text = [number(32), number(3), [b"BTT".as_slice(), &[0; 29]].concat()].concat();
    assert_eq!(token::read_symbol(&text), Ok(Words::of("BTT")));
    let old = [b"BTT".as_slice(), &[0; 29]].concat();
    assert_eq!(token::read_symbol(&old), Ok(Words::of("BTT")));
    assert!(token::read_symbol(&[]).is_err());
    assert_eq!(token::read_decimals(&number(18)), Ok(18));
    assert_eq!(token::read_decimals(&number(256)), Err(AbiError::Large { what: "decimals" }));
}

#[test]
fn reasons_are_told_apart() {
    let text = [number(32), number(4), [b"late".as_slice(), &[0; 28]].concat()].concat();
    let words = [[0x08, 0xc3, 0x79, 0xa0].as_slice(), &text].concat();
    assert_eq!(reason(&words), Reason::Words(Words::of("late")));
    let panic = [[0x4e, 0x48, 0x7b, 0x71].as_slice(), &number(0x11)].concat();
    assert_eq!(reason(&panic), Reason::Panic { code: 0x11 });
    assert_eq!(reason(&[]), Reason::Silent);
    assert_eq!(reason(&[1, 2, 3]), Reason::Unreadable { found: 3 });
    let custom = Reason::Custom { selector: [1, 2, 3, 4], data: vec![5] };
    assert_eq!(reason(&[1, 2, 3, 4, 5]), custom);
    assert_eq!(reason(&words[..40]), Reason::Unreadable { found: 40 });
}

#[test]
fn broken_rules_of_the_vault_are_named() {
    let refused = |signature: &str, arguments: &[u8]| {
        reason(&[&keccak256(&[signature.as_bytes()])[..4], arguments].concat())
    };
    let stale = [number(5), number(5)].concat();
    assert_eq!(refused("Stale(uint128,uint128)", &stale), Reason::Vault(Refusal::Stale));
    assert_eq!(refused("NothingLeft()", &[]), Reason::Vault(Refusal::NothingLeft));
    let late = [number(9), number(8)].concat();
    assert_eq!(refused("Expired(uint256,uint256)", &late), Reason::Vault(Refusal::Expired));
    let short = refused("BadSignature(address)", &[1]);
    assert!(matches!(short, Reason::Custom { .. }));
}

fn deposited(contract: Address) -> Log {
    let name = keccak256(&[b"Deposited(address,uint128)"]);
    Log { contract, topics: vec![name, padded(Address([1; 20]))], data: number(77) }
}

#[test]
fn events_of_the_vault_are_read() {
    let vault = Address([0x44; 20]);
    let known = Event::Deposited { owner: Address([1; 20]), amount: Amount(77) };
    assert_eq!(Event::of(&deposited(vault), vault), Ok(Some(known)));
    let name = keccak256(&[b"Claimed(bytes32,address,address,uint128,uint128)"]);
    let (owner, payee) = (Address([1; 20]), Address([2; 20]));
    let topics = vec![name, [5; 32], padded(owner), padded(payee)];
    let log = Log { contract: vault, topics, data: [number(3), number(4)].concat() };
    let (paid, total) = (Amount(3), Amount(4));
    let known = Event::Claimed { session: [5; 32], owner, payee, paid, total };
    assert_eq!(Event::of(&log, vault), Ok(Some(known)));
}

#[test]
fn event_that_another_contract_wrote_is_not_ours() {
    let log = deposited(Address([0x45; 20]));
    assert_eq!(Event::of(&log, Address([0x44; 20])), Ok(None));
}

#[test]
fn events_of_other_kinds_are_nothing_and_broken_ones_an_error() {
    let vault = Address([0x44; 20]);
    let strange = Log { contract: vault, topics: vec![[0; 32]], data: Vec::new() };
    assert_eq!(Event::of(&strange, vault), Ok(None));
    let bare = Log { topics: Vec::new(), ..strange };
    assert_eq!(Event::of(&bare, vault), Ok(None));
    let mut broken = deposited(vault);
    broken.data.truncate(31);
    let error = AbiError::Form { what: "event", found: 31 };
    assert_eq!(Event::of(&broken, vault), Err(error));
    broken.topics.pop();
    assert!(Event::of(&broken, vault).is_err());
}
