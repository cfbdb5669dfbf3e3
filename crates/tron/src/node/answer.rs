//! What a node answers, field by field. Whoever plays the node writes the same values.

use headwater_base::unhex;
use serde::{Deserialize, Serialize};

use super::form::{HexAddress, HexBytes, LogAddress, is_false, is_zero, maybe_address, number};
use crate::transaction::TransactionJson;

/// The answer to a signed transaction.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BroadcastAnswer {
    /// Whether it is in the node's pool, and no more than that.
    #[serde(default, skip_serializing_if = "is_false")]
    pub result: bool,
    /// Why not, as a code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Why not, in words, which may be hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The transaction's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub txid: Option<HexBytes>,
}

/// Whether a call could be run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ReturnAnswer {
    /// Whether it ran, also where it then reverted.
    #[serde(default, skip_serializing_if = "is_false")]
    pub result: bool,
    /// Why it did not run, as a code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Why it did not run, or how it failed; in words, which may be hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// The answer to a call that is built, or run and forgotten.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CallAnswer {
    /// Whether it could be run.
    #[serde(default)]
    pub result: ReturnAnswer,
    /// Energy it used.
    #[serde(default, deserialize_with = "number", skip_serializing_if = "is_zero")]
    pub energy_used: u64,
    /// What it returned, or what it reverted with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub constant_result: Option<Vec<HexBytes>>,
    /// Events it would write.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logs: Option<Vec<LogEntry>>,
    /// The transaction, where one was built.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction: Option<TransactionJson>,
}

/// The answer to how much energy a call needs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EnergyAnswer {
    /// Whether it could be run.
    #[serde(default)]
    pub result: ReturnAnswer,
    /// Energy it needs.
    #[serde(default, deserialize_with = "number", skip_serializing_if = "is_zero")]
    pub energy_required: u64,
}

/// A block without its transactions.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BlockAnswer {
    /// Its id.
    #[serde(default, rename = "blockID", skip_serializing_if = "Option::is_none")]
    pub id: Option<HexBytes>,
    /// Its header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block_header: Option<BlockHeader>,
}

/// A block's header with its signature.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BlockHeader {
    /// What is signed.
    #[serde(default)]
    pub raw_data: BlockHeaderRaw,
    /// By whom.
    #[serde(default)]
    pub witness_signature: HexBytes,
}

/// A block's header.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BlockHeaderRaw {
    /// Its number; the first has none.
    #[serde(default, deserialize_with = "number", skip_serializing_if = "is_zero")]
    pub number: u64,
    /// The root of its transactions.
    #[serde(default)]
    pub tx_trie_root: HexBytes,
    /// Who made it.
    #[serde(
        default,
        rename = "witness_address",
        deserialize_with = "maybe_address",
        skip_serializing_if = "Option::is_none"
    )]
    pub witness: Option<HexAddress>,
    /// The block before.
    #[serde(default)]
    pub parent_hash: HexBytes,
    /// The version of its form.
    #[serde(default, deserialize_with = "number", skip_serializing_if = "is_zero")]
    pub version: u64,
    /// When it was made, in milliseconds since 1970.
    #[serde(default, deserialize_with = "number", skip_serializing_if = "is_zero")]
    pub timestamp: u64,
}

/// An account; an empty object where there is none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AccountAnswer {
    /// Whose.
    #[serde(default, deserialize_with = "maybe_address", skip_serializing_if = "Option::is_none")]
    pub address: Option<HexAddress>,
    /// Sun it has.
    #[serde(default, deserialize_with = "number", skip_serializing_if = "is_zero")]
    pub balance: u64,
    /// When it came to be, in milliseconds since 1970.
    #[serde(default, deserialize_with = "number", skip_serializing_if = "is_zero")]
    pub create_time: u64,
    /// TRC-10 assets it has, by their number.
    #[serde(default, rename = "assetV2", skip_serializing_if = "Vec::is_empty")]
    pub assets: Vec<KeyValue>,
}

/// One number by its name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeyValue {
    /// Its name.
    pub key: String,
    /// The number.
    #[serde(default, deserialize_with = "number")]
    pub value: u64,
}

/// An account's bandwidth and energy.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ResourcesAnswer {
    /// Free bandwidth used today.
    #[serde(
        default,
        rename = "freeNetUsed",
        deserialize_with = "number",
        skip_serializing_if = "is_zero"
    )]
    pub free_net_used: u64,
    /// Free bandwidth of a day.
    #[serde(
        default,
        rename = "freeNetLimit",
        deserialize_with = "number",
        skip_serializing_if = "is_zero"
    )]
    pub free_net_limit: u64,
    /// Staked bandwidth used today.
    #[serde(
        default,
        rename = "NetUsed",
        deserialize_with = "number",
        skip_serializing_if = "is_zero"
    )]
    pub net_used: u64,
    /// Staked bandwidth of a day.
    #[serde(
        default,
        rename = "NetLimit",
        deserialize_with = "number",
        skip_serializing_if = "is_zero"
    )]
    pub net_limit: u64,
    /// Staked energy used today.
    #[serde(
        default,
        rename = "EnergyUsed",
        deserialize_with = "number",
        skip_serializing_if = "is_zero"
    )]
    pub energy_used: u64,
    /// Staked energy of a day.
    #[serde(
        default,
        rename = "EnergyLimit",
        deserialize_with = "number",
        skip_serializing_if = "is_zero"
    )]
    pub energy_limit: u64,
}

/// What became of a transaction; an empty object while no block holds it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ReceiptAnswer {
    /// Its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<HexBytes>,
    /// Sun it cost.
    #[serde(default, deserialize_with = "number", skip_serializing_if = "is_zero")]
    pub fee: u64,
    /// The block that holds it.
    #[serde(
        default,
        rename = "blockNumber",
        deserialize_with = "number",
        skip_serializing_if = "is_zero"
    )]
    pub block_number: u64,
    /// When that block was made, in milliseconds since 1970.
    #[serde(
        default,
        rename = "blockTimeStamp",
        deserialize_with = "number",
        skip_serializing_if = "is_zero"
    )]
    pub block_timestamp: u64,
    /// What the call returned, or what it reverted with.
    #[serde(default, rename = "contractResult", skip_serializing_if = "Vec::is_empty")]
    pub contract_result: Vec<HexBytes>,
    /// What was called or created.
    #[serde(default, deserialize_with = "maybe_address", skip_serializing_if = "Option::is_none")]
    pub contract_address: Option<HexAddress>,
    /// What it used.
    #[serde(default)]
    pub receipt: ResourceReceipt,
    /// Events it wrote.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub log: Vec<LogEntry>,
    /// `FAILED`, or nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
    /// How it failed, as hex.
    #[serde(default, rename = "resMessage", skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// What a transaction used.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ResourceReceipt {
    /// Staked energy of the caller.
    #[serde(default, deserialize_with = "number", skip_serializing_if = "is_zero")]
    pub energy_usage: u64,
    /// Sun burned for energy.
    #[serde(default, deserialize_with = "number", skip_serializing_if = "is_zero")]
    pub energy_fee: u64,
    /// Energy that the contract's creator paid.
    #[serde(default, deserialize_with = "number", skip_serializing_if = "is_zero")]
    pub origin_energy_usage: u64,
    /// All of its energy.
    #[serde(default, deserialize_with = "number", skip_serializing_if = "is_zero")]
    pub energy_usage_total: u64,
    /// Bandwidth of the sender.
    #[serde(default, deserialize_with = "number", skip_serializing_if = "is_zero")]
    pub net_usage: u64,
    /// Sun burned for bandwidth.
    #[serde(default, deserialize_with = "number", skip_serializing_if = "is_zero")]
    pub net_fee: u64,
    /// How the contract ended, such as `SUCCESS`, `REVERT`, `OUT_OF_ENERGY`; a plain transfer has
    /// none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
}

/// An event that a contract wrote.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogEntry {
    /// Which contract, without TRON's prefix.
    pub address: LogAddress,
    /// Its name's digest and what is indexed.
    #[serde(default)]
    pub topics: Vec<HexBytes>,
    /// The rest.
    #[serde(default)]
    pub data: HexBytes,
}

/// The chain's parameters.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ParametersAnswer {
    /// Each by its name, such as `getEnergyFee`.
    #[serde(default, rename = "chainParameter")]
    pub parameters: Vec<KeyValue>,
}

/// A node's message in plain words. It is hex unless `visible`, and never looks like hex then.
pub fn message_text(message: &str) -> String {
    let text = unhex(message).filter(|bytes| !bytes.is_empty());
    let text = text.and_then(|bytes| String::from_utf8(bytes).ok());
    text.unwrap_or_else(|| message.to_owned())
}
