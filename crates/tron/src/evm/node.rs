//! What a node is asked over JSON-RPC, and what it answers. A batch is never sent: each request
//! has one answer, so that its number says nothing.

use headwater_base::{Address, Amount, Digest256, hex};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::address::to_evm;
use crate::limit;
use crate::node::{
    Broadcast, Called, Code, HexBytes, Log, LogEntry, NodeError, Outcome, Receipt, Request, Words,
};
use crate::transaction::{TransactionId, UnixMillis};

/// The code of an error that a contract gave a reason for.
const REVERTED: i64 = 3;

/// Runs a call of `owner` and forgets it; in the newest block unless another is named.
pub fn call(owner: Address, contract: Address, data: &[u8], block: Option<u64>) -> Request {
    let block = block.map_or_else(|| "latest".to_owned(), |number| format!("{number:#x}"));
    ask("eth_call", &json!([message(owner, contract, data), block]))
}

/// Asks how much gas a call of `owner` needs. A call that fails is refused.
pub fn estimate(owner: Address, contract: Address, data: &[u8]) -> Request {
    ask("eth_estimateGas", &json!([message(owner, contract, data)]))
}

/// Asks how many transactions an account has made, those that wait included.
pub fn nonce(account: Address) -> Request {
    ask("eth_getTransactionCount", &json!([to_evm(account), "pending"]))
}

/// Asks what a unit of gas costs.
pub fn gas_price() -> Request {
    ask("eth_gasPrice", &json!([]))
}

/// Asks for the newest block's number.
pub fn block_number() -> Request {
    ask("eth_blockNumber", &json!([]))
}

/// Hands in a signed transaction.
pub fn send(bytes: &[u8]) -> Request {
    ask("eth_sendRawTransaction", &json!([format!("0x{}", hex(bytes))]))
}

/// Asks what became of a transaction.
pub fn receipt_of(id: TransactionId) -> Request {
    ask("eth_getTransactionReceipt", &json!([format!("0x{}", hex(&id.0))]))
}

fn message(owner: Address, contract: Address, data: &[u8]) -> Value {
    json!({ "from": to_evm(owner), "to": to_evm(contract), "data": format!("0x{}", hex(data)) })
}

fn ask(method: &str, params: &Value) -> Request {
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
    Request { path: "", body: body.to_string() }
}

/// An answer; a receipt that is not there yet is `result: null`.
#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    result: Value,
    error: Option<RpcError>,
}

#[derive(Deserialize)]
struct RpcError {
    #[serde(default)]
    code: i64,
    #[serde(default)]
    message: String,
    #[serde(default)]
    data: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReceiptAnswer {
    transaction_hash: HexBytes,
    block_number: Value,
    gas_used: Value,
    #[serde(default)]
    effective_gas_price: Value,
    status: Value,
    #[serde(default)]
    logs: Vec<LogEntry>,
}

fn read(bytes: &[u8]) -> Result<Result<Value, RpcError>, NodeError> {
    let (found, allowed) = (bytes.len(), limit::ANSWER_BYTES_MAX);
    if found > allowed {
        return Err(NodeError::TooLong { found, allowed });
    }
    let answer: Answer = serde_json::from_slice(bytes)
        .map_err(|error| NodeError::Json { line: error.line(), column: error.column() })?;
    Ok(match answer.error {
        Some(error) => Err(error),
        None => Ok(answer.result),
    })
}

/// Reads how a call ended that was run and forgotten. Nodes do not tell the gas it used.
pub fn called(bytes: &[u8]) -> Result<Called, NodeError> {
    match read(bytes)? {
        Ok(result) => Ok(Called::Returned { data: data(&result, "result")?, energy: 0 }),
        Err(error) => Ok(failed(&error)),
    }
}

/// Reads how much gas a call needs, as the energy of one that went through, or how it failed.
pub fn estimated(bytes: &[u8]) -> Result<Called, NodeError> {
    match read(bytes)? {
        Ok(result) => Ok(Called::Returned { data: Vec::new(), energy: small(&result)? }),
        Err(error) => Ok(failed(&error)),
    }
}

fn failed(error: &RpcError) -> Called {
    // Some nodes put the reason's data in an object, or have none.
    if error.code == REVERTED || error.message.contains("revert") {
        let reason = error.data.get("data").unwrap_or(&error.data);
        return Called::Reverted { data: data(reason, "data").unwrap_or_default(), energy: 0 };
    }
    Called::Refused { code: Code::Other, words: Words::of(&error.message) }
}

/// Reads what gas costs.
pub fn quantity(bytes: &[u8]) -> Result<u128, NodeError> {
    number(&plain(bytes)?)
}

/// Reads how many there are: blocks, or transactions of an account.
pub fn count(bytes: &[u8]) -> Result<u64, NodeError> {
    small(&plain(bytes)?)
}

fn plain(bytes: &[u8]) -> Result<Value, NodeError> {
    read(bytes)?
        .map_err(|error| NodeError::Refused { code: Code::Other, words: Words::of(&error.message) })
}

/// Reads the answer to a signed transaction, and checks that it is about that one.
pub fn sent(bytes: &[u8], id: TransactionId) -> Result<Broadcast, NodeError> {
    let said = match read(bytes)? {
        Ok(result) => digest(&data(&result, "result")?, "result")?,
        Err(error) if error.message.contains("already known") => return Ok(Broadcast::Known),
        Err(error) => {
            let words = Words::of(&error.message);
            return Ok(Broadcast::Refused { code: Code::Other, words });
        }
    };
    if said == id.0 {
        return Ok(Broadcast::Pooled);
    }
    Err(NodeError::OtherTransaction { said: TransactionId(said), found: id })
}

/// Reads what became of a transaction; nothing while no block holds it. Its block may still be
/// replaced by another.
pub fn receipt(bytes: &[u8], id: TransactionId) -> Result<Option<Receipt>, NodeError> {
    let result = match read(bytes)? {
        Ok(Value::Null) => return Ok(None),
        Ok(result) => result,
        Err(error) => return Err(NodeError::Node(Words::of(&error.message))),
    };
    let answer: ReceiptAnswer = serde_json::from_value(result)
        .map_err(|error| NodeError::Json { line: error.line(), column: error.column() })?;
    let said = TransactionId(digest(&answer.transaction_hash.0, "transactionHash")?);
    if said != id {
        return Err(NodeError::OtherTransaction { said, found: id });
    }
    let (found, allowed) = (answer.logs.len(), limit::LOGS_MAX);
    if found > allowed {
        return Err(NodeError::TooMany { field: "logs", found, allowed });
    }
    // What the fee was is for people; not every node tells.
    let price = number(&answer.effective_gas_price).unwrap_or_default();
    let gas = small(&answer.gas_used)?;
    let is_done = small(&answer.status)? == 1;
    Ok(Some(Receipt {
        id,
        block: small(&answer.block_number)?,
        at: UnixMillis(0),
        fee: Amount(price.saturating_mul(u128::from(gas))),
        energy: gas,
        // A receipt tells no reason.
        outcome: if is_done { Outcome::Done } else { Outcome::Reverted { data: Vec::new() } },
        contract: None,
        logs: answer.logs.iter().map(log).collect::<Result<_, _>>()?,
    }))
}

fn log(entry: &LogEntry) -> Result<Log, NodeError> {
    let (found, allowed) = (entry.topics.len(), 4);
    if found > allowed {
        return Err(NodeError::TooMany { field: "topics", found, allowed });
    }
    let topics = entry.topics.iter().map(|topic| digest(&topic.0, "topic"));
    Ok(Log {
        contract: entry.address.0,
        topics: topics.collect::<Result<_, _>>()?,
        data: entry.data.0.clone(),
    })
}

fn digest(bytes: &[u8], field: &'static str) -> Result<Digest256, NodeError> {
    bytes.try_into().map_err(|_| NodeError::Field { field, found: bytes.len() })
}

fn data(value: &Value, field: &'static str) -> Result<Vec<u8>, NodeError> {
    let HexBytes(bytes) = HexBytes::deserialize(value).map_err(|_| NodeError::Missing { field })?;
    let (found, allowed) = (bytes.len(), limit::CALL_BYTES_MAX);
    if found > allowed {
        return Err(NodeError::TooMany { field, found, allowed });
    }
    Ok(bytes)
}

/// A number: hex with a prefix, without zeros in front as a rule.
fn number(value: &Value) -> Result<u128, NodeError> {
    let text = value.as_str().unwrap_or_default();
    let digits = text.strip_prefix("0x").filter(|digits| !digits.starts_with('+'));
    let number = digits.and_then(|digits| u128::from_str_radix(digits, 16).ok());
    number.ok_or(NodeError::Field { field: "number", found: text.len() })
}

fn small(value: &Value) -> Result<u64, NodeError> {
    let found = number(value)?;
    u64::try_from(found).map_err(|_| NodeError::Field { field: "number", found: 16 })
}
