//! Asks a vault what backs a payer's promises. Of the newest block: an exit that was asked for a
//! moment ago counts.

use headwater_base::{Address, Amount};
use headwater_pay::{AccountView, JobFailure};
use headwater_tron::abi::vault::{self, Reserved, VaultAccount};
use headwater_tron::node::Request;
use headwater_wire::extended::{Grant, Rail};

use super::{QueryError, envelope, question, returned, session};

const QUESTIONS: usize = 4;

/// Questions about one payer's account, for one session and payee.
#[derive(Debug)]
pub struct AccountQuery {
    rail: Rail,
    grant: Grant,
    payee: Address,
    account: Result<VaultAccount, QueryError>,
    spent: Result<Amount, QueryError>,
    claimed: Result<Amount, QueryError>,
    own: Result<Reserved, QueryError>,
}

impl AccountQuery {
    /// Asks the vault of `rail` about the session of `grant`, for whoever would claim.
    pub fn new(rail: Rail, grant: Grant, payee: Address) -> Self {
        Self {
            rail,
            grant,
            payee,
            account: Err(QueryError::Unanswered(0)),
            spent: Err(QueryError::Unanswered(1)),
            claimed: Err(QueryError::Unanswered(2)),
            own: Err(QueryError::Unanswered(3)),
        }
    }

    /// What a node is asked, in any order.
    pub fn requests(&self) -> Vec<Request> {
        let session = session(&self.grant);
        let calls: [Vec<u8>; QUESTIONS] = [
            vault::accounts(self.grant.owner),
            vault::spent(session),
            vault::claimed(session, self.payee),
            vault::reserve_of(session, self.payee),
        ];
        let envelope = envelope(&self.rail);
        calls.map(|call| question(envelope, self.rail.vault, call)).into()
    }

    /// Takes the answer to the request with that place in the list.
    pub fn answer(&mut self, index: usize, bytes: &[u8]) {
        let data = returned(envelope(&self.rail), bytes);
        match index {
            0 => self.account = data.and_then(|data| Ok(vault::read_account(&data)?)),
            1 => self.spent = data.and_then(|data| Ok(vault::read_amount(&data)?)),
            2 => self.claimed = data.and_then(|data| Ok(vault::read_amount(&data)?)),
            3 => self.own = data.and_then(|data| Ok(vault::read_reserve(&data)?)),
            _ => {}
        }
    }

    /// What the vault says, once all was answered.
    pub fn finish(&self) -> Result<AccountView, JobFailure> {
        self.read().map_err(|_| JobFailure::Unreachable)
    }

    /// The same, with what went wrong, for a log.
    pub fn read(&self) -> Result<AccountView, QueryError> {
        let account = self.account.clone()?;
        let own = self.own.clone()?;
        // What is kept for this payee is as good as free to it.
        let own = if own.owner == self.grant.owner { own.amount } else { Amount(0) };
        Ok(AccountView {
            balance: account.balance,
            reserved: Amount(account.reserved.0.saturating_sub(own.0)),
            exiting: account.exiting,
            exit_at: account.exit_at,
            spent: self.spent.clone()?,
            claimed: self.claimed.clone()?,
        })
    }
}
