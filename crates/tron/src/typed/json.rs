//! A grant as the JSON that wallets show and sign. Field order is the one that is hashed.

use headwater_base::{Address, hex};
use serde::Serialize;

use super::{Domain, Grant, NAME, VERSION};
use crate::address;

/// Which wallet the JSON is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// TRON's `_signTypedData(domain, types, message)`: addresses in base58, and no domain among
    /// the types, since two roots would be refused.
    Tron,
    /// Ethereum's `eth_signTypedData_v4`: addresses as `0x…`, the domain among the types.
    Evm,
}

#[derive(Serialize)]
struct Field {
    name: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
}

#[derive(Serialize)]
struct Types {
    #[serde(rename = "EIP712Domain", skip_serializing_if = "Option::is_none")]
    domain: Option<[Field; 4]>,
    #[serde(rename = "Grant")]
    grant: [Field; 5],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DomainText {
    name: &'static str,
    version: &'static str,
    chain_id: u64,
    verifying_contract: String,
}

#[derive(Serialize)]
struct Message {
    owner: String,
    key: String,
    cap: String,
    expiry: String,
    salt: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Typed {
    domain: DomainText,
    types: Types,
    primary_type: &'static str,
    message: Message,
}

/// The grant as a wallet takes it: `{domain, types, primaryType, message}`. The chain's id is a
/// number, amounts and dates are decimal digits, since they may exceed what a number holds.
pub fn grant_json(domain: &Domain, grant: &Grant, form: Form) -> String {
    let text = |address: Address| match form {
        Form::Tron => address::to_base58(address),
        Form::Evm => address::to_evm(address),
    };
    let typed = Typed {
        domain: DomainText {
            name: NAME,
            version: VERSION,
            chain_id: domain.chain_id,
            verifying_contract: text(domain.vault),
        },
        types: types(form),
        primary_type: "Grant",
        message: Message {
            owner: text(grant.owner),
            key: text(grant.key),
            cap: grant.cap.0.to_string(),
            expiry: grant.expiry.0.to_string(),
            salt: format!("0x{}", hex(&grant.salt)),
        },
    };
    serde_json::to_string(&typed).expect("plain fields have a JSON form")
}

fn types(form: Form) -> Types {
    let domain = [
        field("name", "string"),
        field("version", "string"),
        field("chainId", "uint256"),
        field("verifyingContract", "address"),
    ];
    let grant = [
        field("owner", "address"),
        field("key", "address"),
        field("cap", "uint128"),
        field("expiry", "uint64"),
        field("salt", "bytes32"),
    ];
    Types { domain: (form == Form::Evm).then_some(domain), grant }
}

const fn field(name: &'static str, kind: &'static str) -> Field {
    Field { name, kind }
}
