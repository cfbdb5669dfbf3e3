//! Transactions against EIP-155's own example, and answers of nodes, honest and hostile.

use headwater_base::{Address, Amount, hex, unhex};

use super::*;
use crate::key::SecretKey;
use crate::node::{Broadcast, Called, NodeError, Outcome};
use crate::transaction::TransactionId;

const ID: TransactionId = TransactionId([0xab; 32]);

/// The example of EIP-155.
fn example() -> Transaction {
    Transaction {
        chain_id: 1,
        nonce: 9,
        gas_price: Amount(20_000_000_000),
        gas: 21_000,
        to: Address([0x35; 20]),
        value: Amount(1_000_000_000_000_000_000),
        data: Vec::new(),
    }
}

#[test]
fn transaction_is_the_example_of_eip_155() {
    let key = SecretKey::from_bytes(&[0x46; 32]).expect("a small number is a key");
    let signed = example().sign(&key);
    let expect = "f86c098504a817c800825208943535353535353535353535353535353535353535880\
        de0b6b3a76400008025a028ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276a0\
        67cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83";
    assert_eq!(hex(&signed.bytes), expect);
    // The digest of those bytes, as explorers show it for that example.
    let id = "33469b22e9f636356c4160a87eb19df52b7412e8eac32a4a55ffe88ea8350788";
    assert_eq!(hex(&signed.id.0), id);
}

#[test]
fn each_field_and_the_chain_make_another_transaction() {
    let key = SecretKey::from_bytes(&[0x46; 32]).expect("a small number is a key");
    let others = [
        Transaction { chain_id: 199, ..example() },
        Transaction { nonce: 0, ..example() },
        Transaction { gas_price: Amount(u128::MAX), ..example() },
        Transaction { gas: u64::MAX, ..example() },
        Transaction { to: Address([0; 20]), ..example() },
        Transaction { value: Amount(0), ..example() },
        Transaction { data: vec![0; 300], ..example() },
    ];
    let mut ids: Vec<_> = others.iter().map(|other| other.sign(&key).id).collect();
    ids.push(example().sign(&key).id);
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), others.len() + 1);
}

#[test]
fn requests_have_the_form_of_json_rpc() {
    let (owner, contract) = (Address([1; 20]), Address([2; 20]));
    let body = call(owner, contract, &[0xfe], Some(16)).body;
    let text: serde_json::Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!(text["jsonrpc"], "2.0");
    assert_eq!(text["method"], "eth_call");
    assert_eq!(text["params"][0]["from"], "0x0101010101010101010101010101010101010101");
    assert_eq!(text["params"][0]["data"], "0xfe");
    assert_eq!(text["params"][1], "0x10");
    assert!(call(owner, contract, &[], None).body.contains("\"latest\""));
    assert!(send(&[1, 2]).body.contains("[\"0x0102\"]"));
}

#[test]
fn numbers_are_hex_with_a_prefix_and_nothing_else() {
    let read = |text: &str| quantity(format!(r#"{{"result":{text}}}"#).as_bytes());
    assert_eq!(read(r#""0x0""#), Ok(0));
    assert_eq!(read(r#""0xffffffffffffffffffffffffffffffff""#), Ok(u128::MAX));
    for bad in [
        r#""""#,
        r#""0x""#,
        r#""10""#,
        r#""0x+1""#,
        "7",
        "null",
        r#""0x1ffffffffffffffffffffffffffffffff""#,
    ] {
        assert!(read(bad).is_err(), "{bad}");
    }
    let refused = quantity(br#"{"error":{"code":-32000,"message":"no"}}"#);
    assert!(matches!(refused, Err(NodeError::Refused { .. })));
}

#[test]
fn reverted_call_is_told_from_one_that_was_not_run() {
    let reverted = br#"{"error":{"code":3,"message":"execution reverted","data":"0x08c379a0"}}"#;
    let data = unhex("08c379a0").expect("hex");
    assert_eq!(called(reverted), Ok(Called::Reverted { data: data.clone(), energy: 0 }));
    let nested =
        br#"{"error":{"code":-32000,"message":"VM: revert","data":{"data":"0x08c379a0"}}}"#;
    assert_eq!(called(nested), Ok(Called::Reverted { data, energy: 0 }));
    let refused = called(br#"{"error":{"code":-32000,"message":"header not found"}}"#);
    assert!(matches!(refused, Ok(Called::Refused { .. })));
    let returned = Called::Returned { data: vec![1], energy: 0 };
    assert_eq!(called(br#"{"result":"0x01"}"#), Ok(returned));
    assert!(called(br#"{"result":null}"#).is_err());
    assert!(called(b"{}").is_err());
}

#[test]
fn gas_of_a_call_is_told_as_a_number_in_however_few_digits() {
    let needed = Called::Returned { data: Vec::new(), energy: 0x1_d3f5 };
    assert_eq!(estimated(br#"{"result":"0x1d3f5"}"#), Ok(needed));
    let refused = estimated(br#"{"error":{"code":3,"message":"execution reverted"}}"#);
    assert!(matches!(refused, Ok(Called::Reverted { .. })));
    assert!(estimated(br#"{"result":"0x10000000000000000"}"#).is_err());
    assert!(count(br#"{"result":"0x10000000000000000"}"#).is_err());
}

#[test]
fn transaction_is_taken_only_under_its_own_name() {
    let answer = |id: &str| sent(format!(r#"{{"result":"0x{id}"}}"#).as_bytes(), ID);
    assert_eq!(answer(&"ab".repeat(32)), Ok(Broadcast::Pooled));
    let other = answer(&"cd".repeat(32));
    assert!(matches!(other, Err(NodeError::OtherTransaction { .. })));
    assert!(answer("ab").is_err());
    let known = sent(br#"{"error":{"code":-32000,"message":"already known"}}"#, ID);
    assert_eq!(known, Ok(Broadcast::Known));
    let refused = sent(br#"{"error":{"code":-32000,"message":"nonce too low"}}"#, ID);
    assert!(matches!(refused, Ok(Broadcast::Refused { .. })));
}

fn receipt_text(id: &str, status: &str) -> String {
    let topic = "11".repeat(32);
    format!(
        r#"{{"result":{{"transactionHash":"0x{id}","blockNumber":"0x10","gasUsed":"0x5208",
        "effectiveGasPrice":"0x2","status":"{status}","logs":[{{"address":
        "0x4444444444444444444444444444444444444444","topics":["0x{topic}"],"data":"0x07"}}]}}}}"#
    )
}

#[test]
fn receipt_tells_block_fee_outcome_and_events() {
    let text = receipt_text(&"ab".repeat(32), "0x1");
    let read = receipt(text.as_bytes(), ID).expect("a form").expect("a block holds it");
    assert_eq!((read.block, read.energy, read.fee), (16, 21_000, Amount(42_000)));
    assert_eq!(read.outcome, Outcome::Done);
    assert_eq!(read.logs[0].contract, Address([0x44; 20]));
    assert_eq!((read.logs[0].topics[0], read.logs[0].data.as_slice()), ([0x11; 32], &[7][..]));
    let failed = receipt(receipt_text(&"ab".repeat(32), "0x0").as_bytes(), ID);
    let outcome = failed.expect("a form").expect("a block holds it").outcome;
    assert_eq!(outcome, Outcome::Reverted { data: Vec::new() });
    assert_eq!(receipt(br#"{"result":null}"#, ID), Ok(None));
    let other = receipt(receipt_text(&"cd".repeat(32), "0x1").as_bytes(), ID);
    assert!(matches!(other, Err(NodeError::OtherTransaction { .. })));
    assert!(receipt(br#"{"error":{"message":"busy"}}"#, ID).is_err());
}

#[test]
fn damaged_answers_never_panic() {
    let good = receipt_text(&"ab".repeat(32), "0x1");
    let texts = [good.as_str(), r#"{"error":{"code":3,"message":"x","data":"0x08"}}"#];
    for text in texts.map(str::as_bytes) {
        for at in 0..text.len() {
            for byte in [b'"', b'{', b'9', b'-', 0xff] {
                let mut bytes = text.to_vec();
                bytes[at] = byte;
                for bytes in [&bytes[..], &text[..at]] {
                    let _ = (called(bytes), estimated(bytes), quantity(bytes), count(bytes));
                    let _ = (sent(bytes, ID), receipt(bytes, ID));
                }
            }
        }
    }
}
