//! Blocks, by number, by id, and the newest.

use headwater_base::hex;
use headwater_tron::transaction::BlockId;
use serde_json::{Value, json};

use super::{Answer, Ask, transactions};
use crate::ledger::{Block, Ledger};
use crate::limit;

pub(super) fn answer(ledger: &Ledger, name: &str, ask: &Ask) -> Option<Answer> {
    Some(match name {
        "getnowblock" => Ok(block_json(ledger, ledger.head(), ask, true)),
        "getblock" => found(ledger, by_either(ledger, ask), ask, ask.flag("detail")),
        "getblockbynum" => found(ledger, ask.number("num").map(|n| ledger.block(n)), ask, true),
        "getblockbyid" => found(ledger, by_id(ledger, ask, "value"), ask, true),
        "getblockbylatestnum" => latest(ledger, ask),
        "getblockbylimitnext" => between(ledger, ask),
        _ => return None,
    })
}

fn by_either<'a>(ledger: &'a Ledger, ask: &Ask) -> Result<Option<&'a Block>, String> {
    match ask.params.get("id_or_num") {
        None => Ok(Some(ledger.head())),
        Some(Value::String(text)) if text.len() == 64 => by_id(ledger, ask, "id_or_num"),
        Some(_) => Ok(ledger.block(ask.number("id_or_num")?)),
    }
}

fn by_id<'a>(ledger: &'a Ledger, ask: &Ask, key: &str) -> Result<Option<&'a Block>, String> {
    Ok(ledger.block_by_id(&BlockId(ask.digest(key)?)))
}

fn found(ledger: &Ledger, block: Result<Option<&Block>, String>, ask: &Ask, whole: bool) -> Answer {
    Ok(block?.map_or(json!({}), |block| block_json(ledger, block, ask, whole)))
}

fn latest(ledger: &Ledger, ask: &Ask) -> Answer {
    let head = ledger.head().number();
    let count = ask.number("num")?.min(limit::BLOCKS_LISTED_MAX);
    Ok(listed(ledger, (head + 1).saturating_sub(count)..head + 1, ask))
}

fn between(ledger: &Ledger, ask: &Ask) -> Answer {
    let (start, end) = (ask.number_or_0("startNum")?, ask.number("endNum")?);
    let end = end.min(start.saturating_add(limit::BLOCKS_LISTED_MAX));
    Ok(listed(ledger, start..end, ask))
}

fn listed(ledger: &Ledger, numbers: core::ops::Range<u64>, ask: &Ask) -> Value {
    let blocks = numbers.filter_map(|number| ledger.block(number));
    let blocks: Vec<Value> = blocks.map(|block| block_json(ledger, block, ask, true)).collect();
    json!({ "block": blocks })
}

fn block_json(ledger: &Ledger, block: &Block, ask: &Ask, whole: bool) -> Value {
    let mut raw = json!({
        "timestamp": block.millis.0,
        "parentHash": hex(&block.parent.0),
        "witness_address": ask.show(headwater_base::Address([0; 20])),
        "version": 31,
    });
    if block.number() > 0 {
        raw["number"] = json!(block.number());
    }
    let mut found = json!({
        "blockID": hex(&block.id.0),
        "block_header": { "raw_data": raw, "witness_signature": "" },
    });
    if whole && !block.transactions.is_empty() {
        let receipts = block.transactions.iter().filter_map(|id| ledger.receipt(id));
        let all: Vec<Value> = receipts.map(|known| transactions::shown(known, ask)).collect();
        found["transactions"] = Value::Array(all);
    }
    found
}
