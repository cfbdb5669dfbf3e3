//! Contracts and what is around them to and from protobuf messages.

use headwater_base::{Address, Amount};
use prost::Message;

use super::{Contract, ContractAbi, CreateContract, Transfer, TransferAsset, TriggerContract};
use crate::address;
use crate::limit;
use crate::transaction::{BlockReference, Raw, TransactionError, UnixMillis, proto};

type Result<T> = core::result::Result<T, TransactionError>;

const URL: &str = "type.googleapis.com/protocol.";

impl Contract {
    /// The number and the name of its type.
    pub(in crate::transaction) fn kind(&self) -> Option<(i32, &'static str)> {
        match self {
            Self::Transfer(_) => Some((1, "TransferContract")),
            Self::TransferAsset(_) => Some((2, "TransferAssetContract")),
            Self::Create(_) => Some((30, "CreateSmartContract")),
            Self::Trigger(_) => Some((31, "TriggerSmartContract")),
            Self::Other { .. } => None,
        }
    }

    fn to_proto(&self, permission: u32) -> Result<proto::Contract> {
        let permission_id = narrow("Permission_id", permission.into(), 9)?;
        let permission_id = i32::try_from(permission_id).unwrap_or_default();
        let (kind, type_url, value) = match self {
            Self::Other { kind, type_url, value } => (*kind, type_url.clone(), value.clone()),
            Self::Transfer(_) | Self::TransferAsset(_) | Self::Create(_) | Self::Trigger(_) => {
                let (kind, name) = self.kind().unwrap_or_default();
                (kind, format!("{URL}{name}"), self.value()?)
            }
        };
        let parameter = Some(proto::Any { type_url, value });
        Ok(proto::Contract { kind, parameter, permission_id })
    }

    fn value(&self) -> Result<Vec<u8>> {
        Ok(match self {
            Self::Transfer(it) => proto::Transfer::try_from(it)?.encode_to_vec(),
            Self::TransferAsset(it) => proto::TransferAsset::try_from(it)?.encode_to_vec(),
            Self::Create(it) => proto::CreateContract::try_from(it)?.encode_to_vec(),
            Self::Trigger(it) => proto::TriggerContract::try_from(it)?.encode_to_vec(),
            Self::Other { value, .. } => value.clone(),
        })
    }
}

impl TryFrom<proto::Contract> for Contract {
    type Error = TransactionError;

    fn try_from(message: proto::Contract) -> Result<Self> {
        let kind = message.kind;
        let any = message.parameter.ok_or(TransactionError::Missing { field: "parameter" })?;
        let value = any.value.as_slice();
        let read = match kind {
            1 => Self::Transfer(read::<proto::Transfer>(value)?.try_into()?),
            2 => Self::TransferAsset(read::<proto::TransferAsset>(value)?.try_into()?),
            30 => Self::Create(read::<proto::CreateContract>(value)?.try_into()?),
            31 => Self::Trigger(read::<proto::TriggerContract>(value)?.try_into()?),
            _ => return Ok(Self::Other { kind, type_url: any.type_url, value: any.value }),
        };
        let named = any.type_url.strip_prefix(URL);
        match read.kind() {
            Some((_, name)) if named == Some(name) => Ok(read),
            _ => Err(TransactionError::Kind { kind }),
        }
    }
}

fn read<M: Message + Default>(bytes: &[u8]) -> Result<M> {
    M::decode(bytes).map_err(|_| TransactionError::Protobuf)
}

impl TryFrom<&Raw> for proto::Raw {
    type Error = TransactionError;

    fn try_from(raw: &Raw) -> Result<Self> {
        let allowed = u128::from(limit::FEE_LIMIT_MAX);
        if raw.fee_limit.0 > allowed {
            return Err(number("fee_limit", raw.fee_limit.0, limit::FEE_LIMIT_MAX));
        }
        Ok(Self {
            ref_block_bytes: raw.reference.number.to_vec(),
            ref_block_hash: raw.reference.hash.to_vec(),
            expiration: int64("expiration", raw.expiration.0.into())?,
            data: raw.memo.clone(),
            contract: vec![raw.contract.to_proto(raw.permission)?],
            timestamp: int64("timestamp", raw.timestamp.0.into())?,
            fee_limit: int64("fee_limit", raw.fee_limit.0)?,
        })
    }
}

impl TryFrom<proto::Raw> for Raw {
    type Error = TransactionError;

    fn try_from(mut message: proto::Raw) -> Result<Self> {
        let found = message.contract.len();
        let contract = match message.contract.pop() {
            Some(contract) if found == 1 => contract,
            _ => return Err(TransactionError::Contracts { found }),
        };
        let permission = positive("Permission_id", contract.permission_id.into())?;
        Ok(Self {
            reference: BlockReference {
                number: exact("ref_block_bytes", &message.ref_block_bytes)?,
                hash: exact("ref_block_hash", &message.ref_block_hash)?,
            },
            expiration: UnixMillis(positive("expiration", message.expiration)?),
            memo: message.data,
            contract: contract.try_into()?,
            permission: u32::try_from(permission).unwrap_or_default(),
            timestamp: UnixMillis(positive("timestamp", message.timestamp)?),
            fee_limit: amount("fee_limit", message.fee_limit)?,
        })
    }
}

impl TryFrom<&Transfer> for proto::Transfer {
    type Error = TransactionError;

    fn try_from(it: &Transfer) -> Result<Self> {
        let amount = int64("amount", it.amount.0)?;
        Ok(Self { owner: raw(it.owner), to: raw(it.to), amount })
    }
}

impl TryFrom<proto::Transfer> for Transfer {
    type Error = TransactionError;

    fn try_from(it: proto::Transfer) -> Result<Self> {
        let (owner, to) = (account("owner_address", &it.owner)?, account("to_address", &it.to)?);
        Ok(Self { owner, to, amount: amount("amount", it.amount)? })
    }
}

impl TryFrom<&TransferAsset> for proto::TransferAsset {
    type Error = TransactionError;

    fn try_from(it: &TransferAsset) -> Result<Self> {
        let amount = int64("amount", it.amount.0)?;
        Ok(Self { asset_name: it.asset.clone(), owner: raw(it.owner), to: raw(it.to), amount })
    }
}

impl TryFrom<proto::TransferAsset> for TransferAsset {
    type Error = TransactionError;

    fn try_from(it: proto::TransferAsset) -> Result<Self> {
        let (owner, to) = (account("owner_address", &it.owner)?, account("to_address", &it.to)?);
        Ok(Self { asset: it.asset_name, owner, to, amount: amount("amount", it.amount)? })
    }
}

impl TryFrom<&CreateContract> for proto::CreateContract {
    type Error = TransactionError;

    fn try_from(it: &CreateContract) -> Result<Self> {
        let percent = it.consume_user_resource_percent.into();
        let new_contract = proto::NewContract {
            origin: raw(it.origin),
            abi: it.abi.as_ref().map(|abi| abi.0.clone()),
            bytecode: it.bytecode.clone(),
            call_value: int64("call_value", it.call_value.0)?,
            consume_user_resource_percent: int64("consume_user_resource_percent", percent)?,
            name: it.name.clone(),
            origin_energy_limit: int64("origin_energy_limit", it.origin_energy_limit.into())?,
        };
        Ok(Self {
            owner: raw(it.owner),
            new_contract: Some(new_contract),
            call_token_value: int64("call_token_value", it.call_token_value.0)?,
            token_id: int64("token_id", it.token_id.into())?,
        })
    }
}

impl TryFrom<proto::CreateContract> for CreateContract {
    type Error = TransactionError;

    fn try_from(it: proto::CreateContract) -> Result<Self> {
        let new = it.new_contract.ok_or(TransactionError::Missing { field: "new_contract" })?;
        let percent = new.consume_user_resource_percent;
        Ok(Self {
            owner: account("owner_address", &it.owner)?,
            origin: account("origin_address", &new.origin)?,
            abi: new.abi.map(ContractAbi),
            bytecode: new.bytecode,
            call_value: amount("call_value", new.call_value)?,
            consume_user_resource_percent: positive("consume_user_resource_percent", percent)?,
            name: new.name,
            origin_energy_limit: positive("origin_energy_limit", new.origin_energy_limit)?,
            call_token_value: amount("call_token_value", it.call_token_value)?,
            token_id: positive("token_id", it.token_id)?,
        })
    }
}

impl TryFrom<&TriggerContract> for proto::TriggerContract {
    type Error = TransactionError;

    fn try_from(it: &TriggerContract) -> Result<Self> {
        Ok(Self {
            owner: raw(it.owner),
            contract: raw(it.contract),
            call_value: int64("call_value", it.call_value.0)?,
            data: it.data.clone(),
            call_token_value: int64("call_token_value", it.call_token_value.0)?,
            token_id: int64("token_id", it.token_id.into())?,
        })
    }
}

impl TryFrom<proto::TriggerContract> for TriggerContract {
    type Error = TransactionError;

    fn try_from(it: proto::TriggerContract) -> Result<Self> {
        Ok(Self {
            owner: account("owner_address", &it.owner)?,
            contract: account("contract_address", &it.contract)?,
            call_value: amount("call_value", it.call_value)?,
            data: it.data,
            call_token_value: amount("call_token_value", it.call_token_value)?,
            token_id: positive("token_id", it.token_id)?,
        })
    }
}

fn raw(address: Address) -> Vec<u8> {
    address::to_raw(address).to_vec()
}

/// An address inside a transaction has its prefix, always.
fn account(field: &'static str, bytes: &[u8]) -> Result<Address> {
    if bytes.len() != 21 {
        return Err(TransactionError::Field { field, found: bytes.len() });
    }
    address::from_raw(bytes).map_err(|error| TransactionError::Address { field, error })
}

fn exact<const N: usize>(field: &'static str, bytes: &[u8]) -> Result<[u8; N]> {
    let found = bytes.len();
    bytes.try_into().map_err(|_| TransactionError::Field { field, found })
}

fn int64(field: &'static str, value: u128) -> Result<i64> {
    narrow(field, value, i64::MAX.unsigned_abs())
}

fn narrow(field: &'static str, value: u128, allowed: u64) -> Result<i64> {
    let known = i64::try_from(value).ok().filter(|known| known.unsigned_abs() <= allowed);
    known.ok_or_else(|| number(field, value, allowed))
}

fn number(field: &'static str, found: u128, allowed: u64) -> TransactionError {
    let found = i128::try_from(found).unwrap_or(i128::MAX);
    TransactionError::Number { field, found, allowed }
}

fn positive(field: &'static str, value: i64) -> Result<u64> {
    let allowed = i64::MAX.unsigned_abs();
    let error = TransactionError::Number { field, found: value.into(), allowed };
    u64::try_from(value).map_err(|_| error)
}

fn amount(field: &'static str, value: i64) -> Result<Amount> {
    positive(field, value).map(|value| Amount(value.into()))
}
