//! What payment's jobs mean on a chain: what is signed, who signed, what a node is asked, and what
//! its answers are worth. Sends nothing and keeps no key: shells post the requests and hand back
//! the bytes. No node is believed further than it must be.

mod account;
mod claim;
mod rail;

use headwater_base::{Address, Digest256, Signature};
use headwater_pay::{Promise, Signed};
use headwater_tron::abi::AbiError;
use headwater_tron::chain::{Chain, Envelope};
use headwater_tron::evm;
use headwater_tron::node::{self, Called, Code, NodeError, Words, path};
use headwater_tron::typed;
use headwater_wire::extended::{Grant, Rail};

pub use account::AccountQuery;
pub use claim::{
    CLAIM_COST_MAX, CLAIM_FEE_LIMIT, CONFIRMATIONS, ClaimOrder, ClaimRun, ClaimStep, ClaimTrouble,
};
pub use headwater_tron::key::{KeyError, SecretKey};
pub use headwater_tron::node::Request;
pub use headwater_tron::transaction::TransactionId;
pub use rail::RailQuery;

/// Why a vault could not be asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// Nothing came for one of the questions.
    #[error("no answer to question {0}")]
    Unanswered(usize),
    /// The answer tells nothing.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// The node would not run the call.
    #[error("the node refuses with {code:?}: {}", .words.as_str())]
    Refused {
        /// Why, as a code.
        code: Code,
        /// Why, in its words.
        words: Words,
    },
    /// The contract did not answer the call: it is no vault.
    #[error("the contract undoes a question that a vault answers")]
    Undone,
    /// What the contract returned is not what a vault returns.
    #[error(transparent)]
    Abi(#[from] AbiError),
    /// The contract is the vault of another chain or address, or no vault of ours.
    #[error("the contract signs for domain {found}, not for {needed}")]
    Domain {
        /// Its domain.
        found: String,
        /// The one asked for.
        needed: String,
    },
    /// The vault holds another token than the one of this chain.
    #[error("the vault holds token {found:?}, not {needed:?}")]
    Token {
        /// What it holds.
        found: Address,
        /// What it should hold.
        needed: Address,
    },
    /// Its times are not those that payment counts on.
    #[error("the vault keeps {what} of {found} seconds, {needed} needed")]
    Times {
        /// Which time.
        what: &'static str,
        /// How long it is.
        found: u64,
        /// How long it must be.
        needed: u64,
    },
}

/// Signs a voucher with the session's key.
pub fn sign(key: &SecretKey, promise: &Promise) -> Signature {
    key.sign(&digest(&Signed::Voucher(*promise)))
}

/// Who signed: nobody for a high `s`, a wrong `v`, or anything malformed.
pub fn recover(of: &Signed, sig: &Signature) -> Option<Address> {
    headwater_tron::key::recover(&digest(of), sig).ok()
}

/// What is signed.
pub fn digest(of: &Signed) -> Digest256 {
    match of {
        Signed::Grant { rail, grant } => typed_grant(grant).digest(&domain(rail)),
        Signed::Voucher(promise) => {
            let session = session(&promise.grant);
            let Promise { rail, payee, amount, .. } = *promise;
            typed::Voucher { session, payee, amount }.digest(&domain(&rail))
        }
    }
}

/// Where signatures for a rail count.
pub fn domain(rail: &Rail) -> typed::Domain {
    typed::Domain { chain_id: rail.chain, vault: rail.vault }
}

/// The grant as wallets sign it.
pub fn typed_grant(grant: &Grant) -> typed::Grant {
    let Grant { owner, key, cap, expiry, salt } = *grant;
    typed::Grant { owner, key, cap, expiry, salt }
}

/// The grant as it is sent to peers.
pub fn wire_grant(grant: &typed::Grant) -> Grant {
    let typed::Grant { owner, key, cap, expiry, salt } = *grant;
    Grant { owner, key, cap, expiry, salt }
}

/// The session's name in the vault.
pub fn session(grant: &Grant) -> Digest256 {
    typed_grant(grant).session()
}

/// How the nodes of a rail's chain are spoken to. A chain that nobody here knows has no vault.
fn envelope(rail: &Rail) -> Envelope {
    Chain::by_id(rail.chain).map_or(Envelope::Tron, |chain| chain.envelope)
}

/// Asks a vault by a call that is run and forgotten, in the newest block. Nobody calls: a node may
/// refuse a caller that is a contract itself.
fn question(envelope: Envelope, vault: Address, call: Vec<u8>) -> Request {
    match envelope {
        Envelope::Tron => Request::call(path::CONSTANT, Address([0; 20]), vault, call),
        Envelope::Evm => evm::call(Address([0; 20]), vault, &call, None),
    }
}

/// What a call returned that was run and forgotten. Anything else than a plain answer is none: a
/// balance that could not be read is never zero.
fn returned(envelope: Envelope, bytes: &[u8]) -> Result<Vec<u8>, QueryError> {
    let called = match envelope {
        Envelope::Tron => node::called(bytes)?,
        Envelope::Evm => evm::called(bytes)?,
    };
    match called {
        Called::Returned { data, .. } => Ok(data),
        Called::Reverted { .. } | Called::Broke { .. } => Err(QueryError::Undone),
        Called::Refused { code, words } => Err(QueryError::Refused { code, words }),
    }
}

#[cfg(test)]
mod tests;
