//! The protobuf messages of TRON, as far as we speak them; tags are those of `Tron.proto`.

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Transaction {
    #[prost(message, optional, tag = "1")]
    pub(super) raw: Option<Raw>,
    #[prost(bytes = "vec", repeated, tag = "2")]
    pub(super) signature: Vec<Vec<u8>>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Raw {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) ref_block_bytes: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    pub(super) ref_block_hash: Vec<u8>,
    #[prost(int64, tag = "8")]
    pub(super) expiration: i64,
    #[prost(bytes = "vec", tag = "10")]
    pub(super) data: Vec<u8>,
    #[prost(message, repeated, tag = "11")]
    pub(super) contract: Vec<Contract>,
    #[prost(int64, tag = "14")]
    pub(super) timestamp: i64,
    #[prost(int64, tag = "18")]
    pub(super) fee_limit: i64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Contract {
    #[prost(int32, tag = "1")]
    pub(super) kind: i32,
    #[prost(message, optional, tag = "2")]
    pub(super) parameter: Option<Any>,
    #[prost(int32, tag = "5")]
    pub(super) permission_id: i32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Any {
    #[prost(string, tag = "1")]
    pub(super) type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) value: Vec<u8>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Transfer {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) owner: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) to: Vec<u8>,
    #[prost(int64, tag = "3")]
    pub(super) amount: i64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct TransferAsset {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) asset_name: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) owner: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    pub(super) to: Vec<u8>,
    #[prost(int64, tag = "4")]
    pub(super) amount: i64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct CreateContract {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) owner: Vec<u8>,
    #[prost(message, optional, tag = "2")]
    pub(super) new_contract: Option<NewContract>,
    #[prost(int64, tag = "3")]
    pub(super) call_token_value: i64,
    #[prost(int64, tag = "4")]
    pub(super) token_id: i64,
}

/// `SmartContract`, of which `abi` stays encoded: only its JSON looks inside.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct NewContract {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) origin: Vec<u8>,
    #[prost(bytes = "vec", optional, tag = "3")]
    pub(super) abi: Option<Vec<u8>>,
    #[prost(bytes = "vec", tag = "4")]
    pub(super) bytecode: Vec<u8>,
    #[prost(int64, tag = "5")]
    pub(super) call_value: i64,
    #[prost(int64, tag = "6")]
    pub(super) consume_user_resource_percent: i64,
    #[prost(string, tag = "7")]
    pub(super) name: String,
    #[prost(int64, tag = "8")]
    pub(super) origin_energy_limit: i64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct TriggerContract {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) owner: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) contract: Vec<u8>,
    #[prost(int64, tag = "3")]
    pub(super) call_value: i64,
    #[prost(bytes = "vec", tag = "4")]
    pub(super) data: Vec<u8>,
    #[prost(int64, tag = "5")]
    pub(super) call_token_value: i64,
    #[prost(int64, tag = "6")]
    pub(super) token_id: i64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Abi {
    #[prost(message, repeated, tag = "1")]
    pub(super) entrys: Vec<AbiEntry>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct AbiEntry {
    #[prost(bool, tag = "1")]
    pub(super) anonymous: bool,
    #[prost(bool, tag = "2")]
    pub(super) constant: bool,
    #[prost(string, tag = "3")]
    pub(super) name: String,
    #[prost(message, repeated, tag = "4")]
    pub(super) inputs: Vec<AbiParam>,
    #[prost(message, repeated, tag = "5")]
    pub(super) outputs: Vec<AbiParam>,
    #[prost(int32, tag = "6")]
    pub(super) kind: i32,
    #[prost(bool, tag = "7")]
    pub(super) payable: bool,
    #[prost(int32, tag = "8")]
    pub(super) state_mutability: i32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct AbiParam {
    #[prost(bool, tag = "1")]
    pub(super) indexed: bool,
    #[prost(string, tag = "2")]
    pub(super) name: String,
    #[prost(string, tag = "3")]
    pub(super) kind: String,
}
