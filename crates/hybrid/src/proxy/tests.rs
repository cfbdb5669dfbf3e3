//! Proxies of the test's own, which expect every byte and answer as told.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::*;

/// What a proxy expects, and what it answers to that.
type Turn = (Vec<u8>, Vec<u8>);

/// Plays turn by turn, then echoes eight bytes. Answers where it is.
async fn play(turns: Vec<Turn>) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let at = listener.local_addr().expect("an address").to_string();
    let playing = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        for (expected, answer) in turns {
            let mut heard = vec![0; expected.len()];
            stream.read_exact(&mut heard).await.expect("as much as is expected");
            assert_eq!(heard.escape_ascii().to_string(), expected.escape_ascii().to_string());
            stream.write_all(&answer).await.expect("it is there");
        }
        let mut echo = [0; 8];
        if stream.read_exact(&mut echo).await.is_ok() {
            let _ = stream.write_all(&echo).await;
        }
    });
    (at, playing)
}

async fn connect(proxy: &str, (host, port): (&str, u16)) -> io::Result<TcpStream> {
    let proxy = Proxy::read(proxy).expect("an address");
    let connecting = timeout(Duration::from_secs(10), proxy.connect(host, port));
    connecting.await.expect("it ends in time")
}

/// Connects through a proxy that plays along, and through it back to the test.
async fn passes(login: &str, scheme: &str, whom: (&str, u16), turns: Vec<Turn>) {
    let (at, playing) = play(turns).await;
    let mut stream = connect(&format!("{scheme}://{login}{at}"), whom).await.expect("a tunnel");
    stream.write_all(b"hello   ").await.expect("it is there");
    let mut echo = [0; 8];
    stream.read_exact(&mut echo).await.expect("an echo");
    assert_eq!(&echo, b"hello   ");
    playing.await.expect("it played to its end");
}

/// Why a proxy that plays so is of no use.
async fn fails(scheme: &str, turns: Vec<Turn>) -> String {
    let (at, _playing) = play(turns).await;
    let failed = connect(&format!("{scheme}://{at}"), ("example.org", 80)).await;
    failed.expect_err("it plays badly").to_string()
}

fn turn(expected: impl AsRef<[u8]>, answer: impl AsRef<[u8]>) -> Turn {
    (expected.as_ref().to_vec(), answer.as_ref().to_vec())
}

/// A SOCKS5 proxy that lets everybody in, and answers with this code.
fn socks(target: &[u8], code: u8) -> Vec<Turn> {
    let asked = [b"\x05\x01\x00", target].concat();
    vec![turn(b"\x05\x01\x00", b"\x05\x00"), turn(asked, [5, code, 0, 1, 127, 0, 0, 1, 0, 80])]
}

const NAME: &[u8] = b"\x03\x0bexample.org\x00\x50";

#[tokio::test]
async fn socks5_is_asked_for_names_and_for_addresses_of_both_families() {
    passes("", "socks5", ("example.org", 80), socks(NAME, 0)).await;
    passes("", "socks5", ("192.0.2.7", 6881), socks(b"\x01\xc0\x00\x02\x07\x1a\xe1", 0)).await;
    let v6 = b"\x04\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07\x1a\xe1";
    passes("", "socks5", ("[2001:db8::7]", 6881), socks(v6, 0)).await;
}

#[tokio::test]
async fn socks5_is_told_user_name_and_password() {
    let asked = [b"\x05\x01\x00", NAME].concat();
    let turns = vec![
        turn(b"\x05\x02\x00\x02", b"\x05\x02"),
        turn(b"\x01\x03me:\x03p w", b"\x01\x00"),
        turn(asked, b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00"),
    ];
    passes("me%3a:p%20w@", "socks5", ("example.org", 80), turns).await;
}

#[tokio::test]
async fn http_proxy_is_asked_to_connect() {
    let head = "CONNECT example.org:443 HTTP/1.1\r\nhost: example.org:443\r\n\r\n";
    let turns = vec![turn(head, "HTTP/1.1 200 Connection established\r\n\r\n")];
    passes("", "http", ("example.org", 443), turns).await;
    let head = "CONNECT [2001:db8::7]:80 HTTP/1.1\r\nhost: [2001:db8::7]:80\r\n\
                proxy-authorization: Basic bWU6cCB3\r\n\r\n";
    let turns = vec![turn(head, "HTTP/1.0 200 OK\r\nVia: x\r\n\r\n")];
    passes("me:p%20w@", "http", ("2001:db8::7", 80), turns).await;
}

#[tokio::test]
async fn proxy_that_refuses_says_why_and_what_to_do() {
    for (code, why) in [(1, "cannot connect"), (2, "see its rules"), (5, "Connection refused")] {
        let said = fails("socks5", socks(NAME, code)).await;
        assert!(said.contains(why) && said.starts_with("the proxy socks5://127."), "{said}");
    }
    let locked = vec![turn(b"\x05\x01\x00", b"\x05\xff")];
    assert!(fails("socks5", locked).await.contains("name them in --proxy"));
    for (status, why) in [
        ("407 Proxy Authentication Required", "name them in --proxy"),
        ("403 Forbidden", "see its rules"),
        ("502 Bad Gateway", "cannot connect (502)"),
    ] {
        let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
        let said = fails("http", vec![turn("CONNECT ", answer)]).await;
        assert!(said.contains(why), "{said}");
    }
}

#[tokio::test]
async fn proxy_that_talks_nonsense_is_given_up() {
    for nonsense in [&b"\x04\x00"[..], b"\x05\x07", b"HTTP/1.1 200 OK\r\n\r\n"] {
        assert!(!fails("socks5", vec![turn(b"\x05\x01\x00", nonsense)]).await.is_empty());
    }
    let asked = [b"\x05\x01\x00", NAME].concat();
    let no_kind = vec![
        turn(b"\x05\x01\x00", b"\x05\x00"),
        turn(asked, b"\x05\x00\x00\x09\x00\x00\x00\x00\x00\x00"),
    ];
    assert!(!fails("socks5", no_kind).await.is_empty());
    let endless = format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(2 * ANSWER_BYTES_MAX));
    for nonsense in ["\x05\x00", "HTTP/1.1 200 OK\r\n\r\nSSH-2.0-early\r\n", endless.as_str()] {
        assert!(!fails("http", vec![turn("CONNECT ", nonsense)]).await.is_empty(), "{nonsense}");
    }
}

#[tokio::test]
async fn proxy_out_of_reach_fails_and_nothing_else_is_tried() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let dead = TcpListener::bind("127.0.0.1:0").await.expect("a port").local_addr();
    let dead = dead.expect("an address");
    let whom = listener.local_addr().expect("an address");
    for scheme in ["socks5", "http"] {
        let proxy = format!("{scheme}://me:secret@{dead}");
        let failed = connect(&proxy, (&whom.ip().to_string(), whom.port())).await;
        let why = failed.expect_err("it is dead").to_string();
        assert!(why.contains("out of reach") && !why.contains("secret"), "{why}");
    }
    let came = timeout(Duration::from_millis(50), listener.accept()).await;
    assert!(came.is_err(), "somebody came around the proxy");
}

#[test]
fn addresses_of_proxies_are_read_and_shown_without_their_passwords() {
    for (text, shown) in [
        ("socks5://p.example", "socks5://p.example:1080"),
        ("socks5h://me:secret@p.example:9/", "socks5://p.example:9"),
        ("http://me:secret@[2001:db8::1]:8080", "http://[2001:db8::1]:8080"),
        ("http://p.example", "http://p.example:80"),
    ] {
        let proxy = Proxy::read(text).unwrap_or_else(|e| panic!("{text}: {e}"));
        assert_eq!(proxy.to_string(), shown);
        assert_eq!(format!("{proxy:?}"), format!("Proxy({shown})"));
    }
    let long = format!("socks5://me:{}@p", "secret".repeat(99));
    for text in [
        "",
        "p.example:1080",
        "https://p.example",
        "socks4://p.example",
        "secret:word@p.example:9",
        "socks5://",
        "socks5://secret@p.example",
        "socks5://:secret@p.example",
        "socks5://me:secret%00@p.example",
        "http://p.example/path",
        "http://p.example:0",
        long.as_str(),
    ] {
        let why = Proxy::read(text).expect_err(text);
        assert!(!why.is_empty() && !why.contains("secret"), "{text}: {why}");
    }
}

#[test]
fn what_stays_on_this_machine_goes_around_a_proxy() {
    let proxy = Proxy::read("socks5://p.example").expect("an address");
    for (host, carries) in [
        ("127.0.0.1", false),
        ("[::1]", false),
        ("::ffff:127.0.0.1", false),
        ("192.168.1.1", true),
        ("localhost", true),
        ("example.org", true),
    ] {
        assert_eq!(proxy.carries(host), carries, "{host}");
    }
}
