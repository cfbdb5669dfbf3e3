//! Two native transports over TCP and uTP on loopback: dialled, accepted, hidden, carried.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use bytes::Bytes;
use headwater_base::{InfoHash, LinkId};
use headwater_engine::{ACCEPTED_FROM, LinkEnd};
use headwater_hybrid::filter::IpFilter;
use headwater_hybrid::transport::{
    Bound, Encryption, Kind, LinkEvent, StreamConfig, StreamTransport,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

const HOME: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const HASH: InfoHash = InfoHash([7; 20]);
const DIALLED: LinkId = LinkId(1);
const ACCEPTED: LinkId = LinkId(ACCEPTED_FROM);

struct Side {
    transport: StreamTransport,
    events: mpsc::Receiver<LinkEvent>,
    address: SocketAddr,
}

impl Side {
    async fn new(tcp: bool, utp: bool, encryption: Encryption) -> Self {
        Self::filtered(tcp, utp, encryption, IpFilter::default()).await
    }

    async fn filtered(tcp: bool, utp: bool, encryption: Encryption, filter: IpFilter) -> Self {
        let interfaces = vec![HOME];
        let config = StreamConfig { interfaces, tcp, utp, encryption, ..StreamConfig::default() };
        let bound = Bound::bind(&config).await.expect("a free port");
        let address = SocketAddr::new(HOME, bound.port().expect("a port"));
        let (tell, events) = mpsc::channel(64);
        let transport = StreamTransport::new(config, bound, filter, tell);
        transport.set_names([HASH].into_iter());
        Self { transport, events, address }
    }

    async fn next(&mut self) -> LinkEvent {
        tokio::time::timeout(Duration::from_secs(20), self.events.recv())
            .await
            .expect("news within 20 s")
            .expect("the transport lives")
    }

    /// Waits for so many bytes.
    async fn hear(&mut self, count: usize) -> Vec<u8> {
        let mut heard = Vec::new();
        while heard.len() < count {
            let event = self.next().await;
            let LinkEvent::Bytes { bytes, .. } = event else { panic!("{event:?}") };
            heard.extend_from_slice(&bytes);
        }
        heard
    }
}

/// A handshake of the torrent that both sides have.
fn handshake(hash: InfoHash) -> Bytes {
    let start: &[u8] = b"\x13BitTorrent protocol\0\0\0\0\0\0\0\0";
    [start, &hash.0, &[b'p'; 20]].concat().into()
}

/// Dials, and has both sides say a handshake and a word.
async fn check(dials: (bool, bool, Encryption), accepts: (bool, bool, Encryption)) {
    let mut a = Side::new(dials.0, dials.1, dials.2).await;
    let mut b = Side::new(accepts.0, accepts.1, accepts.2).await;
    a.transport.dial(DIALLED, b.address);
    let LinkEvent::Opened { link: DIALLED, kind, from: Some(HOME) } = a.next().await else {
        panic!("not opened: {dials:?} {accepts:?}");
    };
    assert_eq!(kind, if dials.0 && accepts.0 { Kind::Tcp } else { Kind::Utp });
    let hello = handshake(HASH);
    a.transport.send(DIALLED, &hello);
    let LinkEvent::Accepted { link: ACCEPTED, from, .. } = b.next().await else {
        panic!("not accepted: {dials:?} {accepts:?}");
    };
    assert_eq!(from.ip(), HOME);
    assert_eq!(b.hear(hello.len()).await, hello);
    b.transport.send(ACCEPTED, &hello);
    assert_eq!(a.hear(hello.len()).await, hello);
    a.transport.send(DIALLED, &Bytes::from_static(b"word"));
    assert_eq!(b.hear(4).await, b"word");
    b.transport.close(ACCEPTED);
    assert_eq!(a.next().await, LinkEvent::Closed { link: DIALLED, end: LinkEnd::Closed });
}

#[tokio::test(flavor = "multi_thread")]
async fn either_kind_of_stream_opens_plain_and_hidden() {
    for (tcp, utp) in [(true, false), (false, true)] {
        for theirs in [Encryption::Off, Encryption::On, Encryption::Required] {
            check((tcp, utp, Encryption::On), (tcp, utp, theirs)).await;
        }
        check((tcp, utp, Encryption::Off), (tcp, utp, Encryption::On)).await;
        check((tcp, utp, Encryption::Required), (tcp, utp, Encryption::On)).await;
        check((tcp, utp, Encryption::Required), (tcp, utp, Encryption::Required)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_address_is_neither_dialled_nor_taken_in() {
    let name = format!("headwater-streams-{}", std::process::id());
    let file = std::env::temp_dir().join(name);
    std::fs::write(&file, "127.0.0.0/8").expect("a write");
    let filter = IpFilter::read(std::slice::from_ref(&file)).expect("a list");
    let _ = std::fs::remove_file(&file);
    let mut wary = Side::filtered(true, true, Encryption::On, filter.clone()).await;
    let mut open = Side::new(true, true, Encryption::On).await;
    wary.transport.dial(DIALLED, open.address);
    assert_eq!(wary.next().await, LinkEvent::Closed { link: DIALLED, end: LinkEnd::Failed });
    open.transport.dial(DIALLED, wary.address);
    let LinkEvent::Opened { link: DIALLED, .. } = open.next().await else { panic!("TCP connects") };
    open.transport.send(DIALLED, &handshake(HASH));
    let LinkEvent::Closed { link: DIALLED, .. } = open.next().await else {
        panic!("is hung up on")
    };
    assert!(wary.events.try_recv().is_err() && open.events.try_recv().is_err(), "nothing more");
    assert!(filter.refused() >= 2, "each time is counted");
}

#[tokio::test(flavor = "multi_thread")]
async fn utp_is_dialled_where_tcp_is_refused() {
    let both = (true, true, Encryption::On);
    check(both, (false, true, Encryption::On)).await;
    check(both, both).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn those_who_insist_on_opposites_do_not_meet() {
    for (ours, theirs) in
        [(Encryption::Off, Encryption::Required), (Encryption::Required, Encryption::Off)]
    {
        let mut a = Side::new(true, false, ours).await;
        let mut b = Side::new(true, false, theirs).await;
        a.transport.dial(DIALLED, b.address);
        assert!(matches!(a.next().await, LinkEvent::Opened { .. }));
        a.transport.send(DIALLED, &handshake(HASH));
        assert!(matches!(a.next().await, LinkEvent::Closed { .. }));
        assert!(b.events.try_recv().is_err(), "nothing was accepted");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exchange_for_a_torrent_that_is_not_here_is_not_answered() {
    let mut a = Side::new(true, false, Encryption::Required).await;
    let b = Side::new(true, false, Encryption::On).await;
    a.transport.dial(DIALLED, b.address);
    assert!(matches!(a.next().await, LinkEvent::Opened { .. }));
    a.transport.send(DIALLED, &handshake(InfoHash([8; 20])));
    assert!(matches!(a.next().await, LinkEvent::Closed { .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_there_is_told_as_such() {
    let mut a = Side::new(true, false, Encryption::On).await;
    let gone = Side::new(true, false, Encryption::On).await.address;
    a.transport.dial(DIALLED, gone);
    assert_eq!(a.next().await, LinkEvent::Closed { link: DIALLED, end: LinkEnd::Failed });
    a.transport.close(DIALLED);
    assert_eq!(a.transport.link_count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_that_say_nothing_are_few_and_take_no_link() {
    let mut b = Side::new(true, false, Encryption::On).await;
    let mut silent = Vec::new();
    for _ in 0..100 {
        silent.push(TcpStream::connect(b.address).await.expect("a connection"));
    }
    let mut late = TcpStream::connect(b.address).await.expect("a connection");
    let mut end = [0];
    // Closed at once, whether the system says so by an end or by a reset.
    assert_eq!(late.read(&mut end).await.unwrap_or(0), 0);
    assert_eq!(b.transport.link_count(), 0);
    silent[0].write_all(&handshake(HASH)).await.expect("a write");
    assert!(matches!(b.next().await, LinkEvent::Accepted { .. }));
    assert_eq!(b.transport.link_count(), 1);
}

/// A first packet of uTP (BEP 29) with a forged sender makes us send to whom it names.
#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::print_stdout, reason = "prints what it measured")]
async fn a_forged_first_packet_of_utp_is_answered_with_few_bytes() {
    const SYN: [u8; 20] = [0x41, 0, 0, 7, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 1, 0, 0];
    let side = Side::new(false, true, Encryption::On).await;
    let victim = tokio::net::UdpSocket::bind("127.0.0.1:0").await.expect("a socket");
    victim.send_to(&SYN, side.address).await.expect("it is sent");
    let (mut answered, mut packets, mut buffer) = (0, 0, [0; 2048]);
    let until_given_up = Duration::from_secs(15);
    let all = async {
        loop {
            answered += victim.recv(&mut buffer).await.expect("bytes");
            packets += 1;
        }
    };
    let endless: Result<(), _> = tokio::time::timeout(until_given_up, all).await;
    assert!(endless.is_err() && packets > 0);
    println!("{} bytes bring {answered} in {packets} packets", SYN.len());
    assert!(answered <= SYN.len() * 10, "{answered} bytes for {}", SYN.len());
}

/// Sends 64 MiB as fast as the window allows; answers MiB a second.
#[expect(clippy::disallowed_methods, reason = "measures the wall clock")]
async fn pump(tcp: bool, encryption: Encryption) -> f64 {
    const TOTAL: usize = 64 << 20;
    let mut a = Side::new(tcp, !tcp, encryption).await;
    let mut b = Side::new(tcp, !tcp, encryption).await;
    a.transport.dial(DIALLED, b.address);
    assert!(matches!(a.next().await, LinkEvent::Opened { .. }));
    a.transport.send(DIALLED, &handshake(HASH));
    assert!(matches!(b.next().await, LinkEvent::Accepted { .. }));
    b.hear(68).await;
    b.transport.send(ACCEPTED, &handshake(HASH));
    a.hear(68).await;
    let block = Bytes::from(vec![5; 16 * 1024]);
    let started = Instant::now();
    let sending = async {
        let mut left = TOTAL / block.len();
        while left > 0 {
            while left > 0 && a.transport.window(DIALLED).is_some_and(|room| room >= block.len()) {
                a.transport.send(DIALLED, &block);
                left -= 1;
            }
            if left > 0 {
                assert!(matches!(a.next().await, LinkEvent::Drained(_)));
            }
        }
    };
    let hearing = async {
        let mut heard = 0;
        while heard < TOTAL {
            let LinkEvent::Bytes { bytes, .. } = b.next().await else { panic!("no bytes") };
            assert!(bytes.iter().all(|byte| *byte == 5));
            heard += bytes.len();
        }
    };
    tokio::join!(sending, hearing);
    TOTAL as f64 / f64::from(1 << 20) / started.elapsed().as_secs_f64()
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::print_stdout, reason = "prints what it measured")]
async fn much_arrives_whole_and_in_order() {
    for (name, tcp, encryption) in [
        ("TCP", true, Encryption::Off),
        ("TCP, RC4", true, Encryption::Required),
        ("uTP", false, Encryption::Off),
    ] {
        println!("{name}: {:.0} MiB/s", pump(tcp, encryption).await);
    }
}
