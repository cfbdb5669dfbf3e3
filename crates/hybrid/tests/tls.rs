//! The server behind TLS: pages and trackers over it, nothing beside it, certificates that change.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use std::{env, fs};

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

struct Server {
    child: Child,
    host: String,
    folder: PathBuf,
}

impl Server {
    fn start(name: &str) -> Self {
        let folder = env::temp_dir().join(format!("headwater-tls-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("data")).expect("a folder");
        fs::write(folder.join("data/film.bin"), vec![7; 50_000]).expect("a write");
        give(&folder, "first");
        let mut child = Command::new(env!("CARGO_BIN_EXE_headwater"))
            .args(["serve", "--listen", "127.0.0.1:0", "--interface", "127.0.0.1"])
            .args(["--dir", "data", "--tls-cert", "cert.pem", "--tls-key", "key.pem"])
            .current_dir(&folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it runs");
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.take().expect("piped"));
        out.read_line(&mut line).expect("a first line");
        let host = line.trim().strip_prefix("https://").expect("a URL").trim_end_matches('/');
        Self { child, host: host.to_owned(), folder }
    }

    /// A stream to the server, if it shows this certificate.
    async fn connect(&self, trusted: &str) -> std::io::Result<TlsStream<TcpStream>> {
        let certificate = CertificateDer::from_pem_file(file(&format!("{trusted}.cert.pem")));
        let mut roots = RootCertStore::empty();
        roots.add(certificate.expect("a certificate")).expect("usable");
        let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let stream = TcpStream::connect(&self.host).await?;
        let name = ServerName::try_from("localhost").expect("a name");
        TlsConnector::from(Arc::new(config)).connect(name, stream).await
    }

    async fn get(&self, path: &str) -> String {
        let mut stream = self.connect("first").await.expect("TLS");
        let request = format!("GET {path} HTTP/1.0\r\nHost: {}\r\n\r\n", self.host);
        stream.write_all(request.as_bytes()).await.expect("a request");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("an answer");
        answer
    }

    /// Asks until the answer passes.
    async fn until(&self, path: &str, passes: impl Fn(&str) -> bool) -> String {
        for _ in 0..600 {
            let answer = self.get(path).await;
            if passes(&answer) {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("waited 30 s for {path}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

/// Puts a certificate where the server reads it.
fn give(folder: &Path, which: &str) {
    for part in ["cert", "key"] {
        fs::copy(file(&format!("{which}.{part}.pem")), folder.join(format!("{part}.pem")))
            .expect("a copy");
    }
}

#[tokio::test]
async fn everything_is_served_over_tls_and_nothing_beside_it() {
    let server = Server::start("all");
    assert!(server.get("/healthz").await.contains(" 200 "));
    let listed = server.until("/torrents.json", |answer| answer.contains("film.bin")).await;
    let body = listed.split("\r\n\r\n").nth(1).expect("a body");
    let list: Value = serde_json::from_str(body).expect("JSON");
    let magnet = list[0]["magnet"].as_str().expect("a link");
    let port = server.host.rsplit(':').next().expect("a port");
    assert!(magnet.contains(&format!("tr=wss%3A%2F%2F127.0.0.1%3A{port}%2Ftracker")), "{magnet}");
    let http = format!("tr=https%3A%2F%2F127.0.0.1%3A{port}%2Fannounce");
    assert!(magnet.contains(&http), "{magnet}");
    let query = format!("info_hash={0}&peer_id={0}&port=6881", "a".repeat(20));
    let listing = server.get(&format!("/announce?{query}")).await;
    assert!(listing.contains("10:incompletei1e"), "{listing}");
    // Our own peer is at our own tracker, though no certificate is for loopback.
    server.until("/metrics", |text| text.contains("\nheadwater_tracker_seeders 1\n")).await;
    let mut stream = server.connect("first").await.expect("TLS");
    let upgrade = format!(
        "GET /tracker HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        server.host
    );
    stream.write_all(upgrade.as_bytes()).await.expect("a request");
    let mut start = [0; 12];
    stream.read_exact(&mut start).await.expect("an answer");
    assert_eq!(&start, b"HTTP/1.1 101");
    let mut plain = TcpStream::connect(&server.host).await.expect("it listens");
    plain.write_all(b"GET /healthz HTTP/1.0\r\n\r\n").await.expect("a request");
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer).await;
    assert!(!String::from_utf8_lossy(&answer).contains("HTTP/"), "{answer:?}");
}

#[tokio::test]
async fn a_certificate_is_read_again_on_request_and_a_spoiled_one_is_not_taken() {
    let server = Server::start("again");
    let hang_up = || {
        let told = Command::new("kill").args(["-HUP", &server.child.id().to_string()]).status();
        assert!(told.expect("kill runs").success());
    };
    assert!(server.connect("second").await.is_err(), "it is not the second yet");
    fs::write(server.folder.join("key.pem"), "spoiled").expect("a write");
    hang_up();
    assert!(server.get("/healthz").await.contains(" 200 "));
    give(&server.folder, "second");
    hang_up();
    for _ in 0..600 {
        if server.connect("second").await.is_ok() {
            assert!(server.connect("first").await.is_err());
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("waited 30 s for the second certificate");
}

#[tokio::test]
async fn a_silent_client_holds_up_nobody() {
    let server = Server::start("silent");
    let mut silent = Vec::new();
    for _ in 0..20 {
        silent.push(TcpStream::connect(&server.host).await.expect("it listens"));
    }
    assert!(server.get("/healthz").await.contains(" 200 "));
}
