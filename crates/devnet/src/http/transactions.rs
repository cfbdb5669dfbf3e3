//! Transactions: built, sent, found again, and what came of them.

use headwater_base::{Amount, hex, unhex};
use headwater_tron::transaction::{
    Contract, Raw, Transaction, TransactionError, TransactionId, TransactionJson, Transfer,
    TransferAsset,
};
use serde_json::{Value, json};

use super::{Answer, Ask};
use crate::evm::Log;
use crate::ledger::{Ending, Ledger, Receipt, Refusal};

pub(super) fn answer(ledger: &Ledger, name: &str, ask: &Ask) -> Option<Answer> {
    Some(match name {
        "createtransaction" => transfer(ledger, ask),
        "transferasset" => transfer_asset(ledger, ask),
        "gettransactionbyid" => by_id(ledger, ask, shown),
        "gettransactioninfobyid" => by_id(ledger, ask, info),
        "gettransactioninfobyblocknum" => infos(ledger, ask),
        "gettransactioncountbyblocknum" => ask.number("num").map(|number| {
            let count = ledger.block(number).map(|block| block.transactions.len());
            json!({ "count": count.unwrap_or(0) })
        }),
        _ => return None,
    })
}

/// What was sent as JSON. The node believes no id that comes along.
pub(super) fn read_json(ask: &Ask) -> Result<Transaction, Refusal> {
    let text = Value::Object(ask.params.clone()).to_string();
    let read = TransactionJson::parse(text.as_bytes()).and_then(|json| json.read());
    read.map_err(Refusal::Form)
}

/// What was sent as the hex of its bytes.
pub(super) fn read_hex(ask: &Ask) -> Result<Transaction, Refusal> {
    let bytes = unhex(ask.text_or_empty("transaction"));
    let bytes = bytes.ok_or(Refusal::Form(TransactionError::Protobuf))?;
    Transaction::decode(&bytes).map_err(Refusal::Form)
}

/// The answer to a transaction that was taken.
pub(super) fn taken(id: TransactionId, transaction: &Transaction, whole: bool) -> Value {
    let mut answer = json!({ "result": true, "txid": hex(&id.0) });
    if whole {
        let json = TransactionJson::of(transaction, false).map(|json| json.to_text());
        answer["code"] = json!("SUCCESS");
        answer["transaction"] = json!(json.unwrap_or_default());
    }
    answer
}

/// The answer to a transaction that was not. The message is hex whatever was asked for.
pub(super) fn refused(id: Option<TransactionId>, refusal: &Refusal) -> Value {
    let message = hex(refusal.to_string().as_bytes());
    let mut answer = json!({ "code": refusal.code(), "message": message });
    if let Some(id) = id {
        answer["txid"] = json!(hex(&id.0));
    }
    answer
}

fn transfer(ledger: &Ledger, ask: &Ask) -> Answer {
    let owner = ask.address("owner_address")?;
    let to = ask.address("to_address")?;
    let amount = Amount(ask.number("amount")?.into());
    drafted(ledger.draft(Contract::Transfer(Transfer { owner, to, amount })), ask)
}

fn transfer_asset(ledger: &Ledger, ask: &Ask) -> Answer {
    let asset = if ask.visible() {
        ask.text("asset_name")?.as_bytes().to_vec()
    } else {
        ask.bytes("asset_name")?
    };
    let transfer = TransferAsset {
        asset,
        owner: ask.address("owner_address")?,
        to: ask.address("to_address")?,
        amount: Amount(ask.number("amount")?.into()),
    };
    drafted(ledger.draft(Contract::TransferAsset(transfer)), ask)
}

/// An unsigned transaction.
pub(super) fn drafted(raw: Raw, ask: &Ask) -> Answer {
    let permission = u32::try_from(ask.number_or_0("Permission_id")?);
    let raw = Raw { permission: permission.map_err(|error| error.to_string())?, ..raw };
    json_of(&Transaction { raw, signatures: Vec::new() }, ask)
}

fn json_of(transaction: &Transaction, ask: &Ask) -> Answer {
    let json =
        TransactionJson::of(transaction, ask.visible()).map_err(|error| error.to_string())?;
    serde_json::from_str(&json.to_text()).map_err(|error| error.to_string())
}

fn by_id(ledger: &Ledger, ask: &Ask, show: fn(&Receipt, &Ask) -> Value) -> Answer {
    let id = TransactionId(ask.digest("value")?);
    Ok(ledger.receipt(&id).map_or(json!({}), |receipt| show(receipt, ask)))
}

fn infos(ledger: &Ledger, ask: &Ask) -> Answer {
    let block = ledger.block(ask.number("num")?);
    let ids = block.map_or(&[][..], |block| &block.transactions);
    let receipts = ids.iter().filter_map(|id| ledger.receipt(id));
    Ok(Value::Array(receipts.map(|receipt| info(receipt, ask)).collect()))
}

/// A transaction as a block shows it.
pub(super) fn shown(receipt: &Receipt, ask: &Ask) -> Value {
    let mut found = json_of(&receipt.transaction, ask).unwrap_or_default();
    let mut ret = json!({ "contractRet": receipt.result() });
    if receipt.fee() > 0 {
        ret["fee"] = json!(receipt.fee());
    }
    found["ret"] = json!([ret]);
    found
}

fn info(receipt: &Receipt, ask: &Ask) -> Value {
    let id = receipt.transaction.id().map(|id| hex(&id.0)).unwrap_or_default();
    let mut costs = json!({});
    put(&mut costs, "net_usage", receipt.bytes);
    put(&mut costs, "net_fee", receipt.bytes_fee);
    let mut found = json!({
        "id": id,
        "blockNumber": receipt.block,
        "blockTimeStamp": receipt.millis.0,
        "contractResult": [""],
    });
    put(&mut found, "fee", receipt.fee());
    if let Some(ending) = &receipt.ending {
        put(&mut costs, "energy_usage_total", ending.energy);
        put(&mut costs, "energy_fee", ending.energy_fee);
        costs["result"] = json!(receipt.result());
        ended(&mut found, receipt, ending, ask);
    }
    found["receipt"] = costs;
    found
}

fn ended(found: &mut Value, receipt: &Receipt, ending: &Ending, ask: &Ask) {
    let created = matches!(receipt.transaction.raw.contract, Contract::Create(_));
    let shown = if created && receipt.succeeded() { &[][..] } else { &ending.output };
    found["contractResult"] = json!([hex(shown)]);
    found["contract_address"] = json!(ask.show(ending.contract));
    if !ending.logs.is_empty() {
        found["log"] = ending.logs.iter().map(log).collect();
    }
    if !receipt.succeeded() {
        let why =
            if receipt.result() == "REVERT" { "REVERT opcode executed" } else { receipt.result() };
        found["result"] = json!("FAILED");
        found["resMessage"] = json!(ask.say(why));
    }
}

/// An event as a receipt shows it: its address has no prefix, visible or not.
pub(super) fn log(log: &Log) -> Value {
    let topics: Vec<String> = log.topics.iter().map(|topic| hex(topic)).collect();
    json!({ "address": hex(&log.address.0), "topics": topics, "data": hex(&log.data) })
}

fn put(found: &mut Value, key: &str, number: u64) {
    if number > 0 {
        found[key] = json!(number);
    }
}
