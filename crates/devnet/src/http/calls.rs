//! Contracts: made, called, tried, and shown.

use headwater_base::{Address, Amount, hex};
use headwater_tron::keccak256;
use headwater_tron::transaction::{
    Contract, ContractAbi, CreateContract, Raw, Transaction, TransactionId, TransactionJson,
    TriggerContract, created_address,
};
use serde_json::{Value, json};

use super::{Answer, Ask, transactions};
use crate::evm::{Message, Outcome, Status};
use crate::ledger::Ledger;
use crate::limit;

pub(super) fn answer(ledger: &Ledger, name: &str, ask: &Ask) -> Option<Answer> {
    Some(match name {
        "triggersmartcontract" => trigger(ledger, ask),
        "triggerconstantcontract" => constant(ledger, ask),
        "estimateenergy" => estimate(ledger, ask),
        "deploycontract" => deploy(ledger, ask),
        "getcontract" => contract(ledger, ask),
        "getcontractinfo" => contract_info(ledger, ask),
        _ => return None,
    })
}

/// A call as the request describes it.
fn call(ask: &Ask) -> Result<TriggerContract, String> {
    let selector = ask.text_or_empty("function_selector");
    let data = if selector.is_empty() {
        ask.bytes("data")?
    } else {
        let name = &keccak256(&[selector.as_bytes()])[..4];
        [name, &ask.bytes("parameter")?].concat()
    };
    let contract = match ask.text_or_empty("contract_address") {
        "" => Address([0; 20]),
        _ => ask.address("contract_address")?,
    };
    Ok(TriggerContract {
        owner: ask.address("owner_address")?,
        contract,
        call_value: Amount(ask.number_or_0("call_value")?.into()),
        data,
        call_token_value: Amount(ask.number_or_0("call_token_value")?.into()),
        token_id: ask.number_or_0("token_id")?,
    })
}

fn refused(code: &str, why: &str) -> Value {
    json!({ "result": { "code": code, "message": hex(why.as_bytes()) } })
}

fn missing() -> Value {
    refused("CONTRACT_VALIDATE_ERROR", "Smart contract is not exist.")
}

fn trigger(ledger: &Ledger, ask: &Ask) -> Answer {
    let call = call(ask)?;
    if ledger.code(call.contract).is_empty() {
        return Ok(missing());
    }
    let fee_limit = Amount(ask.number_or_0("fee_limit")?.into());
    let raw = Raw { fee_limit, ..ledger.draft(Contract::Trigger(call)) };
    let transaction = transactions::drafted(raw, ask)?;
    Ok(json!({ "result": { "result": true }, "transaction": transaction }))
}

/// Tries the call, or the making of a contract where no contract is named.
fn tried(ledger: &Ledger, call: &TriggerContract) -> Result<Outcome, Value> {
    let creates = call.contract == Address([0; 20]);
    if !creates && ledger.code(call.contract).is_empty() {
        return Err(missing());
    }
    let message = Message {
        from: call.owner,
        to: call.contract,
        value: call.call_value.0,
        data: call.data.clone(),
        limit: limit::VIEW_ENERGY_MAX,
    };
    let outcome = if creates {
        let to = created_address(TransactionId([0; 32]), call.owner);
        ledger.view_creation(&Message { to, ..message })
    } else {
        ledger.view(&message)
    };
    outcome.map_err(|error| refused("CONTRACT_EXE_ERROR", &error.to_string()))
}

fn constant(ledger: &Ledger, ask: &Ask) -> Answer {
    let call = call(ask)?;
    let outcome = match tried(ledger, &call) {
        Ok(outcome) => outcome,
        Err(refusal) => return Ok(refusal),
    };
    let mut transaction = transactions::drafted(ledger.draft(Contract::Trigger(call)), ask)?;
    let (mut result, mut ret) = (json!({ "result": true }), json!({}));
    match outcome.status {
        Status::Success => {}
        Status::Revert => {
            result["message"] = json!(ask.say("REVERT opcode executed"));
            ret["ret"] = json!("FAILED");
        }
        Status::OutOfEnergy => result = failure("OUT_OF_ENERGY", ask),
        Status::Halt(name) => result = failure(name, ask),
    }
    transaction["ret"] = json!([ret]);
    let mut answer = json!({
        "result": result,
        "energy_used": outcome.used,
        "constant_result": [hex(&outcome.output)],
        "transaction": transaction,
    });
    if !outcome.logs.is_empty() {
        answer["logs"] = outcome.logs.iter().map(transactions::log).collect();
    }
    Ok(answer)
}

fn failure(name: &str, ask: &Ask) -> Value {
    json!({ "code": "CONTRACT_EXE_ERROR", "message": ask.say(name) })
}

fn estimate(ledger: &Ledger, ask: &Ask) -> Answer {
    let outcome = match tried(ledger, &call(ask)?) {
        Ok(outcome) => outcome,
        Err(refusal) => return Ok(refusal),
    };
    Ok(match outcome.status {
        // A call keeps back a 64th of what it has for the caller, so it needs more than it used.
        Status::Success => json!({
            "result": { "result": true },
            "energy_required": outcome.used + outcome.used / 32,
        }),
        Status::Revert => refused("CONTRACT_EXE_ERROR", "REVERT opcode executed"),
        Status::OutOfEnergy => refused("CONTRACT_EXE_ERROR", "OUT_OF_ENERGY"),
        Status::Halt(name) => refused("CONTRACT_EXE_ERROR", name),
    })
}

fn deploy(ledger: &Ledger, ask: &Ask) -> Answer {
    let owner = ask.address("owner_address")?;
    let abi = match ask.text_or_empty("abi") {
        "" => None,
        text => Some(ContractAbi::from_json(text).map_err(|error| error.to_string())?),
    };
    let create = CreateContract {
        owner,
        origin: owner,
        abi,
        bytecode: [ask.bytes("bytecode")?, ask.bytes("parameter")?].concat(),
        call_value: Amount(ask.number_or_0("call_value")?.into()),
        consume_user_resource_percent: ask.number_or_0("consume_user_resource_percent")?,
        name: ask.text_or_empty("name").to_owned(),
        origin_energy_limit: ask.number_or_0("origin_energy_limit")?,
        call_token_value: Amount(0),
        token_id: 0,
    };
    let fee_limit = Amount(ask.number_or_0("fee_limit")?.into());
    let raw = Raw { fee_limit, ..ledger.draft(Contract::Create(create)) };
    let id = raw.id().map_err(|error| error.to_string())?;
    let mut transaction = transactions::drafted(raw, ask)?;
    transaction["contract_address"] = json!(ask.show(created_address(id, owner)));
    Ok(transaction)
}

/// What the transaction says of the contract that it makes.
pub(super) fn made(transaction: &Transaction, visible: bool) -> Option<Value> {
    let text = TransactionJson::of(transaction, visible).ok()?.to_text();
    let json: Value = serde_json::from_str(&text).ok()?;
    json.pointer("/raw_data/contract/0/parameter/value/new_contract").cloned()
}

fn contract(ledger: &Ledger, ask: &Ask) -> Answer {
    let address = ask.address("value")?;
    let found = ledger.contract(address);
    let shown = found.and_then(|(receipt, _)| made(&receipt.transaction, ask.visible()));
    let Some(mut shown) = shown else { return Ok(json!({})) };
    shown["contract_address"] = json!(ask.show(address));
    shown["code_hash"] = json!(hex(&keccak256(&[&ledger.code(address)])));
    Ok(shown)
}

fn contract_info(ledger: &Ledger, ask: &Ask) -> Answer {
    let address = ask.address("value")?;
    let shown = contract(ledger, ask)?;
    if shown.get("contract_address").is_none() {
        return Ok(shown);
    }
    Ok(json!({ "smart_contract": shown, "runtimecode": hex(&ledger.code(address)) }))
}
