//! The tracker over real sockets on loopback: two clients meet, limits hold, the end is clean.
#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::net::{Ipv4Addr, SocketAddr};

use futures_util::{SinkExt, StreamExt};
use headwater_base::{InfoHash, PeerId, Seed};
use headwater_tracker::server::Server;
use headwater_tracker::{Config, limit};
use headwater_wire::tracker::{
    Announce, Answer, ClientMessage, Description, Happening, Offer, OfferId, TrackerMessage,
};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

const SDP: &str = "v=0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n";
const SWARM: InfoHash = InfoHash([0xe9; 20]);

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn server(config: Config) -> Server {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    Server::bind(address, config, &Seed([1; 32])).await.unwrap()
}

async fn client(server: &Server, path: &str) -> Socket {
    connect_async(format!("{}{path}", server.url())).await.unwrap().0
}

async fn say(socket: &mut Socket, message: ClientMessage) {
    socket.send(Message::text(message.encode())).await.unwrap();
}

/// The next message, pings aside.
async fn hear(socket: &mut Socket) -> TrackerMessage {
    loop {
        if let Message::Text(text) = socket.next().await.unwrap().unwrap() {
            return TrackerMessage::decode(text.as_str()).unwrap();
        }
    }
}

/// The code a socket is closed with; messages before that do not count.
async fn end(socket: &mut Socket) -> Option<u16> {
    loop {
        match socket.next().await {
            Some(Ok(Message::Close(frame))) => return frame.map(|frame| frame.code.into()),
            Some(Ok(_)) => (),
            Some(Err(_)) | None => return None,
        }
    }
}

fn announce(number: u8, offers: Vec<Offer>) -> ClientMessage {
    ClientMessage::Announce(Announce {
        info_hash: SWARM,
        peer_id: PeerId([number; 20]),
        happening: Some(Happening::Started),
        uploaded: 0,
        downloaded: 0,
        left: None,
        wanted: Some(5),
        offers,
        tracker_id: None,
        trackers: Vec::new(),
    })
}

#[tokio::test]
async fn offer_and_answer_find_their_way_between_two_clients() {
    let server = server(Config::default()).await;
    let (mut a, mut b) = (client(&server, "").await, client(&server, "any/path?x=1").await);
    say(&mut a, announce(1, Vec::new())).await;
    assert!(matches!(hear(&mut a).await, TrackerMessage::Announce(_)));
    let (offer_id, sdp) = (OfferId([0xff; 20]), Description::new(SDP));
    say(&mut b, announce(2, vec![Offer { offer_id, sdp: sdp.clone() }])).await;
    let TrackerMessage::Announce(reply) = hear(&mut b).await else { panic!("no reply") };
    assert_eq!((reply.complete, reply.incomplete), (Some(0), Some(2)));
    let (info_hash, peer_id) = (SWARM, PeerId([2; 20]));
    let expect = TrackerMessage::Offer { info_hash, peer_id, offer_id, sdp: sdp.clone() };
    assert_eq!(hear(&mut a).await, expect);
    let answer = Answer {
        info_hash,
        peer_id: PeerId([1; 20]),
        to_peer_id: peer_id,
        offer_id,
        sdp: sdp.clone(),
        left: None,
        tracker_id: None,
    };
    say(&mut a, ClientMessage::Answer(answer)).await;
    let peer_id = PeerId([1; 20]);
    assert_eq!(hear(&mut b).await, TrackerMessage::Answer { info_hash, peer_id, offer_id, sdp });
    let stats = server.tracker().stats().await.unwrap();
    assert_eq!((stats.sockets, stats.peers), (2, 2));
    assert_eq!((stats.offers_relayed, stats.answers_relayed), (1, 1));
    server.close().await.unwrap();
}

#[tokio::test]
async fn client_that_goes_away_leaves_the_swarm() {
    let server = server(Config::default()).await;
    let (mut a, mut b) = (client(&server, "").await, client(&server, "").await);
    say(&mut a, announce(1, Vec::new())).await;
    hear(&mut a).await;
    a.close(None).await.unwrap();
    assert!(end(&mut a).await.is_none_or(|code| code == 1000 || code == 1005));
    drop(a);
    loop {
        say(&mut b, ClientMessage::Scrape(vec![SWARM])).await;
        let TrackerMessage::Scrape(entries) = hear(&mut b).await else { panic!("no scrape") };
        if entries[0].incomplete == 0 {
            break;
        }
    }
    server.close().await.unwrap();
}

#[tokio::test]
async fn too_long_a_message_is_refused_in_words_and_the_socket_closed() {
    let server = server(Config::default()).await;
    let mut socket = client(&server, "").await;
    let text = "x".repeat(headwater_wire::limit::TRACKER_TEXT_BYTES_MAX + 1);
    socket.send(Message::text(text)).await.unwrap();
    let TrackerMessage::Failure { reason, .. } = hear(&mut socket).await else {
        panic!("no failure")
    };
    assert!(reason.contains("131073"), "{reason}");
    assert_eq!(end(&mut socket).await, Some(1009));
    server.close().await.unwrap();
}

#[tokio::test]
async fn frame_beyond_the_socket_limit_ends_only_its_socket() {
    let server = server(Config::default()).await;
    let (mut a, mut b) = (client(&server, "").await, client(&server, "").await);
    // The server may close before everything is sent.
    let _ = a.send(Message::text("x".repeat(limit::FRAME_BYTES_MAX + 1))).await;
    end(&mut a).await;
    say(&mut b, announce(1, Vec::new())).await;
    assert!(matches!(hear(&mut b).await, TrackerMessage::Announce(_)));
    server.close().await.unwrap();
}

#[tokio::test]
async fn client_that_reads_nothing_is_dropped() {
    let server = server(Config { messages_at_once: 1_000_000, ..Config::default() }).await;
    let (mut slow, mut busy) = (client(&server, "").await, client(&server, "").await);
    say(&mut slow, announce(1, Vec::new())).await;
    let sdp = Description::new(&format!("{SDP}a={}\r\n", "x".repeat(15_000)));
    loop {
        let offer = Offer { offer_id: OfferId([7; 20]), sdp: sdp.clone() };
        say(&mut busy, announce(2, vec![offer])).await;
        let TrackerMessage::Announce(reply) = hear(&mut busy).await else { panic!("no reply") };
        let stats = server.tracker().stats().await.unwrap();
        if reply.incomplete == Some(1) && stats.offers_relayed > 0 {
            break;
        }
    }
    assert_eq!(server.tracker().stats().await.unwrap().sockets, 1);
    server.close().await.unwrap();
}

#[tokio::test]
async fn closing_the_server_tells_every_client_and_frees_the_port() {
    let server = server(Config::default()).await;
    let mut socket = client(&server, "").await;
    say(&mut socket, announce(1, Vec::new())).await;
    hear(&mut socket).await;
    let address = server.address();
    server.close().await.unwrap();
    assert_eq!(end(&mut socket).await, Some(1001));
    drop(socket);
    let again = Server::bind(address, Config::default(), &Seed([2; 32])).await.unwrap();
    assert_eq!(again.address(), address);
    again.close().await.unwrap();
}
