//! The control API: what the owner of the server sees and does, as JSON over HTTP.
//! Nobody else gets an answer: the token, the page's origin and the form of a request are checked
//! before anything is read of it.

mod events;
mod orders;
mod pay;
mod views;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::{Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, patch, post};
use headwater_metainfo::limit::BENCODE_BYTES_MAX;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::library::{Library, Refusal};
use super::token::{Token, Verdict};
use super::{Site, text};
use crate::shell::Stopped;

/// Most bytes of a request in JSON: a magnet link and some choices.
const JSON_BYTES_MAX: usize = 256 << 10;

/// Most requests answered at once.
const REQUESTS_MAX: usize = 64;

/// What the control API needs besides the site.
pub struct Control {
    /// The torrents.
    pub library: Arc<Library>,
    /// The owner's secret.
    pub token: Token,
    /// The port on which peers reach the server over TCP and uTP.
    pub port: Option<u16>,
    /// Since when it runs.
    pub started: std::time::Instant,
    under_way: AtomicUsize,
    streams: AtomicUsize,
}

impl Control {
    /// Makes a control of these torrents for whoever has the token.
    pub fn new(library: Arc<Library>, token: Token, port: Option<u16>) -> Self {
        let (under_way, streams) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Self { library, token, port, started: now(), under_way, streams }
    }
}

#[expect(clippy::disallowed_methods, reason = "how long a server runs is wall time")]
fn now() -> std::time::Instant {
    std::time::Instant::now()
}

/// Every path of the API.
pub(super) fn router(site: &Arc<Site>) -> Router<Arc<Site>> {
    let torrent = get(views::torrent).patch(orders::change).delete(orders::remove);
    Router::new()
        .route("/server", get(views::server))
        .route("/limits", patch(orders::limit))
        .route("/torrents", get(views::torrents).post(orders::add))
        .route("/torrents/{hash}", torrent)
        .route("/pay", get(pay::view))
        .route("/pay/claim", post(pay::claim))
        .route("/events", get(events::stream))
        .fallback(nothing)
        .method_not_allowed_fallback(not_so)
        .layer(middleware::from_fn_with_state(Arc::clone(site), guard))
}

/// Why a request was not done: a status, a stable code and a sentence.
#[derive(Debug)]
pub(super) struct Denied(StatusCode, &'static str, String);

impl Denied {
    fn new(status: StatusCode, code: &'static str, why: impl Into<String>) -> Self {
        Self(status, code, why.into())
    }

    fn bad(why: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad-request", why)
    }

    fn unknown() -> Self {
        Self::new(StatusCode::NOT_FOUND, "unknown-torrent", "no torrent here has this info-hash")
    }
}

impl IntoResponse for Denied {
    fn into_response(self) -> Response {
        let Self(status, code, message) = self;
        let body = json!({ "error": { "code": code, "message": message } });
        let mut response = answer(status, &body);
        let headers = response.headers_mut();
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if status == StatusCode::TOO_MANY_REQUESTS {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
        response
    }
}

impl From<Stopped> for Denied {
    fn from(stopped: Stopped) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "stopped", stopped.to_string())
    }
}

impl From<std::io::Error> for Denied {
    fn from(error: std::io::Error) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "io", error.to_string())
    }
}

impl From<Refusal> for Denied {
    fn from(refusal: Refusal) -> Self {
        let why = refusal.to_string();
        match refusal {
            Refusal::NoFolder => Self::new(StatusCode::CONFLICT, "no-folder", why),
            Refusal::BadFolder(_) => Self::new(StatusCode::BAD_REQUEST, "bad-folder", why),
            Refusal::Known => Self::new(StatusCode::CONFLICT, "known-torrent", why),
            Refusal::TooMany => Self::new(StatusCode::CONFLICT, "too-many", why),
            Refusal::Source(e) => Self::new(StatusCode::UNPROCESSABLE_ENTITY, e.code(), why),
            Refusal::Io(e) => e.into(),
            Refusal::Stopped(e) => e.into(),
        }
    }
}

fn answer(status: StatusCode, body: &Value) -> Response {
    let fixed = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (status, fixed, format!("{body}\n")).into_response()
}

/// Lets the owner in, and no page but the server's own.
async fn guard(State(site): State<Arc<Site>>, request: Request, next: Next) -> Response {
    let Some(control) = &site.control else { return Denied::unknown().into_response() };
    if let Err(denied) = check(control, request.method(), request.headers()) {
        return denied.into_response();
    }
    if control.under_way.fetch_add(1, Ordering::Relaxed) >= REQUESTS_MAX {
        control.under_way.fetch_sub(1, Ordering::Relaxed);
        let why = format!("{REQUESTS_MAX} requests are under way, which is all there may be");
        return Denied::new(StatusCode::TOO_MANY_REQUESTS, "busy", why).into_response();
    }
    let _under_way = Leave(&control.under_way);
    next.run(request).await
}

/// Counts one less when it goes, whichever way.
struct Leave<'a>(&'a AtomicUsize);

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn check(control: &Control, method: &Method, headers: &HeaderMap) -> Result<(), Denied> {
    let host = text(headers, header::HOST).unwrap_or_default();
    if let Some(origin) = headers.get(header::ORIGIN) {
        // The scheme is not compared: behind a proxy that speaks TLS it is not ours.
        let ours = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
        if !ours.is_some_and(|(_, from)| from.eq_ignore_ascii_case(host)) {
            let why = "only the server's own page may control it";
            return Err(Denied::new(StatusCode::FORBIDDEN, "foreign-origin", why));
        }
    }
    let given = text(headers, header::AUTHORIZATION);
    let given = given.and_then(|given| given.strip_prefix("Bearer ")).map(str::trim);
    let verdict = given.map_or(Verdict::Wrong, |given| control.token.judge(given));
    match verdict {
        Verdict::Right => {}
        Verdict::Wrong => {
            let why = "send the server's token as Authorization: Bearer TOKEN";
            return Err(Denied::new(StatusCode::UNAUTHORIZED, "no-token", why));
        }
        Verdict::TooMany => {
            let why = "too many wrong tokens; wait some seconds";
            return Err(Denied::new(StatusCode::TOO_MANY_REQUESTS, "wrong-tokens", why));
        }
    }
    // Forms of other sites can send other kinds without asking the browser's leave.
    let needs_kind = method == Method::POST || method == Method::PATCH;
    if needs_kind && kind(headers).is_none() {
        let why = "a body of application/json or application/x-bittorrent is expected";
        return Err(Denied::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "bad-type", why));
    }
    Ok(())
}

/// What a body is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Body {
    Json,
    Torrent,
}

fn kind(headers: &HeaderMap) -> Option<Body> {
    let kind = text(headers, header::CONTENT_TYPE)?;
    match kind.split(';').next().unwrap_or_default().trim() {
        "application/json" => Some(Body::Json),
        "application/x-bittorrent" => Some(Body::Torrent),
        _ => None,
    }
}

/// Reads a body of no more than it may have.
async fn body(request: Request) -> Result<Bytes, Denied> {
    let most = match kind(request.headers()) {
        Some(Body::Torrent) => BENCODE_BYTES_MAX,
        Some(Body::Json) | None => JSON_BYTES_MAX,
    };
    to_bytes(request.into_body(), most).await.map_err(|_| {
        let why = format!("a body of this kind has at most {most} bytes");
        Denied::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", why)
    })
}

/// Reads a body in JSON.
async fn read<T: DeserializeOwned>(request: Request) -> Result<T, Denied> {
    if kind(request.headers()) != Some(Body::Json) {
        let why = "a body of application/json is expected";
        return Err(Denied::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "bad-type", why));
    }
    let bytes = body(request).await?;
    serde_json::from_slice(&bytes).map_err(|e| Denied::bad(e.to_string()))
}

async fn nothing() -> Denied {
    Denied::new(StatusCode::NOT_FOUND, "unknown-path", "the control API has no such path")
}

async fn not_so() -> Denied {
    let why = "this path is not asked that way";
    Denied::new(StatusCode::METHOD_NOT_ALLOWED, "bad-method", why)
}
