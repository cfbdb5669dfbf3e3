//! A claim's way to a vault on BTTC. The transaction is made here, so that there is nothing to
//! compare; the node says what gas costs and how many transactions there were, and is believed
//! within a bound. No node says what is final: a claim is done once the vault says so in a block
//! that others lie on.

use headwater_base::Amount;
use headwater_pay::Answer;
use headwater_tron::abi::{self, Reason};
use headwater_tron::evm::{self, Transaction};
use headwater_tron::node::{Broadcast, Called, Outcome, Request};
use headwater_tron::transaction::TransactionId;

use super::{ClaimStep, ClaimTrouble, Claimer, POLL_EVERY, Submitter};

/// The most that a claim may cost, in base units of the chain's coin: 1000 BTT, seventeen times
/// what a first claim costs at 5 * 10^14 wei of gas. What gas costs is a node's word.
pub const CLAIM_COST_MAX: u128 = 1_000_000_000_000_000_000_000;

/// Blocks after one until which its content may change. BTTC settles on a block of its validators
/// far sooner as a rule; a claim waits for nobody.
pub const CONFIRMATIONS: u64 = 64;

/// Looks at a receipt and at what it led to: ten minutes, in which 64 blocks come twice over.
const LOOKS_MAX: u32 = 200;

/// How far a claim got.
#[derive(Clone, Debug)]
pub(super) enum State {
    /// Asks what was claimed before: somebody else may have submitted the voucher.
    Looking,
    /// Asks how much gas the call needs, since one that is refused costs a fee.
    Trying,
    /// Waits for the wallet.
    Offered,
    /// Asks what gas costs.
    Pricing { gas: u64 },
    /// Asks for the number of the transaction.
    Numbering { gas: u64, price: Amount },
    /// Hands it in.
    Sending(Request, TransactionId),
    /// Waits for a block.
    Waiting(TransactionId),
    /// Asks for its receipt.
    Polling(TransactionId),
    /// Asks how many blocks there are.
    Counting(Amount),
    /// Asks what was claimed as of a block that stays.
    Settling(Amount, u64),
    /// Waits for more blocks.
    Aging(Amount),
}

/// What an answer leads to.
type Next = Result<State, ClaimTrouble>;

impl State {
    /// What comes next.
    pub(super) fn next(&mut self, claimer: &Claimer) -> ClaimStep {
        let Claimer { by, order, .. } = claimer;
        let (owner, vault) = (by.address(), order.voucher.rail.vault);
        let ask_claimed = |block| evm::call(owner, vault, &claimer.ask_claimed(), block);
        let request = match self {
            State::Looking => ask_claimed(None),
            State::Trying => evm::estimate(owner, vault, &order.call()),
            State::Offered => return ClaimStep::Submit,
            State::Pricing { .. } => evm::gas_price(),
            State::Numbering { .. } => evm::nonce(owner),
            State::Sending(request, _) => request.clone(),
            State::Polling(id) => evm::receipt_of(*id),
            State::Counting(_) => evm::block_number(),
            State::Settling(_, block) => ask_claimed(Some(*block)),
            State::Waiting(id) => {
                *self = State::Polling(*id);
                return ClaimStep::Wait(POLL_EVERY);
            }
            State::Aging(total) => {
                *self = State::Counting(*total);
                return ClaimStep::Wait(POLL_EVERY);
            }
        };
        ClaimStep::Ask(request)
    }

    /// Takes an answer; says how the claim ended once it has.
    pub(super) fn answered(
        &mut self,
        claimer: &mut Claimer,
        bytes: &[u8],
    ) -> Result<Option<Answer>, ClaimTrouble> {
        *self = match self.clone() {
            State::Looking => {
                let claimed = claimer.read_claimed(bytes)?;
                let is_paid = claimed >= claimer.order.voucher.amount;
                if is_paid { State::Counting(claimed) } else { State::Trying }
            }
            State::Trying => match (&claimer.by, tried(bytes)?) {
                (Submitter::Wallet(_), State::Pricing { .. }) => State::Offered,
                (_, next) => next,
            },
            State::Pricing { gas } => priced(bytes, gas)?,
            State::Numbering { gas, price } => signed(claimer, bytes, gas, price)?,
            State::Sending(_, id) => sent(bytes, id)?,
            State::Polling(id) => polled(claimer, bytes, id)?,
            // A node that does not answer for a moment says nothing of the claim.
            State::Counting(total) => match evm::count(bytes) {
                Ok(head) => State::Settling(total, head.saturating_sub(CONFIRMATIONS)),
                Err(_) => State::Aging(total),
            },
            State::Settling(total, _) => {
                let claimed = claimer.read_claimed(bytes);
                match claimed.ok().filter(|claimed| *claimed >= total) {
                    Some(claimed) => return Ok(Some(Answer::ClaimDone(claimed))),
                    None => State::Aging(total),
                }
            }
            state @ (State::Offered | State::Waiting(_) | State::Aging(_)) => state,
        };
        if let State::Waiting(_) | State::Aging(_) = self {
            claimer.look(LOOKS_MAX)?;
        }
        Ok(None)
    }
}

fn signed(claimer: &Claimer, bytes: &[u8], gas: u64, gas_price: Amount) -> Next {
    let nonce = evm::count(bytes)?;
    let Claimer { by, order, .. } = claimer;
    let rail = order.voucher.rail;
    let (to, value, data) = (rail.vault, Amount(0), order.call());
    let chain_id = rail.chain;
    let made = Transaction { chain_id, nonce, gas_price, gas, to, value, data };
    let signed = made.sign(by.key()?);
    Ok(State::Sending(evm::send(&signed.bytes), signed.id))
}

fn polled(claimer: &Claimer, bytes: &[u8], id: TransactionId) -> Next {
    let Ok(Some(receipt)) = evm::receipt(bytes, id) else { return Ok(State::Waiting(id)) };
    match receipt.outcome {
        Outcome::Reverted { data } => Err(ClaimTrouble::Failed(abi::reason(&data))),
        Outcome::Broke { words } => Err(ClaimTrouble::Broke(words)),
        Outcome::Done => Ok(match claimer.total(&receipt) {
            Some(total) => State::Counting(total),
            None => State::Waiting(id),
        }),
    }
}

/// A fifth more gas than was estimated: another claim may come before this one.
fn tried(bytes: &[u8]) -> Next {
    match evm::estimated(bytes)? {
        Called::Returned { energy, .. } => {
            Ok(State::Pricing { gas: energy.saturating_add(energy / 5) })
        }
        Called::Reverted { data, .. } => Err(ClaimTrouble::WouldFail(abi::reason(&data))),
        Called::Broke { words, .. } => Err(ClaimTrouble::WouldFail(Reason::Words(words))),
        Called::Refused { code, words } => Err(ClaimTrouble::Refused { code, words }),
    }
}

/// A quarter more than is asked, so that it still counts when gas becomes dearer for a while.
fn priced(bytes: &[u8], gas: u64) -> Next {
    let asked = evm::quantity(bytes)?;
    let price = asked.saturating_add(asked / 4);
    let (found, allowed) = (price.saturating_mul(u128::from(gas)), CLAIM_COST_MAX);
    if found > allowed {
        return Err(ClaimTrouble::Cost { found, allowed });
    }
    Ok(State::Numbering { gas, price: Amount(price) })
}

/// The node may have taken what it gives no plain answer to: then the receipt tells.
fn sent(bytes: &[u8], id: TransactionId) -> Next {
    match evm::sent(bytes, id) {
        Ok(Broadcast::Refused { code, words }) => Err(ClaimTrouble::Refused { code, words }),
        Ok(Broadcast::Pooled | Broadcast::Known) | Err(_) => Ok(State::Polling(id)),
    }
}

#[cfg(test)]
mod tests;
