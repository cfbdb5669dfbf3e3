//! The tracker's HTTP paths: who asks is where the link comes from, whatever headers say.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::connect_info::Connected;
use axum::extract::{ConnectInfo, RawQuery, State};
use axum::http::HeaderMap;
use axum::routing::{MethodRouter, get};
use axum::serve::IncomingStream;
use headwater_tracker::server::Ask;

use super::Prompt;
use super::Site;
use super::tls::TlsListener;

/// Where clients announce.
pub(super) const ANNOUNCE: &str = "/announce";
/// Where they ask for the sizes of swarms: what BEP 48 makes of the above.
pub(super) const SCRAPE: &str = "/scrape";

/// Who opened a link, over TLS or not.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caller(SocketAddr);

impl Connected<IncomingStream<'_, Prompt>> for Caller {
    fn connect_info(stream: IncomingStream<'_, Prompt>) -> Self {
        Self(*stream.remote_addr())
    }
}

impl Connected<IncomingStream<'_, TlsListener>> for Caller {
    fn connect_info(stream: IncomingStream<'_, TlsListener>) -> Self {
        Self(*stream.remote_addr())
    }
}

/// A path that answers clients of the tracker.
pub(super) fn door(ask: Ask) -> MethodRouter<Arc<Site>> {
    get(
        move |State(site): State<Arc<Site>>,
              ConnectInfo(Caller(from)): ConnectInfo<Caller>,
              RawQuery(query): RawQuery,
              headers: HeaderMap| async move {
            site.tracker.answer(ask, from.ip(), &headers, query).await
        },
    )
}
