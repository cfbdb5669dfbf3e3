//! The server's owner: who is let in, what he can do, what outlives a restart, what is logged.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;
use std::{env, fs};

use serde_json::{Value, json};

const MAGNET: &str = "magnet:?xt=urn:btih:0123456789abcdef0123456789abcdef01234567&dn=Film\
    &tr=ws%3A%2F%2F127.0.0.1%3A9%2Fpasskey-canary";
const HASH: &str = "0123456789abcdef0123456789abcdef01234567";

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = env::temp_dir().join(format!("headwater-control-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(path.join("data/film")).expect("a folder");
        fs::write(path.join("data/film/a.bin"), vec![7; 100_000]).expect("a write");
        fs::write(path.join("data/film/b.txt"), "hello").expect("a write");
        Self(path)
    }

    fn data(&self) -> PathBuf {
        self.0.join("data")
    }

    fn token(&self) -> String {
        let token = fs::read_to_string(self.data().join(".headwater/control-token"));
        token.expect("a token").trim().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

struct Server {
    child: Child,
    host: String,
    token: String,
}

/// What was answered.
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.body))
    }

    fn code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap_or_default().to_owned()
    }
}

impl Server {
    fn start(folder: &Folder, more: &[&str]) -> Self {
        Self::spawn(folder, more, Stdio::null())
    }

    fn spawn(folder: &Folder, more: &[&str], log: Stdio) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_headwater"))
            .args(["serve", "--listen", "127.0.0.1:0", "--interface", "127.0.0.1", "--dir"])
            .arg(folder.data())
            .args(more)
            .env_remove("HEADWATER_LOG")
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("it runs");
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.take().expect("piped"));
        out.read_line(&mut line).expect("a first line");
        let host = line.trim().split("://").nth(1).expect("a URL").trim_end_matches('/').to_owned();
        let token = folder.data().join(".headwater/control-token");
        let token = fs::read_to_string(token).unwrap_or_default().trim().to_owned();
        Self { child, host, token }
    }

    fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(&self.host).expect("it listens");
        let has_host = headers.iter().any(|(name, _)| *name == "Host");
        let host = if has_host { String::new() } else { format!("Host: {}\r\n", self.host) };
        let more: String = headers.iter().map(|(name, is)| format!("{name}: {is}\r\n")).collect();
        let length = body.len();
        let head =
            format!("{method} {path} HTTP/1.0\r\n{host}{more}Content-Length: {length}\r\n\r\n");
        stream.write_all(head.as_bytes()).expect("a request");
        // A server that refuses need not read all of it.
        let _ = stream.write_all(body);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer);
        let (head, body) = answer.split_once("\r\n\r\n").expect("head and body");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        Answer {
            status: status.expect("a status"),
            head: head.to_lowercase(),
            body: body.to_owned(),
        }
    }

    fn own(&self, method: &str, path: &str, kind: &str, body: &[u8]) -> Answer {
        let bearer = format!("Bearer {}", self.token);
        self.ask(method, path, &[("Authorization", &bearer), ("Content-Type", kind)], body)
    }

    fn get(&self, path: &str) -> Answer {
        self.own("GET", path, "", b"")
    }

    fn send(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.own(method, path, "application/json", body.to_string().as_bytes())
    }

    /// The torrent of the folder, once it is complete.
    fn film(&self) -> String {
        let found =
            self.until("/api/v1/torrents", |list| list["torrents"][0]["state"] == "seeding");
        found["torrents"][0]["info_hash"].as_str().expect("a hash").to_owned()
    }

    /// Asks until the answer passes.
    fn until(&self, path: &str, passes: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        for _ in 0..600 {
            last = self.get(path).json();
            if passes(&last) {
                return last;
            }
            thread::sleep(Duration::from_millis(50));
        }
        panic!("waited 30 s for {path}: {last}");
    }

    fn tell(&self, signal: &str) {
        let told = Command::new("kill").args([signal, &self.child.id().to_string()]).status();
        assert!(told.expect("kill runs").success());
    }

    fn end(&mut self) -> Option<i32> {
        self.tell("-TERM");
        self.child.wait().expect("it ends").code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_server_that_sells_nothing_says_so_and_claims_nothing() {
    let folder = Folder::new("pay");
    let server = Server::start(&folder, &[]);
    let view = server.get("/api/v1/pay").json();
    assert_eq!((&view["selling"], &view["earned"]), (&false.into(), &"0".into()));
    let claim = server.send("POST", "/api/v1/pay/claim", &json!({}));
    assert_eq!((claim.status, claim.code()), (409, "not-selling".to_owned()));
    assert!(!folder.data().join(".headwater/pay").exists());
    assert_eq!(server.ask("GET", "/api/v1/pay", &[], b"").status, 401);
}

#[test]
fn nobody_controls_without_the_token() {
    let folder = Folder::new("token");
    let server = Server::start(&folder, &[]);
    for path in ["server", "torrents", "events", "nothing", HASH] {
        let path = format!("/api/v1/{path}");
        let answer = server.ask("GET", &path, &[], b"");
        assert_eq!((answer.status, answer.code()), (401, "no-token".to_owned()), "{path}");
        assert!(answer.head.contains("www-authenticate: bearer"));
        assert!(!answer.head.contains("access-control-allow"), "{}", answer.head);
    }
    for given in ["Bearer x", "Basic x", &format!("Bearer {}x", server.token), &server.token] {
        let answer = server.ask("GET", "/api/v1/server", &[("Authorization", given)], b"");
        assert_eq!(answer.status, 401, "{given}");
    }
    let query = format!("/api/v1/server?token={}", server.token);
    assert_eq!(server.ask("GET", &query, &[], b"").status, 401);
    assert_eq!(server.get("/api/v1/server").status, 200);
    assert_eq!((server.get("/api/v1/x").status, server.get("/api/v1/limits").status), (404, 405));
}

#[test]
fn wrong_tokens_run_out_and_the_right_one_never_does() {
    let folder = Folder::new("guesses");
    let server = Server::start(&folder, &[]);
    let guess = || server.ask("GET", "/api/v1/server", &[("Authorization", "Bearer guess")], b"");
    (0..30).for_each(|_| drop(guess()));
    let last = guess();
    assert_eq!((last.status, last.code()), (429, "wrong-tokens".to_owned()));
    assert!(last.head.contains("retry-after:"));
    assert_eq!(server.get("/api/v1/server").status, 200);
}

#[test]
fn no_other_site_controls_though_it_had_the_token() {
    let folder = Folder::new("sites");
    let server = Server::start(&folder, &["--host", "film.example"]);
    let bearer = format!("Bearer {}", server.token);
    let ask = |more: (&str, &str)| {
        server.ask("GET", "/api/v1/server", &[("Authorization", &bearer), more], b"")
    };
    let own = format!("http://{}", server.host);
    assert_eq!(ask(("Origin", &own)).status, 200);
    for origin in ["https://evil.example", "null", "http://127.0.0.1:1", "http://film.example"] {
        let answer = ask(("Origin", origin));
        assert_eq!((answer.status, answer.code()), (403, "foreign-origin".to_owned()), "{origin}");
    }
    for host in ["evil.example", "evil.example:7420"] {
        assert_eq!(ask(("Host", host)).status, 421, "{host}");
    }
    let preflight = [("Origin", "https://evil.example"), ("Access-Control-Request-Method", "POST")];
    let answer = server.ask("OPTIONS", "/api/v1/torrents", &preflight, b"");
    assert!(answer.status >= 400 && !answer.head.contains("access-control-allow"));
}

#[test]
fn bodies_have_a_kind_and_a_size() {
    let folder = Folder::new("bodies");
    let server = Server::start(&folder, &[]);
    for kind in ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"] {
        let answer = server.own("POST", "/api/v1/torrents", kind, b"{}");
        assert_eq!((answer.status, answer.code()), (415, "bad-type".to_owned()), "{kind}");
    }
    let long = json!({ "magnet": "x".repeat(300 << 10) });
    let answer = server.send("POST", "/api/v1/torrents", &long);
    assert_eq!((answer.status, answer.code()), (413, "too-large".to_owned()));
    for (body, status) in [
        (json!({ "magnet": "film.torrent" }), 422),
        (json!({ "magnet": "/etc/passwd" }), 422),
        (json!({ "magnet": MAGNET, "more": 1 }), 400),
        (json!("x"), 400),
    ] {
        assert_eq!(server.send("POST", "/api/v1/torrents", &body).status, status, "{body}");
    }
    let answer = server.own("POST", "/api/v1/torrents", "application/x-bittorrent", b"de");
    assert_eq!(answer.status, 422);
}

#[test]
fn torrents_are_added_paused_limited_and_removed() {
    let folder = Folder::new("actions");
    let server = Server::start(&folder, &[]);
    let film = format!("/api/v1/torrents/{}", server.film());
    let shown = server.get(&film).json();
    assert_eq!((&shown["name"], &shown["origin"]), (&"film".into(), &"folder".into()));
    assert_eq!((&shown["files"][1]["path"], &shown["progress"]), (&"b.txt".into(), &1.0.into()));
    let added = server.send("POST", "/api/v1/torrents", &json!({ "magnet": MAGNET }));
    assert_eq!((added.status, &added.json()["name"]), (201, &"Film".into()));
    assert_eq!(added.json()["origin"], "added");
    let again = server.send("POST", "/api/v1/torrents", &json!({ "magnet": MAGNET }));
    assert_eq!((again.status, again.code()), (409, "known-torrent".to_owned()));
    let change = json!({ "paused": true, "upload_limit": 1000 });
    let changed = server.send("PATCH", &film, &change).json();
    assert_eq!(changed["state"], "paused");
    assert_eq!(changed["limits"], json!({ "upload_limit": 1000, "download_limit": null }));
    let resumed = server.send("PATCH", &film, &json!({ "paused": false, "upload_limit": null }));
    assert_eq!(resumed.json()["limits"]["upload_limit"], Value::Null);
    server.until(&film, |film| film["state"] == "seeding");
    assert_eq!(server.send("PATCH", &film, &json!({ "upload_limit": 0 })).status, 400);
    let limits = server.send("PATCH", "/api/v1/limits", &json!({ "download_limit": 5000 })).json();
    assert_eq!(limits, json!({ "upload_limit": null, "download_limit": 5000 }));
    assert_eq!(server.get("/api/v1/server").json()["limits"], limits);
    let chosen = server.send("PATCH", &film, &json!({ "files": ["high", "skip"] }));
    assert_eq!(chosen.status, 200, "{}", chosen.body);
    assert_eq!(server.get(&film).json()["files"][1]["choice"], "skip");
    assert_eq!(server.send("PATCH", &film, &json!({ "files": vec!["high"; 9] })).status, 400);
    let link = format!("/api/v1/torrents/{HASH}");
    assert_eq!(server.own("DELETE", &link, "", b"").json(), json!({ "removed": HASH }));
    assert_eq!(server.get(&link).status, 404);
    assert_eq!(server.own("DELETE", &format!("{film}?data=true"), "", b"").status, 200);
    let left = || folder.data().join("film/a.bin").exists();
    (0..600).take_while(|_| left()).for_each(|_| thread::sleep(Duration::from_millis(50)));
    assert!(!left(), "the data is still there");
}

#[test]
fn what_is_added_stays_in_the_servers_folder() {
    let folder = Folder::new("places");
    let server = Server::start(&folder, &[]);
    std::os::unix::fs::symlink("/tmp", folder.data().join("away")).expect("a link");
    for name in
        ["..", "/tmp", "a/../..", ".headwater", "a/.b", "away", "away/x", "a\n", "film/a.bin"]
    {
        let body = json!({ "magnet": MAGNET, "folder": name });
        let answer = server.send("POST", "/api/v1/torrents", &body);
        assert_eq!((answer.status, answer.code()), (400, "bad-folder".to_owned()), "{name:?}");
    }
    let body = json!({ "magnet": MAGNET, "folder": "new/films" });
    assert_eq!(server.send("POST", "/api/v1/torrents", &body).status, 201);
    assert!(folder.data().join("new/films").is_dir());
}

#[test]
fn a_torrent_file_is_added_and_fetched_from_a_peer() {
    let (from, to) = (Folder::new("from"), Folder::new("to"));
    fs::remove_dir_all(to.data().join("film")).expect("gone");
    let seed = Server::start(&from, &[]);
    seed.film();
    let made = from.0.join("film.torrent");
    let create = Command::new(env!("CARGO_BIN_EXE_headwater"))
        .args(["create", "film", "-o"])
        .arg(&made)
        .current_dir(from.data())
        .output();
    assert!(create.expect("it runs").status.success());
    let mut leech = Server::start(&to, &[]);
    let torrent = fs::read(&made).expect("a torrent");
    let path = "/api/v1/torrents?folder=got";
    let added = leech.own("POST", path, "application/x-bittorrent", &torrent);
    assert_eq!(added.status, 201, "{}", added.body);
    let hash = added.json()["info_hash"].as_str().expect("a hash").to_owned();
    // It is meant to be restored before it is complete, and to meet its peer then.
    assert_eq!(leech.end(), Some(0));
    let leech = Server::start(&to, &["--tracker", &format!("ws://{}/tracker", seed.host)]);
    let path = format!("/api/v1/torrents/{hash}");
    let got = leech.until(&path, |got| got["state"] == "seeding");
    assert_eq!((&got["folder"], &got["stored_bytes"]), (&"got".into(), &got["length"]));
    let bytes = fs::read(to.data().join("got/film/a.bin")).expect("the file");
    assert_eq!(bytes, vec![7; 100_000]);
}

#[test]
fn what_is_stored_is_hashed_again_when_its_owner_asks() {
    let folder = Folder::new("again");
    let server = Server::start(&folder, &[]);
    let path = format!("/api/v1/torrents/{}", server.film());
    let mut spoiled = vec![7; 100_000];
    spoiled[50_000] = 8;
    fs::write(folder.data().join("film/a.bin"), spoiled).expect("a write");
    assert_eq!(server.send("PATCH", &path, &json!({ "verify": true })).status, 200);
    let found = server.until(&path, |torrent| torrent["state"] == "leeching");
    assert_eq!(found["stored_bytes"], 100_005 - 16_384, "all but the piece that is wrong");
}

#[test]
fn a_restart_restores_what_was_chosen() {
    let folder = Folder::new("restart");
    let mut server = Server::start(&folder, &[]);
    let film = format!("/api/v1/torrents/{}", server.film());
    let body = json!({ "magnet": MAGNET, "paused": true });
    assert_eq!(server.send("POST", "/api/v1/torrents", &body).status, 201);
    assert_eq!(server.send("PATCH", &film, &json!({ "paused": true })).status, 200);
    assert_eq!(
        server.send("PATCH", "/api/v1/limits", &json!({ "upload_limit": 7000 })).status,
        200
    );
    let token = server.token.clone();
    assert_eq!(server.end(), Some(0));
    let mut server = Server::start(&folder, &[]);
    assert_eq!(server.token, token, "the token stays");
    let link = server.until(&format!("/api/v1/torrents/{HASH}"), |one| one["error"].is_null());
    assert_eq!((&link["state"], &link["origin"]), (&"paused".into(), &"added".into()));
    server.until(&film, |film| film["state"] == "paused");
    assert_eq!(server.get("/api/v1/server").json()["limits"]["upload_limit"], 7000);
    assert_eq!(server.end(), Some(0));
    let state = folder.data().join(".headwater/state.json");
    fs::write(&state, "{ spoiled").expect("a write");
    let server = Server::start(&folder, &["--upload-limit", "9K"]);
    let list = server.until("/api/v1/torrents", |list| list["torrents"][0]["state"] == "seeding");
    assert_eq!(list["torrents"].as_array().map(Vec::len), Some(1));
    assert_eq!(server.get("/api/v1/server").json()["limits"]["upload_limit"], 9 << 10);
    let aside = state.with_extension("json.unreadable-1");
    assert_eq!(fs::read_to_string(aside).expect("set aside"), "{ spoiled");
}

#[test]
fn the_token_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new("secret");
    let file = folder.data().join(".headwater/control-token");
    let mode = || fs::metadata(&file).expect("a file").permissions().mode() & 0o777;
    let mut server = Server::start(&folder, &[]);
    assert_eq!((mode(), server.token.len()), (0o600, 64));
    assert_eq!(server.end(), Some(0));
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("changed");
    let _server = Server::start(&folder, &[]);
    assert_eq!(mode(), 0o600);
    assert_ne!(folder.token(), Server::start(&Folder::new("other"), &[]).token);
}

#[test]
fn without_control_there_is_none() {
    let folder = Folder::new("none");
    let server = Server::start(&folder, &["--control", "off"]);
    assert_eq!(server.get("/api/v1/server").status, 404);
    assert!(!folder.data().join(".headwater/control-token").exists());
}

/// Reads server-sent events from an open stream.
struct Events(BufReader<TcpStream>);

impl Events {
    fn open(server: &Server) -> Self {
        let mut stream = TcpStream::connect(&server.host).expect("it listens");
        stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a timeout");
        let (host, token) = (&server.host, &server.token);
        write!(
            stream,
            "GET /api/v1/events HTTP/1.0\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\r\n"
        )
        .expect("a request");
        Self(BufReader::new(stream))
    }

    /// The next event: its name and what it says; `None` at the end.
    fn next(&mut self) -> Option<(String, Value)> {
        let mut name = String::new();
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line).expect("a line in time") == 0 {
                return None;
            }
            if let Some(is) = line.strip_prefix("event: ") {
                name = is.trim().to_owned();
            }
            if let Some(data) = line.strip_prefix("data: ") {
                return Some((name, serde_json::from_str(data).expect("JSON")));
            }
        }
    }
}

#[test]
fn events_tell_everything_first_and_then_what_changes() {
    let folder = Folder::new("events");
    let mut server = Server::start(&folder, &[]);
    let film = server.film();
    let mut events = Events::open(&server);
    let (name, first) = events.next().expect("an event");
    assert_eq!((name.as_str(), &first["torrents"][0]["name"]), ("snapshot", &"film".into()));
    server.send("POST", "/api/v1/torrents", &json!({ "magnet": MAGNET, "paused": true }));
    let mut until = |passes: &dyn Fn(&Value) -> bool| loop {
        let (name, data) = events.next().expect("an event");
        assert_eq!(name, "change");
        if passes(&data) {
            return data;
        }
    };
    let added = until(&|data| data["torrents"][0]["info_hash"] == HASH);
    assert_eq!(added["torrents"].as_array().map(Vec::len), Some(1), "the film did not change");
    server.send("PATCH", &format!("/api/v1/torrents/{film}"), &json!({ "paused": true }));
    until(&|data| data["torrents"][0]["state"] == "paused");
    server.own("DELETE", &format!("/api/v1/torrents/{HASH}"), "", b"");
    until(&|data| data["removed"] == json!([HASH]));
    // An open stream does not hold up the end.
    assert_eq!(server.end(), Some(0));
    while events.next().is_some() {}
}

#[test]
fn event_streams_are_few() {
    let folder = Folder::new("streams");
    let server = Server::start(&folder, &[]);
    let mut open: Vec<_> = (0..16).map(|_| Events::open(&server)).collect();
    assert!(open.iter_mut().all(|events| events.next().is_some()));
    assert_eq!(server.get("/api/v1/events").status, 429);
}

#[test]
fn the_log_holds_no_address_no_key_and_no_peer() {
    let folder = Folder::new("log");
    let log = folder.0.join("log");
    let file = fs::File::create(&log).expect("a file");
    let more = ["--log", "trace", "--log-format", "json"];
    let mut server = Server::spawn(&folder, &more, file.into());
    server.film();
    let fetching = Folder::new("log-peer");
    fs::remove_dir_all(fetching.data().join("film")).expect("gone");
    let peer = Server::start(&fetching, &[]);
    let magnet = server.get("/torrents.json").json()[0]["magnet"].clone();
    assert_eq!(peer.send("POST", "/api/v1/torrents", &json!({ "magnet": magnet })).status, 201);
    peer.film();
    server.send("POST", "/api/v1/torrents", &json!({ "magnet": MAGNET }));
    let unreachable = |one: &Value| one["trackers"].to_string().contains("passkey-canary");
    server.until(&format!("/api/v1/torrents/{HASH}"), unreachable);
    assert_eq!(server.end(), Some(0));
    let text = fs::read_to_string(&log).expect("a log");
    for line in text.lines() {
        let event: Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        assert!(event["message"].is_string(), "{line}");
    }
    for told in ["torrent added", "torrent ready", "link opened", "link totals", "stopped"] {
        assert!(text.contains(&format!("\"message\":\"{told}")), "{told} is missing: {text}");
    }
    for canary in ["127.0.0.1", "-HW", "passkey-canary", &server.token] {
        assert!(!text.contains(canary), "{canary} is in the log: {text}");
    }
}

#[test]
fn settings_come_from_a_file_and_flags_go_before() {
    let folder = Folder::new("settings");
    let file = folder.0.join("headwater.toml");
    let print = |text: &str, more: &[&str]| {
        fs::write(&file, text).expect("a write");
        let config: [&Path; 1] = [&file];
        let mut command = Command::new(env!("CARGO_BIN_EXE_headwater"));
        command.args(["serve", "--print-config", "--config"]).args(config).args(more);
        command.output().expect("it runs")
    };
    let said =
        print("max-peers = 7\nupload-limit = '2M'\ntracker = ['ws://a/']\n", &["--max-peers=8"]);
    let printed = String::from_utf8(said.stdout).expect("text");
    for line in ["max-peers = 8", "upload-limit = \"2M\"", "tracker = [\"ws://a/\"]"] {
        assert!(printed.lines().any(|found| found == line), "{line} is missing: {printed}");
    }
    let wrong = print("\nmax-pears = 7\n", &[]);
    assert_eq!(wrong.status.code(), Some(2));
    let why = String::from_utf8(wrong.stderr).expect("text");
    assert!(why.contains("headwater.toml, line 2, column 1: no setting is called \"max-pears\""));
    assert!(why.contains("max-peers"), "{why}");
}

#[test]
fn every_figure_is_documented_and_no_other() {
    let folder = Folder::new("figures");
    let cache = folder.0.join("cache").display().to_string();
    // Nobody answers there: figures of a fleet and of money are shown all the same.
    let (fleet, node) = ("nats://127.0.0.1:9", "http://127.0.0.1:9");
    let payee = "TAFjULxiVgT4qWk6UZwjqwZXTSaGaqnVp4";
    let mut more = vec!["--bridge", "open", "--bridge-dir", &cache, "--fleet", fleet];
    more.extend(["--sell", "--payee", payee, "--pay-node", node, "--pay-chain", "local"]);
    let server = Server::start(&folder, &more);
    let text = server.ask("GET", "/metrics", &[], b"").body;
    let mut shown: Vec<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE "))
        .map(|line| line.split_once(' ').expect("name and type"))
        .collect();
    let page = include_str!("../README.md");
    let mut documented: Vec<_> = page
        .lines()
        .filter(|line| line.starts_with("| `headwater_"))
        .map(|line| {
            let cells: Vec<_> = line.split('|').map(str::trim).collect();
            assert!(cells.len() == 6 && !cells[3].is_empty() && !cells[4].is_empty(), "{line}");
            (cells[1].trim_matches('`'), cells[2])
        })
        .collect();
    shown.sort_unstable();
    documented.sort_unstable();
    assert_eq!(documented, shown);
}

#[test]
fn a_second_signal_does_not_wait_for_anybody() {
    // It takes connections and never answers: goodbyes have to wait for it.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let tracker = format!("ws://{}/", silent.local_addr().expect("an address"));
    let folder = Folder::new("twice");
    let mut server = Server::start(&folder, &["--tracker", &tracker]);
    server.film();
    server.tell("-TERM");
    let listens = || TcpStream::connect(&server.host).is_ok();
    (0..200).take_while(|_| listens()).for_each(|_| thread::sleep(Duration::from_millis(5)));
    server.tell("-TERM");
    assert_eq!(server.child.wait().expect("it ends").code(), Some(1));
    let mut server = Server::start(&folder, &["--tracker", &tracker]);
    server.film();
    assert_eq!(server.end(), Some(0), "one signal says goodbye, for a bounded time");
}
