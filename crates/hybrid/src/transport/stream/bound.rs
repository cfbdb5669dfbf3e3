//! The sockets that streams are accepted on and, for uTP, dialled from: one port for both.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use librqbit_utp::{SocketOpts, UtpSocketUdp};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::StreamConfig;

/// Ports tried when any will do: one that is free for TCP may be taken for UDP.
const TRIES: usize = 16;

/// Connections that wait to be accepted.
const BACKLOG: i32 = 1024;

/// How long a uTP stream may be silent. The engine ends silent links before that.
const SILENT_MAX: Duration = Duration::from_secs(180);

/// Most uTP streams of one socket.
const UTP_STREAMS_MAX: NonZeroUsize = NonZeroUsize::new(256).unwrap();

/// Bound sockets. TCP connections wait from here on until somebody accepts them.
pub struct Bound {
    port: Option<u16>,
    pub(super) tcp: Vec<Arc<TcpListener>>,
    pub(super) utp: Vec<Arc<UtpSocketUdp>>,
    stop: CancellationToken,
}

impl Bound {
    /// Binds what the configuration names. Must be called inside a Tokio runtime.
    pub async fn bind(config: &StreamConfig) -> io::Result<Self> {
        if config.proxy.is_some() {
            let stop = CancellationToken::new();
            return Ok(Self { port: None, tcp: Vec::new(), utp: Vec::new(), stop });
        }
        let mut result = Self::bind_to(config, config.port).await;
        for _ in 1..TRIES {
            match result {
                Err(e) if config.port == 0 && e.kind() == io::ErrorKind::AddrInUse => {
                    result = Self::bind_to(config, 0).await;
                }
                Ok(_) | Err(_) => break,
            }
        }
        result
    }

    async fn bind_to(config: &StreamConfig, mut port: u16) -> io::Result<Self> {
        let stop = CancellationToken::new();
        let (mut tcp, mut utp, mut trouble) = (Vec::new(), Vec::new(), None);
        for ip in config.interfaces.iter().filter(|_| config.tcp) {
            match listen(SocketAddr::new(*ip, port)) {
                Ok(listener) => {
                    port = listener.local_addr()?.port();
                    tcp.push(Arc::new(listener));
                }
                // A machine without IPv6 is fine, and so is one without IPv4.
                Err(e) if e.kind() != io::ErrorKind::AddrInUse => trouble = Some(e),
                Err(e) => return Err(e),
            }
        }
        for ip in utp_interfaces(config).into_iter().filter(|_| config.utp) {
            match utp_socket(SocketAddr::new(ip, port), &stop).await {
                Ok(socket) => {
                    port = socket.bind_addr().port();
                    utp.push(socket);
                }
                Err(e) if e.kind() != io::ErrorKind::AddrInUse => trouble = Some(e),
                Err(e) => return Err(e),
            }
        }
        match trouble {
            Some(trouble) if tcp.is_empty() && utp.is_empty() => Err(trouble),
            Some(_) | None => Ok(Self { port: Some(port), tcp, utp, stop }),
        }
    }

    /// The port that all of them share, if anybody can reach us at all.
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// The uTP socket that reaches an address.
    pub(super) fn utp_towards(&self, address: SocketAddr) -> Option<&Arc<UtpSocketUdp>> {
        let fits = |socket: &&Arc<UtpSocketUdp>| {
            let ip = socket.bind_addr().ip();
            ip.is_ipv4() == address.is_ipv4() || (ip.is_ipv6() && ip.is_unspecified())
        };
        self.utp.iter().find(fits)
    }

    /// Ends what uTP does.
    pub(super) fn close(&self) {
        self.stop.cancel();
    }
}

/// An IPv6 socket for all addresses serves IPv4 too, so that a second one would find its port
/// taken.
fn utp_interfaces(config: &StreamConfig) -> Vec<IpAddr> {
    let both = config.interfaces.iter().find(|ip| ip.is_ipv6() && ip.is_unspecified());
    let v6 = Socket::new(Domain::IPV6, Type::DGRAM, Some(Protocol::UDP)).is_ok();
    match both {
        Some(both) if v6 => vec![*both],
        Some(_) | None => config.interfaces.clone(),
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // Connections of the last run that wait to be forgotten must not keep the port.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// uTP with CUBIC: the library has no LEDBAT, so that these streams yield to others no more than
/// TCP does. That is why TCP is dialled first, and what a user's upload limit is for.
async fn utp_socket(
    address: SocketAddr,
    stop: &CancellationToken,
) -> io::Result<Arc<UtpSocketUdp>> {
    let options = SocketOpts {
        remote_inactivity_timeout: Some(SILENT_MAX),
        max_live_vsocks: Some(UTP_STREAMS_MAX),
        // The engine sends few small messages, and those are waited for.
        disable_nagle: true,
        cancellation_token: stop.child_token(),
        ..SocketOpts::default()
    };
    let made = UtpSocketUdp::new_udp_with_opts(address, options, Default::default()).await;
    made.map_err(|e| {
        // The library hides the kind of what the system said.
        let text = format!("{e:#}");
        match text.contains("in use") {
            true => io::Error::new(io::ErrorKind::AddrInUse, text),
            false => io::Error::other(text),
        }
    })
}
