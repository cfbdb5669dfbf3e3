//! What a node is asked. The same values are read by whoever plays the node.

use headwater_base::{Address, Amount, hex};
use serde::{Deserialize, Serialize};

use super::form::{HexAddress, HexBytes, is_false, is_zero, maybe_address, number};
use crate::digest::keccak256;
use crate::transaction::{Transaction, TransactionError, TransactionId, TransactionJson};

/// The paths of the API that we use.
pub mod path {
    /// Builds a transfer of TRX.
    pub const CREATE_TRANSACTION: &str = "/wallet/createtransaction";
    /// Builds a transfer of a TRC-10 asset.
    pub const TRANSFER_ASSET: &str = "/wallet/transferasset";
    /// Builds a call.
    pub const TRIGGER: &str = "/wallet/triggersmartcontract";
    /// Runs a call and forgets it.
    pub const CONSTANT: &str = "/wallet/triggerconstantcontract";
    /// Tells how much energy a call needs.
    pub const ESTIMATE: &str = "/wallet/estimateenergy";
    /// Builds the creation of a contract.
    pub const DEPLOY: &str = "/wallet/deploycontract";
    /// Takes a signed transaction as JSON.
    pub const BROADCAST: &str = "/wallet/broadcasttransaction";
    /// Takes a signed transaction as hex.
    pub const BROADCAST_HEX: &str = "/wallet/broadcasthex";
    /// Tells of an account.
    pub const ACCOUNT: &str = "/wallet/getaccount";
    /// Tells of an account's bandwidth and energy.
    pub const RESOURCES: &str = "/wallet/getaccountresource";
    /// Tells the newest block.
    pub const NOW_BLOCK: &str = "/wallet/getnowblock";
    /// Tells a block.
    pub const BLOCK: &str = "/wallet/getblock";
    /// Tells a transaction.
    pub const TRANSACTION: &str = "/wallet/gettransactionbyid";
    /// Tells what became of a transaction.
    pub const RECEIPT: &str = "/wallet/gettransactioninfobyid";
    /// Tells the chain's prices.
    pub const PARAMETERS: &str = "/wallet/getchainparameters";
    /// The same as [`NOW_BLOCK`], of what will not change again.
    pub const SOLID_NOW_BLOCK: &str = "/walletsolidity/getnowblock";
    /// The same as [`ACCOUNT`], of what will not change again.
    pub const SOLID_ACCOUNT: &str = "/walletsolidity/getaccount";
    /// The same as [`RECEIPT`], of what will not change again.
    pub const SOLID_RECEIPT: &str = "/walletsolidity/gettransactioninfobyid";
    /// The same as [`CONSTANT`], of what will not change again.
    pub const SOLID_CONSTANT: &str = "/walletsolidity/triggerconstantcontract";
}

/// A request to a node: JSON that is posted to a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Where, below the node's URL.
    pub path: &'static str,
    /// What is posted.
    pub body: String,
}

/// Asks about an account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AddressRequest {
    /// Whose.
    #[serde(default, deserialize_with = "maybe_address")]
    pub address: Option<HexAddress>,
    /// Whether the answer has addresses in base58.
    #[serde(default, skip_serializing_if = "is_false")]
    pub visible: bool,
}

/// Asks about a transaction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ValueRequest {
    /// Its id.
    pub value: HexBytes,
    /// Whether the answer has addresses in base58.
    #[serde(default, skip_serializing_if = "is_false")]
    pub visible: bool,
}

/// Asks about a block.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BlockRequest {
    /// Its id or its number; nothing for the newest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_or_num: Option<String>,
    /// Whether its transactions are wanted.
    #[serde(default)]
    pub detail: bool,
}

/// Asks for a transfer of TRX.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TransferRequest {
    /// Who sends.
    pub owner_address: HexAddress,
    /// Who receives.
    pub to_address: HexAddress,
    /// How many sun.
    #[serde(deserialize_with = "number")]
    pub amount: u64,
    /// Whether addresses are in base58.
    #[serde(default, skip_serializing_if = "is_false")]
    pub visible: bool,
}

/// Asks for a transfer of a TRC-10 asset.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TransferAssetRequest {
    /// Who sends.
    pub owner_address: HexAddress,
    /// Who receives.
    pub to_address: HexAddress,
    /// The asset's number in ASCII digits, as hex unless `visible`.
    pub asset_name: String,
    /// How many base units.
    #[serde(deserialize_with = "number")]
    pub amount: u64,
    /// Whether addresses are in base58 and the name is text.
    #[serde(default, skip_serializing_if = "is_false")]
    pub visible: bool,
}

/// Asks for a call: to be built, run and forgotten, or weighed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CallRequest {
    /// Who calls.
    pub owner_address: HexAddress,
    /// What is called; nothing to try the creation of a contract.
    #[serde(default, deserialize_with = "maybe_address", skip_serializing_if = "Option::is_none")]
    pub contract_address: Option<HexAddress>,
    /// The function's signature, such as `transfer(address,uint256)`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function_selector: Option<String>,
    /// Its arguments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameter: Option<HexBytes>,
    /// The function and its arguments, instead of both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<HexBytes>,
    /// Sun sent along.
    #[serde(default, deserialize_with = "number", skip_serializing_if = "is_zero")]
    pub call_value: u64,
    /// Units of a TRC-10 asset sent along.
    #[serde(default, deserialize_with = "number", skip_serializing_if = "is_zero")]
    pub call_token_value: u64,
    /// Which asset.
    #[serde(default, deserialize_with = "number", skip_serializing_if = "is_zero")]
    pub token_id: u64,
    /// The most sun that it may burn.
    #[serde(default, deserialize_with = "number", skip_serializing_if = "is_zero")]
    pub fee_limit: u64,
    /// Whether addresses are in base58 and messages are text.
    #[serde(default, skip_serializing_if = "is_false")]
    pub visible: bool,
}

/// Asks for the creation of a contract.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeployRequest {
    /// Who creates it.
    pub owner_address: HexAddress,
    /// The interface, as JSON in a string.
    #[serde(default)]
    pub abi: String,
    /// What runs once.
    pub bytecode: HexBytes,
    /// The constructor's arguments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameter: Option<HexBytes>,
    /// What it is called.
    #[serde(default)]
    pub name: String,
    /// Sun sent along.
    #[serde(default, deserialize_with = "number", skip_serializing_if = "is_zero")]
    pub call_value: u64,
    /// How much of a call's energy its caller pays, in percent.
    #[serde(default, deserialize_with = "number")]
    pub consume_user_resource_percent: u64,
    /// The most energy of one call that its creator pays.
    #[serde(default, deserialize_with = "number")]
    pub origin_energy_limit: u64,
    /// The most sun that it may burn.
    #[serde(default, deserialize_with = "number")]
    pub fee_limit: u64,
    /// Whether addresses are in base58.
    #[serde(default, skip_serializing_if = "is_false")]
    pub visible: bool,
}

/// Hands in a signed transaction as hex.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HexRequest {
    /// The whole transaction.
    pub transaction: HexBytes,
}

impl Request {
    /// Asks about an account; see [`path::ACCOUNT`] and [`path::RESOURCES`].
    pub fn about(path: &'static str, address: Address) -> Self {
        let address = Some(HexAddress(address));
        Self::of(path, &AddressRequest { address, visible: false })
    }

    /// Asks what became of a transaction.
    pub fn receipt(path: &'static str, id: TransactionId) -> Self {
        Self::of(path, &ValueRequest { value: HexBytes(id.0.to_vec()), visible: false })
    }

    /// Asks for the newest block without its transactions.
    pub fn now_block() -> Self {
        Self::of(path::BLOCK, &BlockRequest::default())
    }

    /// Asks for the chain's prices.
    pub fn parameters() -> Self {
        Self { path: path::PARAMETERS, body: "{}".to_owned() }
    }

    /// Runs a call of `owner` and forgets it; with [`path::ESTIMATE`], weighs it.
    pub fn call(path: &'static str, owner: Address, contract: Address, data: Vec<u8>) -> Self {
        let asked = CallRequest {
            owner_address: HexAddress(owner),
            contract_address: Some(HexAddress(contract)),
            function_selector: None,
            parameter: None,
            data: Some(HexBytes(data)),
            call_value: 0,
            call_token_value: 0,
            token_id: 0,
            fee_limit: 0,
            visible: false,
        };
        Self::of(path, &asked)
    }

    /// Hands in a signed transaction, as the bytes that were signed: nothing is written anew.
    pub fn broadcast(transaction: &Transaction) -> Result<Self, TransactionError> {
        let transaction = HexBytes(transaction.encode()?);
        Ok(Self::of(path::BROADCAST_HEX, &HexRequest { transaction }))
    }

    /// Hands in a signed transaction as JSON, for nodes that take no hex.
    pub fn broadcast_json(transaction: &Transaction) -> Result<Self, TransactionError> {
        let body = TransactionJson::of(transaction, false)?.to_text();
        Ok(Self { path: path::BROADCAST, body })
    }

    /// Any request of these forms.
    pub fn of<T: Serialize>(path: &'static str, asked: &T) -> Self {
        let body = serde_json::to_string(asked).expect("plain fields have a JSON form");
        Self { path, body }
    }
}

impl CallRequest {
    /// The function and its arguments, in whichever way they were given.
    pub fn call_data(&self) -> Vec<u8> {
        if let Some(data) = self.data.as_ref().filter(|data| !data.0.is_empty()) {
            return data.0.clone();
        }
        let mut data = Vec::new();
        if let Some(signature) = self.function_selector.as_ref().filter(|name| !name.is_empty()) {
            data.extend_from_slice(&keccak256(&[signature.as_bytes()])[..4]);
            data.extend_from_slice(self.parameter.as_ref().map_or(&[], |known| &known.0));
        }
        data
    }
}

impl TransferAssetRequest {
    /// Asks to send `amount` of the asset with that number.
    pub fn new(owner: Address, to: Address, asset: u64, amount: Amount) -> Option<Self> {
        Some(Self {
            owner_address: HexAddress(owner),
            to_address: HexAddress(to),
            asset_name: hex(asset.to_string().as_bytes()),
            amount: u64::try_from(amount.0).ok()?,
            visible: false,
        })
    }
}
