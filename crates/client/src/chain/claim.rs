//! Brings one claim to the chain through a node that is not trusted: the node may build any
//! transaction, so nothing is signed but what was asked for, byte for byte; it may say anything,
//! so a claim is done only when its receipt is final and the vault says the same.

mod evm;
mod tron;

use core::time::Duration;

use headwater_base::{Address, Amount, Signature};
use headwater_pay::{Answer, JobFailure, Promise};
use headwater_tron::abi::{Event, Reason, vault};
use headwater_tron::chain::Envelope;
use headwater_tron::node::{Code, NodeError, Receipt, Request, Words};
use headwater_tron::transaction::{TransactionError, TransactionId};

use super::{QueryError, SecretKey, envelope, returned, session, typed_grant};

pub use evm::{CLAIM_COST_MAX, CONFIRMATIONS};
pub use tron::CLAIM_FEE_LIMIT;

/// Time between two looks at a receipt: a block's.
const POLL_EVERY: Duration = Duration::from_secs(3);

/// What is claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClaimOrder {
    /// The voucher.
    pub voucher: Promise,
    /// The owner's signature of the grant.
    pub grant_sig: Signature,
    /// The session key's signature of the voucher.
    pub sig: Signature,
}

impl ClaimOrder {
    /// The claim as the vault takes it. Anyone may submit it; the voucher says who is paid.
    pub fn claim(&self) -> vault::Claim {
        vault::Claim {
            grant: typed_grant(&self.voucher.grant),
            owner_signature: self.grant_sig,
            payee: self.voucher.payee,
            amount: self.voucher.amount,
            key_signature: self.sig,
        }
    }

    /// The data of the call.
    pub fn call(&self) -> Vec<u8> {
        vault::claim(&self.claim())
    }
}

/// What comes next of a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClaimStep {
    /// Post this to the node, then hand back what came: [`ClaimRun::answered`].
    Ask(Request),
    /// Wait so long, then come back.
    Wait(Duration),
    /// The chain would take it: have it submitted, then tell how that went:
    /// [`ClaimRun::submitted`]. Only where a wallet submits.
    Submit,
    /// It is over.
    Done(Answer),
}

/// Why a claim was not brought to an end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClaimTrouble {
    /// An answer tells nothing.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The node built another transaction than it was asked for. Nothing was signed.
    #[error("the node built another transaction than it was asked for")]
    OtherTransaction,
    /// The transaction cannot be written.
    #[error(transparent)]
    Transaction(#[from] TransactionError),
    /// The node did not take the transaction.
    #[error("the node refuses the claim with {code:?}: {}", .words.as_str())]
    Refused {
        /// Why, as a code.
        code: Code,
        /// Why, in its words.
        words: Words,
    },
    /// The claim would cost more than any claim should.
    #[error(
        "the claim would cost {found} base units of the chain's coin, at most {allowed} allowed"
    )]
    Cost {
        /// What it would cost.
        found: u128,
        /// The most allowed.
        allowed: u128,
    },
    /// The vault would refuse the claim, so that it was not submitted.
    #[error("the vault would refuse the claim: {0:?}")]
    WouldFail(Reason),
    /// The vault refused the claim, which cost a fee.
    #[error("the vault refused the claim: {0:?}")]
    Failed(Reason),
    /// It broke on the chain: the fee limit, as a rule.
    #[error("the claim broke on the chain: {}", .0.as_str())]
    Broke(Words),
    /// No final receipt came, or what it says is not what the vault says.
    #[error("the claim is not final after {0} looks")]
    Unsettled(u32),
}

impl ClaimTrouble {
    /// Whether a fee was paid for nothing: the claim is not to be tried again soon.
    pub fn cost_a_fee(&self) -> bool {
        matches!(self, Self::Failed(_) | Self::Broke(_))
    }

    fn failure(&self) -> JobFailure {
        match self {
            Self::WouldFail(_) | Self::Failed(_) | Self::Broke(_) => JobFailure::Reverted,
            Self::Query(_)
            | Self::OtherTransaction
            | Self::Transaction(_)
            | Self::Refused { .. }
            | Self::Cost { .. }
            | Self::Unsettled(_) => JobFailure::Unreachable,
        }
    }
}

impl From<NodeError> for ClaimTrouble {
    fn from(error: NodeError) -> Self {
        Self::Query(error.into())
    }
}

/// One claim on its way.
#[derive(Debug)]
pub struct ClaimRun {
    claimer: Claimer,
    course: Course,
    over: Option<Answer>,
    trouble: Option<ClaimTrouble>,
}

/// How far it got on its way, which each kind of chain has its own of.
#[derive(Debug)]
enum Course {
    Tron(tron::State),
    Evm(evm::State),
}

/// Who submits a claim, pays its fee and gets nothing for it.
#[derive(Debug)]
enum Submitter {
    /// A key of ours.
    Key(SecretKey),
    /// The wallet of an account, which signs elsewhere.
    Wallet(Address),
}

impl Submitter {
    fn address(&self) -> Address {
        match self {
            Self::Key(key) => key.address(),
            Self::Wallet(address) => *address,
        }
    }

    /// The key, where there is one: without it nothing is made that would have to be signed.
    fn key(&self) -> Result<&SecretKey, ClaimTrouble> {
        match self {
            Self::Key(key) => Ok(key),
            Self::Wallet(_) => Err(ClaimTrouble::OtherTransaction),
        }
    }
}

/// What each way needs: what is claimed, and who pays the fee.
#[derive(Debug)]
struct Claimer {
    by: Submitter,
    order: ClaimOrder,
    /// Looks at what became of the transaction.
    looks: u32,
}

impl ClaimRun {
    /// Brings `order` to the chain from the account of `key`, which pays the fee and gets nothing.
    pub fn new(key: SecretKey, order: ClaimOrder) -> Self {
        Self::by(Submitter::Key(key), order)
    }

    /// Finds out whether `order` may go to the chain from an account whose wallet submits it, and
    /// what became of it then.
    pub fn by_wallet(account: Address, order: ClaimOrder) -> Self {
        Self::by(Submitter::Wallet(account), order)
    }

    fn by(by: Submitter, order: ClaimOrder) -> Self {
        let course = match envelope(&order.voucher.rail) {
            Envelope::Tron => Course::Tron(tron::State::Looking),
            Envelope::Evm => Course::Evm(evm::State::Looking),
        };
        let claimer = Claimer { by, order, looks: 0 };
        Self { claimer, course, over: None, trouble: None }
    }

    /// What is claimed.
    pub fn order(&self) -> &ClaimOrder {
        &self.claimer.order
    }

    /// Takes what the wallet did: the transaction that it sent, or nothing where it did not.
    pub fn submitted(&mut self, id: Option<TransactionId>) {
        match (&mut self.course, id) {
            (Course::Tron(state @ tron::State::Offered), Some(id)) => {
                *state = tron::State::Polling(id);
            }
            (Course::Evm(state @ evm::State::Offered), Some(id)) => {
                *state = evm::State::Polling(id);
            }
            (Course::Tron(tron::State::Offered) | Course::Evm(evm::State::Offered), None) => {
                self.over = Some(Answer::Failed(JobFailure::Refused));
            }
            (Course::Tron(_) | Course::Evm(_), _) => {}
        }
    }

    /// What comes next.
    #[expect(clippy::should_implement_trait, reason = "a drain as the core's others, no iterator")]
    pub fn next(&mut self) -> ClaimStep {
        match (self.over, &mut self.course) {
            (Some(answer), _) => ClaimStep::Done(answer),
            (None, Course::Tron(state)) => state.next(&self.claimer),
            (None, Course::Evm(state)) => state.next(&self.claimer),
        }
    }

    /// Takes the answer to what was asked; no bytes where none came.
    pub fn answered(&mut self, bytes: &[u8]) {
        if self.over.is_some() {
            return;
        }
        let answered = match &mut self.course {
            Course::Tron(state) => state.answered(&mut self.claimer, bytes),
            Course::Evm(state) => state.answered(&mut self.claimer, bytes),
        };
        self.over = answered.unwrap_or_else(|trouble| {
            let failed = Answer::Failed(trouble.failure());
            self.trouble = Some(trouble);
            Some(failed)
        });
    }

    /// Why it failed, for a log.
    pub fn trouble(&self) -> Option<&ClaimTrouble> {
        self.trouble.as_ref()
    }
}

impl Claimer {
    /// Counts a look that showed nothing yet.
    fn look(&mut self, looks_max: u32) -> Result<(), ClaimTrouble> {
        self.looks += 1;
        if self.looks > looks_max { Err(ClaimTrouble::Unsettled(looks_max)) } else { Ok(()) }
    }

    /// The call that asks what the payee was paid in the session.
    fn ask_claimed(&self) -> Vec<u8> {
        let Promise { grant, payee, .. } = self.order.voucher;
        vault::claimed(session(&grant), payee)
    }

    fn read_claimed(&self, bytes: &[u8]) -> Result<Amount, QueryError> {
        Ok(vault::read_amount(&returned(envelope(&self.order.voucher.rail), bytes)?)?)
    }

    /// What the vault wrote that it has paid in this session to this payee.
    fn total(&self, receipt: &Receipt) -> Option<Amount> {
        let Promise { rail, grant, payee, .. } = self.order.voucher;
        let ours = session(&grant);
        receipt.logs.iter().find_map(|log| {
            let event = Event::of(log, rail.vault).ok()??;
            let Event::Claimed { session, payee: paid, total, .. } = event else { return None };
            (session == ours && paid == payee).then_some(total)
        })
    }
}
