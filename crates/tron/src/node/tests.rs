//! Answers as nodes give them, with every trap that the documentation names.

use headwater_base::{Address, hex};

use super::error::Words;
use super::*;
use crate::transaction::{TransactionId, UnixMillis};
use crate::{Amount, address};

const ID: TransactionId = TransactionId([0xd5; 32]);

fn said(id: TransactionId) -> String {
    hex(&id.0)
}

fn refused(code: Code, text: &str) -> Result<Broadcast, NodeError> {
    Ok(Broadcast::Refused { code, words: Words::of(text) })
}

#[test]
fn pooled_is_said_only_with_a_true_result_about_the_same_transaction() {
    let pooled = format!(r#"{{"result":true,"code":"SUCCESS","txid":"{}"}}"#, said(ID));
    assert_eq!(broadcast(pooled.as_bytes(), ID), Ok(Broadcast::Pooled));
    let found = TransactionId([1; 32]);
    let error = Err(NodeError::OtherTransaction { said: ID, found });
    assert_eq!(broadcast(pooled.as_bytes(), found), error);
    let silent = format!(r#"{{"code":"SUCCESS","txid":"{}"}}"#, said(ID));
    assert_eq!(broadcast(silent.as_bytes(), ID), refused(Code::Other, ""));
    assert_eq!(broadcast(b"{}", ID), refused(Code::Other, ""));
}

#[test]
fn refusal_has_its_code_and_its_words_whether_hex_or_not() {
    let plain = br#"{"code":"SIGERROR","message":"validateSignature error"}"#;
    assert_eq!(broadcast(plain, ID), refused(Code::Signature, "validateSignature error"));
    let coded = format!(r#"{{"code":"TAPOS_ERROR","message":"{}"}}"#, hex(b"Tapos failed"));
    assert_eq!(broadcast(coded.as_bytes(), ID), refused(Code::Tapos, "Tapos failed"));
    let novel = br#"{"code":"SOMETHING_NEW"}"#;
    assert_eq!(broadcast(novel, ID), refused(Code::Other, ""));
}

#[test]
fn transaction_sent_twice_is_known() {
    let twice = br#"{"code":"DUP_TRANSACTION_ERROR","message":"Dup transaction."}"#;
    assert_eq!(broadcast(twice, ID), Ok(Broadcast::Known));
}

#[test]
fn error_with_status_200_is_an_error_of_every_answer() {
    let bytes = br#"{"Error":"class java.lang.NullPointerException : null"}"#;
    let words = "class java.lang.NullPointerException : null";
    let error = NodeError::Node(Words::of(words));
    assert_eq!(broadcast(bytes, ID), Err(error.clone()));
    assert_eq!(called(bytes), Err(error.clone()));
    assert_eq!(energy(bytes), Err(error.clone()));
    assert_eq!(receipt(bytes, ID), Err(error.clone()));
    assert_eq!(block(bytes), Err(error.clone()));
    assert_eq!(account(bytes), Err(error.clone()));
    assert_eq!(resources(bytes), Err(error.clone()));
    assert_eq!(prices(bytes), Err(error.clone()));
    assert_eq!(unsigned(bytes), Err(error));
}

#[test]
fn revert_is_told_from_success_though_the_node_says_true() {
    let fine = br#"{"result":{"result":true},"energy_used":935,"constant_result":["00ff"]}"#;
    assert_eq!(called(fine), Ok(Called::Returned { data: vec![0, 0xff], energy: 935 }));
    let message = hex(b"REVERT opcode executed");
    let head = format!(r#"{{"result":{{"result":true,"message":"{message}"}},"#);
    let reverted = format!(r#"{head}"energy_used":20,"constant_result":["08c379a0"]}}"#);
    let data = vec![0x08, 0xc3, 0x79, 0xa0];
    assert_eq!(called(reverted.as_bytes()), Ok(Called::Reverted { data, energy: 20 }));
}

#[test]
fn call_that_broke_or_never_ran_is_neither_returned_nor_reverted() {
    let text = "Not enough energy for 'SSTORE' operation executing";
    let broke = format!(r#"{{"result":{{"result":true,"message":"{}"}}}}"#, hex(text.as_bytes()));
    let words = Words::of(text);
    assert_eq!(called(broke.as_bytes()), Ok(Called::Broke { words, energy: 0 }));
    let head = r#"{"result":{"code":"CONTRACT_VALIDATE_ERROR","#;
    let absent = format!(r#"{head}"message":"Smart contract is not exist."}}}}"#);
    let words = Words::of("Smart contract is not exist.");
    let refused = Called::Refused { code: Code::Validate, words };
    assert_eq!(called(absent.as_bytes()), Ok(refused));
}

#[test]
fn receipt_is_nothing_until_a_block_holds_it() {
    assert_eq!(receipt(b"{}", ID), Ok(None));
}

#[test]
fn receipt_of_a_call_tells_fee_energy_and_logs() {
    let log =
        r#"{"address":"9ff8fc48fb114ccd5bbdc24a86f0c73082f08825","topics":["TOPIC"],"data":"07"}"#;
    let log = log.replace("TOPIC", &"c6".repeat(32));
    let text = format!(
        r#"{{"id":"{}","fee":5254500,"blockNumber":66985120,"blockTimeStamp":1777437762000,
        "contractResult":[""],"contract_address":"419ff8fc48fb114ccd5bbdc24a86f0c73082f08825",
        "receipt":{{"energy_fee":4458500,"energy_usage_total":44585,"net_fee":796000,
        "result":"SUCCESS"}},"log":[{log}],"internal_transactions":[{{"note":"63"}}]}}"#,
        said(ID)
    );
    let known = receipt(text.as_bytes(), ID).expect("JSON").expect("a block holds it");
    let contract = address::parse("419ff8fc48fb114ccd5bbdc24a86f0c73082f08825");
    let contract = contract.expect("an address");
    assert_eq!(known.fee, Amount(5_254_500));
    assert_eq!((known.block, known.energy), (66_985_120, 44_585));
    assert_eq!(known.at, UnixMillis(1_777_437_762_000));
    assert_eq!(known.outcome, Outcome::Done);
    assert_eq!(known.contract, Some(contract));
    assert_eq!(known.logs, vec![Log { contract, topics: vec![[0xc6; 32]], data: vec![7] }]);
}

fn outcome_of(fields: &str) -> Outcome {
    let text = format!(r#"{{"id":"{}"{fields}}}"#, said(ID));
    receipt(text.as_bytes(), ID).expect("JSON").expect("a block holds it").outcome
}

#[test]
fn receipt_that_failed_is_never_done() {
    let broke = |text| Outcome::Broke { words: Words::of(text) };
    assert_eq!(outcome_of(""), Outcome::Done);
    let fields = r#","result":"FAILED","receipt":{"result":"OUT_OF_ENERGY"}"#;
    assert_eq!(outcome_of(fields), broke("OUT_OF_ENERGY"));
    let fields = r#","receipt":{"result":"OUT_OF_TIME"}"#;
    assert_eq!(outcome_of(fields), broke("OUT_OF_TIME"));
    let fields = r#","result":"FAILED","resMessage":"6f68"#.to_owned() + r#"""#;
    assert_eq!(outcome_of(&fields), broke("oh"));
    let fields =
        r#","result":"FAILED","receipt":{"result":"REVERT"},"contractResult":["08c379a0"]"#;
    assert_eq!(outcome_of(fields), Outcome::Reverted { data: vec![0x08, 0xc3, 0x79, 0xa0] });
}

#[test]
fn receipt_of_another_transaction_is_refused() {
    let text = format!(r#"{{"id":"{}"}}"#, said(TransactionId([1; 32])));
    let error = receipt(text.as_bytes(), ID);
    assert!(matches!(error, Err(NodeError::OtherTransaction { .. })));
}

#[test]
fn too_many_logs_and_topics_are_refused() {
    let log = format!(r#"{{"address":"{}"}}"#, "44".repeat(20));
    let logs = vec![log; limit_of_logs() + 1].join(",");
    let text = format!(r#"{{"id":"{}","log":[{logs}]}}"#, said(ID));
    let error = receipt(text.as_bytes(), ID);
    assert!(matches!(error, Err(NodeError::TooMany { field: "log", .. })));
    let topics = vec![format!(r#""{}""#, "00".repeat(32)); 5].join(",");
    let log = format!(r#"{{"address":"{}","topics":[{topics}]}}"#, "44".repeat(20));
    let text = format!(r#"{{"id":"{}","log":[{log}]}}"#, said(ID));
    let error = receipt(text.as_bytes(), ID);
    assert!(matches!(error, Err(NodeError::TooMany { field: "topics", .. })));
}

fn limit_of_logs() -> usize {
    crate::limit::LOGS_MAX
}

#[test]
fn account_that_was_never_sent_anything_is_empty_and_does_not_exist() {
    assert_eq!(account(b"{}"), Ok(Account::default()));
    let text = br#"{"address":"41dd791d6b49e190062d650e6a23c575510d35f2f9","balance":1793227200,
        "assetV2":[{"key":"1002000","value":9223372036854775807},{"key":"odd"}]}"#;
    let known = account(text).expect("JSON");
    assert!(known.exists);
    assert_eq!(known.balance, Amount(1_793_227_200));
    assert_eq!(known.assets, vec![(1_002_000, Amount(i64::MAX.unsigned_abs().into()))]);
}

#[test]
fn numbers_are_read_from_strings_too_and_negative_ones_are_zero() {
    let text = br#"{"address":"41dd791d6b49e190062d650e6a23c575510d35f2f9","balance":"77"}"#;
    assert_eq!(account(text).expect("JSON").balance, Amount(77));
    let text = br#"{"balance":-5}"#;
    assert_eq!(account(text).expect("JSON").balance, Amount(0));
}

#[test]
fn resources_left_are_those_not_used() {
    let text = br#"{"freeNetUsed":441,"freeNetLimit":600,"EnergyLimit":10}"#;
    assert_eq!(resources(text), Ok(Resources { bandwidth: 159, energy: 10 }));
    let text = br#"{"freeNetUsed":900,"freeNetLimit":600}"#;
    assert_eq!(resources(text), Ok(Resources::default()));
}

#[test]
fn block_tells_number_time_and_what_to_name_it_by() {
    let id = "0000000003fe266bf6b6d392f654dc2e5011601546ed04623d9fcc4e9d439a25";
    let text = format!(
        r#"{{"blockID":"{id}","block_header":{{"raw_data":{{"number":66987627,
        "timestamp":1777445307000}}}}}}"#
    );
    let known = block(text.as_bytes()).expect("JSON");
    assert_eq!(known.id.number(), 66_987_627);
    assert_eq!(known.id.reference().number, [0x26, 0x6b]);
    assert_eq!(hex(&known.id.reference().hash), "f6b6d392f654dc2e");
    assert_eq!(block(b"{}"), Err(NodeError::Missing { field: "blockID" }));
}

#[test]
fn prices_are_read_and_never_assumed() {
    let text = br#"{"chainParameter":[{"key":"getTransactionFee","value":1000},
        {"key":"getEnergyFee","value":100},{"key":"getAllowCreationOfContracts"}]}"#;
    let known = Prices { energy: Amount(100), bandwidth: Amount(1000) };
    assert_eq!(prices(text), Ok(known));
    assert_eq!(prices(b"{}"), Err(NodeError::Missing { field: "getEnergyFee" }));
}

#[test]
fn energy_of_a_call_that_cannot_be_weighed_is_a_refusal() {
    assert_eq!(energy(br#"{"result":{"result":true},"energy_required":1870}"#), Ok(1870));
    let text = br#"{"result":{"code":"OTHER_ERROR","message":"oh no"}}"#;
    let words = Words::of("oh no");
    assert_eq!(energy(text), Err(NodeError::Refused { code: Code::Other, words }));
}

#[test]
fn oversize_and_deep_answers_are_refused() {
    let (found, allowed) = (crate::limit::ANSWER_BYTES_MAX + 1, crate::limit::ANSWER_BYTES_MAX);
    assert_eq!(account(&vec![b' '; found]), Err(NodeError::TooLong { found, allowed }));
    let deep = format!(r#"{{"a":{}"#, "[".repeat(100_000));
    assert!(matches!(account(deep.as_bytes()), Err(NodeError::Json { .. })));
    for odd in [&b""[..], b"[]", b"null", b"\xff", b"{\"balance\":{}}", b"<html>"] {
        assert!(account(odd).is_err(), "{odd:?}");
    }
}

#[test]
fn long_words_are_cut_between_characters() {
    let long = "é".repeat(2000);
    let words = Words::of(&format!("a{long}"));
    assert!(words.as_str().len() <= crate::limit::REASON_BYTES_MAX);
}

#[test]
fn call_data_is_the_same_in_both_ways_of_asking() {
    let owner = HexAddress(Address([1; 20]));
    let request = Request::call(path::CONSTANT, owner.0, Address([2; 20]), vec![1, 2, 3, 4]);
    let read: CallRequest = serde_json::from_str(&request.body).expect("ours");
    assert_eq!(read.call_data(), [1, 2, 3, 4]);
    let text = format!(
        r#"{{"owner_address":"{}","contract_address":"{}","parameter":"{}",
        "function_selector":"balanceOf(address)"}}"#,
        address::to_base58(owner.0),
        address::to_hex(owner.0),
        "00".repeat(32)
    );
    let read: CallRequest = serde_json::from_str(&text).expect("a request");
    assert_eq!(hex(&read.call_data()), format!("70a08231{}", "00".repeat(32)));
}
