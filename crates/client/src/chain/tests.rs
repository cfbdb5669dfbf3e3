//! What a node may answer, honest and hostile, and what is made of it.

use headwater_base::{Amount, UnixTime, hex};
use headwater_pay::{AccountView, Answer, JobFailure};
use headwater_tron::chain;
use headwater_tron::keccak256;
use headwater_tron::transaction::{
    BlockReference, Contract, Raw, Transaction, TransactionJson, Transfer, TriggerContract,
    UnixMillis,
};

use super::*;

const OTHER: Address = Address([0x66; 20]);

pub(super) fn key(byte: u8) -> SecretKey {
    SecretKey::from_bytes(&[byte; 32]).expect("a small number is a key")
}

fn rail() -> Rail {
    Rail { chain: chain::DEVNET.id, vault: Address([0x44; 20]), token: Address([0x55; 20]) }
}

pub(super) fn grant() -> Grant {
    Grant {
        owner: key(0x11).address(),
        key: key(0x22).address(),
        cap: Amount(5_000),
        expiry: UnixTime(1_800_000_000),
        salt: [0x55; 32],
    }
}

fn order() -> ClaimOrder {
    order_on(rail())
}

/// A claim of 1000 by the payee of 33s.
pub(super) fn order_on(rail: Rail) -> ClaimOrder {
    let payee = Address([0x33; 20]);
    let voucher = Promise { rail, grant: grant(), payee, amount: Amount(1_000) };
    let owner = Signed::Grant { rail, grant: grant() };
    ClaimOrder {
        voucher,
        grant_sig: key(0x11).sign(&digest(&owner)),
        sig: sign(&key(0x22), &voucher),
    }
}

pub(super) fn word(number: u128) -> String {
    format!("{number:064x}")
}

pub(super) fn account_word(address: Address) -> String {
    format!("{:0>64}", hex(&address.0))
}

/// A node's answer to a call that returned these words.
fn returns(words: &[String]) -> Vec<u8> {
    let data = words.concat();
    format!(r#"{{"result":{{"result":true}},"constant_result":["{data}"]}}"#).into_bytes()
}

const REVERTED: &[u8] =
    br#"{"result":{"result":true,"message":"REVERT opcode executed"},"constant_result":[""]}"#;
const ERROR: &[u8] = br#"{"Error":"class java.lang.NullPointerException : null"}"#;
const REFUSED: &[u8] =
    br#"{"result":{"code":"CONTRACT_VALIDATE_ERROR","message":"Smart contract is not exist."}}"#;

/// Answers that tell nothing.
fn empty_answers() -> [&'static [u8]; 7] {
    [b"", b"{}", b"null", br#"{"constant_result":[]}"#, REVERTED, ERROR, REFUSED]
}

#[test]
fn signer_of_a_voucher_and_of_a_grant_is_known() {
    let ClaimOrder { voucher, grant_sig, sig } = order();
    assert_eq!(recover(&Signed::Voucher(voucher), &sig), Some(grant().key));
    let signed = Signed::Grant { rail: rail(), grant: grant() };
    assert_eq!(recover(&signed, &grant_sig), Some(grant().owner));
}

#[test]
fn signature_counts_for_one_chain_vault_session_payee_and_amount() {
    let ClaimOrder { voucher, sig, .. } = order();
    let others = [
        Promise { rail: Rail { chain: 1, ..rail() }, ..voucher },
        Promise { rail: Rail { vault: OTHER, ..rail() }, ..voucher },
        Promise { grant: Grant { salt: [0; 32], ..grant() }, ..voucher },
        Promise { payee: OTHER, ..voucher },
        Promise { amount: Amount(1_001), ..voucher },
    ];
    for other in others {
        assert_ne!(recover(&Signed::Voucher(other), &sig), Some(grant().key), "{other:?}");
    }
}

#[test]
fn second_forms_of_a_signature_are_nobodys() {
    let ClaimOrder { voucher, sig, .. } = order();
    let nobody = |bytes| assert_eq!(recover(&Signed::Voucher(voucher), &Signature(bytes)), None);
    for v in [0, 1, 2, 26, 29, 255] {
        let mut other = sig.0;
        other[64] = v;
        nobody(other);
    }
    let mut high = sig.0;
    high[32..64].fill(0xf0);
    nobody(high);
    nobody([0; 65]);
    nobody([0xff; 65]);
}

#[test]
fn grants_are_the_same_on_the_wire_and_for_a_wallet() {
    assert_eq!(wire_grant(&typed_grant(&grant())), grant());
}

fn account_answers() -> [Vec<u8>; 4] {
    [
        returns(&[word(900), word(300), word(50), word(1_800_000_100)]),
        returns(&[word(70)]),
        returns(&[word(60)]),
        returns(&[word(100), word(1_800_000_000), account_word(grant().owner)]),
    ]
}

#[test]
fn account_is_read_and_what_is_kept_for_the_payee_is_not_locked_for_others() {
    let mut query = AccountQuery::new(rail(), grant(), order().voucher.payee);
    assert_eq!(query.requests().len(), 4);
    for (at, bytes) in account_answers().iter().enumerate().rev() {
        assert_eq!(query.finish(), Err(JobFailure::Unreachable), "{at} is missing");
        query.answer(at, bytes);
    }
    let seen = AccountView {
        balance: Amount(900),
        reserved: Amount(200),
        exiting: Amount(50),
        exit_at: UnixTime(1_800_000_100),
        spent: Amount(70),
        claimed: Amount(60),
    };
    assert_eq!(query.finish(), Ok(seen));
}

#[test]
fn account_that_cannot_be_read_is_unreachable_and_never_empty() {
    let long = returns(&[word(1), word(1), word(1), word(1), word(1)]);
    let wide = returns(&["f".repeat(64), word(0), word(0), word(0)]);
    for at in 0..4 {
        for bytes in empty_answers().into_iter().chain([wide.as_slice()]) {
            let mut query = AccountQuery::new(rail(), grant(), OTHER);
            for (other, good) in account_answers().iter().enumerate() {
                query.answer(other, if other == at { bytes } else { good });
            }
            let text = String::from_utf8_lossy(bytes);
            assert_eq!(query.finish(), Err(JobFailure::Unreachable), "{at}: {text}");
        }
    }
    let mut query = AccountQuery::new(rail(), grant(), OTHER);
    query.answer(4, &long);
    query.answer(usize::MAX, b"\xff");
    assert!(query.finish().is_err());
}

fn rail_answers() -> [Vec<u8>; 4] {
    [
        returns(&[hex(&domain(&rail()).separator())]),
        returns(&[account_word(rail().token)]),
        returns(&[word(86_400)]),
        returns(&[word(86_400)]),
    ]
}

fn asked(chain: &'static Chain, answers: &[Vec<u8>; 4]) -> Result<Rail, QueryError> {
    let mut query = RailQuery::new(chain, rail().vault);
    for (at, bytes) in answers.iter().enumerate() {
        query.answer(at, bytes);
    }
    query.finish()
}

#[test]
fn vault_is_believed_when_its_domain_token_and_times_are_right() {
    assert_eq!(asked(&chain::DEVNET, &rail_answers()), Ok(rail()));
    let query = RailQuery::new(&chain::DEVNET, rail().vault);
    assert_eq!(query.finish(), Err(QueryError::Unanswered(0)));
    // The same contract is another vault on another chain.
    assert!(matches!(asked(&chain::NILE, &rail_answers()), Err(QueryError::Domain { .. })));
    let mut answers = rail_answers();
    let needed = typed::Domain { chain_id: chain::TRON.id, vault: rail().vault };
    answers[0] = returns(&[hex(&needed.separator())]);
    assert!(matches!(asked(&chain::TRON, &answers), Err(QueryError::Token { .. })));
    for at in [2, 3] {
        let mut answers = rail_answers();
        answers[at] = returns(&[word(3_600)]);
        assert!(matches!(asked(&chain::DEVNET, &answers), Err(QueryError::Times { .. })));
    }
}

/// A transaction as an honest node builds it.
fn built() -> Raw {
    let call = TriggerContract {
        owner: key(0x77).address(),
        contract: rail().vault,
        call_value: Amount(0),
        data: order().call(),
        call_token_value: Amount(0),
        token_id: 0,
    };
    Raw {
        reference: BlockReference { number: [1, 2], hash: [3; 8] },
        expiration: UnixMillis(1_800_000_060_000),
        memo: Vec::new(),
        contract: Contract::Trigger(call),
        permission: 0,
        timestamp: UnixMillis(1_800_000_000_000),
        fee_limit: Amount(CLAIM_FEE_LIMIT.into()),
    }
}

fn drafted(transaction: &Transaction) -> Vec<u8> {
    let json = TransactionJson::of(transaction, false).expect("a form").to_text();
    format!(r#"{{"result":{{"result":true}},"transaction":{json}}}"#).into_bytes()
}

fn unsigned(raw: Raw) -> Vec<u8> {
    drafted(&Transaction { raw, signatures: Vec::new() })
}

fn run() -> ClaimRun {
    ClaimRun::new(key(0x77), order())
}

fn by_wallet() -> ClaimRun {
    ClaimRun::by_wallet(order().voucher.payee, order())
}

/// Goes on until the next question, waits passed over.
pub(super) fn question(run: &mut ClaimRun) -> Result<Request, Answer> {
    loop {
        match run.next() {
            ClaimStep::Ask(request) => return Ok(request),
            ClaimStep::Wait(_) => {}
            ClaimStep::Submit => run.submitted(Some(built().id().expect("a form"))),
            ClaimStep::Done(answer) => return Err(answer),
        }
    }
}

/// Answers what is asked, one after the other, and says how it ended.
pub(super) fn play(run: &mut ClaimRun, answers: &[&[u8]]) -> Option<Answer> {
    for bytes in answers {
        if question(run).is_ok() {
            run.answered(bytes);
        }
    }
    question(run).err()
}

fn zero() -> Vec<u8> {
    returns(&[word(0)])
}

/// The receipt of a claim that led to `total`, written by `vault`.
fn receipt(vault: Address, payee: Address, total: u128) -> Vec<u8> {
    let id = hex(&built().id().expect("a form").0);
    let name = keccak256(&[b"Claimed(bytes32,address,address,uint128,uint128)"]);
    let topics = [hex(&name), hex(&session(&grant())), account_word(grant().owner)];
    let topics = topics.map(|topic| format!("\"{topic}\"")).join(",");
    let (vault, payee) = (hex(&vault.0), account_word(payee));
    let data = [word(total), word(total)].concat();
    let log = format!(r#"{{"address":"{vault}","topics":[{topics},"{payee}"],"data":"{data}"}}"#);
    format!(r#"{{"id":"{id}","blockNumber":7,"receipt":{{"result":"SUCCESS"}},"log":[{log}]}}"#)
        .into_bytes()
}

fn honest_receipt() -> Vec<u8> {
    receipt(rail().vault, order().voucher.payee, 1_000)
}

const POOLED: &[u8] = br#"{"result":true}"#;

#[test]
fn claim_is_done_when_it_is_final_and_the_vault_says_so() {
    let mut run = run();
    let (zero, built, paid) = (zero(), unsigned(built()), returns(&[word(1_000)]));
    let answers = [&zero, &zero, &built, POOLED, b"{}", &honest_receipt(), &paid];
    assert_eq!(play(&mut run, &answers), Some(Answer::ClaimDone(Amount(1_000))));
    assert_eq!(run.trouble(), None);
}

#[test]
fn what_is_broadcast_is_the_call_that_was_asked_for_signed_by_the_key() {
    let mut run = run();
    assert_eq!(play(&mut run, &[&zero(), &zero(), &unsigned(built())]), None);
    let sent = question(&mut run).expect("it is handed in");
    let signed = built().sign(&key(0x77)).expect("a form");
    assert_eq!(sent, Request::broadcast(&signed).expect("a form"));
}

#[test]
fn claim_by_a_wallet_is_done_when_it_is_final_and_the_vault_says_so() {
    let mut run = by_wallet();
    let (zero, paid) = (zero(), returns(&[word(1_000)]));
    let answers = [&zero, &zero, b"{}".as_slice(), &honest_receipt(), &paid];
    assert_eq!(play(&mut run, &answers), Some(Answer::ClaimDone(Amount(1_000))));
    assert_eq!(run.trouble(), None);
}

#[test]
fn no_wallet_is_asked_for_a_claim_that_the_vault_would_refuse_or_has_paid() {
    let paid = returns(&[word(1_000)]);
    for (answers, ended) in [
        ([&paid, REVERTED], Answer::ClaimDone(Amount(1_000))),
        ([&zero(), REVERTED], Answer::Failed(JobFailure::Reverted)),
        ([&zero(), b"".as_slice()], Answer::Failed(JobFailure::Unreachable)),
    ] {
        let mut run = by_wallet();
        for bytes in answers {
            run.answered(bytes);
        }
        assert_eq!(run.next(), ClaimStep::Done(ended));
    }
}

#[test]
fn wallet_that_submits_nothing_leaves_the_claim_as_it_was() {
    let mut run = by_wallet();
    run.submitted(Some(built().id().expect("a form")));
    let tried = |run: &mut ClaimRun| {
        let ClaimStep::Ask(request) = run.next() else { panic!("a question") };
        run.answered(&zero());
        request
    };
    tried(&mut run);
    let asked = tried(&mut run);
    let (payee, vault) = (order().voucher.payee, rail().vault);
    assert_eq!(
        asked,
        Request::call("/wallet/triggerconstantcontract", payee, vault, order().call())
    );
    assert_eq!(run.next(), ClaimStep::Submit);
    run.answered(b"{}");
    assert_eq!(run.next(), ClaimStep::Submit);
    run.submitted(None);
    assert_eq!(run.next(), ClaimStep::Done(Answer::Failed(JobFailure::Refused)));
}

#[test]
fn voucher_that_somebody_else_submitted_costs_no_fee() {
    let mut run = run();
    let done = Some(Answer::ClaimDone(Amount(1_200)));
    assert_eq!(play(&mut run, &[&returns(&[word(1_200)])]), done);
}

#[test]
fn claim_that_the_vault_would_refuse_is_never_submitted() {
    let mut run = run();
    let reverted = Some(Answer::Failed(JobFailure::Reverted));
    assert_eq!(play(&mut run, &[&zero(), REVERTED]), reverted);
    let trouble = run.trouble().expect("a reason");
    assert!(matches!(trouble, ClaimTrouble::WouldFail(_)) && !trouble.cost_a_fee());
}

#[test]
fn nothing_but_the_transaction_that_was_asked_for_is_signed() {
    let call = |change: fn(&mut TriggerContract)| {
        let mut raw = built();
        let Contract::Trigger(call) = &mut raw.contract else { panic!("no call") };
        change(call);
        raw
    };
    let steal = Transfer { owner: key(0x77).address(), to: OTHER, amount: Amount(1) };
    let hostile = [
        Raw { contract: Contract::Transfer(steal), ..built() },
        Raw { fee_limit: Amount(15_000_000_000), ..built() },
        Raw { fee_limit: Amount(0), ..built() },
        Raw { memo: b"ours".to_vec(), ..built() },
        Raw { permission: 2, ..built() },
        call(|call| call.owner = OTHER),
        call(|call| call.contract = OTHER),
        call(|call| call.call_value = Amount(1)),
        call(|call| {
            call.call_token_value = Amount(1);
            call.token_id = 1_002_000;
        }),
        call(|call| call.data.push(0)),
        call(|call| call.data[40] ^= 1),
        call(|call| call.data.clear()),
    ];
    for raw in hostile {
        let mut run = run();
        let unreachable = Some(Answer::Failed(JobFailure::Unreachable));
        let text = format!("{raw:?}");
        assert_eq!(play(&mut run, &[&zero(), &zero(), &unsigned(raw)]), unreachable, "{text}");
        assert_eq!(run.trouble(), Some(&ClaimTrouble::OtherTransaction), "{text}");
    }
    let mut run = run();
    let signed = drafted(&built().sign(&key(0x11)).expect("a form"));
    assert!(play(&mut run, &[&zero(), &zero(), &signed]).is_some());
    assert_eq!(run.trouble(), Some(&ClaimTrouble::OtherTransaction));
}

#[test]
fn id_that_is_not_the_contents_is_not_signed() {
    let good = String::from_utf8(unsigned(built())).expect("text");
    let id = hex(&built().id().expect("a form").0);
    let bad = good.replacen(&id, &"0".repeat(64), 1);
    assert_ne!(bad, good);
    let unreachable = Some(Answer::Failed(JobFailure::Unreachable));
    assert_eq!(play(&mut run(), &[&zero(), &zero(), bad.as_bytes()]), unreachable);
}

#[test]
fn answers_that_tell_nothing_end_a_claim_before_anything_is_signed() {
    for at in 0..3 {
        for bytes in empty_answers() {
            let (zero, built) = (zero(), unsigned(built()));
            let mut answers = [&zero, &zero, built.as_slice()];
            answers[at] = bytes;
            let mut run = run();
            let ended = play(&mut run, &answers);
            assert!(matches!(ended, Some(Answer::Failed(_))), "{at}: {ended:?}");
            assert!(run.trouble().is_some());
        }
    }
}

#[test]
fn node_that_answers_a_broadcast_with_nothing_may_have_taken_it() {
    let (zero, built, paid) = (zero(), unsigned(built()), returns(&[word(1_000)]));
    let answers = [
        &zero,
        &zero,
        &built,
        b"".as_slice(),
        b"",
        &honest_receipt(),
        b"",
        b"{}",
        &honest_receipt(),
        &paid,
    ];
    assert_eq!(play(&mut run(), &answers), Some(Answer::ClaimDone(Amount(1_000))));
}

#[test]
fn refused_broadcast_says_why() {
    let mut run = run();
    let no = br#"{"code":"CONTRACT_VALIDATE_ERROR","message":"account not exists"}"#;
    let ended = play(&mut run, &[&zero(), &zero(), &unsigned(built()), no]);
    assert_eq!(ended, Some(Answer::Failed(JobFailure::Unreachable)));
    let told = run.trouble().map(ToString::to_string).unwrap_or_default();
    assert!(told.ends_with("Validate: account not exists"), "{told}");
}

#[test]
fn claim_that_the_chain_undid_is_reverted_and_cost_a_fee() {
    let id = hex(&built().id().expect("a form").0);
    for ended in ["REVERT", "OUT_OF_ENERGY"] {
        let receipt =
            format!(r#"{{"id":"{id}","receipt":{{"result":"{ended}"}},"result":"FAILED"}}"#);
        let mut run = run();
        let (zero, built) = (zero(), unsigned(built()));
        let ended = play(&mut run, &[&zero, &zero, &built, POOLED, receipt.as_bytes()]);
        assert_eq!(ended, Some(Answer::Failed(JobFailure::Reverted)));
        assert!(run.trouble().is_some_and(ClaimTrouble::cost_a_fee));
    }
}

#[test]
fn sum_older_than_the_receipt_is_no_short_payment() {
    let (zero, built, paid) = (zero(), unsigned(built()), returns(&[word(1_000)]));
    let receipt = honest_receipt();
    let answers = [&zero, &zero, &built, POOLED, &receipt, &zero, &receipt, &paid];
    assert_eq!(play(&mut run(), &answers), Some(Answer::ClaimDone(Amount(1_000))));
}

#[test]
fn short_payment_is_what_both_the_receipt_and_the_vault_say() {
    let (zero, built, paid) = (zero(), unsigned(built()), returns(&[word(400)]));
    let receipt = receipt(rail().vault, order().voucher.payee, 400);
    let answers = [&zero, &zero, &built, POOLED, &receipt, &paid];
    assert_eq!(play(&mut run(), &answers), Some(Answer::ClaimDone(Amount(400))));
}

#[test]
fn receipts_of_others_and_of_other_contracts_never_end_a_claim_and_looks_are_counted() {
    let payee = order().voucher.payee;
    let foreign = String::from_utf8(honest_receipt()).expect("text");
    let foreign = foreign.replace(&hex(&built().id().expect("a form").0), &"1".repeat(64));
    for bytes in [
        receipt(OTHER, payee, 1_000),
        receipt(rail().vault, OTHER, 1_000),
        foreign.into_bytes(),
        b"{}".to_vec(),
        ERROR.to_vec(),
    ] {
        let mut run = run();
        assert_eq!(play(&mut run, &[&zero(), &zero(), &unsigned(built()), POOLED]), None);
        let mut looks = 0;
        let ended = loop {
            if let Err(answer) = question(&mut run) {
                break answer;
            }
            run.answered(&bytes);
            looks += 1;
            assert!(looks < 1_000, "a claim must end");
        };
        assert_eq!(ended, Answer::Failed(JobFailure::Unreachable));
        assert_eq!(run.trouble(), Some(&ClaimTrouble::Unsettled(60)));
    }
}
