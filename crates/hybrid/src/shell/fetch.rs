//! HTTP fetches of parts of files, for web seeds: one task each, connections kept for the next.
//! Judges nothing of what servers say, only where they lie: see `reach`.

pub(super) mod reach;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use headwater_base::JobId;
use headwater_engine::{FetchError, FetchRange, Input, RangeHead};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{Method, Request, Response, Uri};
use hyper_util::rt::TokioIo;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};
use url::Url;

use crate::proxy::Proxy;
use reach::is_public;

/// Redirects followed of one request.
const REDIRECTS_MAX: usize = 5;

/// Longest wait for a connection, TLS included. The engine judges all later silence.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(10);

/// Idle connections kept of one server, and of all together.
const IDLE_MAX: usize = 2;
const IDLE_SERVERS_MAX: usize = 16;

const AGENT: &str = concat!("Headwater/", env!("CARGO_PKG_VERSION"));

type Sender = SendRequest<Full<Bytes>>;

/// All fetches of a shell.
pub(super) struct Fetches {
    answers: mpsc::Sender<Input>,
    tasks: BTreeMap<JobId, AbortHandle>,
    net: Arc<Net>,
}

/// What fetches share.
pub(super) struct Net {
    tls: TlsConnector,
    proxy: Option<Proxy>,
    idle: Mutex<BTreeMap<Server, Vec<Sender>>>,
}

/// Whom a connection leads to. One made on trust serves nobody else.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Server {
    secure: bool,
    host: String,
    port: u16,
    trusted: bool,
}

impl Fetches {
    pub(super) fn new(answers: mpsc::Sender<Input>, proxy: Option<Proxy>) -> Self {
        Self { answers, tasks: BTreeMap::new(), net: Arc::new(Net::new(proxy)) }
    }

    /// What others may fetch with.
    pub(super) fn net(&self) -> Arc<Net> {
        Arc::clone(&self.net)
    }

    /// Fetches part of a file; `RangeAnswered`, `RangeBytes` and `RangeFetched` follow.
    pub(super) fn get(&mut self, fetch: FetchRange) {
        self.tasks.retain(|_, task| !task.is_finished());
        let (answers, net, job) = (self.answers.clone(), Arc::clone(&self.net), fetch.job);
        let task = tokio::spawn(async move {
            let result = net.fetch(&fetch, &answers).await;
            let _ = answers.send(Input::RangeFetched { job, result }).await;
        });
        self.tasks.insert(job, task.abort_handle());
    }

    /// Gives a fetch up.
    pub(super) fn drop(&mut self, job: JobId) {
        if let Some(task) = self.tasks.remove(&job) {
            task.abort();
        }
    }

    /// Gives every fetch up.
    pub(super) fn finish(&mut self) {
        for task in std::mem::take(&mut self.tasks).into_values() {
            task.abort();
        }
    }
}

impl Net {
    pub(super) fn new(proxy: Option<Proxy>) -> Self {
        let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        let provider = Arc::new(crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map(|config| config.with_root_certificates(roots).with_no_client_auth());
        // The versions are the provider's own, so it never refuses them.
        let config = config.unwrap_or_else(|e| panic!("TLS: {e}"));
        let tls = TlsConnector::from(Arc::new(config));
        Self { tls, proxy, idle: Mutex::default() }
    }

    async fn fetch(
        &self,
        fetch: &FetchRange,
        answers: &mpsc::Sender<Input>,
    ) -> Result<(), FetchError> {
        let mut url = Url::parse(&fetch.url).map_err(|e| refused(&e))?;
        let mut trusted = fetch.trusted;
        let range = format!("bytes={}-{}", fetch.start, fetch.end - 1);
        for _ in 0..=REDIRECTS_MAX {
            let server = server(&url, trusted)?;
            let (sender, response) = self.ask(&server, &url, &range).await?;
            let Some(next) = redirect(&url, &response)? else {
                let read = read(fetch, response, answers).await;
                if read.is_ok() {
                    self.keep(server, sender);
                }
                return read;
            };
            // Trust is in the server that was named, not in whom it points at.
            trusted &= next.host() == url.host() && next.port() == url.port();
            url = next;
        }
        Err(FetchError::Refused(format!("it redirects more than {REDIRECTS_MAX} times")))
    }

    /// Whether everything goes through a proxy.
    pub(super) fn has_proxy(&self) -> bool {
        self.proxy.is_some()
    }

    /// Fetches an answer of at most so many bytes, and tells whence it came, unless only a proxy
    /// knows. No address is asked what it may not be, be it where a redirect leads.
    pub(super) async fn small(
        &self,
        url: &str,
        judge: impl Fn(IpAddr, &Url) -> Result<(), &'static str>,
        most: usize,
    ) -> Result<(Vec<u8>, Option<IpAddr>), FetchError> {
        let mut url = Url::parse(url).map_err(|e| refused(&e))?;
        for _ in 0..=REDIRECTS_MAX {
            let server = server(&url, true)?;
            let open = self.open(&server, |ip| judge(ip, &url));
            let opening = timeout(CONNECT_TIME_MAX, open).await;
            let (mut sender, from) =
                opening.map_err(|_| unreachable(&"no connection in time"))??;
            let request = request(&server, &url, None)?;
            let response = sender.send_request(request).await.map_err(|e| unreachable(&e))?;
            if let Some(next) = redirect(&url, &response)? {
                url = next;
                continue;
            }
            let body = Limited::new(response.into_body(), most);
            let bytes = body.collect().await.map_err(|e| FetchError::Refused(e.to_string()))?;
            return Ok((bytes.to_bytes().to_vec(), from));
        }
        Err(FetchError::Refused(format!("it redirects more than {REDIRECTS_MAX} times")))
    }

    /// Posts JSON to a server that the user named, and answers with at most so many bytes,
    /// whatever the status. It may be sent twice: what is asked must bear that.
    pub(super) async fn post(
        &self,
        url: &Url,
        body: &str,
        most: usize,
    ) -> Result<Vec<u8>, FetchError> {
        let server = server(url, true)?;
        let asked = || -> Result<_, FetchError> {
            let mut request = request(&server, url, None)?;
            *request.method_mut() = Method::POST;
            let kind = HeaderValue::from_static("application/json");
            request.headers_mut().insert(header::CONTENT_TYPE, kind);
            *request.body_mut() = Full::new(Bytes::from(body.to_owned()));
            Ok(request)
        };
        let kept = match self.kept(&server) {
            Some(mut sender) => {
                let response = sender.send_request(asked()?).await.ok();
                response.map(|response| (sender, response))
            }
            None => None,
        };
        let (sender, response) = match kept {
            Some(kept) => kept,
            None => {
                let opening = timeout(CONNECT_TIME_MAX, self.open(&server, |_| Ok(()))).await;
                let (mut sender, _) =
                    opening.map_err(|_| unreachable(&"no connection in time"))??;
                let response = sender.send_request(asked()?).await;
                (sender, response.map_err(|e| unreachable(&e))?)
            }
        };
        let body = Limited::new(response.into_body(), most).collect().await;
        let bytes = body.map_err(|e| FetchError::Refused(e.to_string()))?.to_bytes().to_vec();
        self.keep(server, sender);
        Ok(bytes)
    }

    /// Sends a request, on a connection that is open already if one is.
    async fn ask(
        &self,
        server: &Server,
        url: &Url,
        range: &str,
    ) -> Result<(Sender, Response<Incoming>), FetchError> {
        while let Some(mut sender) = self.kept(server) {
            // It may have been closed meanwhile; then a fresh one is made.
            if let Ok(response) = sender.send_request(request(server, url, Some(range))?).await {
                return Ok((sender, response));
            }
        }
        let judge = |ip| match server.trusted || is_public(ip) {
            true => Ok(()),
            false => Err("it lies in a private network: name it with --web-seed to trust it"),
        };
        let opening = timeout(CONNECT_TIME_MAX, self.open(server, judge)).await;
        let (mut sender, _) = opening.map_err(|_| unreachable(&"no connection in time"))??;
        let response = sender.send_request(request(server, url, Some(range))?).await;
        Ok((sender, response.map_err(|e| unreachable(&e))?))
    }

    async fn open(
        &self,
        server: &Server,
        judge: impl Fn(IpAddr) -> Result<(), &'static str>,
    ) -> Result<(Sender, Option<IpAddr>), FetchError> {
        let whom = (server.host.as_str(), server.port);
        let (stream, from) = reach::connect(self.proxy.as_ref(), whom, judge).await?;
        if !server.secure {
            return Ok((shake(stream).await?, from));
        }
        let name = server.host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(name).map_err(|e| refused(&e))?;
        let stream = self.tls.connect(name, stream).await.map_err(|e| unreachable(&e))?;
        Ok((shake(stream).await?, from))
    }

    fn kept(&self, server: &Server) -> Option<Sender> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let senders = idle.get_mut(server)?;
        senders.retain(|sender| !sender.is_closed());
        senders.pop()
    }

    fn keep(&self, server: Server, sender: Sender) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() >= IDLE_SERVERS_MAX && !idle.contains_key(&server) {
            idle.pop_first();
        }
        let senders = idle.entry(server).or_default();
        if !sender.is_closed() && senders.len() < IDLE_MAX {
            senders.push(sender);
        }
    }
}

async fn shake<S>(stream: S) -> Result<Sender, FetchError>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin + 'static,
{
    let shaken = handshake(TokioIo::new(stream)).await;
    let (sender, connection) = shaken.map_err(|e| unreachable(&e))?;
    // It ends with its sender, and with the body that is read from it.
    tokio::spawn(connection);
    Ok(sender)
}

fn server(url: &Url, trusted: bool) -> Result<Server, FetchError> {
    let secure = match url.scheme() {
        "https" => true,
        "http" => false,
        other => return Err(refused(&format!("{other} is neither http nor https"))),
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused(&"its address holds a password"));
    }
    let host = url.host_str().ok_or_else(|| refused(&"its address names no server"))?;
    let port = url.port_or_known_default().unwrap_or(80);
    Ok(Server { secure, host: host.to_owned(), port, trusted })
}

fn request(
    server: &Server,
    url: &Url,
    range: Option<&str>,
) -> Result<Request<Full<Bytes>>, FetchError> {
    let host = match url.port() {
        Some(port) => format!("{}:{port}", server.host),
        None => server.host.clone(),
    };
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    let path: Uri = format!("{}{query}", url.path()).parse().map_err(|e| refused(&e))?;
    let mut request = Request::get(path);
    if let Some(range) = range {
        request = request.header(header::RANGE, range);
    }
    request
        .header(header::HOST, host)
        .header(header::ACCEPT_ENCODING, "identity")
        .header(header::USER_AGENT, AGENT)
        .body(Full::default())
        .map_err(|e| refused(&e))
}

/// Where an answer sends the client, if it does.
fn redirect(from: &Url, response: &Response<Incoming>) -> Result<Option<Url>, FetchError> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let Some(to) = text(response, header::LOCATION) else { return Ok(None) };
    follow(from, &to).map(Some)
}

fn follow(from: &Url, to: &str) -> Result<Url, FetchError> {
    let to = from.join(to).map_err(|e| refused(&e))?;
    if from.scheme() == "https" && to.scheme() != "https" {
        return Err(refused(&"it redirects from https to http"));
    }
    Ok(to)
}

/// Passes on what a server sends, and stops reading once that is too much.
async fn read(
    fetch: &FetchRange,
    response: Response<Incoming>,
    answers: &mpsc::Sender<Input>,
) -> Result<(), FetchError> {
    let number = |name| text(&response, name)?.trim().parse().ok();
    let head = RangeHead {
        status: response.status().as_u16(),
        range: text(&response, header::CONTENT_RANGE),
        hidden: false,
        length: number(header::CONTENT_LENGTH),
        encoding: text(&response, header::CONTENT_ENCODING),
        retry_after: number(header::RETRY_AFTER),
    };
    let job = fetch.job;
    let _ = answers.send(Input::RangeAnswered { job, head }).await;
    let mut body = response.into_body();
    let mut left = fetch.end - fetch.start;
    while let Some(frame) = body.frame().await {
        let Ok(bytes) = frame.map_err(|e| unreachable(&e))?.into_data() else { continue };
        let is_too_much = bytes.len() as u64 > left;
        left = left.saturating_sub(bytes.len() as u64);
        let _ = answers.send(Input::RangeBytes { job, bytes }).await;
        if is_too_much {
            return Err(FetchError::Refused("it sent more than was asked for".to_owned()));
        }
    }
    Ok(())
}

fn text(response: &Response<Incoming>, name: HeaderName) -> Option<String> {
    Some(response.headers().get(name)?.to_str().ok()?.to_owned())
}

fn refused(why: &dyn std::fmt::Display) -> FetchError {
    FetchError::Refused(why.to_string())
}

fn unreachable(why: &dyn std::fmt::Display) -> FetchError {
    FetchError::Unreachable(why.to_string())
}

#[cfg(test)]
mod tests;
