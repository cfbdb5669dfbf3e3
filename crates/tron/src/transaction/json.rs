//! Transactions as JSON, as a node's HTTP API shows and takes them. Zeros are left out; addresses
//! and text are hex unless `visible`.

mod abi;

use headwater_base::{Address, Amount, Signature, hex, unhex};
use serde::{Deserialize, Serialize};

use super::{
    BlockReference, Contract, ContractAbi, CreateContract, Raw, Transaction, TransactionError,
    TransactionId, Transfer, TransferAsset, TriggerContract, UnixMillis,
};
use crate::address;
use abi::AbiJson;

type Result<T> = core::result::Result<T, TransactionError>;

/// A transaction as JSON. Its id and `raw_data_hex` are said besides; a node believes neither and
/// writes `raw_data` anew, and so does [`TransactionJson::read`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TransactionJson {
    #[serde(default)]
    visible: bool,
    #[serde(default, rename = "txID")]
    tx_id: String,
    raw_data: RawJson,
    #[serde(default)]
    raw_data_hex: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    signature: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct RawJson {
    contract: Vec<ContractJson>,
    #[serde(default)]
    ref_block_bytes: String,
    #[serde(default)]
    ref_block_hash: String,
    #[serde(default, skip_serializing_if = "is_zero")]
    expiration: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    data: Option<String>,
    #[serde(default, skip_serializing_if = "is_zero")]
    fee_limit: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    timestamp: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct ContractJson {
    parameter: ParameterJson,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default, rename = "Permission_id", skip_serializing_if = "is_zero")]
    permission: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct ParameterJson {
    value: ValueJson,
    #[serde(default)]
    type_url: String,
}

/// The fields of all contracts; each has some of them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct ValueJson {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    data: Option<String>,
    #[serde(default, skip_serializing_if = "is_zero")]
    amount: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    asset_name: Option<String>,
    #[serde(default)]
    owner_address: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    to_address: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    contract_address: Option<String>,
    #[serde(default, skip_serializing_if = "is_zero")]
    call_value: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    call_token_value: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    token_id: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    new_contract: Option<NewContractJson>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct NewContractJson {
    #[serde(default)]
    bytecode: String,
    #[serde(default, skip_serializing_if = "is_zero")]
    consume_user_resource_percent: u64,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    name: String,
    #[serde(default)]
    origin_address: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    abi: Option<AbiJson>,
    #[serde(default, skip_serializing_if = "is_zero")]
    origin_energy_limit: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    call_value: u64,
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference, on wasm32 a small one"
)]
fn is_zero(value: &u64) -> bool {
    *value == 0
}

impl TransactionJson {
    /// The JSON of a transaction.
    pub fn of(transaction: &Transaction, visible: bool) -> Result<Self> {
        let raw = &transaction.raw;
        let encoded = raw.encode()?;
        let form = Form { visible };
        let memo = (!raw.memo.is_empty()).then(|| hex(&raw.memo));
        Ok(Self {
            visible,
            tx_id: hex(&raw.id()?.0),
            raw_data: RawJson {
                contract: vec![form.contract(raw)?],
                ref_block_bytes: hex(&raw.reference.number),
                ref_block_hash: hex(&raw.reference.hash),
                expiration: raw.expiration.0,
                data: memo,
                fee_limit: small("fee_limit", raw.fee_limit)?,
                timestamp: raw.timestamp.0,
            },
            raw_data_hex: hex(&encoded),
            signature: transaction.signatures.iter().map(|known| hex(&known.0)).collect(),
        })
    }

    /// Reads JSON text.
    pub fn parse(text: &[u8]) -> Result<Self> {
        super::bounded(text.len() / 4)?;
        serde_json::from_slice(text)
            .map_err(|error| TransactionError::Json { line: error.line(), column: error.column() })
    }

    /// The JSON as text.
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).expect("plain fields have a JSON form")
    }

    /// The id that the JSON says it has, where it says one; whoever asked a node to build a
    /// transaction compares it with that of what was read.
    pub fn said_id(&self) -> Option<TransactionId> {
        let bytes = unhex(&self.tx_id)?;
        Some(TransactionId(bytes.try_into().ok()?))
    }

    /// The transaction, from `raw_data` and the signatures.
    pub fn read(&self) -> Result<Transaction> {
        let raw = &self.raw_data;
        let (contract, permission) = match raw.contract.as_slice() {
            [one] => (Form { visible: self.visible }.read(one)?, one.permission),
            more => return Err(TransactionError::Contracts { found: more.len() }),
        };
        super::counted(self.signature.len())?;
        let signatures = self.signature.iter().map(|text| read_signature(text));
        let permission = u32::try_from(permission).map_err(|_| TransactionError::Number {
            field: "Permission_id",
            found: permission.into(),
            allowed: 9,
        })?;
        let raw = Raw {
            reference: BlockReference {
                number: exact("ref_block_bytes", &raw.ref_block_bytes)?,
                hash: exact("ref_block_hash", &raw.ref_block_hash)?,
            },
            expiration: UnixMillis(raw.expiration),
            memo: bytes("data", raw.data.as_deref().unwrap_or_default())?,
            contract,
            permission,
            timestamp: UnixMillis(raw.timestamp),
            fee_limit: Amount(raw.fee_limit.into()),
        };
        raw.encode()?;
        Ok(Transaction { raw, signatures: signatures.collect::<Result<_>>()? })
    }
}

/// How addresses and text are written.
#[derive(Clone, Copy)]
struct Form {
    visible: bool,
}

impl Form {
    fn address(self, address: Address) -> String {
        if self.visible { address::to_base58(address) } else { address::to_hex(address) }
    }

    fn text(self, bytes: &[u8]) -> String {
        if self.visible { String::from_utf8_lossy(bytes).into_owned() } else { hex(bytes) }
    }

    fn read_text(self, field: &'static str, text: &str) -> Result<Vec<u8>> {
        if self.visible { Ok(text.as_bytes().to_vec()) } else { bytes(field, text) }
    }

    fn contract(self, raw: &Raw) -> Result<ContractJson> {
        let (_, name) = raw.contract.kind().ok_or(TransactionError::Unsupported)?;
        let value = match &raw.contract {
            Contract::Transfer(it) => ValueJson {
                amount: small("amount", it.amount)?,
                owner_address: self.address(it.owner),
                to_address: Some(self.address(it.to)),
                ..ValueJson::default()
            },
            Contract::TransferAsset(it) => ValueJson {
                amount: small("amount", it.amount)?,
                asset_name: Some(self.text(&it.asset)),
                owner_address: self.address(it.owner),
                to_address: Some(self.address(it.to)),
                ..ValueJson::default()
            },
            Contract::Create(it) => self.create(it)?,
            Contract::Trigger(it) => ValueJson {
                data: (!it.data.is_empty()).then(|| hex(&it.data)),
                owner_address: self.address(it.owner),
                contract_address: Some(self.address(it.contract)),
                call_value: small("call_value", it.call_value)?,
                call_token_value: small("call_token_value", it.call_token_value)?,
                token_id: it.token_id,
                ..ValueJson::default()
            },
            Contract::Other { .. } => return Err(TransactionError::Unsupported),
        };
        let type_url = format!("type.googleapis.com/protocol.{name}");
        let parameter = ParameterJson { value, type_url };
        Ok(ContractJson { parameter, kind: name.to_owned(), permission: raw.permission.into() })
    }

    fn create(self, it: &CreateContract) -> Result<ValueJson> {
        let new_contract = NewContractJson {
            bytecode: hex(&it.bytecode),
            consume_user_resource_percent: it.consume_user_resource_percent,
            name: it.name.clone(),
            origin_address: self.address(it.origin),
            abi: it.abi.as_ref().map(AbiJson::of).transpose()?,
            origin_energy_limit: it.origin_energy_limit,
            call_value: small("call_value", it.call_value)?,
        };
        Ok(ValueJson {
            owner_address: self.address(it.owner),
            call_token_value: small("call_token_value", it.call_token_value)?,
            token_id: it.token_id,
            new_contract: Some(new_contract),
            ..ValueJson::default()
        })
    }

    fn read(self, json: &ContractJson) -> Result<Contract> {
        let it = &json.parameter.value;
        let owner = account("owner_address", Some(&it.owner_address))?;
        let amount = Amount(it.amount.into());
        Ok(match json.kind.as_str() {
            "TransferContract" => {
                let to = account("to_address", it.to_address.as_ref())?;
                Contract::Transfer(Transfer { owner, to, amount })
            }
            "TransferAssetContract" => {
                let to = account("to_address", it.to_address.as_ref())?;
                let name = it.asset_name.as_deref().unwrap_or_default();
                let asset = self.read_text("asset_name", name)?;
                Contract::TransferAsset(TransferAsset { asset, owner, to, amount })
            }
            "CreateSmartContract" => Contract::Create(read_create(it, owner)?),
            "TriggerSmartContract" => Contract::Trigger(TriggerContract {
                owner,
                contract: account("contract_address", it.contract_address.as_ref())?,
                call_value: Amount(it.call_value.into()),
                data: bytes("data", it.data.as_deref().unwrap_or_default())?,
                call_token_value: Amount(it.call_token_value.into()),
                token_id: it.token_id,
            }),
            _ => return Err(TransactionError::Unsupported),
        })
    }
}

fn read_create(it: &ValueJson, owner: Address) -> Result<CreateContract> {
    let missing = TransactionError::Missing { field: "new_contract" };
    let new = it.new_contract.as_ref().ok_or(missing)?;
    let origin = match new.origin_address.as_str() {
        "" => owner,
        text => account("origin_address", Some(&text.to_owned()))?,
    };
    Ok(CreateContract {
        owner,
        origin,
        abi: new.abi.as_ref().map(AbiJson::read).transpose()?,
        bytecode: bytes("bytecode", &new.bytecode)?,
        call_value: Amount(new.call_value.into()),
        consume_user_resource_percent: new.consume_user_resource_percent,
        name: new.name.clone(),
        origin_energy_limit: new.origin_energy_limit,
        call_token_value: Amount(it.call_token_value.into()),
        token_id: it.token_id,
    })
}

fn account(field: &'static str, text: Option<&String>) -> Result<Address> {
    let text = text.ok_or(TransactionError::Missing { field })?;
    address::parse(text).map_err(|error| TransactionError::Address { field, error })
}

fn bytes(field: &'static str, text: &str) -> Result<Vec<u8>> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    unhex(digits).ok_or(TransactionError::Hex { field })
}

fn exact<const N: usize>(field: &'static str, text: &str) -> Result<[u8; N]> {
    let bytes = bytes(field, text)?;
    let found = bytes.len();
    bytes.try_into().map_err(|_| TransactionError::Field { field, found })
}

fn read_signature(text: &str) -> Result<Signature> {
    super::signature(&bytes("signature", text)?)
}

/// A number that JSON of a node can carry.
fn small(field: &'static str, amount: Amount) -> Result<u64> {
    let allowed = i64::MAX.unsigned_abs();
    let found = i128::try_from(amount.0).unwrap_or(i128::MAX);
    let known = u64::try_from(amount.0).ok().filter(|known| *known <= allowed);
    known.ok_or(TransactionError::Number { field, found, allowed })
}
