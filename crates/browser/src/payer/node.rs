//! What payment needs of a chain's node: accounts, vaults, claims that the user's wallet submits.
//! Says what is asked and what the answers come to; posts nothing itself.

use core::time::Duration;
use std::collections::VecDeque;

use headwater_base::{Address, JobId, Map};
use headwater_client::chain::{
    AccountQuery, ClaimOrder, ClaimRun, ClaimStep, QueryError, RailQuery, Request, TransactionId,
};
use headwater_client::pay::{Answer, JobFailure};
use headwater_tron::chain::Chain;
use headwater_wire::extended::{Grant, Rail};

/// Errands under way at once: a page sells a few slots, and looks at each payer every ten seconds.
const ERRANDS_MAX: usize = 64;
/// Bits of a question's id that say which of its errand's it is.
const INDEX_BITS: u32 = 3;

/// Something to ask the node, after so long a wait.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) id: u32,
    pub(super) after: Duration,
    pub(super) request: Request,
}

/// What an errand came to.
#[derive(Debug, PartialEq)]
pub(super) enum Outcome {
    /// A job of payment is answered.
    Answered(JobId, Answer),
    /// A claim ended; why, unless all of it is well.
    Claimed(JobId, Answer, Option<String>),
    /// The contract is the vault that it is taken for, or not.
    Vault(Result<Rail, QueryError>),
}

#[derive(Debug)]
enum Errand {
    Account(JobId, AccountQuery),
    Vault(RailQuery),
    Claim(JobId, Box<ClaimRun>),
}

/// An errand, and how many answers it waits for: none while a claim waits for the wallet.
#[derive(Debug)]
struct Running {
    errand: Errand,
    left: usize,
}

/// All errands.
#[derive(Debug, Default)]
pub(super) struct Node {
    made: u32,
    running: Map<u32, Running>,
    questions: VecDeque<Question>,
    outcomes: VecDeque<Outcome>,
}

impl Node {
    /// Asks what backs a payer's promises. Where too much is asked already nobody is.
    pub(super) fn account(&mut self, job: JobId, rail: Rail, grant: Grant, payee: Address) {
        if self.running.len() >= ERRANDS_MAX {
            let unreachable = Answer::Failed(JobFailure::Unreachable);
            return self.outcomes.push_back(Outcome::Answered(job, unreachable));
        }
        let query = AccountQuery::new(rail, grant, payee);
        let requests = query.requests();
        self.begin(Errand::Account(job, query), requests);
    }

    /// Asks whether a contract is the vault of a chain.
    pub(super) fn vault(&mut self, chain: &'static Chain, vault: Address) {
        let query = RailQuery::new(chain, vault);
        let requests = query.requests();
        self.begin(Errand::Vault(query), requests);
    }

    /// Finds out whether a claim may be submitted by the wallet of `account`.
    pub(super) fn claim(&mut self, job: JobId, account: Address, order: ClaimOrder) {
        let run = Box::new(ClaimRun::by_wallet(account, order));
        let errand = self.begin(Errand::Claim(job, run), Vec::new());
        self.go_on(errand);
    }

    /// Takes the answer to a question; no bytes where none came.
    pub(super) fn answered(&mut self, id: u32, bytes: &[u8]) {
        let (number, index) = (id >> INDEX_BITS, (id % (1 << INDEX_BITS)) as usize);
        let Some(running) = self.running.get_mut(&number).filter(|running| running.left > 0) else {
            return;
        };
        match &mut running.errand {
            Errand::Account(_, query) => query.answer(index, bytes),
            Errand::Vault(query) => query.answer(index, bytes),
            Errand::Claim(_, run) => run.answered(bytes),
        }
        running.left -= 1;
        if running.left == 0 {
            self.go_on(number);
        }
    }

    /// Takes what the wallet did with the claims that it was offered: the transaction it sent, or
    /// nothing.
    pub(super) fn submitted(&mut self, id: Option<TransactionId>) {
        for number in self.offered() {
            if let Some(Running { errand: Errand::Claim(_, run), .. }) =
                self.running.get_mut(&number)
            {
                run.submitted(id);
            }
            self.go_on(number);
        }
    }

    /// Claims that are not over.
    pub(super) fn claims(&self) -> usize {
        let is_claim = |running: &&Running| matches!(running.errand, Errand::Claim(..));
        self.running.values().filter(is_claim).count()
    }

    /// Claims that wait for the wallet.
    pub(super) fn offers(&self) -> impl Iterator<Item = &ClaimOrder> {
        self.running.values().filter_map(|running| match &running.errand {
            Errand::Claim(_, run) if running.left == 0 => Some(run.order()),
            Errand::Claim(..) | Errand::Account(..) | Errand::Vault(_) => None,
        })
    }

    pub(super) fn next_question(&mut self) -> Option<Question> {
        self.questions.pop_front()
    }

    pub(super) fn next_outcome(&mut self) -> Option<Outcome> {
        self.outcomes.pop_front()
    }

    fn offered(&self) -> Vec<u32> {
        let waits = |running: &Running| matches!(running.errand, Errand::Claim(..));
        let offered = self.running.iter().filter(|(_, each)| each.left == 0 && waits(each));
        offered.map(|(number, _)| *number).collect()
    }

    fn begin(&mut self, errand: Errand, requests: Vec<Request>) -> u32 {
        let number = self.made % (1 << (u32::BITS - INDEX_BITS));
        self.made = self.made.wrapping_add(1);
        let left = requests.len();
        self.running.insert(number, Running { errand, left });
        for (index, request) in (0..).zip(requests) {
            self.ask(number, index, Duration::ZERO, request);
        }
        number
    }

    fn ask(&mut self, number: u32, index: u32, after: Duration, request: Request) {
        self.questions.push_back(Question { id: (number << INDEX_BITS) | index, after, request });
    }

    /// Nothing more is awaited of an errand: ends it, or asks what comes next.
    fn go_on(&mut self, number: u32) {
        let Some(Running { errand, .. }) = self.running.remove(&number) else { return };
        match errand {
            Errand::Account(job, query) => {
                let answer = query.finish().map_or_else(Answer::Failed, Answer::AccountSeen);
                self.outcomes.push_back(Outcome::Answered(job, answer));
            }
            Errand::Vault(query) => self.outcomes.push_back(Outcome::Vault(query.finish())),
            Errand::Claim(job, run) => self.go_on_claiming(number, job, run),
        }
    }

    fn go_on_claiming(&mut self, number: u32, job: JobId, mut run: Box<ClaimRun>) {
        let mut after = Duration::ZERO;
        let left = loop {
            match run.next() {
                ClaimStep::Wait(time) => after = time,
                ClaimStep::Ask(request) => {
                    self.ask(number, 0, after, request);
                    break 1;
                }
                ClaimStep::Submit => break 0,
                ClaimStep::Done(answer) => {
                    let why = run.trouble().map(ToString::to_string);
                    return self.outcomes.push_back(Outcome::Claimed(job, answer, why));
                }
            }
        };
        self.running.insert(number, Running { errand: Errand::Claim(job, run), left });
    }
}

#[cfg(test)]
mod tests {
    use headwater_base::{Amount, Signature, UnixTime};
    use headwater_client::pay::{AccountView, Promise};
    use headwater_tron::chain::DEVNET;

    use super::*;

    const PAYEE: Address = Address([3; 20]);
    const JOB: JobId = JobId(9);

    fn rail() -> Rail {
        Rail { chain: DEVNET.id, vault: Address([4; 20]), token: Address([5; 20]) }
    }

    fn grant() -> Grant {
        let (owner, key) = (Address([1; 20]), Address([2; 20]));
        Grant { owner, key, cap: Amount(50), expiry: UnixTime(9), salt: [8; 32] }
    }

    fn order() -> ClaimOrder {
        let voucher = Promise { rail: rail(), grant: grant(), payee: PAYEE, amount: Amount(40) };
        ClaimOrder { voucher, grant_sig: Signature([6; 65]), sig: Signature([7; 65]) }
    }

    fn returns(words: &[u8]) -> Vec<u8> {
        let data: String = words.iter().map(|word| format!("{word:064x}")).collect();
        format!(r#"{{"result":{{"result":true}},"constant_result":["{data}"]}}"#).into_bytes()
    }

    fn asked(node: &mut Node) -> Vec<u32> {
        core::iter::from_fn(|| node.next_question()).map(|question| question.id).collect()
    }

    const FAILED: Answer = Answer::Failed(JobFailure::Unreachable);

    #[test]
    fn an_account_is_seen_once_every_question_is_answered_in_any_order() {
        let mut node = Node::default();
        node.account(JOB, rail(), grant(), PAYEE);
        let answers = [returns(&[9, 0, 0, 0]), returns(&[7]), returns(&[6]), returns(&[0, 0, 0])];
        let asked = asked(&mut node);
        for (id, bytes) in asked.iter().zip(&answers).rev() {
            assert_eq!(node.next_outcome(), None);
            node.answered(*id, bytes);
        }
        let (spent, claimed) = (Amount(7), Amount(6));
        let view = AccountView { balance: Amount(9), spent, claimed, ..AccountView::default() };
        assert_eq!(node.next_outcome(), Some(Outcome::Answered(JOB, Answer::AccountSeen(view))));
        node.answered(asked[0], &answers[0]);
        assert_eq!((node.next_outcome(), node.running.len()), (None, 0));
    }

    #[test]
    fn a_node_that_is_silent_or_talks_nonsense_is_unreachable_and_never_an_empty_account() {
        for bytes in [b"".as_slice(), b"{}", b"null", b"\xff", br#"{"constant_result":[]}"#] {
            let mut node = Node::default();
            node.account(JOB, rail(), grant(), PAYEE);
            for id in asked(&mut node) {
                node.answered(id, bytes);
            }
            assert_eq!(node.next_outcome(), Some(Outcome::Answered(JOB, FAILED)));
        }
    }

    #[test]
    fn more_than_so_many_accounts_at_once_are_not_asked_about() {
        let mut node = Node::default();
        for job in 0..=ERRANDS_MAX as u64 {
            node.account(JobId(job), rail(), grant(), PAYEE);
        }
        let last = JobId(ERRANDS_MAX as u64);
        assert_eq!(node.next_outcome(), Some(Outcome::Answered(last, FAILED)));
        assert_eq!(asked(&mut node).len(), 4 * ERRANDS_MAX);
    }

    /// A claim that the wallet is to submit.
    fn offered() -> Node {
        let mut node = Node::default();
        node.claim(JOB, PAYEE, order());
        for _ in 0..2 {
            assert_eq!(node.offers().count(), 0);
            let [id] = asked(&mut node)[..] else { panic!("one question at a time") };
            node.answered(id, &returns(&[0]));
        }
        assert_eq!(node.offers().collect::<Vec<_>>(), [&order()]);
        node
    }

    #[test]
    fn a_claim_is_offered_when_the_vault_would_take_it_and_followed_once_it_is_submitted() {
        let mut node = offered();
        node.submitted(Some(TransactionId([1; 32])));
        assert_eq!((node.offers().count(), node.claims()), (0, 1));
        let [first] = asked(&mut node)[..] else { panic!("one question at a time") };
        node.answered(first, b"{}");
        let again = node.next_question().expect("it looks again");
        assert_eq!(again.after, Duration::from_secs(3), "but not at once");
    }

    #[test]
    fn a_claim_that_the_wallet_refuses_ends_refused() {
        let mut node = offered();
        node.submitted(None);
        let refused = Answer::Failed(JobFailure::Refused);
        assert_eq!(node.next_outcome(), Some(Outcome::Claimed(JOB, refused, None)));
        assert_eq!(node.claims(), 0);
    }

    #[test]
    fn a_claim_that_somebody_else_submitted_is_done_and_not_offered() {
        let mut node = Node::default();
        node.claim(JOB, PAYEE, order());
        let [id] = asked(&mut node)[..] else { panic!("one question at a time") };
        node.answered(id, &returns(&[40]));
        let done = Answer::ClaimDone(Amount(40));
        assert_eq!(node.next_outcome(), Some(Outcome::Claimed(JOB, done, None)));
        assert_eq!(node.offers().count(), 0);
    }

    #[test]
    fn a_contract_that_is_no_vault_is_not_sold_for() {
        let mut node = Node::default();
        node.vault(&DEVNET, rail().vault);
        for id in asked(&mut node) {
            node.answered(id, &returns(&[1]));
        }
        assert!(matches!(node.next_outcome(), Some(Outcome::Vault(Err(_)))));
    }
}
