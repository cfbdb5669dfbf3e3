//! A chain's node, asked over HTTP. What is asked and what the answers are worth is the client's
//! to say.

use std::sync::Arc;
use std::time::Duration;

use headwater_client::FetchError;
use headwater_client::chain::{
    AccountQuery, ClaimOrder, ClaimRun, ClaimStep, ClaimTrouble, QueryError, RailQuery, Request,
    SecretKey,
};
use headwater_pay::{AccountView, Answer};
use headwater_tron::chain::Chain;
use headwater_tron::limit::ANSWER_BYTES_MAX;
use headwater_wire::extended::Rail;
use tokio::sync::{Mutex, Semaphore};
use tokio::time::{sleep, timeout};
use url::Url;

use super::super::fetch::Net;
use crate::proxy::Proxy;

/// How long a node may take for one answer.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(15);

/// Questions under way at once. Public nodes count them.
const QUESTIONS_MAX: usize = 4;

/// A node of a chain.
#[derive(Clone)]
pub struct Node {
    url: Url,
    net: Arc<Net>,
    turns: Arc<Semaphore>,
    claims: Arc<Mutex<()>>,
}

/// Text that names no node.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no address of a node: {why}")]
pub struct BadNode {
    text: String,
    why: String,
}

impl Node {
    /// A node by its URL; where there is a proxy it is reached through that.
    pub fn new(text: &str, proxy: Option<Proxy>) -> Result<Self, BadNode> {
        let bad = |why: String| BadNode { text: text.to_owned(), why };
        let url = Url::parse(text).map_err(|e| bad(e.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err(bad("http: or https: and a name expected".to_owned()));
        }
        if !url.username().is_empty() || url.password().is_some() || url.query().is_some() {
            return Err(bad("a password or a query has no place in it".to_owned()));
        }
        let turns = Arc::new(Semaphore::new(QUESTIONS_MAX));
        let claims = Arc::default();
        Ok(Self { url, net: Arc::new(Net::new(proxy)), turns, claims })
    }

    /// Posts a request. Nodes answer most failures with status 200, so that it says nothing.
    pub async fn ask(&self, request: &Request) -> Result<Vec<u8>, FetchError> {
        let mut url = self.url.clone();
        url.set_path(&format!("{}{}", self.url.path().trim_end_matches('/'), request.path));
        // The semaphore is never closed.
        let _turn = self.turns.acquire().await.ok();
        let asking = self.net.post(&url, &request.body, ANSWER_BYTES_MAX);
        let late = |_| FetchError::Unreachable("no answer in time".to_owned());
        timeout(ANSWER_TIME_MAX, asking).await.map_err(late)?
    }

    /// Finds out what the contract at a place is: of the chains, that whose vault it is.
    pub async fn rail(
        &self,
        chains: &[&'static Chain],
        vault: headwater_base::Address,
    ) -> Result<(Rail, &'static Chain), Unknown> {
        let mut queries: Vec<_> =
            chains.iter().map(|chain| (*chain, RailQuery::new(chain, vault))).collect();
        let requests = queries.first().map(|(_, query)| query.requests()).unwrap_or_default();
        for (index, request) in requests.iter().enumerate() {
            let bytes = self.ask(request).await?;
            queries.iter_mut().for_each(|(_, query)| query.answer(index, &bytes));
        }
        let mut why = Unknown::Chain;
        for (chain, query) in queries {
            match query.finish() {
                Ok(rail) => return Ok((rail, chain)),
                // Of several chains it can be the vault of one only: another mistake says more.
                Err(QueryError::Domain { .. }) if chains.len() > 1 => {}
                Err(error) => why = error.into(),
            }
        }
        Err(why)
    }

    /// Asks what backs a payer's promises.
    pub(super) async fn account(&self, mut query: AccountQuery) -> Result<AccountView, Unknown> {
        for (index, request) in query.requests().iter().enumerate() {
            query.answer(index, &self.ask(request).await?);
        }
        Ok(query.read()?)
    }

    /// Brings a claim to the chain, and says why that failed if it did.
    pub async fn claim(&self, key: SecretKey, order: ClaimOrder) -> (Answer, Option<ClaimTrouble>) {
        let mut run = ClaimRun::new(key, order);
        // On some chains an account's transactions are numbered: one is handed in at a time.
        let mut turn = Some(self.claims.lock().await);
        loop {
            match run.next() {
                ClaimStep::Ask(request) => {
                    let bytes = self.ask(&request).await.unwrap_or_default();
                    run.answered(&bytes);
                }
                ClaimStep::Wait(time) => {
                    drop(turn.take());
                    sleep(time).await;
                }
                // Only runs of wallets come here.
                ClaimStep::Submit => run.submitted(None),
                ClaimStep::Done(answer) => return (answer, run.trouble().cloned()),
            }
        }
    }
}

/// Why a node told nothing of a vault or an account.
#[derive(Debug, thiserror::Error)]
pub enum Unknown {
    /// The node is not reached.
    #[error(transparent)]
    Node(#[from] FetchError),
    /// What it answers is nothing to go by.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The contract is a vault of none of the chains that are known.
    #[error("the contract is no vault of a chain that is known here")]
    Chain,
}
