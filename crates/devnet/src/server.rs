//! The server around a ledger: a socket, a clock, a file. Decides nothing; what it answers is made
//! in `http`.

use std::future::{Ready, ready};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use headwater_base::Address;
use headwater_tron::transaction::UnixMillis;
use tokio::net::TcpListener;

use crate::http::{Ask, Node};
use crate::journal::{self, Journal};
use crate::{genesis, limit};

/// What every answer says in its header `x-headwater-devnet`.
pub const WARNING: &str = "test ledger, worthless tokens";

/// What a test ledger may be told.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where it listens; port 0 picks a free one.
    pub listen: SocketAddr,
    /// The file it is kept in; in memory without one.
    pub file: Option<PathBuf>,
}

/// Why a ledger does not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Its file cannot be used.
    #[error(transparent)]
    Journal(#[from] journal::Error),
    /// Its socket cannot be used.
    #[error("listen on {listen}: {error}")]
    Listen {
        /// Where it was to listen.
        listen: SocketAddr,
        /// Why it cannot.
        error: std::io::Error,
    },
}

/// A ledger that listens.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    /// Where it listens.
    pub address: SocketAddr,
    /// The vault, of the test token.
    pub vault: Address,
    /// The test token.
    pub btt: Address,
    node: Arc<Mutex<Node>>,
}

impl Server {
    /// Reads the ledger's file and opens its socket.
    pub async fn bind(options: &Options) -> Result<Self, Error> {
        let (mut ledger, places) = genesis::ledger();
        let journal = match &options.file {
            Some(path) => Journal::open(path, &mut ledger)?,
            None => Journal::default(),
        };
        let listen = options.listen;
        let refused = |error| Error::Listen { listen, error };
        let listener = TcpListener::bind(listen).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        let (vault, btt) = (places.vault, places.btt);
        let node = Arc::new(Mutex::new(Node::new(ledger, journal, places)));
        Ok(Self { listener, address, vault, btt, node })
    }

    /// Has the faucet give something of everything to an account.
    pub fn fund(&self, account: Address) -> Result<(), String> {
        let body = serde_json::json!({ "address": headwater_tron::address::to_hex(account) });
        let ask = Ask::read("/devnet/faucet", "", body.to_string().as_bytes())?;
        let mut node = self.node.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = node.answer(now(), &ask).unwrap_or_default();
        match answer.get("Error") {
            Some(error) => Err(error.to_string()),
            None => Ok(()),
        }
    }

    /// Answers until the task is dropped.
    pub async fn run(self) -> std::io::Result<()> {
        let router = Router::new()
            .fallback(answer)
            .layer(DefaultBodyLimit::max(limit::REQUEST_BYTES_MAX))
            .with_state(self.node);
        axum::serve(self.listener, router).await
    }

    /// What a program prints when the ledger runs: where it is, and that nothing in it has worth.
    pub fn banner(&self) -> String {
        let mut text = format!(
            "http://{}\n\
             HEADWATER TEST LEDGER. Its tokens are worthless. Never send real ones here.\n\
             chain id   {}\n\
             vault      {}\n\
             test BTT   {}\n\
             TRC-10     {}\n\
             test accounts, whose keys everybody knows:\n",
            self.address,
            genesis::CHAIN_ID,
            headwater_tron::address::to_base58(self.vault),
            headwater_tron::address::to_base58(self.btt),
            genesis::ASSET_ID,
        );
        for number in 0..genesis::ACCOUNTS {
            let key = genesis::account_key(number);
            let address = headwater_tron::address::to_base58(key.address());
            text += &format!("  {address} {}\n", headwater_base::hex(&key.to_bytes()));
        }
        text
    }
}

fn answer(
    State(node): State<Arc<Mutex<Node>>>,
    method: Method,
    uri: Uri,
    body: Bytes,
) -> Ready<Response> {
    let mut response = if method == Method::OPTIONS {
        StatusCode::NO_CONTENT.into_response()
    } else {
        let ask = Ask::read(uri.path(), uri.query().unwrap_or_default(), &body);
        // A request that panicked left the ledger as it was: changes are made whole or not at all.
        let mut node = node.lock().unwrap_or_else(PoisonError::into_inner);
        match ask.map(|ask| node.answer(now(), &ask)) {
            Ok(Some(value)) => json(&value),
            Ok(None) => StatusCode::NOT_FOUND.into_response(),
            Err(error) => json(&serde_json::json!({ "Error": error })),
        }
    };
    open(response.headers_mut());
    ready(response)
}

fn json(value: &serde_json::Value) -> Response {
    let kind = [(header::CONTENT_TYPE, "application/json")];
    (kind, value.to_string()).into_response()
}

/// Any page may ask a test ledger.
fn open(headers: &mut HeaderMap) {
    let any = HeaderValue::from_static("*");
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, any.clone());
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, any.clone());
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, any.clone());
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, any);
    let name = HeaderName::from_static("x-headwater-devnet");
    headers.insert(name, HeaderValue::from_static(WARNING));
}

#[expect(clippy::disallowed_methods, reason = "the one place where the ledger's time enters")]
fn now() -> UnixMillis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixMillis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// Starts a ledger, tells where it is, and answers until the task is dropped.
pub async fn serve(options: &Options, tell: impl FnOnce(&Server)) -> Result<(), Error> {
    let server = Server::bind(options).await?;
    tell(&server);
    let listen = server.address;
    server.run().await.map_err(|error| Error::Listen { listen, error })
}
