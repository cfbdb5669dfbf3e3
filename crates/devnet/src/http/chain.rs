//! What the chain votes on: prices and limits. And what the node is.

use headwater_base::hex;
use serde_json::{Value, json};

use super::{Answer, Ask};
use crate::ledger::Ledger;
use crate::limit;

pub(super) fn answer(ledger: &Ledger, name: &str, _: &Ask) -> Option<Answer> {
    Some(Ok(match name {
        "getchainparameters" => parameters(),
        "getenergyprices" => json!({ "prices": format!("0:{}", limit::ENERGY_SUN) }),
        "getbandwidthprices" => json!({ "prices": format!("0:{}", limit::BYTE_SUN) }),
        "getmemofee" => json!({ "prices": "0:0" }),
        "getburntrx" => json!({ "burnTrxAmount": 0 }),
        "getnextmaintenancetime" => json!({ "num": ledger.head().millis.0 + 21_600_000 }),
        "listnodes" | "listwitnesses" | "listproposals" | "listexchanges" => json!({}),
        "getnodeinfo" => {
            let head = ledger.head();
            let text = format!("Num:{},ID:{}", head.number(), hex(&head.id.0));
            json!({
                "block": text,
                "solidityBlock": text,
                "configNodeInfo": { "codeVersion": crate::server::WARNING },
            })
        }
        _ => return None,
    }))
}

fn parameters() -> Value {
    let known = [
        ("getMaintenanceTimeInterval", 21_600_000),
        ("getCreateAccountFee", 100_000),
        ("getTransactionFee", limit::BYTE_SUN),
        ("getCreateNewAccountFeeInSystemContract", 1_000_000),
        ("getCreateNewAccountBandwidthRate", 1),
        ("getEnergyFee", limit::ENERGY_SUN),
        ("getMaxFeeLimit", limit::FEE_LIMIT_MAX),
        ("getFreeNetLimit", limit::FREE_BYTES),
        ("getAllowTvmConstantinople", 1),
        ("getAllowTvmIstanbul", 1),
        ("getAllowTvmLondon", 1),
        ("getMemoFee", 0),
    ];
    let list = known.map(|(key, value)| json!({ "key": key, "value": value }));
    json!({ "chainParameter": list })
}
