//! Why a transaction does not come into a block, with the names that a node has for it.

use headwater_tron::transaction::TransactionError;

use crate::evm;

/// A transaction that is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It breaks the form of one.
    #[error(transparent)]
    Form(TransactionError),
    /// It is in a block already.
    #[error("dup transaction")]
    Known,
    /// It is not signed, or not by its owner alone.
    #[error("validate signature error, {signatures} signatures, 1 of the owner needed")]
    Signature {
        /// How many it has.
        signatures: usize,
    },
    /// The block it names is none of ours, or too old.
    #[error("tapos failed, block {found:?} is not among the last")]
    Reference {
        /// The last two bytes of the number it names.
        found: [u8; 2],
    },
    /// It expired, or expires too late.
    #[error("transaction expiration, {expiration} but the head block is at {head}")]
    Expiration {
        /// What it says.
        expiration: u64,
        /// The date of the block it would come into.
        head: u64,
    },
    /// What it wants does not exist here.
    #[error("contract validate error: {0}")]
    Invalid(&'static str),
    /// The owner has too little.
    #[error("contract validate error: balance is not sufficient, {has} of {needs}")]
    Balance {
        /// What the owner has.
        has: u64,
        /// What it needs.
        needs: u64,
    },
    /// The owner cannot pay for the transaction's bytes.
    #[error("account resource insufficient, {needs} sun needed for bandwidth")]
    Bandwidth {
        /// What they cost.
        needs: u64,
    },
    /// The machine would not run it.
    #[error("contract execute error: {0}")]
    Machine(evm::Error),
    /// The ledger's file takes no more.
    #[error("ledger cannot be written")]
    Disk,
    /// The ledger keeps no more.
    #[error("ledger is full with {0} transactions")]
    Full(usize),
}

impl Refusal {
    /// The node's code for it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Known => "DUP_TRANSACTION_ERROR",
            Self::Signature { .. } | Self::Form(TransactionError::Signature(_)) => "SIGERROR",
            Self::Form(TransactionError::TooLong { .. }) => "TOO_BIG_TRANSACTION_ERROR",
            Self::Reference { .. } => "TAPOS_ERROR",
            Self::Expiration { .. } => "TRANSACTION_EXPIRATION_ERROR",
            Self::Invalid(_) | Self::Balance { .. } => "CONTRACT_VALIDATE_ERROR",
            // The node's own spelling.
            Self::Bandwidth { .. } => "BANDWITH_ERROR",
            Self::Machine(_) => "CONTRACT_EXE_ERROR",
            Self::Full(_) | Self::Disk => "SERVER_BUSY",
            Self::Form(_) => "OTHER_ERROR",
        }
    }
}
