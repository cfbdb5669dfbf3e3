//! Two native transports on one machine: nothing is lost at opening, nothing stalls under load.

use std::time::{Duration, Instant};

use bytes::Bytes;
use headwater_base::LinkId;
use headwater_engine::LinkEnd;
use headwater_hybrid::filter::IpFilter;
use headwater_hybrid::transport::{LinkEvent, RtcConfig, RtcTransport, Transport};
use tokio::sync::mpsc;

const LINK: LinkId = LinkId(1);

struct Side {
    transport: RtcTransport,
    events: mpsc::Receiver<LinkEvent>,
}

impl Side {
    fn new() -> Self {
        Self::with(&RtcConfig::default())
    }

    fn with(config: &RtcConfig) -> Self {
        let (tell, events) = mpsc::channel(64);
        Self { transport: RtcTransport::new(config, IpFilter::default(), tell), events }
    }

    async fn next(&mut self) -> LinkEvent {
        tokio::time::timeout(Duration::from_secs(20), self.events.recv())
            .await
            .expect("news within 20 s")
            .expect("the transport lives")
    }
}

/// Signals both sides up to the point where each will open.
async fn signal() -> (Side, Side) {
    let (mut a, mut b) = (Side::new(), Side::new());
    a.transport.make_offer(LINK);
    let LinkEvent::OfferMade { sdp, .. } = a.next().await else { panic!("no offer") };
    b.transport.make_answer(LINK, sdp);
    let LinkEvent::AnswerMade { sdp, .. } = b.next().await else { panic!("no answer") };
    a.transport.take_answer(LINK, sdp);
    (a, b)
}

async fn open() -> (Side, Side) {
    let (mut a, mut b) = signal().await;
    for side in [&mut a, &mut b] {
        let LinkEvent::Opened { link: LINK, from: Some(from), .. } = side.next().await else {
            panic!("not opened, or to nobody knows where");
        };
        assert!(!from.is_unspecified());
    }
    (a, b)
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_sent_right_at_opening_arrive() {
    for _ in 0..5 {
        let (mut a, mut b) = signal().await;
        for side in [&mut a, &mut b] {
            assert!(matches!(side.next().await, LinkEvent::Opened { link: LINK, .. }));
            side.transport.send(LINK, Bytes::from_static(b"first"));
            side.transport.send(LINK, Bytes::from_static(b" and second"));
        }
        for side in [&mut a, &mut b] {
            let mut got = Vec::new();
            while got.len() < 16 {
                let LinkEvent::Bytes { bytes, .. } = side.next().await else { panic!("closed") };
                got.extend_from_slice(&bytes);
            }
            assert_eq!(got, b"first and second");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::disallowed_methods, reason = "measures the wall clock")]
#[expect(clippy::print_stdout, reason = "prints what it measured")]
async fn sixty_four_mebibytes_cross_without_a_stall() {
    const TOTAL: usize = 64 << 20;
    let (mut a, mut b) = open().await;
    let block: Bytes = (0..16_397_u32).map(|i| (i % 251) as u8).collect();
    let receiver = tokio::spawn(async move {
        let (mut got, mut longest, mut last) = (0, Duration::ZERO, Instant::now());
        while got < TOTAL {
            let LinkEvent::Bytes { bytes, .. } = b.next().await else { panic!("closed") };
            for (i, byte) in bytes.iter().enumerate().step_by(997) {
                assert_eq!(*byte, ((got + i) % 16_397 % 251) as u8, "at {}", got + i);
            }
            got += bytes.len();
            longest = longest.max(last.elapsed());
            last = Instant::now();
        }
        (longest, b)
    });
    let start = Instant::now();
    let (mut sent, mut window) = (0, a.transport.window(LINK));
    while sent < TOTAL {
        if window < block.len() {
            assert_eq!(a.next().await, LinkEvent::Drained(LINK));
            window = a.transport.window(LINK);
            continue;
        }
        a.transport.send(LINK, block.clone());
        window -= block.len();
        sent += block.len();
    }
    let (longest, _b) = receiver.await.expect("the receiver got everything");
    let speed = (TOTAL >> 20) as f64 / start.elapsed().as_secs_f64();
    println!("64 MiB at {speed:.1} MiB/s, longest gap {longest:?}");
    assert!(longest < Duration::from_secs(2), "stalled for {longest:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_is_heard_by_the_other_side() {
    let (mut a, mut b) = open().await;
    a.transport.close(LINK);
    assert_eq!(b.next().await, LinkEvent::Closed { link: LINK, end: LinkEnd::Closed });
    assert_eq!(a.transport.window(LINK), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn descriptions_nobody_can_use_fail_the_link() {
    let mut side = Side::new();
    let hostile = ["", "v=0", "m=application 9 x\r\n", "v=0\r\nm=application 99999999 a\r\na=\r\n"];
    for (i, offer) in hostile.into_iter().enumerate() {
        let link = LinkId(i as u64);
        side.transport.make_answer(link, offer.to_owned());
        assert_eq!(side.next().await, LinkEvent::Closed { link, end: LinkEnd::Failed });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn links_beyond_the_limit_are_refused() {
    let mut side = Side::with(&RtcConfig { links_max: 0, ..RtcConfig::default() });
    side.transport.make_offer(LINK);
    let refused = LinkEvent::Closed { link: LINK, end: LinkEnd::Unsupported };
    assert_eq!(side.next().await, refused);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stun_server_that_is_dead_or_unknown_does_not_hold_an_offer_up() {
    for stun in ["stun:127.0.0.1:9", "stun:nowhere.invalid"] {
        let config = RtcConfig { stun: Some(stun.to_owned()), ..RtcConfig::default() };
        let mut side = Side::with(&config);
        side.transport.make_offer(LINK);
        let offer = tokio::time::timeout(Duration::from_secs(4), side.next()).await;
        let Ok(LinkEvent::OfferMade { sdp, .. }) = offer else { panic!("{stun}: {offer:?}") };
        assert!(sdp.contains(" typ host") && !sdp.contains("trickle"), "{sdp}");
    }
}
