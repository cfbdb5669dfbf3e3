//! A proxy that connections go through: SOCKS5 (RFC 1928, 1929), or HTTP by CONNECT (RFC 9110,
//! section 9.3.6). Names are the proxy's to look up, so that no resolver here hears of them.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper::header::{HOST, PROXY_AUTHORIZATION};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use percent_encoding::percent_decode_str;
use tokio::net::TcpStream;
use tokio_socks::tcp::Socks5Stream;
use tokio_socks::{Error as SocksError, TargetAddr};
use url::Url;

/// Most bytes of an HTTP proxy's answer.
const ANSWER_BYTES_MAX: usize = 16 * 1024;

/// Longest name, user name and password: SOCKS5 counts their bytes in one.
const TEXT_BYTES_MAX: usize = 255;

/// The port where none is said (RFC 1928, section 3).
const SOCKS_PORT: u16 = 1080;

/// A proxy, and what it asks of its users. What is shown of it never holds a password.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    speaks: Speaks,
    host: String,
    port: u16,
    login: Option<Login>,
}

/// What a proxy speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Speaks {
    Socks5,
    Http,
}

#[derive(Clone, PartialEq, Eq)]
struct Login {
    user: String,
    password: String,
}

impl Proxy {
    /// Reads `socks5://[USER:PASSWORD@]HOST[:PORT]`, or the same with `http:`. What is wrong is said
    /// without what was given.
    pub fn read(text: &str) -> Result<Self, String> {
        let url = Url::parse(text).map_err(|e| format!("it is no address: {e}"))?;
        let (speaks, port) = match url.scheme() {
            "socks5" | "socks5h" => (Speaks::Socks5, Some(SOCKS_PORT)),
            "http" => (Speaks::Http, url.port_or_known_default()),
            // What stands there may be a user name.
            _ => return Err("it starts with neither socks5: nor http:".to_owned()),
        };
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or("it names no host")?;
        let port = url.port().or(port).filter(|port| *port != 0).ok_or("it names no port")?;
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err("something follows host and port".to_owned());
        }
        let part = |text: &str| {
            let text = percent_decode_str(text).decode_utf8();
            let text = text.map_err(|_| "user name or password is no UTF-8")?;
            match text.len() <= TEXT_BYTES_MAX && !text.contains(char::is_control) {
                true => Ok(text.into_owned()),
                false => Err("user name or password is too long or holds control characters"),
            }
        };
        let login = match (url.username(), url.password()) {
            ("", None) => None,
            (user, Some(password)) if !user.is_empty() && !password.is_empty() => {
                Some(Login { user: part(user)?, password: part(password)? })
            }
            _ => return Err("a user name needs a password, and a password a user name".to_owned()),
        };
        Ok(Self { speaks, host: host.to_owned(), port, login })
    }

    /// Whether it is used for a host. What stays on this machine goes around it.
    pub fn carries(&self, host: &str) -> bool {
        !bare(host).parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback())
    }

    /// Connects to a host, by name or address. Fails where the proxy does; nothing is ever tried
    /// without it.
    pub async fn connect(&self, host: &str, port: u16) -> io::Result<TcpStream> {
        let host = bare(host);
        if host.is_empty() || host.len() > TEXT_BYTES_MAX {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the host's name is too long"));
        }
        let stream = TcpStream::connect((bare(&self.host), self.port)).await;
        let stream = stream.map_err(|e| {
            io::Error::new(e.kind(), format!("the proxy {self} is out of reach: {e}"))
        })?;
        // Requests are small and waited for.
        let _ = stream.set_nodelay(true);
        match self.speaks {
            Speaks::Socks5 => self.over_socks(stream, host, port).await,
            Speaks::Http => self.over_http(stream, host, port).await,
        }
    }

    async fn over_socks(&self, stream: TcpStream, host: &str, port: u16) -> io::Result<TcpStream> {
        let target = match host.parse::<IpAddr>() {
            Ok(ip) => TargetAddr::Ip(SocketAddr::new(ip, port)),
            Err(_) => TargetAddr::Domain(host.into(), port),
        };
        let made = match &self.login {
            None => Socks5Stream::connect_with_socket(stream, target).await,
            Some(Login { user, password }) => {
                let (user, password) = (user.as_str(), password.as_str());
                Socks5Stream::connect_with_password_and_socket(stream, target, user, password).await
            }
        };
        Ok(made.map_err(|e| self.failed(&e))?.into_inner())
    }

    async fn over_http(&self, stream: TcpStream, host: &str, port: u16) -> io::Result<TcpStream> {
        let broken = |e: hyper::Error| io::Error::other(format!("the proxy {self}: {e}"));
        let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        let whom = format!("{host}:{port}");
        let mut request = Request::connect(&whom).header(HOST, &whom);
        if let Some(Login { user, password }) = &self.login {
            let word = BASE64.encode(format!("{user}:{password}"));
            request = request.header(PROXY_AUTHORIZATION, format!("Basic {word}"));
        }
        let request = request.body(Empty::<Bytes>::new()).map_err(io::Error::other)?;
        let mut builder = http1::Builder::new();
        let shaking = builder.max_buf_size(ANSWER_BYTES_MAX).handshake(TokioIo::new(stream));
        let (mut sender, connection) = shaking.await.map_err(broken)?;
        // It ends with its sender, unless it becomes a tunnel.
        tokio::spawn(connection.with_upgrades());
        let response = sender.send_request(request).await.map_err(broken)?;
        if !response.status().is_success() {
            return Err(io::Error::other(self.refusal(response.status())));
        }
        let tunnel = hyper::upgrade::on(response).await.map_err(broken)?;
        match tunnel.downcast::<TokioIo<TcpStream>>() {
            Ok(parts) if parts.read_buf.is_empty() => Ok(parts.io.into_inner()),
            // Whoever is reached waits for us to speak first.
            Ok(_) | Err(_) => {
                Err(io::Error::other(format!("the proxy {self} sends what it may not")))
            }
        }
    }

    /// What an HTTP proxy means, and what to do about it.
    fn refusal(&self, status: StatusCode) -> String {
        let code = status.as_u16();
        match status {
            StatusCode::PROXY_AUTHENTICATION_REQUIRED => self.unknown(),
            StatusCode::FORBIDDEN | StatusCode::METHOD_NOT_ALLOWED => {
                format!("the proxy {self} forbids this connection ({code}): see its rules")
            }
            _ => format!("the proxy {self} cannot connect ({code})"),
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "a foreign enum: the others tell all")]
    fn failed(&self, error: &SocksError) -> io::Error {
        io::Error::other(match error {
            SocksError::PasswordAuthFailure(_)
            | SocksError::NoAcceptableAuthMethods
            | SocksError::AuthorizationRequired => self.unknown(),
            SocksError::ConnectionNotAllowedByRuleset => {
                format!("the proxy {self} forbids this connection: see its rules")
            }
            other => format!("the proxy {self} cannot connect: {other}"),
        })
    }

    fn unknown(&self) -> String {
        format!("the proxy {self} wants another user name and password: name them in --proxy")
    }
}

/// Without the brackets that an IPv6 address has in a URL.
fn bare(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']')
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.speaks {
            Speaks::Socks5 => "socks5",
            Speaks::Http => "http",
        };
        write!(f, "{scheme}://{}:{}", self.host, self.port)
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({self})")
    }
}

#[cfg(test)]
mod tests;
