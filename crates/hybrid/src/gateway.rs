//! Serves a torrent's files over HTTP to programs of this machine while they download: one range a
//! request (RFC 9110), so that players seek. Pages of other sites are turned away by their `Host`.

use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures_util::stream;
use headwater_base::TorrentId;
use headwater_metainfo::{Torrent, mime_type};
use tokio::net::TcpListener;

use crate::shell::{Reader, Shell};

/// One torrent's files over HTTP.
pub struct Gateway {
    shell: Shell,
    torrent: TorrentId,
    metainfo: Arc<Torrent>,
    listen: SocketAddr,
}

impl Gateway {
    /// A gateway to a torrent, reached at `listen`.
    pub fn new(
        shell: Shell,
        (torrent, metainfo): (TorrentId, Arc<Torrent>),
        listen: SocketAddr,
    ) -> Self {
        Self { shell, torrent, metainfo, listen }
    }

    /// Where each file is found, padding left out.
    pub fn urls(&self) -> Vec<(usize, String)> {
        let files = self.metainfo.files.iter().enumerate().filter(|(_, file)| !file.pad);
        let url = |index: usize| {
            let path = self.metainfo.stored_path(index).unwrap_or_default();
            let name = path.rsplit('/').next().unwrap_or_default();
            let name: String = url::form_urlencoded::byte_serialize(name.as_bytes()).collect();
            format!("http://{}/{index}/{}", self.listen, name.replace('+', "%20"))
        };
        files.map(|(index, _)| (index, url(index))).collect()
    }

    /// Answers requests until the listener fails.
    pub async fn serve(self, listener: TcpListener) -> std::io::Result<()> {
        let router = Router::new().route("/{index}/{name}", get(file)).with_state(Arc::new(self));
        axum::serve(listener, router).await
    }

    fn is_meant(&self, headers: &HeaderMap) -> bool {
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        host.is_some_and(|host| {
            host == self.listen.to_string() || host == format!("localhost:{}", self.listen.port())
        })
    }
}

async fn file(
    State(gateway): State<Arc<Gateway>>,
    Path((index, _name)): Path<(usize, String)>,
    method: Method,
    headers: HeaderMap,
) -> Response {
    if !gateway.is_meant(&headers) {
        return (StatusCode::MISDIRECTED_REQUEST, "no such host here\n").into_response();
    }
    let Some(file) = gateway.metainfo.files.get(index).filter(|file| !file.pad) else {
        return (StatusCode::NOT_FOUND, "there is no such file\n").into_response();
    };
    let asked = headers.get(header::RANGE).and_then(|range| range.to_str().ok());
    let length = file.length.0;
    let (status, range) = match asked.map(|asked| parse(asked, length)) {
        Some(Asked::Part(range)) => (StatusCode::PARTIAL_CONTENT, range),
        Some(Asked::Beyond) => {
            let range = (header::CONTENT_RANGE, format!("bytes */{length}"));
            return (StatusCode::RANGE_NOT_SATISFIABLE, [range]).into_response();
        }
        Some(Asked::Nothing) | None => (StatusCode::OK, 0..length),
    };
    let path = gateway.metainfo.stored_path(index).unwrap_or_default();
    let mut answer = Response::builder()
        .status(status)
        .header(header::ACCEPT_RANGES, "bytes")
        .header(header::CONTENT_TYPE, mime_type(&path))
        .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
        .header(header::CONTENT_SECURITY_POLICY, "sandbox")
        .header(header::CONTENT_LENGTH, range.end - range.start);
    if status == StatusCode::PARTIAL_CONTENT {
        let last = range.end - 1;
        let text = format!("bytes {}-{last}/{length}", range.start);
        answer = answer.header(header::CONTENT_RANGE, text);
    }
    let body = match method {
        Method::HEAD => Body::empty(),
        _ => {
            let start = file.offset.0;
            match body(&gateway, start + range.start..start + range.end).await {
                Some(body) => body,
                None => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
            }
        }
    };
    // Every header above is of this program's own making.
    answer.body(body).unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

/// What a reader brings, as it comes; an error breaks the connection, which no player takes for the
/// end of the file.
async fn body(gateway: &Gateway, range: Range<u64>) -> Option<Body> {
    let of = (gateway.torrent, Arc::clone(&gateway.metainfo));
    let reader = Reader::open(&gateway.shell, of, range).await.ok()?;
    Some(Body::from_stream(stream::try_unfold(reader, |mut reader| async move {
        let next = reader.next().await?;
        Ok::<_, crate::shell::ReadError>(next.map(|bytes| (bytes, reader)))
    })))
}

/// What a `Range` header asks for.
#[derive(Debug, PartialEq, Eq)]
enum Asked {
    /// These bytes.
    Part(Range<u64>),
    /// Bytes past the end.
    Beyond,
    /// Nothing that is understood here: the whole file is right then.
    Nothing,
}

fn parse(text: &str, length: u64) -> Asked {
    let Some((first, last)) = text.strip_prefix("bytes=").and_then(|text| text.split_once('-'))
    else {
        return Asked::Nothing;
    };
    let (first, last) = match (first.trim(), last.trim()) {
        ("", last) => match last.parse::<u64>() {
            Ok(0) => return Asked::Beyond,
            Ok(count) => (length.saturating_sub(count), length.checked_sub(1)),
            Err(_) => return Asked::Nothing,
        },
        (first, last) => match (first.parse::<u64>(), last.parse::<u64>()) {
            (Ok(first), Ok(last)) => (first, Some(last).filter(|last| first <= *last)),
            (Ok(first), Err(_)) if last.is_empty() => (first, Some(u64::MAX)),
            (Ok(_) | Err(_), Err(_)) | (Err(_), Ok(_)) => return Asked::Nothing,
        },
    };
    match last {
        None => Asked::Nothing,
        Some(_) if first >= length => Asked::Beyond,
        Some(last) => Asked::Part(first..last.saturating_add(1).min(length)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_understood_by_the_rules_of_rfc_9110() {
        for (text, expect) in [
            ("bytes=0-0", Asked::Part(0..1)),
            ("bytes=5-", Asked::Part(5..100)),
            ("bytes=90-200", Asked::Part(90..100)),
            ("bytes=-10", Asked::Part(90..100)),
            ("bytes=-1000", Asked::Part(0..100)),
            ("bytes=100-", Asked::Beyond),
            ("bytes=-0", Asked::Beyond),
            ("bytes=5-2", Asked::Nothing),
            ("bytes=0-1,5-6", Asked::Nothing),
            ("bytes=a-b", Asked::Nothing),
            ("items=0-1", Asked::Nothing),
            ("", Asked::Nothing),
        ] {
            assert_eq!(parse(text, 100), expect, "{text}");
        }
    }
}
