//! Asks a contract whether it is the vault that it is taken for, and for its token. Whoever signs
//! or sells for a vault asks this first, once.

use headwater_base::{Address, hex};
use headwater_pay::limit::{CLAIM_WINDOW_SECONDS, SESSION_SECONDS_MAX};
use headwater_tron::abi::vault;
use headwater_tron::chain::{Chain, Token};
use headwater_tron::node::Request;
use headwater_tron::typed::Domain;
use headwater_wire::extended::Rail;

use super::{QueryError, question, returned};

const QUESTIONS: usize = 4;

/// Questions about a vault.
#[derive(Debug)]
pub struct RailQuery {
    chain: &'static Chain,
    vault: Address,
    answers: [Option<Result<Vec<u8>, QueryError>>; QUESTIONS],
}

impl RailQuery {
    /// Asks the contract that is said to be the vault on a chain.
    pub fn new(chain: &'static Chain, vault: Address) -> Self {
        Self { chain, vault, answers: [const { None }; QUESTIONS] }
    }

    /// What a node is asked, in any order.
    pub fn requests(&self) -> Vec<Request> {
        let calls: [Vec<u8>; QUESTIONS] = [
            vault::domain_separator(),
            vault::token(),
            vault::max_session(),
            vault::claim_window(),
        ];
        calls.map(|call| question(self.chain.envelope, self.vault, call)).into()
    }

    /// Takes the answer to the request with that place in the list.
    pub fn answer(&mut self, index: usize, bytes: &[u8]) {
        if let Some(answer) = self.answers.get_mut(index) {
            *answer = Some(returned(self.chain.envelope, bytes));
        }
    }

    /// The rail, once all was answered and is as it must be.
    pub fn finish(&self) -> Result<Rail, QueryError> {
        let (chain, vault) = (self.chain.id, self.vault);
        let needed = Domain { chain_id: chain, vault }.separator();
        let found = vault::read_separator(&self.data(0)?)?;
        if found != needed {
            let (found, needed) = (hex(&found), hex(&needed));
            return Err(QueryError::Domain { found, needed });
        }
        let token = vault::read_token(&self.data(1)?)?;
        let known = match self.chain.token {
            Token::Contract(known) => Some(known),
            Token::Native => Some(Address([0; 20])),
            Token::Local => None,
        };
        if let Some(needed) = known.filter(|known| *known != token) {
            return Err(QueryError::Token { found: token, needed });
        }
        self.time(2, "a session", SESSION_SECONDS_MAX)?;
        self.time(3, "its claim window", CLAIM_WINDOW_SECONDS)?;
        Ok(Rail { chain, vault, token })
    }

    fn data(&self, index: usize) -> Result<Vec<u8>, QueryError> {
        let answer = self.answers.get(index).and_then(Option::as_ref);
        answer.cloned().unwrap_or(Err(QueryError::Unanswered(index)))
    }

    fn time(&self, index: usize, what: &'static str, needed: u64) -> Result<(), QueryError> {
        let found = vault::read_seconds(&self.data(index)?)?;
        if found == needed { Ok(()) } else { Err(QueryError::Times { what, found, needed }) }
    }
}
