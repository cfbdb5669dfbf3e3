//! A router of our own on loopback, at an address for each test: what is asked of it, what is made
//! of its answers, and what it gets back.

mod datagrams;
mod device;

use std::net::Ipv4Addr;

use headwater_engine::Input;
use tokio::sync::{broadcast, mpsc};

use super::way::Way;
use super::*;
use datagrams::Puppet;

const OWN: u16 = 7000;
const NODE: u16 = 7001;

fn config() -> RouterConfig {
    RouterConfig { tcp: Some(OWN), utp: Some(OWN), dht: Some(NODE), ..RouterConfig::default() }
}

fn way(router: Ipv4Addr) -> Way {
    Way { router, own: Ipv4Addr::LOCALHOST }
}

fn asker(router: Ipv4Addr) -> Asker {
    Asker::new(&config(), Search::Known(way(router)))
}

/// A router that is asked, and what the engine is told of it.
fn start(asker: Asker) -> (Router, mpsc::Receiver<Input>) {
    let (found, told) = mpsc::channel(8);
    (Router::keep(asker, found, broadcast::channel(8).0), told)
}

async fn ports(told: &mut mpsc::Receiver<Input>) -> (Option<u16>, Option<u16>) {
    match told.recv().await {
        Some(Input::PortsMapped { listens, dht }) => (listens, dht),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn other_ports_of_a_router_are_told_and_all_are_given_back_at_the_end() {
    for (last, pcp) in [(1, true), (2, false)] {
        let ip = Ipv4Addr::new(127, 88, 1, last);
        let at = Puppet::start(ip, pcp, |own, _| own + 1000).await;
        let (mut router, mut told) = start(asker(ip));
        assert_eq!(ports(&mut told).await, (Some(8000), Some(8001)));
        let by = if pcp { Protocol::Pcp } else { Protocol::NatPmp };
        let address = Some(IpAddr::V4(datagrams::OUTSIDE));
        let mapping = Mapping { by, listens: 8000, dht: Some(8001), ports: 3, address };
        assert_eq!(router.status(), Status::Mapped(mapping));
        router.finish().await;
        let (asked, given_back) = at.heard();
        let expect = [(true, OWN), (false, OWN), (false, NODE)];
        assert_eq!(asked, expect, "by {by}");
        let mut given_back = given_back;
        given_back.sort_unstable();
        assert_eq!(given_back, [(false, OWN), (false, NODE), (true, OWN)], "by {by}");
    }
}

#[tokio::test]
async fn a_port_for_udp_alone_that_is_not_that_of_tcp_is_given_back_at_once() {
    let ip = Ipv4Addr::new(127, 88, 1, 3);
    let at = Puppet::start(ip, true, |own, tcp| if tcp { own } else { own + 1000 }).await;
    let lease = asker(ip).map().await.expect("it maps TCP");
    assert_eq!(
        (lease.mapping.listens, lease.mapping.dht, lease.mapping.ports),
        (OWN, Some(8001), 2)
    );
    assert_eq!(at.heard().1, [(false, OWN)]);
}

#[tokio::test]
async fn a_lease_is_renewed_and_the_port_it_has_then_is_told() {
    let ip = Ipv4Addr::new(127, 88, 1, 4);
    let at = Puppet::start(ip, true, |own, _| own).await;
    let mut asker = asker(ip);
    let first = asker.map().await.expect("it maps");
    assert_eq!((first.mapping.listens, first.lasts), (OWN, LEASE_ASKED));
    at.set(|own, _| own + 500);
    assert_eq!(asker.renew().await.expect("it renews").mapping.listens, OWN + 500);
    at.mute();
    let failed = asker.renew().await;
    assert_eq!(failed, Err(Trouble::Silent));
}

#[tokio::test]
async fn a_router_that_is_gone_holds_up_the_end_for_two_seconds_at_most() {
    let ip = Ipv4Addr::new(127, 88, 1, 5);
    let at = Puppet::start(ip, true, |own, _| own).await;
    let (mut router, mut told) = start(asker(ip));
    ports(&mut told).await;
    at.mute();
    let from = Instant::now();
    router.finish().await;
    let took = from.elapsed();
    assert!(took < UNMAP_TIME_MAX + Duration::from_secs(1), "{took:?}");
}

#[tokio::test]
async fn a_lease_that_hardly_lasts_is_refused_in_words() {
    let ip = Ipv4Addr::new(127, 88, 1, 6);
    let at = Puppet::start(ip, true, |own, _| own).await;
    at.last(Duration::from_secs(7));
    let Err(Trouble::Refused(why)) = asker(ip).map_by(Protocol::Pcp, way(ip)).await else {
        panic!("7 seconds are no lease")
    };
    assert_eq!(why, "it maps for 7 s, below two minutes");
    assert_eq!(at.heard().1, [(true, OWN)]);
}

#[tokio::test]
async fn words_that_are_no_answer_are_refused_and_harm_nothing() {
    let ip = Ipv4Addr::new(127, 88, 1, 7);
    let at = Puppet::start(ip, true, |own, _| own).await;
    for garbage in [&[][..], &[2], &[0; 16], &[0xff; 60], &[2, 0x81, 0, 0], &[2; 1100]] {
        at.garble(garbage);
        for by in [Protocol::Pcp, Protocol::NatPmp] {
            let answer = asker(ip).map_by(by, way(ip)).await;
            assert!(matches!(answer, Err(Trouble::Refused(_))), "{by}: {answer:?}, {garbage:?}");
        }
    }
}

#[tokio::test]
async fn nobody_but_the_router_is_believed_or_asked_for_documents() {
    let (ip, liar) = (Ipv4Addr::new(127, 88, 1, 8), Ipv4Addr::new(127, 88, 1, 9));
    let decoy = tokio::net::TcpListener::bind((liar, 0)).await.expect("a free port");
    let elsewhere = decoy.local_addr().expect("it is bound");
    let device = device::Device::start(ip, Some((liar, elsewhere))).await;
    let mut asker = asker(ip).in_group(device.group);
    let lease = asker.map().await.expect("it maps");
    let port = lease.mapping.listens;
    assert_eq!(lease.mapping.by, Protocol::Upnp);
    assert_ne!(port, OWN, "somebody has it");
    assert_eq!(lease.mapping.address, Some(IpAddr::V4(datagrams::OUTSIDE)));
    let knock = timeout(Duration::from_millis(200), decoy.accept()).await;
    assert!(knock.is_err(), "a document was fetched from elsewhere");
    assert!(!device.fetched().contains(&"/liar.xml".to_owned()), "a liar was heard");
    let expect = [("TCP", port), ("UDP", port), ("UDP", NODE)];
    assert_eq!(device.mapped(), expect.map(|(transport, port)| (transport.to_owned(), port)));
    asker.unmap().await;
    assert!(device.mapped().is_empty());
}
