//! A contract's interface: from the JSON that a compiler writes to the message that a chain keeps.

use prost::Message as _;
use serde::{Deserialize, Serialize};

use super::super::proto;
use super::{ContractAbi, TransactionError};

/// The interface as a node's JSON has it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct AbiJson {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    entrys: Vec<EntryJson>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct EntryJson {
    #[serde(default, skip_serializing_if = "is_false")]
    anonymous: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    constant: bool,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    name: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    inputs: Vec<ParamJson>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    outputs: Vec<ParamJson>,
    #[serde(default, rename = "type", skip_serializing_if = "String::is_empty")]
    kind: String,
    #[serde(default, skip_serializing_if = "is_false")]
    payable: bool,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    state_mutability: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct ParamJson {
    #[serde(default, skip_serializing_if = "is_false")]
    indexed: bool,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    name: String,
    #[serde(default, rename = "type", skip_serializing_if = "String::is_empty")]
    kind: String,
}

/// Names of kinds by their number, and of how calls may change the state.
const KINDS: [&str; 7] = ["", "Constructor", "Function", "Event", "Fallback", "Receive", "Error"];
const MUTABILITIES: [&str; 5] = ["", "Pure", "View", "Nonpayable", "Payable"];

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(value: &bool) -> bool {
    !*value
}

impl ContractAbi {
    /// Reads the JSON that a compiler writes: a list of functions, events and errors.
    pub fn from_json(text: &str) -> Result<Self, TransactionError> {
        let entrys = serde_json::from_str(text).map_err(|error| TransactionError::Json {
            line: error.line(),
            column: error.column(),
        })?;
        AbiJson { entrys }.read()
    }
}

impl AbiJson {
    pub(super) fn of(abi: &ContractAbi) -> Result<Self, TransactionError> {
        let message = proto::Abi::decode(abi.0.as_slice());
        let message = message.map_err(|_| TransactionError::Protobuf)?;
        Ok(Self { entrys: message.entrys.into_iter().map(shown).collect() })
    }

    pub(super) fn read(&self) -> Result<ContractAbi, TransactionError> {
        let entrys = self.entrys.iter().map(read).collect::<Result<_, _>>()?;
        Ok(ContractAbi(proto::Abi { entrys }.encode_to_vec()))
    }
}

fn shown(entry: proto::AbiEntry) -> EntryJson {
    EntryJson {
        anonymous: entry.anonymous,
        constant: entry.constant,
        name: entry.name,
        inputs: entry.inputs.into_iter().map(shown_param).collect(),
        outputs: entry.outputs.into_iter().map(shown_param).collect(),
        kind: name_of(&KINDS, entry.kind),
        payable: entry.payable,
        state_mutability: name_of(&MUTABILITIES, entry.state_mutability),
    }
}

fn shown_param(param: proto::AbiParam) -> ParamJson {
    ParamJson { indexed: param.indexed, name: param.name, kind: param.kind }
}

fn read(entry: &EntryJson) -> Result<proto::AbiEntry, TransactionError> {
    Ok(proto::AbiEntry {
        anonymous: entry.anonymous,
        constant: entry.constant,
        name: entry.name.clone(),
        inputs: entry.inputs.iter().map(read_param).collect(),
        outputs: entry.outputs.iter().map(read_param).collect(),
        kind: number_of("type", &KINDS, &entry.kind)?,
        payable: entry.payable,
        state_mutability: number_of("stateMutability", &MUTABILITIES, &entry.state_mutability)?,
    })
}

fn read_param(param: &ParamJson) -> proto::AbiParam {
    let ParamJson { indexed, name, kind } = param.clone();
    proto::AbiParam { indexed, name, kind }
}

fn name_of(names: &[&str], number: i32) -> String {
    let known = usize::try_from(number).ok().and_then(|at| names.get(at));
    known.copied().unwrap_or_default().to_owned()
}

fn number_of(field: &'static str, names: &[&str], name: &str) -> Result<i32, TransactionError> {
    let at = names.iter().position(|known| known.eq_ignore_ascii_case(name));
    let known = at.and_then(|at| i32::try_from(at).ok());
    known.ok_or(TransactionError::Missing { field })
}
