//! Accounts: what they have, what they may use, the TRC-10 tokens.

use serde_json::{Value, json};

use super::{Answer, Ask};
use crate::ledger::{Asset, Ledger};
use crate::limit;

pub(super) fn answer(ledger: &Ledger, name: &str, ask: &Ask) -> Option<Answer> {
    Some(match name {
        "getaccount" => account(ledger, ask),
        "getaccountresource" => resource(ledger, ask),
        "getaccountnet" => net(ledger, ask),
        "getaccountbalance" => balance(ledger, ask),
        "getassetissuebyid" => asset(ledger, ask),
        "getassetissuelist" | "getpaginatedassetissuelist" => {
            let assets = ledger.assets().iter().map(|asset| asset_json(asset, ask));
            Ok(json!({ "assetIssue": assets.collect::<Vec<_>>() }))
        }
        "validateaddress" => Ok(match ask.address("address") {
            Ok(_) => json!({ "result": true, "message": "Hex string format" }),
            Err(error) => json!({ "result": false, "message": error }),
        }),
        _ => return None,
    })
}

fn account(ledger: &Ledger, ask: &Ask) -> Answer {
    let address = ask.address("address")?;
    let Some(account) = ledger.account(address) else { return Ok(json!({})) };
    let mut found = json!({
        "address": ask.show(address),
        "create_time": account.created.0,
        "owner_permission": {
            "permission_name": "owner",
            "threshold": 1,
            "keys": [{ "address": ask.show(address), "weight": 1 }],
        },
    });
    if ledger.contract(address).is_some() {
        found["type"] = json!("Contract");
    }
    let balance = ledger.balance(address);
    if balance > 0 {
        found["balance"] = json!(balance);
    }
    let used = ledger.bytes_used(address);
    if used > 0 {
        found["free_net_usage"] = json!(used);
    }
    let assets = account.assets.iter().filter(|(_, amount)| **amount > 0);
    let assets: Vec<Value> =
        assets.map(|(id, amount)| json!({ "key": id.to_string(), "value": amount })).collect();
    if !assets.is_empty() {
        found["assetV2"] = Value::Array(assets);
    }
    Ok(found)
}

fn resource(ledger: &Ledger, ask: &Ask) -> Answer {
    let address = ask.address("address")?;
    if ledger.account(address).is_none() {
        return Ok(json!({}));
    }
    let mut found = json!({
        "freeNetLimit": limit::FREE_BYTES,
        "TotalNetLimit": 43_200_000_000_u64,
        "TotalEnergyLimit": 180_000_000_000_u64,
    });
    let used = ledger.bytes_used(address);
    if used > 0 {
        found["freeNetUsed"] = json!(used);
    }
    Ok(found)
}

fn net(ledger: &Ledger, ask: &Ask) -> Answer {
    resource(ledger, ask)
}

fn balance(ledger: &Ledger, ask: &Ask) -> Answer {
    let account = ask.params.get("account_identifier").and_then(|known| known.get("address"));
    let text = account.and_then(Value::as_str).ok_or("account_identifier is missing")?;
    let address = headwater_tron::address::parse(text).map_err(|error| error.to_string())?;
    let head = ledger.head();
    Ok(json!({
        "balance": ledger.balance(address),
        "block_identifier": { "hash": headwater_base::hex(&head.id.0), "number": head.number() },
    }))
}

fn asset(ledger: &Ledger, ask: &Ask) -> Answer {
    let id = ask.number("value")?;
    let found = ledger.assets().iter().find(|asset| asset.id == id);
    Ok(found.map_or(json!({}), |asset| asset_json(asset, ask)))
}

fn asset_json(asset: &Asset, ask: &Ask) -> Value {
    json!({
        "id": asset.id.to_string(),
        "owner_address": ask.show(asset.owner),
        "name": ask.say(asset.name),
        "abbr": ask.say(asset.symbol),
        "precision": asset.precision,
        "total_supply": asset.supply,
        "trx_num": 1,
        "num": 1,
        "description": ask.say(crate::server::WARNING),
        "url": ask.say("http://127.0.0.1"),
    })
}
