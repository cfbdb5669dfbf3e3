//! Peers on the local network (BEP 14): tells it by multicast which torrents are here, and hears
//! the same of others. Only who is on a local network itself is heard, a little at a time.

mod pace;

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::sync::Arc;
use std::time::Duration;

use headwater_base::{InfoHash, TorrentId};
use headwater_engine::{Finder, Input};
use headwater_wire::lsd::{Announce, HASHES_MAX, MESSAGE_BYTES_MAX};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use pace::Pace;

/// The groups of BEP 14.
const GROUP_V4: Ipv4Addr = Ipv4Addr::new(239, 192, 152, 143);
const GROUP_V6: Ipv6Addr = Ipv6Addr::new(0xff15, 0, 0, 0, 0, 0, 0xefc0, 0x988f);

/// The port of both.
const PORT: u16 = 6771;

/// Least time between two announces of one torrent (BEP 14).
const AGAIN: Duration = Duration::from_secs(60);

/// What is announced waits so long for more that fits the same datagram.
const GATHER: Duration = Duration::from_millis(200);

/// Pause after the system refused to receive.
const REFUSED_PAUSE: Duration = Duration::from_secs(1);

/// Torrents that are listened for; beyond that the one sought longest ago is forgotten.
const TORRENTS_MAX: usize = 1024;

/// How it is done.
#[derive(Clone, Debug, Default)]
pub struct LsdConfig {
    /// Addresses of this machine to meet others by; all when empty. By a loopback address nothing
    /// leaves this machine.
    pub interfaces: Vec<IpAddr>,
    /// The group's port: 6771 unless a test wants to be alone.
    pub port: Option<u16>,
}

/// Joined groups, before anything is said.
#[derive(Debug)]
pub struct Bound {
    doors: Vec<Door>,
}

/// A socket in the group of its family.
#[derive(Debug)]
struct Door {
    socket: UdpSocket,
    group: SocketAddr,
}

impl Bound {
    /// Joins the groups, by each interface where that is possible. Must be called inside a Tokio
    /// runtime.
    pub fn join(config: &LsdConfig) -> io::Result<Self> {
        let port = config.port.unwrap_or(PORT);
        let all = [Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()];
        let named = if config.interfaces.is_empty() { &all[..] } else { &config.interfaces[..] };
        let (mut doors, mut trouble) = (Vec::new(), None);
        for ip in named {
            match door(*ip, port) {
                Ok(door) => doors.push(door),
                // A machine without IPv6 is fine, and so is one without IPv4.
                Err(e) => trouble = Some(e),
            }
        }
        match trouble {
            Some(trouble) if doors.is_empty() => Err(trouble),
            Some(_) | None => Ok(Self { doors }),
        }
    }
}

fn door(ip: IpAddr, port: u16) -> io::Result<Door> {
    let socket = Socket::new(Domain::for_address(SocketAddr::new(ip, 0)), Type::DGRAM, {
        Some(Protocol::UDP)
    })?;
    // Every client of this machine listens there.
    socket.set_reuse_address(true)?;
    #[cfg(unix)]
    socket.set_reuse_port(true)?;
    let group: SocketAddr = match ip {
        IpAddr::V4(ip) => {
            socket.bind(&SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)).into())?;
            // Groups that other programs joined by other interfaces are not ours.
            #[cfg(target_os = "linux")]
            socket.set_multicast_all_v4(false)?;
            socket.join_multicast_v4(&GROUP_V4, &ip)?;
            if !ip.is_unspecified() {
                socket.set_multicast_if_v4(&ip)?;
            }
            socket.set_multicast_loop_v4(true)?;
            (GROUP_V4, port).into()
        }
        IpAddr::V6(ip) => {
            // The group is joined by the interface that the system chooses; by another than the
            // user's nothing may leave.
            if !ip.is_unspecified() {
                return Err(io::ErrorKind::Unsupported.into());
            }
            socket.set_only_v6(true)?;
            #[cfg(target_os = "linux")]
            socket.set_multicast_all_v6(false)?;
            socket.bind(&SocketAddr::from((Ipv6Addr::UNSPECIFIED, port)).into())?;
            socket.join_multicast_v6(&GROUP_V6, 0)?;
            SocketAddrV6::new(GROUP_V6, port, 0, 0).into()
        }
    };
    socket.set_nonblocking(true)?;
    Ok(Door { socket: UdpSocket::from_std(socket.into())?, group })
}

/// A torrent to announce and to listen for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Order {
    pub(crate) torrent: TorrentId,
    pub(crate) info_hash: InfoHash,
}

/// Running discovery. It ends when dropped.
#[derive(Debug)]
pub(crate) struct Lsd {
    orders: mpsc::Sender<Order>,
    _tasks: JoinSet<()>,
}

impl Lsd {
    /// Tells others of the TCP port `listens`, and `found` of others. Must be called inside a Tokio
    /// runtime.
    pub(crate) fn start(bound: Bound, listens: u16, found: mpsc::Sender<Input>) -> Self {
        let (orders, to_do) = mpsc::channel(TORRENTS_MAX);
        let (hear, heard) = mpsc::channel(1);
        let mut tasks = JoinSet::new();
        let doors: Vec<_> = bound.doors.into_iter().map(Arc::new).collect();
        for door in &doors {
            tasks.spawn(listen(Arc::clone(door), hear.clone()));
        }
        let run = Run {
            doors,
            listens,
            cookie: cookie(),
            found,
            torrents: BTreeMap::new(),
            waiting: VecDeque::new(),
            pace: Pace::default(),
        };
        tasks.spawn(run.run(to_do, heard));
        Self { orders, _tasks: tasks }
    }

    /// Announces a torrent. What there is no room for is ordered again by the engine.
    pub(crate) fn seek(&self, order: Order) {
        let _ = self.orders.try_send(order);
    }
}

/// By which our own datagrams are known. Without randomness they are taken for another's, which
/// names an address that is ours and so is not dialled.
fn cookie() -> String {
    let mut bytes = [0; 8];
    let _ = getrandom::fill(&mut bytes);
    headwater_base::hex(&bytes)
}

/// Hears what others say at one door.
async fn listen(door: Arc<Door>, hear: mpsc::Sender<(Announce, SocketAddr)>) {
    let mut datagram = [0; MESSAGE_BYTES_MAX + 1];
    loop {
        let Ok((len, from)) = door.socket.recv_from(&mut datagram).await else {
            sleep(REFUSED_PAUSE).await;
            continue;
        };
        if let Ok(said) = Announce::decode(&datagram[..len])
            && is_local(from.ip())
            && hear.send((said, from)).await.is_err()
        {
            return;
        }
    }
}

/// Whether an address is one of a local network: nobody else speaks to a group that ends there.
fn is_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_private() || ip.is_link_local() || ip.is_loopback(),
        IpAddr::V6(ip) => ip.is_unique_local() || ip.is_unicast_link_local() || ip.is_loopback(),
    }
}

#[derive(Debug)]
struct Known {
    torrent: TorrentId,
    announced: Option<Instant>,
    sought: Instant,
}

struct Run {
    doors: Vec<Arc<Door>>,
    listens: u16,
    cookie: String,
    found: mpsc::Sender<Input>,
    torrents: BTreeMap<InfoHash, Known>,
    /// What is to be announced.
    waiting: VecDeque<InfoHash>,
    pace: Pace,
}

impl Run {
    async fn run(
        mut self,
        mut orders: mpsc::Receiver<Order>,
        mut heard: mpsc::Receiver<(Announce, SocketAddr)>,
    ) {
        let mut send_at = Instant::now();
        loop {
            tokio::select! {
                order = orders.recv() => match order {
                    Some(order) => {
                        if self.take(order) && self.waiting.len() == 1 {
                            send_at = Instant::now() + GATHER;
                        }
                    }
                    None => return,
                },
                Some((said, from)) = heard.recv() => self.hear(&said, from).await,
                () = sleep_until(send_at), if !self.waiting.is_empty() => {
                    self.announce().await;
                    send_at = Instant::now() + GATHER;
                }
            }
        }
    }

    /// Takes a torrent to listen for. Answers whether it is announced now.
    fn take(&mut self, order: Order) -> bool {
        let (now, hash) = (Instant::now(), order.info_hash);
        if !self.torrents.contains_key(&hash) && self.torrents.len() >= TORRENTS_MAX {
            let oldest = self.torrents.iter().min_by_key(|(_, known)| known.sought);
            let oldest = oldest.map(|(hash, _)| *hash);
            oldest.map(|hash| self.torrents.remove(&hash));
        }
        let fresh = Known { torrent: order.torrent, announced: None, sought: now };
        let known = self.torrents.entry(hash).or_insert(fresh);
        (known.torrent, known.sought) = (order.torrent, now);
        let due = known.announced.is_none_or(|at| at + AGAIN <= now);
        if due {
            known.announced = Some(now);
            self.waiting.push_back(hash);
        }
        due
    }

    /// Announces what waits, as much as one datagram takes.
    async fn announce(&mut self) {
        let count = self.waiting.len().min(HASHES_MAX);
        let info_hashes = self.waiting.drain(..count).collect();
        let cookie = Some(self.cookie.clone());
        let said = Announce { port: self.listens, info_hashes, cookie };
        for door in &self.doors {
            // A network that is gone for now is told the next time.
            let _ = door.socket.send_to(&said.encode(&door.group.to_string()), door.group).await;
        }
    }

    async fn hear(&mut self, said: &Announce, mut from: SocketAddr) {
        if said.cookie.as_ref() == Some(&self.cookie) || !self.pace.may_speak(from.ip()) {
            return;
        }
        // A link-local address keeps its zone that way.
        from.set_port(said.port);
        for torrent in said.info_hashes.iter().filter_map(|hash| self.torrents.get(hash)) {
            let (torrent, finder) = (torrent.torrent, Finder::Stranger(Some(from.ip())));
            let addresses = vec![from];
            let _ = self.found.send(Input::PeersFound { torrent, finder, addresses }).await;
        }
    }
}

#[cfg(test)]
mod tests;
