//! Announces to small trackers of the test's own, some of which misbehave.

use headwater_base::{InfoHash, PeerId, TrackerId};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::shell::fetch::Fetches;

async fn asked(url: String) -> Result<Asked, AskedFailure> {
    asked_by(url, true).await
}

/// What comes of asking a tracker that the user named, or a stranger.
async fn asked_by(url: String, trusted: bool) -> Result<Asked, AskedFailure> {
    let net = Fetches::new(mpsc::channel(1).0, None).net();
    let query = Query {
        info_hash: InfoHash([7; 20]),
        peer_id: PeerId([8; 20]),
        port: 6881,
        uploaded: 0,
        downloaded: 0,
        left: 9,
        event: Some(Happening::Started),
        wanted: 100,
        key: 5,
        tracker_id: None,
    };
    announce(&net, &Ask { tracker: TrackerId(1), url, query, trusted }).await
}

/// A server that gives one request this body; answers the request's first line.
async fn http(path: &str, body: Vec<u8>) -> (Result<Asked, AskedFailure>, Option<String>) {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
    raw_http(path, [head.into_bytes(), body].concat()).await
}

/// The same with an answer that is given whole.
async fn raw_http(path: &str, answer: Vec<u8>) -> (Result<Asked, AskedFailure>, Option<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}{path}", listener.local_addr().expect("an address"));
    let serving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let mut request = vec![0; 4096];
        let len = stream.read(&mut request).await.unwrap_or(0);
        let _ = stream.write_all(&answer).await;
        let text = String::from_utf8_lossy(&request[..len]).into_owned();
        // A redirect finds the port still open.
        (text.lines().next().map(str::to_owned), listener)
    });
    let asked = asked(url).await;
    (asked, serving.await.expect("it serves").0)
}

#[tokio::test]
async fn an_http_tracker_names_peers_refuses_or_talks_nonsense() {
    let peers = b"d8:intervali60e5:peers6:\x01\x02\x03\x04\x1a\xe1e".to_vec();
    let (answer, request) = http("/announce", peers).await;
    let answer = answer.expect("an answer");
    assert_eq!(answer.found.peers, [SocketAddr::from(([1, 2, 3, 4], 6881))]);
    assert_eq!(answer.from, Some(Ipv4Addr::LOCALHOST.into()));
    let request = request.expect("a request");
    assert!(request.starts_with("GET /announce?info_hash=%07%07"), "{request}");
    assert!(request.contains("&event=started") && request.contains("&key=00000005"), "{request}");
    let (refused, _) = http("/announce", b"d14:failure reason2:noe".to_vec()).await;
    assert_eq!(refused, Err(AskedFailure::Refused(Refusal::Said("no".to_owned()))));
    let (nonsense, _) = http("/announce", b"<html>".to_vec()).await;
    assert_eq!(nonsense, Err(AskedFailure::Refused(Refusal::Malformed)));
    let (huge, _) = http("/announce", vec![b'5'; TRACKER_ANSWER_BYTES_MAX + 1]).await;
    assert!(matches!(huge, Err(AskedFailure::Unreachable(_))), "{huge:?}");
}

#[tokio::test]
async fn a_tracker_inside_a_network_is_asked_at_announce_and_nowhere_else() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/reboot", listener.local_addr().expect("an address"));
    let refused = asked(url).await;
    let Err(AskedFailure::Unreachable(why)) = refused else { panic!("{refused:?}") };
    assert!(why.contains("/announce"), "{why}");
    assert!(timeout(Duration::ZERO, listener.accept()).await.is_err(), "nobody was asked");
    let to = b"HTTP/1.1 302 Found\r\nLocation: /reboot\r\nContent-Length: 0\r\n\r\n";
    let (refused, _) = raw_http("/announce", to.to_vec()).await;
    let Err(AskedFailure::Unreachable(why)) = refused else { panic!("{refused:?}") };
    assert!(why.contains("/announce"), "nor does a redirect lead there: {why}");
}

#[tokio::test]
async fn what_a_stranger_names_inside_a_network_is_not_asked() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
    let at = [listener.local_addr(), socket.local_addr()].map(|at| at.expect("an address"));
    for url in [format!("http://{}/announce", at[0]), format!("udp://{}/announce", at[1])] {
        let refused = asked_by(url.clone(), false).await;
        let Err(AskedFailure::Unreachable(why)) = refused else { panic!("{url}: {refused:?}") };
        assert!(why.contains("a stranger named it"), "{url}: {why}");
    }
    let accepted = timeout(Duration::ZERO, listener.accept()).await;
    let heard = socket.try_recv(&mut [0; 8]);
    assert!(accepted.is_err() && heard.is_err(), "nobody was asked anything");
}

#[tokio::test]
async fn a_udp_tracker_is_believed_only_under_the_number_it_was_given() {
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("udp://{}/announce?a=1", socket.local_addr().expect("an address"));
    let serving = tokio::spawn(async move {
        let mut packet = [0; 512];
        let (_, from) = socket.recv_from(&mut packet).await.expect("a packet");
        let number = &packet[12..16];
        let forged = [&[0; 4][..], &[0xff; 4], &[9; 8]].concat();
        let right = [&[0; 4][..], number, &[6; 8]].concat();
        for answer in [forged, right] {
            socket.send_to(&answer, from).await.expect("it is sent");
        }
        let (len, from) = socket.recv_from(&mut packet).await.expect("a packet");
        let said = packet[..len].to_vec();
        let head = [&[0, 0, 0, 1][..], &said[12..16], &[0, 0, 7, 8, 0, 0, 0, 2, 0, 0, 0, 5]];
        let answer = [&head.concat()[..], &[1, 2, 3, 4, 0x1a, 0xe1]].concat();
        socket.send_to(&answer, from).await.expect("it is sent");
        said
    });
    let answer = asked(url).await.expect("an answer");
    assert_eq!(answer.found.peers, [SocketAddr::from(([1, 2, 3, 4], 6881))]);
    assert_eq!(
        (answer.found.interval, answer.found.complete, answer.found.incomplete),
        (Some(1800), Some(5), Some(2))
    );
    let said = serving.await.expect("it serves");
    assert_eq!(said[..8], [6; 8], "the connection it gave");
    assert!(said.ends_with(b"/announce?a=1"), "where it is asked (BEP 41)");
}
