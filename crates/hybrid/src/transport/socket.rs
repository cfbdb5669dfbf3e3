//! Sockets and the WebRTC stack's runtime hook: large kernel buffers, names resolved elsewhere.
//! A burst that overflows the receiver's buffer costs a second: SCTP's shortest retransmission
//! time-out there is fixed.

use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use network_interface::{NetworkInterface, NetworkInterfaceConfig as _};
use webrtc::runtime::{
    AsyncInterval, AsyncTcpListener, AsyncTcpStream, AsyncUdpSocket, JoinHandle, Runtime,
    TokioRuntime,
};

/// Largest message this shell sends, whatever the peer takes.
pub(super) const MESSAGE_BYTES_MAX: usize = 64 * 1024;

/// What is asked of the kernel for each direction of a socket.
const SOCKET_BYTES: usize = 4 << 20;

/// Granted bytes from which the stack's own receive window of 1 MiB fits.
const GRANT_BYTES_ENOUGH: usize = 2 << 20;

/// Receive window where the kernel grants little.
const NARROW_WINDOW: u32 = 256 * 1024;

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Tokio, with large buffers on every UDP socket.
#[derive(Debug)]
pub(super) struct WideSockets;

impl Runtime for WideSockets {
    fn spawn(&self, future: Boxed<'static, ()>) -> Box<dyn JoinHandle> {
        TokioRuntime.spawn(future)
    }

    fn wrap_udp_socket(&self, socket: UdpSocket) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        widen(&socket);
        TokioRuntime.wrap_udp_socket(socket)
    }

    fn wrap_tcp_listener(
        &self,
        listener: std::net::TcpListener,
    ) -> io::Result<Arc<dyn AsyncTcpListener>> {
        TokioRuntime.wrap_tcp_listener(listener)
    }

    fn connect_tcp<'a>(
        &'a self,
        remote: SocketAddr,
    ) -> Boxed<'a, io::Result<Arc<dyn AsyncTcpStream>>> {
        TokioRuntime.connect_tcp(remote)
    }

    fn resolve_host<'a>(&'a self, host: &'a str) -> Boxed<'a, io::Result<Vec<SocketAddr>>> {
        TokioRuntime.resolve_host(host)
    }

    fn sleep(&self, span: Duration) -> Boxed<'static, ()> {
        TokioRuntime.sleep(span)
    }

    fn interval(&self, period: Duration) -> Box<dyn AsyncInterval> {
        TokioRuntime.interval(period)
    }

    fn block_on(&self, future: Pin<Box<dyn Future<Output = ()> + '_>>) {
        TokioRuntime.block_on(future);
    }

    fn yield_now(&self) -> Boxed<'static, ()> {
        TokioRuntime.yield_now()
    }

    fn name(&self) -> &'static str {
        "tokio, wide sockets"
    }
}

/// Asks for large buffers and says how many bytes the kernel granted for receiving.
fn widen(socket: &UdpSocket) -> usize {
    let socket = socket2::SockRef::from(socket);
    // Asking is all that can be done: the kernel cuts it to what the machine allows.
    let _ = socket.set_recv_buffer_size(SOCKET_BYTES);
    let _ = socket.set_send_buffer_size(SOCKET_BYTES);
    socket.recv_buffer_size().unwrap_or(0)
}

/// The SCTP receive window that fits the buffers this machine grants; `None` for the default.
pub(super) fn receive_window() -> Option<u32> {
    let granted = UdpSocket::bind("127.0.0.1:0").map_or(0, |socket| widen(&socket));
    (granted < GRANT_BYTES_ENOUGH).then_some(NARROW_WINDOW)
}

/// Where to bind: at the addresses the user named, or else at loopback and, of each family that has
/// an address others can reach, everywhere.
pub(super) fn addresses(named: &[IpAddr]) -> Vec<SocketAddr> {
    let at = |ip: &IpAddr| SocketAddr::new(*ip, 0);
    if !named.is_empty() {
        return named.iter().map(at).collect();
    }
    let interfaces = NetworkInterface::show().unwrap_or_default();
    let all = interfaces.iter().flat_map(|interface| &interface.addr).map(|addr| addr.ip());
    let reached: Vec<IpAddr> = all.filter(can_be_reached).collect();
    let mut out = vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 0))];
    if reached.iter().any(IpAddr::is_ipv4) {
        out.push(SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)));
    }
    if reached.iter().any(IpAddr::is_ipv6) {
        out.push(SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)));
    }
    out
}

/// Whether others may reach this machine there: what is link-local means nothing without a zone,
/// which a candidate cannot say.
fn can_be_reached(ip: &IpAddr) -> bool {
    let link_local = match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    };
    !ip.is_loopback() && !ip.is_unspecified() && !link_local
}

/// Whether this machine lets a socket join the mDNS group, which resolving `.local` names takes.
pub(super) fn has_multicast() -> bool {
    rtc::mdns::MulticastSocket::new().into_std().is_ok()
}
