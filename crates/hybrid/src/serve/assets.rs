//! The web app, carried inside the program. A fixed map of names: no path reaches the disk.

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Response};
use headwater_metainfo::mime_type;

/// Every file of the built web app, by name.
static FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// Pages may run our own scripts and wasm, talk to any tracker, and be framed by nobody else.
const POLICY: &str = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; \
    style-src 'self' 'unsafe-inline'; img-src 'self' blob: data:; media-src 'self' blob:; \
    connect-src 'self' blob: data: ws: wss: http: https:; worker-src 'self' blob:; \
    object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

/// What `/` says when the program was built without the web app.
const ABSENT: &str = "<!doctype html><meta charset=utf-8><title>Headwater</title>\
    <p>This program was built without the web app. Build it with <code>cargo xtask web</code>, \
    then build the program again.";

/// Answers with a file of the web app.
pub(super) async fn answer(uri: Uri) -> Response {
    let name = uri.path().trim_start_matches('/');
    let name = if name.is_empty() { "index.html" } else { name };
    match FILES.iter().find(|(file, _)| *file == name) {
        Some((file, bytes)) => (headers(mime_type(file)), *bytes).into_response(),
        None if name == "index.html" => {
            (headers("text/html; charset=utf-8"), Html(ABSENT)).into_response()
        }
        None => (StatusCode::NOT_FOUND, "there is nothing here\n").into_response(),
    }
}

fn headers(kind: &'static str) -> HeaderMap {
    let fixed = [
        (header::CONTENT_TYPE, kind),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, "no-cache"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("service-worker-allowed"), "/"),
    ];
    fixed.into_iter().map(|(name, value)| (name, HeaderValue::from_static(value))).collect()
}
