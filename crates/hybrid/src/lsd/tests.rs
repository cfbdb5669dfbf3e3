//! Two of them on loopback, in a group of the test's own.

use tokio::time::timeout;

use super::*;

const HOME: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const HASH: InfoHash = InfoHash([7; 20]);
const WAIT: Duration = Duration::from_secs(10);

/// A group that only those of one test are in.
fn group() -> LsdConfig {
    let free = std::net::UdpSocket::bind("127.0.0.1:0").expect("a port");
    let port = free.local_addr().expect("an address").port();
    LsdConfig { interfaces: vec![HOME], port: Some(port) }
}

struct Side {
    lsd: Lsd,
    found: mpsc::Receiver<Input>,
}

impl Side {
    fn new(config: &LsdConfig, listens: u16) -> Self {
        let (tell, found) = mpsc::channel(64);
        let bound = Bound::join(config).expect("a group");
        Self { lsd: Lsd::start(bound, listens, tell), found }
    }

    fn seek(&self, torrent: u32, info_hash: InfoHash) {
        self.lsd.seek(Order { torrent: TorrentId(torrent), info_hash });
    }

    /// The next peer that is found, and of which torrent.
    async fn next(&mut self) -> (TorrentId, SocketAddr) {
        let input = timeout(WAIT, self.found.recv()).await.expect("within 10 s");
        let Some(Input::PeersFound { torrent, finder, addresses }) = input else {
            panic!("{input:?}");
        };
        assert_eq!(finder, Finder::Stranger(Some(HOME)));
        (torrent, addresses[0])
    }
}

#[tokio::test]
async fn two_clients_of_one_network_find_each_other_and_not_themselves() {
    let config = group();
    let (mut a, mut b) = (Side::new(&config, 1001), Side::new(&config, 1002));
    // Who listens already hears the other; who announced before does at its next announce.
    b.seek(5, InfoHash([9; 20]));
    b.seek(4, HASH);
    a.seek(3, HASH);
    let at = |port| SocketAddr::new(HOME, port);
    assert_eq!(b.next().await, (TorrentId(4), at(1001)));
    assert_eq!(a.next().await, (TorrentId(3), at(1002)));
    assert!(a.found.try_recv().is_err(), "neither itself nor a torrent it does not have");
}

#[tokio::test]
async fn nonsense_is_passed_over_and_a_flood_is_cut() {
    let config = group();
    let bound = Bound::join(&config).expect("a group");
    let Door { socket, group } = &bound.doors[0];
    let mut side = Side::new(&config, 1001);
    side.seek(3, HASH);
    // What it says shows that it listens for that torrent.
    let heard = timeout(WAIT, socket.recv_from(&mut [0; 1500])).await;
    heard.expect("within 10 s").expect("a datagram");
    let said = |port, hash| Announce { port, info_hashes: vec![hash], cookie: None }.encode("x:1");
    let mut datagrams = vec![b"GET / HTTP/1.1\r\n\r\n".to_vec(), vec![0xff; 1400], Vec::new()];
    datagrams.extend((0..200).map(|n| said(2000 + n, HASH)));
    for datagram in datagrams {
        socket.send_to(&datagram, group).await.expect("it is sent");
    }
    let (torrent, first) = side.next().await;
    assert_eq!((torrent, first.ip()), (TorrentId(3), HOME));
    let mut heard = 1;
    while let Ok(Some(_)) = timeout(Duration::from_millis(300), side.found.recv()).await {
        heard += 1;
    }
    assert!(heard <= 64, "{heard} were heard");
}

#[tokio::test]
async fn a_torrent_is_announced_once_a_minute_at_most() {
    let config = group();
    let (side, mut other) = (Side::new(&config, 1001), Side::new(&config, 1002));
    other.seek(3, HASH);
    for _ in 0..5 {
        side.seek(3, HASH);
    }
    side.seek(4, InfoHash([8; 20]));
    other.next().await;
    let more = timeout(Duration::from_millis(500), other.found.recv()).await;
    assert!(more.is_err(), "{more:?}");
}

#[test]
fn only_addresses_of_local_networks_are_local() {
    let local = |ip: &str| is_local(ip.parse().expect("an address"));
    for ip in ["10.1.2.3", "192.168.0.1", "169.254.1.1", "127.0.0.1", "fe80::1", "fd00::1", "::1"] {
        assert!(local(ip), "{ip}");
    }
    for ip in ["1.2.3.4", "100.64.0.1", "2001:4860::1", "239.192.152.143", "0.0.0.0"] {
        assert!(!local(ip), "{ip}");
    }
}
