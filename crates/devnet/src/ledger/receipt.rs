//! What came of a transaction: how it ended, what it cost, what contracts told.

use headwater_base::Address;
use headwater_tron::transaction::{Contract, CreateContract, Transaction, UnixMillis};

use crate::evm::{Log, Status};

/// How a transaction ended, for one that ran code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// How the code ended.
    pub status: Status,
    /// What it returned, or its reason to revert.
    pub output: Vec<u8>,
    /// Energy it used.
    pub energy: u64,
    /// Sun that the energy cost.
    pub energy_fee: u64,
    /// The contract that ran, or came to be.
    pub contract: Address,
    /// What contracts told.
    pub logs: Vec<Log>,
}

/// A transaction with what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The transaction.
    pub transaction: Transaction,
    /// The block that holds it.
    pub block: u64,
    /// That block's date.
    pub millis: UnixMillis,
    /// Free bytes it used.
    pub bytes: u64,
    /// Sun that its bytes cost, where they were not free, and new accounts with it.
    pub bytes_fee: u64,
    /// How it ended, unless it is a plain transfer.
    pub ending: Option<Ending>,
}

impl Receipt {
    /// All that it cost, in sun.
    pub fn fee(&self) -> u64 {
        self.bytes_fee + self.ending.as_ref().map_or(0, |ending| ending.energy_fee)
    }

    /// The node's word for how it ended.
    pub fn result(&self) -> &'static str {
        match self.ending.as_ref().map(|ending| ending.status) {
            None | Some(Status::Success) => "SUCCESS",
            Some(Status::Revert) => "REVERT",
            Some(Status::OutOfEnergy) => "OUT_OF_ENERGY",
            Some(Status::Halt(name)) => name,
        }
    }

    /// Whether it did what it was to do.
    pub fn succeeded(&self) -> bool {
        self.result() == "SUCCESS"
    }

    /// What it made a contract of, if it did.
    pub(super) fn created(&self) -> Option<&CreateContract> {
        match &self.transaction.raw.contract {
            Contract::Create(create) => Some(create),
            Contract::Transfer(_)
            | Contract::TransferAsset(_)
            | Contract::Trigger(_)
            | Contract::Other { .. } => None,
        }
    }
}
