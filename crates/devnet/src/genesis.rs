//! How a ledger begins: funded test accounts, a test token, a vault of it, always at the same
//! addresses, so that settings and pages may name them.

use headwater_base::{Address, Amount, sha256};
use headwater_tron::address;
use headwater_tron::keccak256;
use headwater_tron::key::SecretKey;
use headwater_tron::transaction::{
    Contract, ContractAbi, CreateContract, Raw, Transaction, TransferAsset, TriggerContract,
    UnixMillis, created_address,
};
use headwater_tron::transaction::{TransactionError, Transfer};

use crate::contracts;
use crate::ledger::{Asset, Ledger, Refusal};

/// The chain's id: no other chain's, so that no signature for a test counts anywhere else.
pub const CHAIN_ID: u64 = 0x4857_0001;
/// The date of the first block. It is a constant, and so are addresses made from it.
pub const BORN: UnixMillis = UnixMillis(1_767_225_600_000);
/// The id that BTT had on TRON while it was a TRC-10 token.
pub const ASSET_ID: u64 = 1_002_000;
/// Accounts that have something of everything.
pub const ACCOUNTS: u8 = 10;

const SUN: u64 = 1_000_000;
const BTT: u128 = 1_000_000_000_000_000_000;
const FAUCET_SUN: u64 = 9_000_000_000 * SUN;
const ACCOUNT_SUN: u64 = 1_000_000 * SUN;
const SUPPLY_BTT: u128 = 990_000_000_000_000;
const ACCOUNT_BTT: u128 = 1_000_000_000;
const ASSET_SUPPLY: u64 = 990_000_000_000_000_000;
const ACCOUNT_ASSET: u64 = 1_000_000 * SUN;
/// What the faucet gives at a time.
const GIFT_SUN: u64 = 10_000 * SUN;
const FEE_LIMIT: u128 = 15_000_000_000;

/// Where things lie on a ledger, and who gives them out.
#[derive(Debug)]
pub struct Places {
    /// The vault, of the test token.
    pub vault: Address,
    /// The test token.
    pub btt: Address,
    /// Who has the rest of everything.
    faucet: SecretKey,
}

/// The key of a test account. Everybody knows it.
pub fn account_key(number: u8) -> SecretKey {
    key(&format!("Headwater test account {number}: worthless"))
}

/// A ledger at its beginning.
pub fn ledger() -> (Ledger, Places) {
    let faucet = key("Headwater test faucet: worthless");
    let mut ledger = Ledger::new(CHAIN_ID, BORN);
    ledger.endow(faucet.address(), FAUCET_SUN);
    ledger.issue(Asset {
        id: ASSET_ID,
        name: "Test BTTOLD (worthless)",
        symbol: "tBTTOLD",
        precision: 6,
        supply: ASSET_SUPPLY,
        owner: faucet.address(),
    });
    for number in 0..ACCOUNTS {
        ledger.endow(account_key(number).address(), ACCOUNT_SUN);
    }
    let btt = deploy(&mut ledger, &faucet, contracts::test_btt(), word(SUPPLY_BTT * BTT));
    let vault = deploy(&mut ledger, &faucet, contracts::vault(), address_word(btt));
    let places = Places { vault, btt, faucet };
    for number in 0..ACCOUNTS {
        let to = account_key(number).address();
        for contract in places.tokens(to, ACCOUNT_BTT * BTT, ACCOUNT_ASSET) {
            run(&mut ledger, &places.faucet, contract);
        }
    }
    (ledger, places)
}

impl Places {
    /// The transactions by which the faucet gives something of everything, ready to be sent.
    pub fn gift(&self, ledger: &Ledger, to: Address) -> Result<Vec<Transaction>, TransactionError> {
        let owner = self.faucet.address();
        let coin = Contract::Transfer(Transfer { owner, to, amount: Amount(GIFT_SUN.into()) });
        let tokens = self.tokens(to, ACCOUNT_BTT * BTT, ACCOUNT_ASSET);
        let drafts = core::iter::once(coin).chain(tokens).map(|contract| {
            Raw { fee_limit: Amount(FEE_LIMIT), ..ledger.draft(contract) }.sign(&self.faucet)
        });
        drafts.collect()
    }

    fn tokens(&self, to: Address, btt: u128, asset: u64) -> [Contract; 2] {
        let owner = self.faucet.address();
        let selector = &keccak256(&[b"transfer(address,uint256)"])[..4];
        let data = [selector, &address_word(to), &word(btt)].concat();
        let call = TriggerContract {
            owner,
            contract: self.btt,
            call_value: Amount(0),
            data,
            call_token_value: Amount(0),
            token_id: 0,
        };
        let id = ASSET_ID.to_string().into_bytes();
        let transfer = TransferAsset { asset: id, owner, to, amount: Amount(asset.into()) };
        [Contract::Trigger(call), Contract::TransferAsset(transfer)]
    }
}

fn key(words: &str) -> SecretKey {
    SecretKey::from_bytes(&sha256(words.as_bytes())).expect("a hash is a key but for 1 in 2^128")
}

fn deploy(
    ledger: &mut Ledger,
    faucet: &SecretKey,
    contract: contracts::Contract,
    args: [u8; 32],
) -> Address {
    let owner = faucet.address();
    let abi =
        ContractAbi::from_json(&contract.abi.to_string()).expect("compilers write interfaces");
    let create = CreateContract {
        owner,
        origin: owner,
        abi: Some(abi),
        bytecode: [contract.bytecode, args.to_vec()].concat(),
        call_value: Amount(0),
        consume_user_resource_percent: 100,
        name: contract.name,
        origin_energy_limit: 10_000_000,
        call_token_value: Amount(0),
        token_id: 0,
    };
    let id = run(ledger, faucet, Contract::Create(create));
    created_address(id, owner)
}

fn run(
    ledger: &mut Ledger,
    faucet: &SecretKey,
    contract: Contract,
) -> headwater_tron::transaction::TransactionId {
    let raw = Raw { fee_limit: Amount(FEE_LIMIT), ..ledger.draft(contract) };
    let transaction = raw.sign(faucet).expect("drafts have their form");
    let now = UnixMillis(ledger.head().millis.0 + 1);
    let id = ledger.broadcast(now, &transaction);
    let id = id.unwrap_or_else(|refusal: Refusal| panic!("the beginning is refused: {refusal}"));
    let done = ledger.receipt(&id).is_some_and(crate::ledger::Receipt::succeeded);
    assert!(done, "a transaction of the beginning failed");
    id
}

fn word(number: u128) -> [u8; 32] {
    let mut word = [0; 32];
    word[16..].copy_from_slice(&number.to_be_bytes());
    word
}

fn address_word(of: Address) -> [u8; 32] {
    let mut word = [0; 32];
    word[12..].copy_from_slice(&address::to_raw(of)[1..]);
    word
}
