//! The program as a user meets it: output, exit codes, errors, and what its server answers.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::{env, fs};

use serde_json::Value;

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = env::temp_dir().join(format!("headwater-cli-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(path.join("film/cd 1")).expect("a temporary folder");
        fs::write(path.join("film/cd 1/a.bin"), vec![7; 100_000]).expect("a write");
        fs::write(path.join("film/note.txt"), "hello").expect("a write");
        Self(path)
    }

    fn run(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_headwater"))
            .args(args)
            .current_dir(&self.0)
            .output()
            .expect("it runs")
    }

    fn json(&self, args: &[&str], code: i32) -> Value {
        let output = self.run(args);
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        serde_json::from_slice(&output.stdout).expect("JSON on stdout")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn what_create_makes_show_reads() {
    let folder = Folder::new("create");
    let tracker = "wss://tracker.example/";
    let made = folder.json(
        &["create", "film", "--json", "--tracker", tracker, "--web-seed", "https://e.example/w/"],
        0,
    );
    let shown = folder.json(&["show", "--json", "film.torrent"], 0);
    assert_eq!(shown["info_hash_v1"], made["info_hash_v1"]);
    assert_eq!(shown["info_hash_v2"], Value::Null);
    assert_eq!((&shown["valid"], &shown["length"]), (&true.into(), &100_005.into()));
    assert_eq!((&shown["name"], &shown["piece_length"]), (&"film".into(), &16384.into()));
    assert_eq!((&shown["pieces"], &shown["private"]), (&7.into(), &false.into()));
    assert_eq!(shown["files"][0]["path"], "cd 1/a.bin");
    assert_eq!(shown["trackers"][0][0], tracker);
    assert_eq!(shown["web_seeds"][0], "https://e.example/w/");
    let magnet = made["magnet"].as_str().expect("a link");
    assert_eq!(folder.json(&["show", "--json", magnet], 0)["info_hash_v1"], made["info_hash_v1"]);
}

#[test]
fn every_version_is_made_and_shown() {
    let folder = Folder::new("versions");
    for (flag, name, has_v1, has_v2) in [
        ("--v1", "v1", true, false),
        ("--v2", "v2", false, true),
        ("--hybrid", "hybrid", true, true),
    ] {
        let made = folder.json(&["create", "film", "--json", flag, "-o", "made.torrent"], 0);
        let shown = folder.json(&["show", "--json", "made.torrent"], 0);
        assert_eq!(shown["version"], name);
        assert_eq!(
            (shown["info_hash_v1"].is_string(), shown["info_hash_v2"].is_string()),
            (has_v1, has_v2)
        );
        let magnet = made["magnet"].as_str().expect("a link");
        assert_eq!(
            (magnet.contains("urn:btih:"), magnet.contains("urn:btmh:1220")),
            (has_v1, has_v2)
        );
        let linked = folder.json(&["show", "--json", magnet], 0);
        assert_eq!(linked["info_hash_v2"], shown["info_hash_v2"]);
    }
    assert_eq!(folder.run(&["create", "film", "--v1", "--v2"]).status.code(), Some(2));
}

/// What `seed` says of the one thing it shares.
fn seed(folder: &Folder, flags: &[&str]) -> Value {
    let mut child = Command::new(env!("CARGO_BIN_EXE_headwater"))
        .args([
            "seed",
            "film",
            "--json",
            "--interface",
            "127.0.0.1",
            "--tracker",
            "ws://127.0.0.1:9/",
        ])
        .args(flags)
        .current_dir(&folder.0)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it runs");
    let mut line = String::new();
    let mut out = BufReader::new(child.stdout.take().expect("piped"));
    out.read_line(&mut line).expect("a first line");
    child.kill().expect("it lives");
    child.wait().expect("it is gone");
    serde_json::from_str(&line).expect("JSON")
}

#[test]
fn every_version_is_seeded_and_told_by_all_its_names() {
    let folder = Folder::new("seeded");
    for (flags, name, has_v1, has_v2) in [
        (&[][..], "v1", true, false),
        (&["--v1"], "v1", true, false),
        (&["--v2"], "v2", false, true),
        (&["--hybrid"], "hybrid", true, true),
    ] {
        let told = seed(&folder, flags);
        assert_eq!((&told["name"], &told["version"]), (&"film".into(), &name.into()));
        let made = folder.json(&[&["create", "film", "--json"], flags].concat(), 0);
        for key in ["info_hash_v1", "info_hash_v2", "length"] {
            assert_eq!(told[key], made[key], "{key} of {name}");
        }
        let magnet = told["magnet"].as_str().expect("a link");
        assert_eq!(
            (magnet.contains("urn:btih:"), magnet.contains("urn:btmh:1220")),
            (has_v1, has_v2)
        );
        assert!(magnet.contains("tr=ws%3A%2F%2F127.0.0.1%3A9%2F"), "{magnet}");
        fs::remove_dir_all(folder.0.join(".headwater")).expect("records");
    }
    assert_eq!(folder.run(&["seed", "film", "--v2", "--hybrid"]).status.code(), Some(2));
}

const PAYEE: &str = "TJRabPrwbZy45sbavfcjinPJC18kjpRTv8";

/// The flags of a publisher.
const PUBLISHER: [&str; 6] = ["--payee", PAYEE, "--tip", "2.5", "--publisher-key", "publisher.key"];

#[test]
fn publisher_is_told_by_file_and_link_and_changes_no_info_hash() {
    let folder = Folder::new("publisher");
    let plain = folder.json(&["create", "film", "--json", "-o", "plain.torrent"], 0);
    assert_eq!(plain["publication"], Value::Null);
    for kind in ["--v1", "--v2", "--hybrid"] {
        let flags = [&["create", "film", "--json", kind, "-o", "made.torrent"], &PUBLISHER[..]];
        let made = folder.json(&flags.concat(), 0);
        let said = &made["publication"];
        assert_eq!((&said["valid"], &said["payee"]), (&true.into(), &PAYEE.into()));
        assert_eq!((&said["tip"], &said["price"]), (&"2500000000000000000".into(), &Value::Null));
        assert_eq!(said["chain_id"], 0x4857_0001);
        let magnet = made["magnet"].as_str().expect("a link");
        for source in ["made.torrent", magnet] {
            let shown = folder.json(&["show", "--json", source], 0);
            assert_eq!(&shown["publication"], said, "{source}");
            assert_eq!(shown["info_hash_v1"], made["info_hash_v1"]);
        }
        if kind == "--v1" {
            assert_eq!(made["info_hash_v1"], plain["info_hash_v1"]);
        }
        let told = folder.run(&["show", "made.torrent"]);
        let told = String::from_utf8(told.stdout).expect("text");
        assert!(told.contains(&format!("payee         {PAYEE} on devnet")), "{told}");
        assert!(told.contains("tip           2.5 BTT"), "{told}");
    }
    // The same key signs again: it was made once.
    let key = fs::read_to_string(folder.0.join("publisher.key")).expect("a key");
    assert_eq!(key.trim().len(), 64);
    let told = seed(&folder, &PUBLISHER);
    let magnet = told["magnet"].as_str().expect("a link");
    let shown = folder.json(&["show", "--json", magnet], 0);
    assert_eq!((&shown["publication"]["valid"], &told["name"]), (&true.into(), &"film".into()));
    // What was shared before keeps it, and its name is that of before.
    let again = seed(&folder, &[]);
    assert_eq!(
        (&again["magnet"], &again["info_hash_v1"]),
        (&told["magnet"], &told["info_hash_v1"])
    );
}

#[test]
fn publication_of_another_torrent_is_shown_as_not_proven() {
    let folder = Folder::new("moved");
    let made = folder.json(&[&["create", "film", "--json"], &PUBLISHER[..]].concat(), 0);
    let magnet = made["magnet"].as_str().expect("a link");
    let hash = made["info_hash_v1"].as_str().expect("a hash");
    let moved = magnet.replace(hash, &"ab".repeat(20));
    let shown = folder.json(&["show", "--json", &moved], 0);
    let said = &shown["publication"];
    assert_eq!((&said["valid"], &said["payee"]), (&false.into(), &Value::Null));
    let told = String::from_utf8(folder.run(&["show", &moved]).stdout).expect("text");
    assert!(told.contains("publisher     not proven"), "{told}");
    assert!(!told.contains(PAYEE), "{told}");
}

#[test]
fn publisher_without_payee_key_or_known_chain_is_refused_before_hashing() {
    let folder = Folder::new("halfpublisher");
    let code = |flags: &[&str]| {
        let refused = folder.json(&[&["create", "film", "--json"], flags].concat(), 2);
        refused["error"]["code"].as_str().expect("a code").to_owned()
    };
    assert_eq!(code(&["--tip", "1", "--publisher-key", "k"]), "no-payee");
    assert_eq!(code(&["--tip", "1", "--payee", PAYEE]), "no-publisher-key");
    assert_eq!(code(&[&PUBLISHER[..], &["--pay-chain", "nile"]].concat()), "no-vault");
    assert!(!folder.0.join("film.torrent").exists());
    assert!(!folder.0.join("publisher.key").exists());
    // Of TRON all is known that a tip needs: no node is asked.
    let flags = [&["create", "film", "--json"], &PUBLISHER[..], &["--pay-chain", "tron"]];
    let made = folder.json(&flags.concat(), 0);
    assert_eq!(made["publication"]["token"], "TAFjULxiVgT4qWk6UZwjqwZXTSaGaqnVp4");
    assert_eq!(made["publication"]["chain_id"], 728_126_428);
}

#[test]
fn bad_input_has_a_code_and_exits_with_2() {
    let folder = Folder::new("bad");
    fs::write(folder.0.join("bad.torrent"), "d4:infoi1ee").expect("a write");
    let shown = folder.json(&["show", "--json", "bad.torrent"], 2);
    assert_eq!((&shown["valid"], &shown["error"]["code"]), (&false.into(), &"bad-info".into()));
    assert!(shown["error"]["message"].is_string());
    let magnet = folder.json(&["get", "--json", "magnet:?xt=urn:btih:12"], 2);
    assert_eq!(magnet["error"]["code"], "bad-info-hash");
    let absent = folder.json(&["seed", "--json", "absent"], 2);
    assert_eq!(absent["error"]["code"], "unreadable");
    let tracker = folder.json(&["seed", "--json", "film", "--tracker", "gopher://t.example"], 2);
    assert_eq!(tracker["error"]["code"], "bad-tracker");
    let output = folder.run(&["show", "bad.torrent"]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("error [bad-info]: "));
    assert_eq!(folder.run(&["get"]).status.code(), Some(2));
    assert_eq!(folder.run(&["get", "x", "--upload-limit", "much"]).status.code(), Some(2));
}

#[test]
fn help_names_every_command() {
    let folder = Folder::new("help");
    let help = String::from_utf8(folder.run(&["--help"]).stdout).expect("text");
    for command in ["show", "create", "get", "seed", "serve"] {
        assert!(help.contains(command), "{command} is missing");
        assert_eq!(folder.run(&[command, "--help"]).status.code(), Some(0));
    }
}

struct Server {
    child: Child,
    host: String,
}

impl Server {
    fn start(dir: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_headwater"))
            .args([
                "serve",
                "--listen",
                "127.0.0.1:0",
                "--interface",
                "127.0.0.1",
                "--host",
                "film.example",
            ])
            .arg("--dir")
            .arg(dir)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it runs");
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.take().expect("piped"));
        out.read_line(&mut line).expect("a first line");
        let host = line.trim().strip_prefix("http://").expect("a URL").trim_end_matches('/');
        Self { host: host.to_owned(), child }
    }

    /// Asks and returns head and body.
    fn ask(&self, method: &str, path: &str, host: &str, more: &str) -> (String, String) {
        let mut stream = TcpStream::connect(&self.host).expect("it listens");
        let request = format!("{method} {path} HTTP/1.0\r\nHost: {host}\r\n{more}\r\n");
        stream.write_all(request.as_bytes()).expect("a request");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("an answer");
        let answer = String::from_utf8_lossy(&answer);
        let (head, body) = answer.split_once("\r\n\r\n").expect("head and body");
        (head.to_lowercase(), body.to_owned())
    }

    fn get(&self, path: &str) -> (String, String) {
        self.ask("GET", path, &self.host, "")
    }

    fn torrents(&self) -> Vec<Value> {
        serde_json::from_str(&self.get("/torrents.json").1).expect("a list")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_server_answers_to_its_own_names_only() {
    let folder = Folder::new("hosts");
    let server = Server::start(&folder.0);
    for host in ["localhost", "127.0.0.1:1", "[::1]", "film.example"] {
        assert!(server.ask("GET", "/healthz", host, "").0.contains(" 200 "), "{host}");
    }
    for (path, host) in [("/", "evil.example"), ("/torrents.json", "192.0.2.1"), ("/tracker", "x")]
    {
        assert!(server.ask("GET", path, host, "").0.contains(" 421 "), "{host}");
    }
    // Clients of the tracker may reach it through a router of another address.
    for path in ["/announce", "/scrape"] {
        assert!(server.ask("GET", path, "192.0.2.1:80", "").0.contains(" 200 "), "{path}");
        assert!(server.ask("GET", path, "evil.example", "").0.contains(" 421 "), "{path}");
    }
    let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: https://evil.example\r\n";
    let mut stream = TcpStream::connect(&server.host).expect("it listens");
    write!(stream, "GET /tracker HTTP/1.1\r\nHost: {}\r\n{upgrade}\r\n", server.host)
        .expect("sent");
    let mut first = String::new();
    BufReader::new(stream).read_line(&mut first).expect("an answer");
    assert!(first.contains(" 403 "), "{first}");
}

#[test]
fn the_server_serves_a_fixed_map_of_names() {
    let folder = Folder::new("names");
    let server = Server::start(&folder.0);
    let (head, _) = server.get("/");
    for line in [
        " 200 ok",
        "content-type: text/html",
        "x-content-type-options: nosniff",
        "content-security-policy: default-src 'self'",
        "service-worker-allowed: /",
        "cache-control: no-cache",
    ] {
        assert!(head.contains(line), "{line} is missing in {head}");
    }
    for path in
        ["/../Cargo.toml", "/..%2f..%2fetc/passwd", "/%2e%2e/x", "/film/note.txt", "//etc/passwd"]
    {
        assert!(server.get(path).0.contains(" 404 "), "{path}");
    }
    assert!(server.ask("POST", "/", &server.host, "").0.contains(" 405 "));
    let (_, metrics) = server.get("/metrics");
    for name in ["torrents", "links", "link_sent_bytes_total", "tracker_sockets"] {
        assert!(metrics.contains(&format!("\nheadwater_{name} ")), "{name} is missing");
    }
}

#[cfg(unix)]
#[test]
fn the_server_shares_a_folder_and_ends_when_told() {
    let folder = Folder::new("share");
    let mut server = Server::start(&folder.0);
    let mut torrents = server.torrents();
    while torrents.is_empty() {
        torrents = server.torrents();
    }
    assert_eq!((&torrents[0]["name"], &torrents[0]["length"]), (&"film".into(), &100_005.into()));
    let magnet = torrents[0]["magnet"].as_str().expect("a link");
    let port = server.host.rsplit(':').next().expect("a port");
    assert!(magnet.contains(&format!("tr=ws%3A%2F%2F127.0.0.1%3A{port}%2Ftracker")), "{magnet}");
    let http = format!("tr=http%3A%2F%2F127.0.0.1%3A{port}%2Fannounce");
    assert!(magnet.find("tr=ws") < magnet.find(&http), "{magnet}");
    assert!(folder.0.join(".headwater").is_dir());
    let told = Command::new("kill").args(["-TERM", &server.child.id().to_string()]).status();
    assert!(told.expect("kill runs").success());
    assert_eq!(server.child.wait().expect("it ends").code(), Some(0));
}
