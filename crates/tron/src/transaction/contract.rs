//! What a transaction does: TRON calls it a contract, also where it is a plain transfer.

mod convert;

use headwater_base::{Address, Amount};

/// What a transaction does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Contract {
    /// Sends TRX.
    Transfer(Transfer),
    /// Sends a TRC-10 asset.
    TransferAsset(TransferAsset),
    /// Creates a smart contract.
    Create(CreateContract),
    /// Calls a smart contract.
    Trigger(TriggerContract),
    /// Anything else, known by its bytes only.
    Other {
        /// The number of its type.
        kind: i32,
        /// The name of its type.
        type_url: String,
        /// Its message.
        value: Vec<u8>,
    },
}

/// Sends TRX.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// Who sends.
    pub owner: Address,
    /// Who receives.
    pub to: Address,
    /// How many sun.
    pub amount: Amount,
}

/// Sends a TRC-10 asset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransferAsset {
    /// The asset's number, as ASCII digits.
    pub asset: Vec<u8>,
    /// Who sends.
    pub owner: Address,
    /// Who receives.
    pub to: Address,
    /// How many of the asset's base units.
    pub amount: Amount,
}

/// Creates a smart contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateContract {
    /// Who creates it, and pays.
    pub owner: Address,
    /// Who is written into it as its origin: the owner.
    pub origin: Address,
    /// What it can do, for whoever reads the chain.
    pub abi: Option<ContractAbi>,
    /// What runs once, with the constructor's arguments at its end.
    pub bytecode: Vec<u8>,
    /// Sun sent along.
    pub call_value: Amount,
    /// How much of a call's energy its caller pays, in percent.
    pub consume_user_resource_percent: u64,
    /// What it is called.
    pub name: String,
    /// The most energy of one call that its creator pays.
    pub origin_energy_limit: u64,
    /// Units of a TRC-10 asset sent along.
    pub call_token_value: Amount,
    /// Which asset; 0 for none.
    pub token_id: u64,
}

/// A contract's interface as the chain keeps it: a protobuf message, never looked into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContractAbi(pub(super) Vec<u8>);

/// Calls a smart contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TriggerContract {
    /// Who calls.
    pub owner: Address,
    /// What is called.
    pub contract: Address,
    /// Sun sent along.
    pub call_value: Amount,
    /// The function and its arguments.
    pub data: Vec<u8>,
    /// Units of a TRC-10 asset sent along.
    pub call_token_value: Amount,
    /// Which asset; 0 for none.
    pub token_id: u64,
}

impl Contract {
    /// Who acts, where the kind is known.
    pub fn owner(&self) -> Option<Address> {
        match self {
            Self::Transfer(transfer) => Some(transfer.owner),
            Self::TransferAsset(transfer) => Some(transfer.owner),
            Self::Create(create) => Some(create.owner),
            Self::Trigger(trigger) => Some(trigger.owner),
            Self::Other { .. } => None,
        }
    }
}
