//! A claim's way to a vault on TRON. The node builds the transaction; the chain says when it is
//! final.

use headwater_base::{Address, Amount};
use headwater_pay::Answer;
use headwater_tron::abi::{self, Reason};
use headwater_tron::node::{
    self, Broadcast, CallRequest, Called, HexAddress, HexBytes, Outcome, Request, path,
};
use headwater_tron::transaction::{Contract, Raw, Transaction, TransactionId};

use super::{ClaimStep, ClaimTrouble, Claimer, POLL_EVERY, Submitter};

/// The most sun that a claim may burn, 100 TRX: eleven times what one costs at 100 sun for a unit
/// of energy. What is not used stays with the account.
pub const CLAIM_FEE_LIMIT: u64 = 100_000_000;

/// Looks at a receipt and at what it led to. A transaction counts for a minute, and is final a
/// minute after its block; this is three.
const LOOKS_MAX: u32 = 60;

/// How far a claim got.
#[derive(Clone, Debug)]
pub(super) enum State {
    /// Asks what was claimed before: somebody else may have submitted the voucher.
    Looking,
    /// Has the call tried, since one that is refused costs a fee.
    Trying,
    /// Has the transaction built.
    Building,
    /// Waits for the wallet.
    Offered,
    /// Hands it in.
    Sending(Request, TransactionId),
    /// Waits for a block.
    Waiting(TransactionId),
    /// Asks for its receipt.
    Polling(TransactionId),
    /// It is final and led to this sum; asks whether the vault says so too.
    Settling(TransactionId, Amount),
}

/// What an answer leads to.
type Next = Result<State, ClaimTrouble>;

impl State {
    /// What comes next.
    pub(super) fn next(&mut self, claimer: &Claimer) -> ClaimStep {
        let Claimer { by, order, .. } = claimer;
        let vault = order.voucher.rail.vault;
        let request = match self {
            State::Looking | State::Settling(..) => {
                let call = claimer.ask_claimed();
                Request::call(path::SOLID_CONSTANT, Address([0; 20]), vault, call)
            }
            State::Trying => Request::call(path::CONSTANT, by.address(), vault, order.call()),
            State::Building => Request::of(path::TRIGGER, &call_request(claimer)),
            State::Sending(request, _) => request.clone(),
            State::Offered => return ClaimStep::Submit,
            State::Waiting(id) => {
                *self = State::Polling(*id);
                return ClaimStep::Wait(POLL_EVERY);
            }
            State::Polling(id) => Request::receipt(path::SOLID_RECEIPT, *id),
        };
        ClaimStep::Ask(request)
    }

    /// Takes an answer; says how the claim ended once it has.
    pub(super) fn answered(
        &mut self,
        claimer: &mut Claimer,
        bytes: &[u8],
    ) -> Result<Option<Answer>, ClaimTrouble> {
        *self = match &*self {
            State::Looking => {
                let claimed = claimer.read_claimed(bytes)?;
                if claimed >= claimer.order.voucher.amount {
                    return Ok(Some(Answer::ClaimDone(claimed)));
                }
                State::Trying
            }
            State::Trying => tried(claimer, bytes)?,
            State::Building => built(claimer, bytes)?,
            State::Sending(_, id) => sent(bytes, *id)?,
            State::Polling(id) => polled(claimer, bytes, *id)?,
            State::Settling(id, total) => {
                // Behind one address there may be nodes of which one lags: a sum that is less than
                // the receipt says is an old one, never a payer's fault.
                let claimed = claimer.read_claimed(bytes);
                match claimed.ok().filter(|claimed| claimed >= total) {
                    Some(claimed) => return Ok(Some(Answer::ClaimDone(claimed))),
                    None => State::Waiting(*id),
                }
            }
            state @ (State::Offered | State::Waiting(_)) => state.clone(),
        };
        if let State::Waiting(_) = self {
            claimer.look(LOOKS_MAX)?;
        }
        Ok(None)
    }
}

fn tried(claimer: &Claimer, bytes: &[u8]) -> Next {
    match node::called(bytes)? {
        Called::Returned { .. } => Ok(match claimer.by {
            Submitter::Key(_) => State::Building,
            Submitter::Wallet(_) => State::Offered,
        }),
        Called::Reverted { data, .. } => Err(ClaimTrouble::WouldFail(abi::reason(&data))),
        Called::Broke { words, .. } => Err(ClaimTrouble::WouldFail(Reason::Words(words))),
        Called::Refused { code, words } => Err(ClaimTrouble::Refused { code, words }),
    }
}

fn call_request(claimer: &Claimer) -> CallRequest {
    CallRequest {
        owner_address: HexAddress(claimer.by.address()),
        contract_address: Some(HexAddress(claimer.order.voucher.rail.vault)),
        function_selector: None,
        parameter: None,
        data: Some(HexBytes(claimer.order.call())),
        call_value: 0,
        call_token_value: 0,
        token_id: 0,
        fee_limit: CLAIM_FEE_LIMIT,
        visible: false,
    }
}

fn built(claimer: &Claimer, bytes: &[u8]) -> Next {
    let Transaction { raw, signatures } = node::unsigned(bytes)?;
    if !signatures.is_empty() || !is_ours(claimer, &raw) {
        return Err(ClaimTrouble::OtherTransaction);
    }
    let signed = raw.sign(claimer.by.key()?)?;
    Ok(State::Sending(Request::broadcast(&signed)?, signed.id()?))
}

/// Whether it does what was asked and nothing else. The node chooses the block it names and
/// its dates, which change only until when it counts.
fn is_ours(claimer: &Claimer, raw: &Raw) -> bool {
    let Contract::Trigger(call) = &raw.contract else { return false };
    call.owner == claimer.by.address()
        && call.contract == claimer.order.voucher.rail.vault
        && call.data == claimer.order.call()
        && [call.call_value, call.call_token_value] == [Amount(0); 2]
        && call.token_id == 0
        && raw.memo.is_empty()
        && raw.permission == 0
        && raw.fee_limit == Amount(CLAIM_FEE_LIMIT.into())
}

fn polled(claimer: &Claimer, bytes: &[u8], id: TransactionId) -> Next {
    // A node that does not answer for a moment says nothing of the claim.
    let Ok(Some(receipt)) = node::receipt(bytes, id) else { return Ok(State::Waiting(id)) };
    match &receipt.outcome {
        Outcome::Reverted { data } => Err(ClaimTrouble::Failed(abi::reason(data))),
        Outcome::Broke { words } => Err(ClaimTrouble::Broke(words.clone())),
        Outcome::Done => Ok(match claimer.total(&receipt) {
            Some(total) => State::Settling(id, total),
            None => State::Waiting(id),
        }),
    }
}

/// The node may have taken what it gives no plain answer to: then the receipt tells.
fn sent(bytes: &[u8], id: TransactionId) -> Next {
    match node::broadcast(bytes, id) {
        Ok(Broadcast::Refused { code, words }) => Err(ClaimTrouble::Refused { code, words }),
        Ok(Broadcast::Pooled | Broadcast::Known) | Err(_) => Ok(State::Polling(id)),
    }
}
