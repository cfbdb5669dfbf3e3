//! What an answer means. Every way in which something may have failed has a name of its own.

use headwater_base::{Address, Amount, Digest256};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::answer::{
    AccountAnswer, BlockAnswer, BroadcastAnswer, CallAnswer, EnergyAnswer, LogEntry,
    ParametersAnswer, ReceiptAnswer, ResourcesAnswer, ReturnAnswer, message_text,
};
use super::error::{Code, NodeError, Words};
use super::form::HexBytes;
use crate::limit;
use crate::transaction::{BlockId, Transaction, TransactionId, TransactionJson, UnixMillis};

/// What a node did with a signed transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Broadcast {
    /// It waits in the node's pool. Only its receipt tells whether it was done.
    Pooled,
    /// The node had it before.
    Known,
    /// The node did not take it.
    Refused {
        /// Why, as a code.
        code: Code,
        /// Why, in the node's words.
        words: Words,
    },
}

/// How a call ended that was run and forgotten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Called {
    /// It went through.
    Returned {
        /// What it returned.
        data: Vec<u8>,
        /// Energy it used.
        energy: u64,
    },
    /// The contract refused.
    Reverted {
        /// Its reason, as an ABI error.
        data: Vec<u8>,
        /// Energy it used.
        energy: u64,
    },
    /// It broke: no energy left, or no valid code.
    Broke {
        /// How, in the node's words.
        words: Words,
        /// Energy it used.
        energy: u64,
    },
    /// It was not run.
    Refused {
        /// Why, as a code.
        code: Code,
        /// Why, in the node's words.
        words: Words,
    },
}

/// How a transaction ended that a block holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was done.
    Done,
    /// The contract refused, and nothing changed but the fee.
    Reverted {
        /// Its reason, as an ABI error.
        data: Vec<u8>,
    },
    /// It broke, and the fee limit may be burned.
    Broke {
        /// How: the node's own word, such as `OUT_OF_ENERGY`.
        words: Words,
    },
}

/// What became of a transaction that a block holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Its id.
    pub id: TransactionId,
    /// The number of the block.
    pub block: u64,
    /// When the block was made.
    pub at: UnixMillis,
    /// Sun it cost.
    pub fee: Amount,
    /// Energy it used, whoever paid for it.
    pub energy: u64,
    /// How it ended.
    pub outcome: Outcome,
    /// What was called or created.
    pub contract: Option<Address>,
    /// Events it wrote.
    pub logs: Vec<Log>,
}

/// An event that a contract wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// Which contract.
    pub contract: Address,
    /// Its name's digest and what is indexed.
    pub topics: Vec<Digest256>,
    /// The rest.
    pub data: Vec<u8>,
}

/// A block without its transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// Its id, which tells its number.
    pub id: BlockId,
    /// When it was made.
    pub at: UnixMillis,
}

/// An account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Whether it was ever sent anything. Others may hold tokens, and cannot send.
    pub exists: bool,
    /// Sun it has.
    pub balance: Amount,
    /// TRC-10 assets it has, by their number.
    pub assets: Vec<(u64, Amount)>,
}

/// What an account may use for free.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resources {
    /// Bytes of transactions.
    pub bandwidth: u64,
    /// Energy.
    pub energy: u64,
}

/// What the chain takes for what is not free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prices {
    /// Sun per energy.
    pub energy: Amount,
    /// Sun per byte of a transaction.
    pub bandwidth: Amount,
}

#[derive(Deserialize)]
struct Failure {
    #[serde(rename = "Error")]
    error: Option<String>,
}

/// Reads an answer, unless it says that the node failed.
fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, NodeError> {
    let (found, allowed) = (bytes.len(), limit::ANSWER_BYTES_MAX);
    if found > allowed {
        return Err(NodeError::TooLong { found, allowed });
    }
    let failure: Failure = parse(bytes)?;
    if let Some(error) = failure.error {
        return Err(NodeError::Node(Words::of(&error)));
    }
    parse(bytes)
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, NodeError> {
    serde_json::from_slice(bytes)
        .map_err(|error| NodeError::Json { line: error.line(), column: error.column() })
}

fn words(message: Option<&String>) -> Words {
    Words::of(&message.map(|text| message_text(text)).unwrap_or_default())
}

fn code(text: Option<&String>) -> Code {
    text.map_or(Code::Other, |text| Code::of(text))
}

/// Reads the answer to a signed transaction, and checks that it is about that one.
pub fn broadcast(bytes: &[u8], id: TransactionId) -> Result<Broadcast, NodeError> {
    let answer: BroadcastAnswer = read(bytes)?;
    let said = answer.txid.as_ref().map(|said| digest("txid", said)).transpose()?;
    if answer.result {
        let said = said.map(TransactionId);
        return match said.filter(|said| *said != id) {
            Some(said) => Err(NodeError::OtherTransaction { said, found: id }),
            None => Ok(Broadcast::Pooled),
        };
    }
    let words = words(answer.message.as_ref());
    let code = code(answer.code.as_ref());
    if code == Code::Duplicate {
        return Ok(Broadcast::Known);
    }
    // No success without `result`: nodes leave out what is false, never what is true.
    let code = if code == Code::Success { Code::Other } else { code };
    Ok(Broadcast::Refused { code, words })
}

/// Reads how a call ended that was run and forgotten.
pub fn called(bytes: &[u8]) -> Result<Called, NodeError> {
    let answer: CallAnswer = read(bytes)?;
    let words = words(answer.result.message.as_ref());
    if !answer.result.result {
        return Ok(Called::Refused { code: code(answer.result.code.as_ref()), words });
    }
    let energy = answer.energy_used;
    let data = answer.constant_result.unwrap_or_default().into_iter().next();
    let data = data.unwrap_or_default().0;
    bounded("constant_result", data.len(), limit::CALL_BYTES_MAX)?;
    // A call that went through has no message, whatever `result` says.
    Ok(match words.as_str() {
        "" => Called::Returned { data, energy },
        text if text.starts_with("REVERT opcode executed") => Called::Reverted { data, energy },
        _ => Called::Broke { words, energy },
    })
}

/// Reads how much energy a call needs.
pub fn energy(bytes: &[u8]) -> Result<u64, NodeError> {
    let answer: EnergyAnswer = read(bytes)?;
    ran(&answer.result)?;
    Ok(answer.energy_required)
}

fn ran(result: &ReturnAnswer) -> Result<(), NodeError> {
    if result.result && result.message.as_ref().is_none_or(String::is_empty) {
        return Ok(());
    }
    let (code, words) = (code(result.code.as_ref()), words(result.message.as_ref()));
    Err(NodeError::Refused { code, words })
}

/// Reads what became of a transaction; nothing while no block holds it.
pub fn receipt(bytes: &[u8], id: TransactionId) -> Result<Option<Receipt>, NodeError> {
    let answer: ReceiptAnswer = read(bytes)?;
    let Some(said) = answer.id.as_ref() else { return Ok(None) };
    let said = TransactionId(digest("id", said)?);
    if said != id {
        return Err(NodeError::OtherTransaction { said, found: id });
    }
    bounded("log", answer.log.len(), limit::LOGS_MAX)?;
    let outcome = outcome(&answer);
    Ok(Some(Receipt {
        id,
        block: answer.block_number,
        at: UnixMillis(answer.block_timestamp),
        fee: Amount(answer.fee.into()),
        energy: answer.receipt.energy_usage_total,
        outcome,
        contract: answer.contract_address.map(|known| known.0),
        logs: answer.log.iter().map(log).collect::<Result<_, _>>()?,
    }))
}

/// `result` is left out where all went well, and so is that of a plain transfer's receipt.
fn outcome(answer: &ReceiptAnswer) -> Outcome {
    let ended = answer.receipt.result.as_deref().unwrap_or("SUCCESS");
    let failed = answer.result.as_deref().is_some_and(|result| result != "SUCCESS");
    match ended {
        "SUCCESS" | "DEFAULT" if !failed => Outcome::Done,
        "REVERT" => {
            let data = answer.contract_result.first().cloned().unwrap_or_default().0;
            Outcome::Reverted { data }
        }
        "SUCCESS" | "DEFAULT" => Outcome::Broke { words: words(answer.message.as_ref()) },
        other => Outcome::Broke { words: Words::of(other) },
    }
}

fn log(entry: &LogEntry) -> Result<Log, NodeError> {
    bounded("topics", entry.topics.len(), 4)?;
    let topics = entry.topics.iter().map(|topic| digest("topic", topic));
    Ok(Log {
        contract: entry.address.0,
        topics: topics.collect::<Result<_, _>>()?,
        data: entry.data.0.clone(),
    })
}

/// Reads a block.
pub fn block(bytes: &[u8]) -> Result<Block, NodeError> {
    let answer: BlockAnswer = read(bytes)?;
    let id = answer.id.ok_or(NodeError::Missing { field: "blockID" })?;
    let header = answer.block_header.ok_or(NodeError::Missing { field: "block_header" })?;
    let id = BlockId(digest("blockID", &id)?);
    Ok(Block { id, at: UnixMillis(header.raw_data.timestamp) })
}

/// Reads an account; one that was never sent anything is empty.
pub fn account(bytes: &[u8]) -> Result<Account, NodeError> {
    let answer: AccountAnswer = read(bytes)?;
    let asset = |entry: &super::KeyValue| Some((entry.key.parse().ok()?, entry.value));
    let assets = answer.assets.iter().filter_map(asset);
    Ok(Account {
        exists: answer.address.is_some(),
        balance: Amount(answer.balance.into()),
        assets: assets.map(|(id, value): (u64, u64)| (id, Amount(value.into()))).collect(),
    })
}

/// Reads what an account may still use for free today.
pub fn resources(bytes: &[u8]) -> Result<Resources, NodeError> {
    let answer: ResourcesAnswer = read(bytes)?;
    let free = answer.free_net_limit.saturating_sub(answer.free_net_used);
    let staked = answer.net_limit.saturating_sub(answer.net_used);
    Ok(Resources {
        bandwidth: free.max(staked),
        energy: answer.energy_limit.saturating_sub(answer.energy_used),
    })
}

/// Reads the chain's prices, which change by vote.
pub fn prices(bytes: &[u8]) -> Result<Prices, NodeError> {
    let answer: ParametersAnswer = read(bytes)?;
    let price = |field: &'static str| {
        let entry = answer.parameters.iter().find(|entry| entry.key == field);
        let entry = entry.ok_or(NodeError::Missing { field })?;
        Ok::<_, NodeError>(Amount(entry.value.into()))
    };
    Ok(Prices { energy: price("getEnergyFee")?, bandwidth: price("getTransactionFee")? })
}

/// Reads a transaction that the node built, bare or around a call, and checks its id. What it
/// does must still be compared with what was asked: a node may build anything.
pub fn unsigned(bytes: &[u8]) -> Result<Transaction, NodeError> {
    #[derive(Deserialize)]
    struct Shape {
        transaction: Option<serde::de::IgnoredAny>,
        result: Option<ReturnAnswer>,
    }
    let shape: Shape = read(bytes)?;
    if let Some(result) = &shape.result {
        ran(result)?;
    }
    let json: TransactionJson = match shape.transaction {
        Some(_) => {
            let answer: CallAnswer = parse(bytes)?;
            answer.transaction.ok_or(NodeError::Missing { field: "transaction" })?
        }
        None => parse(bytes)?,
    };
    let transaction = json.read()?;
    let found = transaction.id()?;
    match json.said_id().filter(|said| *said != found) {
        Some(said) => Err(NodeError::OtherTransaction { said, found }),
        None => Ok(transaction),
    }
}

fn digest(field: &'static str, bytes: &HexBytes) -> Result<Digest256, NodeError> {
    let found = bytes.0.len();
    bytes.0.as_slice().try_into().map_err(|_| NodeError::Field { field, found })
}

fn bounded(field: &'static str, found: usize, allowed: usize) -> Result<(), NodeError> {
    if found > allowed { Err(NodeError::TooMany { field, found, allowed }) } else { Ok(()) }
}
