//! The tracker over HTTP on loopback: clients of both kinds in one swarm, pages kept out.
#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use futures_util::{SinkExt, StreamExt};
use headwater_base::Seed;
use headwater_metainfo::bencode::{self, Value};
use headwater_tracker::Config;
use headwater_tracker::server::Server;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

const SWARM: &str = "%e9%00aaaaaaaaaaaaaaaaaa";

async fn server(address: impl Into<SocketAddr>) -> Server {
    Server::bind(address.into(), Config::default(), &Seed([1; 32])).await.unwrap()
}

/// Head and body of what answers a request, which ends its link.
async fn get(server: &Server, path: &str, headers: &str) -> (String, Vec<u8>) {
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: tracker.example\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut all = Vec::new();
    stream.read_to_end(&mut all).await.unwrap();
    let end = all.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
    let body = all.split_off(end);
    (String::from_utf8(all).unwrap().to_ascii_lowercase(), body)
}

async fn announce(server: &Server, id: char, port: u16, more: &str) -> Vec<u8> {
    let id = id.to_string().repeat(20);
    let query = format!("info_hash={SWARM}&peer_id={id}&port={port}&compact=1{more}");
    let (head, body) = get(server, &format!("/announce?{query}"), "").await;
    assert!(head.starts_with("http/1.1 200"), "{head}");
    assert!(head.contains("\r\ncontent-type: text/plain\r\n"), "{head}");
    body
}

fn peers(body: &[u8], key: &str) -> Vec<u8> {
    let value = bencode::parse(body).unwrap();
    value.lookup(key).and_then(Value::bytes).unwrap_or_default().to_vec()
}

fn failure(body: &[u8]) -> String {
    String::from_utf8(peers(body, "failure reason")).unwrap()
}

#[tokio::test]
async fn clients_are_told_of_each_other_whatever_headers_and_queries_say_of_their_address() {
    let server = server((Ipv4Addr::LOCALHOST, 0)).await;
    let query = format!("info_hash={SWARM}&peer_id={}&port=7001&left=0", "a".repeat(20));
    let path = format!("/announce?{query}&ip=192.0.2.66&ipv4=192.0.2.66:1");
    let headers = "X-Forwarded-For: 192.0.2.66\r\nForwarded: for=192.0.2.66\r\n";
    let (_, body) = get(&server, &path, headers).await;
    assert_eq!(peers(&body, "peers"), b"");
    let body = announce(&server, 'b', 7002, "&left=5&event=started").await;
    assert_eq!(peers(&body, "peers"), [127, 0, 0, 1, 0x1b, 0x59]);
    let (_, body) = get(&server, &format!("/scrape?info_hash={SWARM}"), "").await;
    let expect =
        b"d5:filesd20:\xe9\x00aaaaaaaaaaaaaaaaaad8:completei1e10:downloadedi0e10:incompletei1eeee";
    assert_eq!(body, expect);
    let stats = server.tracker().stats().await.unwrap();
    assert_eq!((stats.http_announces, stats.http_scrapes, stats.http_peers), (2, 1, 2));
    server.close().await.unwrap();
}

#[tokio::test]
async fn ipv6_peers_have_their_own_key() {
    let server = server((Ipv6Addr::LOCALHOST, 0)).await;
    announce(&server, 'a', 7001, "").await;
    let body = announce(&server, 'b', 7002, "").await;
    let address = [Ipv6Addr::LOCALHOST.octets().as_slice(), &[0x1b, 0x59]].concat();
    assert_eq!((peers(&body, "peers"), peers(&body, "peers6")), (Vec::new(), address));
    server.close().await.unwrap();
}

#[tokio::test]
async fn refusals_are_bencode_too() {
    let server = server((Ipv4Addr::LOCALHOST, 0)).await;
    let (head, body) = get(&server, "/announce", "").await;
    assert!(head.starts_with("http/1.1 200"), "{head}");
    assert_eq!(failure(&body), "field port is missing or is no port");
    let (_, body) = get(&server, "/scrape", "").await;
    assert_eq!(failure(&body), "field info_hash is missing or is no string of 20 bytes");
    assert_eq!(server.tracker().stats().await.unwrap().refusals, 2);
    server.close().await.unwrap();
}

#[tokio::test]
async fn pages_cannot_have_their_visitors_announce() {
    let server = server((Ipv4Addr::LOCALHOST, 0)).await;
    let path = format!("/announce?info_hash={SWARM}&peer_id={}&port=22", "x".repeat(20));
    for header in ["Origin: https://evil.example\r\n", "Sec-Fetch-Site: cross-site\r\n"] {
        let (_, body) = get(&server, &path, header).await;
        assert_eq!(failure(&body), "pages announce through WebSockets");
    }
    assert_eq!(server.tracker().stats().await.unwrap().peers, 0);
    let (_, body) = get(&server, &path, "Sec-Fetch-Site: none\r\n").await;
    assert_eq!(failure(&body), "");
    server.close().await.unwrap();
}

#[tokio::test]
async fn paths_of_http_upgrade_to_websockets_as_well() {
    let server = server((Ipv4Addr::LOCALHOST, 0)).await;
    let (mut socket, _) = connect_async(format!("{}announce", server.url())).await.unwrap();
    let hash = "a".repeat(20);
    let scrape = format!(r#"{{"action":"scrape","info_hash":"{hash}"}}"#);
    socket.send(Message::text(scrape)).await.unwrap();
    let heard = socket.next().await.unwrap().unwrap();
    assert!(heard.to_text().unwrap().contains(r#""complete":0"#), "{heard}");
    socket.close(None).await.unwrap();
    server.close().await.unwrap();
}

#[tokio::test]
async fn closed_tracker_says_so() {
    let server = server((Ipv4Addr::LOCALHOST, 0)).await;
    server.tracker().close().await;
    let (head, _) = get(&server, "/announce?port=1", "Connection: close\r\n").await;
    assert!(head.starts_with("http/1.1 503"), "{head}");
    server.close().await.unwrap();
}
