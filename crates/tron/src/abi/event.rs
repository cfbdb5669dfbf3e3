//! Events of the vault, as receipts carry them.

use alloy_primitives::B256;
use alloy_sol_types::SolEventInterface;
use headwater_base::{Address, Amount, Digest256, UnixTime};

use super::sol::Vault::VaultEvents;
use super::{AbiError, of_sol};
use crate::node::Log;

/// What a vault wrote down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// An owner put something in.
    Deposited {
        /// Whose account it is.
        owner: Address,
        /// How much came.
        amount: Amount,
    },
    /// A payee was paid.
    Claimed {
        /// Of which session.
        session: Digest256,
        /// Of whose deposit.
        owner: Address,
        /// Who was paid.
        payee: Address,
        /// What this claim added; less than was promised where the cap or the deposit ended.
        paid: Amount,
        /// What was paid all in all.
        total: Amount,
    },
    /// Something is kept for a payee.
    Reserved {
        /// Of which session.
        session: Digest256,
        /// For whom.
        payee: Address,
        /// How much.
        amount: Amount,
    },
    /// What was kept went back.
    Released {
        /// Of which session.
        session: Digest256,
        /// For whom it was kept.
        payee: Address,
        /// How much went back.
        amount: Amount,
    },
    /// An owner wants something back.
    ExitRequested {
        /// Who.
        owner: Address,
        /// How much.
        amount: Amount,
        /// When it may leave.
        at: UnixTime,
    },
    /// An owner took something out.
    Exited {
        /// Who.
        owner: Address,
        /// How much.
        amount: Amount,
    },
}

impl Event {
    /// Reads an entry that `vault` wrote; nothing of what other contracts wrote, or of what is
    /// no event of a vault. Anybody may write an entry that looks like one of ours.
    pub fn of(log: &Log, vault: Address) -> Result<Option<Self>, AbiError> {
        let known = log.topics.first().is_some_and(|name| VaultEvents::SELECTORS.contains(name));
        if log.contract != vault || !known {
            return Ok(None);
        }
        super::reason::bounded(&log.data)?;
        let topics: Vec<B256> = log.topics.iter().map(|topic| B256::from(*topic)).collect();
        let form = AbiError::Form { what: "event", found: log.data.len() };
        let read = VaultEvents::decode_raw_log(&topics, &log.data).map_err(|_| form)?;
        Ok(Some(read.into()))
    }
}

impl From<VaultEvents> for Event {
    fn from(event: VaultEvents) -> Self {
        match event {
            VaultEvents::Deposited(it) => {
                Self::Deposited { owner: of_sol(it.owner), amount: Amount(it.amount) }
            }
            VaultEvents::Claimed(it) => Self::Claimed {
                session: it.session.into(),
                owner: of_sol(it.owner),
                payee: of_sol(it.payee),
                paid: Amount(it.paid),
                total: Amount(it.total),
            },
            VaultEvents::Reserved(it) => Self::Reserved {
                session: it.session.into(),
                payee: of_sol(it.payee),
                amount: Amount(it.amount),
            },
            VaultEvents::Released(it) => Self::Released {
                session: it.session.into(),
                payee: of_sol(it.payee),
                amount: Amount(it.amount),
            },
            VaultEvents::ExitRequested(it) => Self::ExitRequested {
                owner: of_sol(it.owner),
                amount: Amount(it.amount),
                at: UnixTime(it.at),
            },
            VaultEvents::Exited(it) => {
                Self::Exited { owner: of_sol(it.owner), amount: Amount(it.amount) }
            }
        }
    }
}
