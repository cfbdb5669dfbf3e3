//! Events by contract, transaction and block, decoded by the interface that their contract was
//! made with, in the form of TRON's event servers. Only types of one word are decoded.

use headwater_base::{Address, hex};
use headwater_tron::transaction::TransactionId;
use headwater_tron::{address, keccak256};
use serde_json::{Map, Value, json};

use super::{Answer, Ask, calls};
use crate::evm::Log;
use crate::ledger::{Ledger, Receipt};
use crate::limit;

pub(super) fn answer(ledger: &Ledger, rest: &str, ask: &Ask) -> Option<Answer> {
    let (kind, rest) = rest.split_once('/')?;
    let name = rest.strip_suffix("/events")?;
    Some(match kind {
        "contracts" => of_contract(ledger, name, ask),
        "transactions" => of_transaction(ledger, name),
        "blocks" => of_block(ledger, name),
        _ => return None,
    })
}

fn answered(events: Vec<Value>, ledger: &Ledger) -> Value {
    let size = events.len();
    let at = ledger.head().millis.0;
    json!({ "success": true, "data": events, "meta": { "at": at, "page_size": size } })
}

fn of_contract(ledger: &Ledger, name: &str, ask: &Ask) -> Answer {
    let wanted = address::parse(name).map_err(|error| error.to_string())?;
    let event_name = ask.text_or_empty("event_name");
    let from = ask.number_or_0("min_block_timestamp")?;
    let block = ask.params.contains_key("block_number").then(|| ask.number("block_number"));
    let block = block.transpose()?;
    let most = usize::try_from(ask.number_or_0("limit")?).unwrap_or(limit::EVENTS_MAX);
    let most = if most == 0 { 20 } else { most.min(limit::EVENTS_MAX) };
    let numbers = 0..=ledger.head().number();
    let newest_first = ask.text_or_empty("order_by") != "block_timestamp,asc";
    let mut found = Vec::new();
    let mut look = |number| {
        let of_it = events_of_block(ledger, number).into_iter().filter(|event| {
            event.log.address == wanted
                && event.receipt.millis.0 >= from
                && block.is_none_or(|block| block == number)
        });
        let shown = of_it.map(|event| event.show(ledger));
        found.extend(shown.filter(|e| event_name.is_empty() || e["event_name"] == event_name));
        found.len() < most
    };
    if newest_first {
        let _ = numbers.rev().all(&mut look);
    } else {
        let _ = numbers.into_iter().all(&mut look);
    }
    found.truncate(most);
    Ok(answered(found, ledger))
}

fn of_transaction(ledger: &Ledger, name: &str) -> Answer {
    let bytes = headwater_base::unhex(name).and_then(|bytes| bytes.try_into().ok());
    let id = TransactionId(bytes.ok_or("no transaction id")?);
    let events = ledger.receipt(&id).map(events_of).unwrap_or_default();
    Ok(answered(events.iter().map(|event| event.show(ledger)).collect(), ledger))
}

fn of_block(ledger: &Ledger, name: &str) -> Answer {
    let number = match name {
        "latest" => ledger.head().number(),
        number => number.parse().map_err(|_| "no block number".to_owned())?,
    };
    let events = events_of_block(ledger, number);
    Ok(answered(events.iter().map(|event| event.show(ledger)).collect(), ledger))
}

/// An event and where it was told.
struct Event<'a> {
    receipt: &'a Receipt,
    log: &'a Log,
    index: usize,
}

fn events_of_block(ledger: &Ledger, number: u64) -> Vec<Event<'_>> {
    let ids = ledger.block(number).map_or(&[][..], |block| &block.transactions);
    ids.iter().filter_map(|id| ledger.receipt(id)).flat_map(events_of).collect()
}

fn events_of(receipt: &Receipt) -> Vec<Event<'_>> {
    let logs = receipt.ending.as_ref().map_or(&[][..], |ending| &ending.logs);
    logs.iter().enumerate().map(|(index, log)| Event { receipt, log, index }).collect()
}

impl Event<'_> {
    fn show(&self, ledger: &Ledger) -> Value {
        let id = self.receipt.transaction.id().map(|id| hex(&id.0)).unwrap_or_default();
        let mut shown = json!({
            "block_number": self.receipt.block,
            "block_timestamp": self.receipt.millis.0,
            "contract_address": address::to_base58(self.log.address),
            "event_index": self.index.to_string(),
            "transaction_id": id,
            "result": {},
            "result_type": {},
        });
        if let Some(form) = self.form(ledger) {
            let (result, kinds) = self.decode(&form);
            shown["event_name"] = form["name"].clone();
            shown["event"] = json!(signature(&form));
            shown["result"] = Value::Object(result);
            shown["result_type"] = Value::Object(kinds);
        }
        shown
    }

    /// What the contract's interface says of this event.
    fn form(&self, ledger: &Ledger) -> Option<Value> {
        let (receipt, _) = ledger.contract(self.log.address)?;
        let made = calls::made(&receipt.transaction, false)?;
        let entries = made.pointer("/abi/entrys")?.as_array()?.clone();
        entries.into_iter().find(|entry| {
            let topic = keccak256(&[signature(entry).as_bytes()]);
            entry["type"].as_str().is_some_and(|kind| kind.eq_ignore_ascii_case("event"))
                && self.log.topics.first() == Some(&topic)
        })
    }

    fn decode(&self, form: &Value) -> (Map<String, Value>, Map<String, Value>) {
        let mut topics = self.log.topics.iter().skip(1);
        let mut words = self.log.data.as_chunks::<32>().0.iter();
        let (mut result, mut kinds) = (Map::new(), Map::new());
        for (at, input) in inputs(form).iter().enumerate() {
            let indexed = input["indexed"].as_bool().unwrap_or(false);
            let Some(word) = (if indexed { topics.next() } else { words.next() }) else { break };
            let kind = input["type"].as_str().unwrap_or_default();
            let name = input["name"].as_str().unwrap_or_default();
            let text = shown_word(kind, word);
            result.insert(at.to_string(), json!(text));
            result.insert(name.to_owned(), json!(text));
            kinds.insert(name.to_owned(), json!(kind));
        }
        (result, kinds)
    }
}

fn inputs(form: &Value) -> &[Value] {
    form["inputs"].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn signature(form: &Value) -> String {
    let kinds = inputs(form).iter().map(|input| input["type"].as_str().unwrap_or_default());
    let kinds: Vec<&str> = kinds.collect();
    format!("{}({})", form["name"].as_str().unwrap_or_default(), kinds.join(","))
}

fn shown_word(kind: &str, word: &[u8; 32]) -> String {
    if kind == "address" {
        let mut bytes = [0; 20];
        bytes.copy_from_slice(&word[12..]);
        return format!("0x{}", hex(&Address(bytes).0));
    }
    if kind.starts_with("uint") {
        return revm::primitives::U256::from_be_bytes(*word).to_string();
    }
    if kind == "bool" { (word[31] != 0).to_string() } else { hex(word) }
}
