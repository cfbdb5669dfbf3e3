//! A claim on BTTC beside nodes that are honest, slow and hostile.

use headwater_base::{Address, Amount, hex};
use headwater_pay::{Answer, JobFailure};
use headwater_tron::evm::Transaction;
use headwater_tron::{chain, keccak256};
use headwater_wire::extended::Rail;

use super::super::{ClaimRun, ClaimStep, ClaimTrouble};
use super::{CLAIM_COST_MAX, CONFIRMATIONS};
use crate::chain::session;
use crate::chain::tests::{account_word, grant, key, order_on, play, question, word};

const GAS: u64 = 100_000;
const GAS_PRICE: u128 = 500_000_000_000_000;

fn rail() -> Rail {
    let vault = Address([0x44; 20]);
    Rail { chain: chain::BTTC.id, vault, token: Address([0; 20]) }
}

fn run() -> ClaimRun {
    ClaimRun::new(key(0x77), order_on(rail()))
}

fn result(value: &str) -> Vec<u8> {
    format!(r#"{{"jsonrpc":"2.0","id":1,"result":{value}}}"#).into_bytes()
}

fn number(value: u128) -> Vec<u8> {
    result(&format!("\"{value:#x}\""))
}

fn paid(amount: u128) -> Vec<u8> {
    result(&format!("\"0x{}\"", word(amount)))
}

/// What must be handed in when the node says 7 transactions, and gas as above.
fn expected() -> headwater_tron::evm::Signed {
    let (gas, price) = (GAS + GAS / 5, GAS_PRICE + GAS_PRICE / 4);
    let made = Transaction {
        chain_id: 199,
        nonce: 7,
        gas_price: Amount(price),
        gas,
        to: rail().vault,
        value: Amount(0),
        data: order_on(rail()).call(),
    };
    made.sign(&key(0x77))
}

fn receipt(payee: Address, total: u128, status: u8) -> Vec<u8> {
    let id = hex(&expected().id.0);
    let name = keccak256(&[b"Claimed(bytes32,address,address,uint128,uint128)"]);
    let topics = [hex(&name), hex(&session(&grant())), account_word(grant().owner)];
    let topics = topics.map(|topic| format!("\"0x{topic}\"")).join(",");
    let (vault, payee) = (hex(&rail().vault.0), account_word(payee));
    let data = [word(total), word(total)].concat();
    result(&format!(
        r#"{{"transactionHash":"0x{id}","blockNumber":"0x64","gasUsed":"0x5208",
        "status":"0x{status}","logs":[{{"address":"0x{vault}","topics":[{topics},"0x{payee}"],
        "data":"0x{data}"}}]}}"#
    ))
}

fn honest_receipt() -> Vec<u8> {
    receipt(order_on(rail()).voucher.payee, 1_000, 1)
}

/// Answers up to the transaction that is handed in.
fn before() -> [Vec<u8>; 4] {
    [paid(0), number(GAS.into()), number(GAS_PRICE), number(7)]
}

fn pooled() -> Vec<u8> {
    result(&format!("\"0x{}\"", hex(&expected().id.0)))
}

fn played(answers: &[&[u8]]) -> (ClaimRun, Option<Answer>) {
    let mut run = run();
    let start = before();
    let start = start.iter().map(Vec::as_slice);
    let ended = play(&mut run, &start.chain(answers.iter().copied()).collect::<Vec<_>>());
    (run, ended)
}

#[test]
fn claim_is_done_once_blocks_lie_on_what_the_vault_says() {
    let (pooled, receipt) = (pooled(), honest_receipt());
    let (head, deep) = (number(100), number(100 + u128::from(CONFIRMATIONS)));
    let answers = [&pooled, &result("null"), &receipt, &head, &paid(0), &deep, &paid(1_000)];
    let (run, ended) = played(&answers.map(Vec::as_slice));
    assert_eq!(ended, Some(Answer::ClaimDone(Amount(1_000))));
    assert_eq!(run.trouble(), None);
}

#[test]
fn sum_is_asked_for_in_a_block_that_stays() {
    let (mut run, _) = played(&[&pooled(), &honest_receipt(), &number(100)]);
    let asked = question(&mut run).expect("a question").body;
    let block = format!("\"{:#x}\"", 100 - CONFIRMATIONS);
    assert!(asked.contains("eth_call") && asked.contains(&block), "{asked}");
}

#[test]
fn what_is_handed_in_is_the_claim_and_nothing_else() {
    let (mut run, _) = played(&[]);
    let asked = question(&mut run).expect("it is handed in").body;
    assert!(asked.contains(&format!("\"0x{}\"", hex(&expected().bytes))), "{asked}");
}

#[test]
fn voucher_that_somebody_else_submitted_costs_no_fee_and_is_done_once_that_stays() {
    let mut run = run();
    let deep = number(1_000);
    let answers = [paid(1_200), deep.clone(), paid(0), deep, paid(1_200)];
    let ended = play(&mut run, &answers.each_ref().map(Vec::as_slice));
    assert_eq!(ended, Some(Answer::ClaimDone(Amount(1_200))));
}

#[test]
fn claim_that_the_vault_would_refuse_is_never_handed_in() {
    let mut run = run();
    let refused = br#"{"error":{"code":3,"message":"execution reverted","data":"0x"}}"#;
    let ended = play(&mut run, &[&paid(0), refused]);
    assert_eq!(ended, Some(Answer::Failed(JobFailure::Reverted)));
    let trouble = run.trouble().expect("a reason");
    assert!(matches!(trouble, ClaimTrouble::WouldFail(_)) && !trouble.cost_a_fee());
}

#[test]
fn node_that_says_gas_is_dear_or_much_is_not_believed() {
    let dear = CLAIM_COST_MAX / u128::from(GAS);
    let much = u64::MAX / 2;
    for (gas, price) in [(GAS, dear), (much, GAS_PRICE), (u64::MAX, u128::MAX)] {
        let mut run = run();
        let ended = play(&mut run, &[&paid(0), &number(gas.into()), &number(price)]);
        assert_eq!(ended, Some(Answer::Failed(JobFailure::Unreachable)), "{gas} {price}");
        assert!(matches!(run.trouble(), Some(ClaimTrouble::Cost { .. })));
    }
}

#[test]
fn answers_that_tell_nothing_end_a_claim_before_anything_is_signed() {
    let nothing: [&[u8]; 6] =
        [b"", b"{}", b"null", b"[]", b"{\"result\":null}", b"{\"error\":{\"message\":\"no\"}}"];
    for at in 0..4 {
        for bytes in nothing {
            let good = before();
            let mut answers = good.each_ref().map(Vec::as_slice);
            answers[at] = bytes;
            let mut run = run();
            let ended = play(&mut run, &answers);
            assert!(matches!(ended, Some(Answer::Failed(_))), "{at}: {ended:?}");
        }
    }
}

#[test]
fn claim_that_the_chain_undid_is_reverted_and_cost_a_fee() {
    let undone = receipt(order_on(rail()).voucher.payee, 0, 0);
    let (run, ended) = played(&[&pooled(), &undone]);
    assert_eq!(ended, Some(Answer::Failed(JobFailure::Reverted)));
    assert!(run.trouble().is_some_and(ClaimTrouble::cost_a_fee));
}

#[test]
fn refused_transaction_says_why() {
    let no = br#"{"error":{"code":-32000,"message":"insufficient funds for gas"}}"#;
    let (run, ended) = played(&[no]);
    assert_eq!(ended, Some(Answer::Failed(JobFailure::Unreachable)));
    let told = run.trouble().map(ToString::to_string).unwrap_or_default();
    assert!(told.contains("insufficient funds"), "{told}");
}

#[test]
fn receipts_of_others_never_end_a_claim_and_looks_are_counted() {
    for bytes in [receipt(Address([0x66; 20]), 1_000, 1), result("null"), b"".to_vec()] {
        let (mut run, _) = played(&[&pooled()]);
        let mut looks = 0;
        let ended = loop {
            match run.next() {
                ClaimStep::Ask(_) => run.answered(&bytes),
                ClaimStep::Wait(_) => looks += 1,
                ClaimStep::Submit => run.submitted(None),
                ClaimStep::Done(answer) => break answer,
            }
            assert!(looks < 1_000, "a claim must end");
        };
        assert_eq!(ended, Answer::Failed(JobFailure::Unreachable));
        assert!(matches!(run.trouble(), Some(ClaimTrouble::Unsettled(_))));
    }
}

#[test]
fn account_and_vault_are_asked_by_json_rpc() {
    use crate::chain::{AccountQuery, RailQuery};

    let payee = order_on(rail()).voucher.payee;
    let mut query = AccountQuery::new(rail(), grant(), payee);
    let words = |words: &[String]| result(&format!("\"0x{}\"", words.concat()));
    assert!(query.requests().iter().all(|asked| asked.path.is_empty()));
    query.answer(0, &words(&[word(900), word(0), word(0), word(0)]));
    query.answer(1, &paid(70));
    query.answer(2, &paid(60));
    query.answer(3, &words(&[word(0), word(0), account_word(Address([0; 20]))]));
    let seen = query.finish().expect("all was answered");
    assert_eq!((seen.balance, seen.spent, seen.claimed), (Amount(900), Amount(70), Amount(60)));

    let mut query = RailQuery::new(&chain::BTTC, rail().vault);
    let separator = crate::chain::domain(&rail()).separator();
    query.answer(0, &result(&format!("\"0x{}\"", hex(&separator))));
    query.answer(1, &words(&[account_word(Address([0; 20]))]));
    query.answer(2, &paid(86_400));
    query.answer(3, &paid(86_400));
    assert_eq!(query.finish(), Ok(rail()));
}

#[test]
fn claim_by_a_wallet_is_offered_once_it_would_go_through_and_followed_then() {
    let mut run = ClaimRun::by_wallet(order_on(rail()).voucher.payee, order_on(rail()));
    for bytes in [paid(0), number(GAS.into())] {
        run.answered(&bytes);
    }
    assert_eq!(run.next(), ClaimStep::Submit);
    run.submitted(Some(expected().id));
    let ClaimStep::Ask(asked) = run.next() else { panic!("a question") };
    assert!(asked.body.contains("eth_getTransactionReceipt"), "{}", asked.body);
}
