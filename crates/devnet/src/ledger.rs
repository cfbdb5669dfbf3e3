//! The chain: blocks, transactions, receipts, and what accounts have beside the machine's state.
//! Knows no clock: every call brings the time, in milliseconds.

mod apply;
mod bandwidth;
mod block;
mod receipt;
mod refusal;

use std::collections::BTreeMap;

use headwater_base::{Address, Amount};
use headwater_tron::transaction::{
    BlockId, CreateContract, Raw, Transaction, TransactionId, UnixMillis,
};

use crate::evm::prices::Prices;
use crate::evm::{self, Evm, Message, Moment, Outcome};
use crate::limit;
use bandwidth::Bandwidth;
pub use block::Block;
pub use receipt::{Ending, Receipt};
pub use refusal::Refusal;

/// What an account has beside coin and code.
#[derive(Clone, Debug, Default)]
pub struct Account {
    /// When it came to be.
    pub created: UnixMillis,
    /// Free bytes it used.
    bandwidth: Bandwidth,
    /// TRC-10 tokens, by their ids.
    pub assets: BTreeMap<u64, u64>,
}

/// A TRC-10 token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asset {
    /// Its id.
    pub id: u64,
    /// Its name.
    pub name: &'static str,
    /// Its short name.
    pub symbol: &'static str,
    /// Decimals of its amounts.
    pub precision: u32,
    /// How much there is.
    pub supply: u64,
    /// Who made it.
    pub owner: Address,
}

/// The chain and all it knows.
#[derive(Clone, Debug)]
pub struct Ledger {
    evm: Evm,
    accounts: BTreeMap<Address, Account>,
    assets: Vec<Asset>,
    blocks: Vec<Block>,
    receipts: BTreeMap<TransactionId, Receipt>,
    contracts: BTreeMap<Address, TransactionId>,
}

impl Ledger {
    /// A chain with a first block and nothing else. Wallets read a chain's id from that block's.
    pub fn new(chain_id: u64, born: UnixMillis) -> Self {
        let evm = Evm::new(chain_id, Prices::Energy);
        let blocks = vec![Block::first(chain_id, born)];
        let (accounts, receipts, contracts) = Default::default();
        Self { evm, accounts, assets: Vec::new(), blocks, receipts, contracts }
    }

    /// Gives coin out of nothing. For the first block only.
    pub(crate) fn endow(&mut self, to: Address, sun: u64) {
        let born = self.head().millis;
        self.accounts.insert(to, Account { created: born, ..Account::default() });
        self.evm.set_balance(to, sun.into());
    }

    /// Makes a TRC-10 token, all of it its owner's. For the first block only.
    pub(crate) fn issue(&mut self, asset: Asset) {
        self.account_mut(asset.owner).assets.insert(asset.id, asset.supply);
        self.assets.push(asset);
    }

    /// Makes a block if one is due. The chain's time stands still between blocks.
    pub fn tick(&mut self, now: UnixMillis) -> bool {
        let made = self.is_due(now);
        if made {
            self.seal(now, Vec::new());
        }
        made
    }

    /// Whether a block is due.
    pub fn is_due(&self, now: UnixMillis) -> bool {
        let due = self.head().millis.0 + limit::BLOCK_MILLIS;
        now.0 >= due && self.blocks.len() < limit::BLOCKS_MAX
    }

    /// Takes a signed transaction into a block of its own, or says why not.
    pub fn broadcast(
        &mut self,
        now: UnixMillis,
        transaction: &Transaction,
    ) -> Result<TransactionId, Refusal> {
        let now = UnixMillis(now.0.max(self.head().millis.0 + 1));
        let id = self.check(now, transaction)?;
        let receipt = self.apply(now, id, transaction)?;
        self.seal(now, vec![id]);
        self.receipts.insert(id, receipt);
        Ok(id)
    }

    /// Tries a call and forgets what it did.
    pub fn view(&self, message: &Message) -> Result<Outcome, evm::Error> {
        let head = self.head();
        let seconds = head.millis.0 / 1_000;
        self.evm.view(Moment { number: head.number() + 1, seconds }, message)
    }

    /// Tries the making of a contract and forgets it.
    pub fn view_creation(&self, message: &Message) -> Result<Outcome, evm::Error> {
        let head = self.head();
        let moment = Moment { number: head.number() + 1, seconds: head.millis.0 / 1_000 };
        self.evm.clone().create(moment, message)
    }

    /// The newest block.
    pub fn head(&self) -> &Block {
        self.blocks.last().expect("there is a first block")
    }

    /// The block of that number.
    pub fn block(&self, number: u64) -> Option<&Block> {
        self.blocks.get(usize::try_from(number).ok()?)
    }

    /// The block of that id.
    pub fn block_by_id(&self, id: &BlockId) -> Option<&Block> {
        self.block(id.number()).filter(|block| block.id == *id)
    }

    /// A transaction that a block holds, with what came of it.
    pub fn receipt(&self, id: &TransactionId) -> Option<&Receipt> {
        self.receipts.get(id)
    }

    /// The account, if it came to be.
    pub fn account(&self, address: Address) -> Option<&Account> {
        self.accounts.get(&address)
    }

    /// The account's coin, in sun.
    pub fn balance(&self, address: Address) -> u64 {
        u64::try_from(self.evm.balance(address)).unwrap_or(u64::MAX)
    }

    /// Free bytes that the account used and that did not come back yet.
    pub fn bytes_used(&self, address: Address) -> u64 {
        let now = self.head().millis;
        self.account(address).map_or(0, |account| account.bandwidth.used(now))
    }

    /// The code that lies at an address.
    pub fn code(&self, address: Address) -> Vec<u8> {
        self.evm.code(address)
    }

    /// What a contract was made of.
    pub fn contract(&self, address: Address) -> Option<(&Receipt, &CreateContract)> {
        let receipt = self.receipts.get(self.contracts.get(&address)?)?;
        Some((receipt, receipt.created()?))
    }

    /// The TRC-10 tokens there are.
    pub fn assets(&self) -> &[Asset] {
        &self.assets
    }

    /// What contracts read as the chain's id.
    pub fn chain_id(&self) -> u64 {
        self.evm.chain_id()
    }

    /// What a transaction made of this contract by now would be, unsigned.
    pub fn draft(&self, contract: headwater_tron::transaction::Contract) -> Raw {
        let head = self.head();
        Raw {
            reference: head.id.reference(),
            expiration: UnixMillis(head.millis.0 + 60_000),
            memo: Vec::new(),
            contract,
            permission: 0,
            timestamp: head.millis,
            fee_limit: Amount(0),
        }
    }

    fn account_mut(&mut self, address: Address) -> &mut Account {
        self.accounts.entry(address).or_default()
    }

    fn seal(&mut self, now: UnixMillis, transactions: Vec<TransactionId>) {
        let block = self.head().next(now, transactions);
        self.blocks.push(block);
    }
}
