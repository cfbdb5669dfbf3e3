//! Reaches an address: over TCP, and over uTP when that does not answer soon.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use headwater_engine::LinkEnd;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{sleep, timeout};

use super::{Ends, LinkEvent, Shared, StreamConfig, greet, pump};
use crate::transport::Kind;

/// A byte stream of either kind.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Boxed, since the two kinds differ in nothing but their making.
pub(super) type Boxed = Box<dyn Stream>;

/// How long TCP is waited for before uTP is tried too.
const TCP_ALONE: Duration = Duration::from_millis(1500);

/// How long one way may take. The engine gives a dial up after 10 s.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(9);

/// How often uTP knocks, and how long it waits each time.
const UTP_TRIES: usize = 4;
const UTP_TRY_TIME: Duration = Duration::from_secs(2);

/// How much the kernel keeps of what has not left: what lies there, no request can overtake, and
/// who counts what links took would count it as sent.
const UNSENT_MAX: u32 = 128 * 1024;

/// Lives until a dialled link ends or its handle is dropped.
pub(super) async fn run(shared: Arc<Shared>, ends: Ends, address: SocketAddr) {
    let Ends { link, mut commands, queued, gone } = ends;
    let live = async {
        let Ok((stream, kind)) = connect(&shared, address).await else { return LinkEnd::Failed };
        let opened = LinkEvent::Opened { link, kind, from: Some(address.ip()) };
        let _ = shared.events.send(opened).await;
        let Ok(greeted) = greet::dialled(&shared, (stream, address), &mut commands, &queued).await
        else {
            return LinkEnd::Closed;
        };
        pump::run(greeted, link, &shared.events, (commands, &queued)).await;
        LinkEnd::Closed
    };
    let end = tokio::select! {
        end = live => end,
        _ = gone => LinkEnd::Closed,
    };
    let _ = shared.events.send(LinkEvent::Closed { link, end }).await;
}

/// Connects, by whichever way is there first.
pub(super) async fn connect(shared: &Shared, address: SocketAddr) -> io::Result<(Boxed, Kind)> {
    if shared.filter.refuses(address.ip()) {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    let tcp = async {
        let connecting = timeout(CONNECT_TIME_MAX, tcp(&shared.config, address)).await;
        connecting.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    };
    let utp = async {
        let connecting = timeout(CONNECT_TIME_MAX, utp(shared, address)).await;
        connecting.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    };
    match (shared.config.tcp, shared.config.utp) {
        (true, false) => tcp.await,
        (false, true) => utp.await,
        (false, false) => Err(io::ErrorKind::Unsupported.into()),
        (true, true) => {
            tokio::pin!(tcp);
            tokio::select! {
                connected = &mut tcp => match connected {
                    Ok(stream) => return Ok(stream),
                    Err(_) => return utp.await,
                },
                () = sleep(TCP_ALONE) => {}
            }
            tokio::pin!(utp);
            tokio::select! {
                Ok(stream) = &mut tcp => Ok(stream),
                Ok(stream) = &mut utp => Ok(stream),
                else => Err(io::ErrorKind::TimedOut.into()),
            }
        }
    }
}

async fn tcp(config: &StreamConfig, address: SocketAddr) -> io::Result<(Boxed, Kind)> {
    let ip = address.ip().to_string();
    let stream = match config.proxy.as_ref().filter(|proxy| proxy.carries(&ip)) {
        Some(proxy) => proxy.connect(&ip, address.port()).await?,
        None => direct(&config.interfaces, address).await?,
    };
    tune(&stream);
    Ok((Box::new(stream), Kind::Tcp))
}

async fn direct(interfaces: &[IpAddr], address: SocketAddr) -> io::Result<TcpStream> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    let own = interfaces.iter().find(|ip| ip.is_ipv4() == address.is_ipv4());
    match own {
        Some(ip) if !ip.is_unspecified() => socket.bind(SocketAddr::new(*ip, 0))?,
        Some(_) => {}
        None => return Err(io::ErrorKind::AddrNotAvailable.into()),
    }
    socket.connect(address).await
}

async fn utp(shared: &Shared, address: SocketAddr) -> io::Result<(Boxed, Kind)> {
    let socket = shared.bound.utp_towards(address).ok_or(io::ErrorKind::AddrNotAvailable)?;
    // The library sends its first packet once, and that may be lost.
    for _ in 1..UTP_TRIES {
        if let Ok(connected) = timeout(UTP_TRY_TIME, socket.connect(address)).await {
            return Ok((Box::new(connected.map_err(io::Error::other)?), Kind::Utp));
        }
    }
    let stream = socket.connect(address).await.map_err(io::Error::other)?;
    Ok((Box::new(stream), Kind::Utp))
}

/// Sets what suits a stream of requests and blocks. What the system refuses only costs.
pub(super) fn tune(stream: &TcpStream) {
    let _ = stream.set_nodelay(true);
    let _ = socket2::SockRef::from(stream).set_tcp_notsent_lowat(UNSENT_MAX);
}
