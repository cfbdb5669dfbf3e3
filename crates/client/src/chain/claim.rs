//! Brings one claim to the chain through a node that is not trusted: the node may build any
//! transaction, so nothing is signed but what was asked for, byte for byte; it may say anything,
//! so a claim is done only when its receipt is final and the vault says the same.

use core::time::Duration;

use headwater_base::{Amount, Signature};
use headwater_pay::{Answer, JobFailure, Promise};
use headwater_tron::abi::{self, Event, Reason, vault};
use headwater_tron::node::{
    self, Broadcast, CallRequest, Called, Code, HexAddress, HexBytes, NodeError, Outcome, Receipt,
    Request, Words, path,
};
use headwater_tron::transaction::{Contract, Transaction, TransactionError, TransactionId};

use super::{QueryError, SecretKey, question, returned, session, typed_grant};

/// The most sun that a claim may burn, 100 TRX: eleven times what one costs at 100 sun for a unit
/// of energy. What is not used stays with the account.
pub const CLAIM_FEE_LIMIT: u64 = 100_000_000;

/// Time between two looks at a receipt: a block's.
const POLL_EVERY: Duration = Duration::from_secs(3);
/// Looks at a receipt and at what it led to. A transaction counts for a minute, and is final a
/// minute after its block; this is three.
const POLLS_MAX: u32 = 60;

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
            | Self::Unsettled(_) => JobFailure::Unreachable,
        }
    }
}

impl From<NodeError> for ClaimTrouble {
    fn from(error: NodeError) -> Self {
        Self::Query(error.into())
    }
}

#[derive(Clone, Debug)]
enum State {
    /// Asks what was claimed before: somebody else may have submitted the voucher.
    Looking,
    /// Has the call tried, since one that is refused costs a fee.
    Trying,
    /// Has the transaction built.
    Building,
    /// Hands it in.
    Sending(Request, TransactionId),
    /// Waits for a block.
    Waiting(TransactionId),
    /// Asks for its receipt.
    Polling(TransactionId),
    /// It is final and led to this sum; asks whether the vault says so too.
    Settling(TransactionId, Amount),
    /// Over.
    Done(Answer),
}

/// One claim on its way.
#[derive(Debug)]
pub struct ClaimRun {
    key: SecretKey,
    order: ClaimOrder,
    fee_limit: u64,
    state: State,
    polls: u32,
    trouble: Option<ClaimTrouble>,
}

impl ClaimRun {
    /// Brings `order` to the chain from the account of `key`, which pays the fee and gets nothing.
    pub fn new(key: SecretKey, order: ClaimOrder, fee_limit: u64) -> Self {
        Self { key, order, fee_limit, state: State::Looking, polls: 0, trouble: None }
    }

    /// What comes next.
    #[expect(clippy::should_implement_trait, reason = "a drain as the core's others, no iterator")]
    pub fn next(&mut self) -> ClaimStep {
        let request = match &self.state {
            State::Looking | State::Settling(..) => self.ask_claimed(),
            State::Trying => {
                let (owner, vault) = (self.key.address(), self.order.voucher.rail.vault);
                Request::call(path::CONSTANT, owner, vault, self.order.call())
            }
            State::Building => Request::of(path::TRIGGER, &self.call_request()),
            State::Sending(request, _) => request.clone(),
            State::Waiting(id) => {
                self.state = State::Polling(*id);
                return ClaimStep::Wait(POLL_EVERY);
            }
            State::Polling(id) => Request::receipt(path::SOLID_RECEIPT, *id),
            State::Done(answer) => return ClaimStep::Done(*answer),
        };
        ClaimStep::Ask(request)
    }

    /// Takes the answer to what was asked; no bytes where none came.
    pub fn answered(&mut self, bytes: &[u8]) {
        let next = match &self.state {
            State::Looking => self.looked(bytes),
            State::Trying => self.tried(bytes),
            State::Building => self.built(bytes),
            State::Sending(_, id) => sent(bytes, *id),
            State::Polling(id) => self.polled(bytes, *id),
            State::Settling(id, total) => self.settled(bytes, *id, *total),
            state @ (State::Waiting(_) | State::Done(_)) => Ok(state.clone()),
        };
        self.state = next.unwrap_or_else(|trouble| {
            let failed = State::Done(Answer::Failed(trouble.failure()));
            self.trouble = Some(trouble);
            failed
        });
        if let State::Waiting(_) = self.state {
            self.polls += 1;
            if self.polls > POLLS_MAX {
                self.trouble = Some(ClaimTrouble::Unsettled(POLLS_MAX));
                self.state = State::Done(Answer::Failed(JobFailure::Unreachable));
            }
        }
    }

    /// Why it failed, for a log.
    pub fn trouble(&self) -> Option<&ClaimTrouble> {
        self.trouble.as_ref()
    }

    fn ask_claimed(&self) -> Request {
        let Promise { rail, grant, payee, .. } = self.order.voucher;
        let call = vault::claimed(session(&grant), payee);
        question(path::SOLID_CONSTANT, rail.vault, call)
    }

    fn call_request(&self) -> CallRequest {
        CallRequest {
            owner_address: HexAddress(self.key.address()),
            contract_address: Some(HexAddress(self.order.voucher.rail.vault)),
            function_selector: None,
            parameter: None,
            data: Some(HexBytes(self.order.call())),
            call_value: 0,
            call_token_value: 0,
            token_id: 0,
            fee_limit: self.fee_limit,
            visible: false,
        }
    }

    fn looked(&self, bytes: &[u8]) -> Result<State, ClaimTrouble> {
        let claimed = read_claimed(bytes)?;
        let is_paid = claimed >= self.order.voucher.amount;
        Ok(if is_paid { State::Done(Answer::ClaimDone(claimed)) } else { State::Trying })
    }

    fn tried(&self, bytes: &[u8]) -> Result<State, ClaimTrouble> {
        match node::called(bytes)? {
            Called::Returned { .. } => Ok(State::Building),
            Called::Reverted { data, .. } => Err(ClaimTrouble::WouldFail(abi::reason(&data))),
            Called::Broke { words, .. } => Err(ClaimTrouble::WouldFail(Reason::Words(words))),
            Called::Refused { code, words } => Err(ClaimTrouble::Refused { code, words }),
        }
    }

    fn built(&self, bytes: &[u8]) -> Result<State, ClaimTrouble> {
        let Transaction { raw, signatures } = node::unsigned(bytes)?;
        if !signatures.is_empty() || !self.is_ours(&raw) {
            return Err(ClaimTrouble::OtherTransaction);
        }
        let signed = raw.sign(&self.key)?;
        Ok(State::Sending(Request::broadcast(&signed)?, signed.id()?))
    }

    /// Whether it does what was asked and nothing else. The node chooses the block it names and
    /// its dates, which change only until when it counts.
    fn is_ours(&self, raw: &headwater_tron::transaction::Raw) -> bool {
        let Contract::Trigger(call) = &raw.contract else { return false };
        call.owner == self.key.address()
            && call.contract == self.order.voucher.rail.vault
            && call.data == self.order.call()
            && [call.call_value, call.call_token_value] == [Amount(0); 2]
            && call.token_id == 0
            && raw.memo.is_empty()
            && raw.permission == 0
            && raw.fee_limit == Amount(self.fee_limit.into())
    }

    fn polled(&self, bytes: &[u8], id: TransactionId) -> Result<State, ClaimTrouble> {
        // A node that does not answer for a moment says nothing of the claim.
        let Ok(Some(receipt)) = node::receipt(bytes, id) else { return Ok(State::Waiting(id)) };
        match &receipt.outcome {
            Outcome::Reverted { data } => Err(ClaimTrouble::Failed(abi::reason(data))),
            Outcome::Broke { words } => Err(ClaimTrouble::Broke(words.clone())),
            Outcome::Done => Ok(match self.total(&receipt) {
                Some(total) => State::Settling(id, total),
                None => State::Waiting(id),
            }),
        }
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

    /// Behind one address there may be nodes of which one lags: a sum that is less than the receipt
    /// says is an old one, never a payer's fault.
    fn settled(
        &self,
        bytes: &[u8],
        id: TransactionId,
        total: Amount,
    ) -> Result<State, ClaimTrouble> {
        let claimed = read_claimed(bytes).ok().filter(|claimed| *claimed >= total);
        Ok(claimed.map_or(State::Waiting(id), |sum| State::Done(Answer::ClaimDone(sum))))
    }
}

/// The node may have taken what it gives no plain answer to: then the receipt tells.
fn sent(bytes: &[u8], id: TransactionId) -> Result<State, ClaimTrouble> {
    match node::broadcast(bytes, id) {
        Ok(Broadcast::Refused { code, words }) => Err(ClaimTrouble::Refused { code, words }),
        Ok(Broadcast::Pooled | Broadcast::Known) | Err(_) => Ok(State::Polling(id)),
    }
}

fn read_claimed(bytes: &[u8]) -> Result<Amount, QueryError> {
    Ok(vault::read_amount(&returned(bytes)?)?)
}
