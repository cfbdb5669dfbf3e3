//! Announces and scrapes over HTTP: the query in, what the table answers out.

use std::net::{IpAddr, SocketAddr};

use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{ConnectInfo, RawQuery};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use headwater_wire::tracker::http_server::{Question, Reply};
use tokio::sync::oneshot;

use super::Tracker;
use super::hub::News;

/// What a path is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// `/announce`.
    Announce,
    /// `/scrape`.
    Scrape,
}

impl Ask {
    fn read(self, query: &str) -> Result<Question, headwater_wire::Error> {
        match self {
            Self::Announce => Question::announce(query),
            Self::Scrape => Question::scrape(query),
        }
    }
}

impl Tracker {
    /// Answers a request of a client at this address: that of its link, whatever headers say.
    /// Failures are told in the body, where clients look for them.
    pub async fn answer(
        &self,
        ask: Ask,
        from: IpAddr,
        headers: &HeaderMap,
        query: Option<String>,
    ) -> Response {
        if is_of_page(headers) {
            let reason = "pages announce through WebSockets".to_owned();
            return respond(&Reply::Failure(reason));
        }
        let question = ask.read(&query.unwrap_or_default());
        let (reply, answered) = oneshot::channel();
        // The table's task may have ended.
        let _ = self.news.send(News::Requested { from, question, reply }).await;
        match answered.await {
            Ok(reply) => respond(&reply),
            Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the tracker has ended\n").into_response(),
        }
    }
}

/// Whether a browser asks for a page. Any site could have its visitors announce as peers on their
/// own machines and networks, and others dial them there.
fn is_of_page(headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site").map(|site| site.as_bytes());
    // What a user types in comes from no site.
    headers.contains_key(header::ORIGIN) || site.is_some_and(|site| site != b"none")
}

fn respond(reply: &Reply) -> Response {
    let fixed = [
        (header::CONTENT_TYPE, "text/plain"),
        (header::CACHE_CONTROL, "no-store"),
        // A client comes back in minutes: too late for the link to be of use.
        (header::CONNECTION, "close"),
    ];
    (fixed, reply.encode()).into_response()
}

/// A path of a tracker with a listener of its own.
pub(super) fn door(tracker: Tracker, ask: Ask) -> MethodRouter {
    get(
        move |ConnectInfo(from): ConnectInfo<SocketAddr>,
              RawQuery(query): RawQuery,
              headers: HeaderMap,
              upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>| async move {
            match upgrade {
                Ok(upgrade) => tracker.upgrade(upgrade),
                Err(_) => tracker.answer(ask, from.ip(), &headers, query).await,
            }
        },
    )
}
