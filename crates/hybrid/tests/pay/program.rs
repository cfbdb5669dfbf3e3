//! The program as its owner meets it: what it refuses, what it says, what it leaves as it was, and
//! a sale from its first flag to the claim.

use std::fs;
use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdout, Command, Output, Stdio};

use headwater_base::{Address, Amount};
use headwater_client::chain;
use headwater_devnet::genesis;
use headwater_hybrid::shell::{OwnedSource, Records};
use headwater_pay::{Promise, Record};
use headwater_tron::address::to_base58;
use serde_json::Value;

use crate::market::{Folder, Ledger, Side, payee, session_key};
use crate::trade::is_done;

/// A program that runs; killed when dropped.
pub(crate) struct Program {
    child: Child,
    out: BufReader<ChildStdout>,
    err: BufReader<ChildStderr>,
}

impl Program {
    pub(crate) fn start(args: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_headwater"))
            .args(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it runs");
        let out = BufReader::new(child.stdout.take().expect("piped"));
        let err = BufReader::new(child.stderr.take().expect("piped"));
        Self { child, out, err }
    }

    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.out.read_line(&mut line).expect("text");
        line.trim().to_owned()
    }

    /// Reads what it logs until a line holds this.
    pub(crate) fn until(&mut self, text: &str) {
        let mut line = String::new();
        while !line.contains(text) {
            line.clear();
            assert_ne!(self.err.read_line(&mut line).expect("text"), 0, "it ended before {text:?}");
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn run(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_headwater")).args(args).output().expect("it runs")
}

/// Every line of JSON that it writes, and its exit code.
fn json(args: &[&str]) -> (Vec<Value>, Option<i32>) {
    let output = run(&[args, &["--json"]].concat());
    let text = String::from_utf8(output.stdout).expect("text");
    let read = |line: &str| serde_json::from_str(line).expect("JSON");
    (text.lines().map(read).collect(), output.status.code())
}

pub(crate) fn text(path: &Path) -> String {
    path.to_str().expect("text").to_owned()
}

const PAYEE: &str = "TJRabPrwbZy45sbavfcjinPJC18kjpRTv8";

/// A server in `folder` that meets nobody by itself.
fn serve(folder: &Path, more: &[&str]) -> Program {
    let dir = text(folder);
    let alone =
        ["--listen", "127.0.0.1:0", "--interface", "127.0.0.1", "--transports", "tcp", "--json"];
    Program::start(&[&["serve", "--dir", &dir][..], &alone, more].concat())
}

/// A voucher that the payee may claim, in the records of a server in `folder`.
fn voucher(ledger: &Ledger, folder: &Path, amount: Amount) -> PathBuf {
    let session = ledger.buying();
    let voucher = Promise { rail: ledger.rail, grant: session.grant, payee: payee(), amount };
    let sig = chain::sign(&session_key(), &voucher);
    let grant_sig = session.grant_sig;
    let records = Records::open(&folder.join(".headwater/pay")).expect("records");
    let record = Record::Credit { voucher, grant_sig, sig, claimed: Amount(0) };
    records.store(&record).expect("a write");
    let name = format!("{}.record", headwater_base::hex(&record.key().0));
    records.folder().join(name)
}

pub(crate) fn code(output: &Output) -> (Option<i32>, String) {
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn a_ledger_tells_its_url_first_and_that_it_is_worth_nothing() {
    let mut plain = Program::start(&["devnet", "--listen", "127.0.0.1:0"]);
    assert!(plain.line().starts_with("http://127.0.0.1:"));
    assert!(plain.line().contains("worthless"));
    let account = to_base58(Address([0x77; 20]));
    let args = ["devnet", "--listen", "127.0.0.1:0", "--json", "--fund", &account];
    let told: Value = serde_json::from_str(&Program::start(&args).line()).expect("JSON");
    assert_eq!((&told["event"], &told["chain_id"]), (&"listening".into(), &0x4857_0001.into()));
    assert!(told["warning"].as_str().expect("text").contains("worthless"));
    assert_eq!(told["accounts"].as_array().map(Vec::len), Some(usize::from(genesis::ACCOUNTS)));
    let first = to_base58(genesis::account_key(0).address());
    assert_eq!(told["accounts"][0]["address"], first);
    assert_eq!(run(&["devnet", "--fund", "nobody"]).status.code(), Some(2));
}

#[test]
fn what_selling_lacks_is_said_before_anything_is_served() {
    let folder = Folder::new("lacks");
    let dir = text(&folder.0);
    let serve = ["serve", "--dir", &dir, "--listen", "127.0.0.1:0", "--interface", "127.0.0.1"];
    let with = |more: &[&str]| code(&run(&[&serve[..], &["--sell"], more].concat()));
    let (exit, why) = with(&[]);
    assert_eq!((exit, why.contains("[no-payee]")), (Some(2), true), "{why}");
    let (exit, why) = with(&["--payee", PAYEE, "--pay-chain", "tron"]);
    assert_eq!((exit, why.contains("[no-vault]")), (Some(2), true), "{why}");
    let (exit, why) = with(&["--payee", PAYEE, "--pay-node", "ftp://node.example"]);
    assert_eq!((exit, why.contains("[bad-node]")), (Some(2), true), "{why}");
    for wrong in [&["--payee", "TJRabPrwbZy45sbavfcjinPJC18kjpRTv9"][..], &["--price", "0"]] {
        assert_eq!(with(wrong).0, Some(2), "{wrong:?}");
    }
    assert!(!folder.0.join(".headwater/pay").exists());
}

#[test]
fn settings_of_selling_are_keys_of_the_file_too() {
    let folder = Folder::new("settings");
    let file = folder.0.join("serve.toml");
    let settings = format!("sell = true\npayee = '{PAYEE}'\nprice = '2.5'\nsold-slots = 3\n");
    fs::write(&file, settings).expect("a write");
    let printed = run(&["serve", "--config", &text(&file), "--print-config"]);
    let printed = String::from_utf8(printed.stdout).expect("text");
    for line in
        ["sell = true", "price = \"2.5\"", "sold-slots = 3", &format!("payee = \"{PAYEE}\"")]
    {
        assert!(printed.lines().any(|found| found == line), "{line} in {printed}");
    }
}

#[test]
fn a_node_out_of_reach_stops_no_server() {
    let folder = Folder::new("unreachable");
    let key = text(&folder.0.join("key"));
    // Nobody listens at the port that this one had.
    let gone = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", gone.local_addr().expect("an address"));
    drop(gone);
    let vault = to_base58(Address([0x44; 20]));
    let sell =
        ["--sell", "--payee", PAYEE, "--pay-node", &url, "--vault", &vault, "--claim-key", &key];
    let mut server = serve(&folder.0, &sell);
    let told: Value = serde_json::from_str(&server.line()).expect("JSON");
    assert_eq!(told["event"], "listening");
    server.until("nothing is sold yet");
    assert_eq!(fs::read_to_string(&key).expect("a key").trim().len(), 64);
    let status = ["pay", "status", "--dir", &text(&folder.0)];
    assert_eq!(json(&status).0[0]["running"], true);
    drop(server);
    let (lines, exit) = json(&status);
    assert_eq!((&lines[0]["running"], &lines[0]["open"]), (&false.into(), &"0".into()));
    assert_eq!(exit, Some(0));
}

#[test]
fn a_damaged_record_or_an_open_key_stops_selling_and_stays_as_it_is() {
    let (folder, ledger) = (Folder::new("damaged"), Ledger::start());
    let record = voucher(&ledger, &folder.0, Amount(5));
    let dir = text(&folder.0);
    let serve = ["serve", "--dir", &dir, "--listen", "127.0.0.1:0", "--interface", "127.0.0.1"];
    let sell = ["--sell", "--payee", PAYEE];
    let mut bytes = fs::read(&record).expect("a record");
    bytes[40] ^= 1;
    fs::write(&record, &bytes).expect("a write");
    for args in [&[&serve[..], &sell].concat()[..], &["pay", "status", "--dir", &dir]] {
        let (exit, why) = code(&run(args));
        assert_eq!((exit, why.contains("[pay-records]")), (Some(1), true), "{why}");
        assert!(why.contains(&text(&record)), "{why}");
    }
    assert_eq!(fs::read(&record).expect("it is there"), bytes);
    fs::remove_file(&record).expect("it goes");
    let key = folder.0.join("key");
    fs::write(&key, "11".repeat(32)).expect("a write");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    fs::set_permissions(&key, mode).expect("ours");
    let file = text(&key);
    let (exit, why) = code(&run(&[&serve[..], &sell, &["--claim-key", &file]].concat()));
    assert_eq!((exit, why.contains("[claim-key]")), (Some(1), true), "{why}");
}

#[test]
fn what_is_open_is_exported_and_claimed_once() {
    let (folder, ledger) = (Folder::new("claims"), Ledger::start());
    let open = Amount(7_000_000_000_000_000_000);
    voucher(&ledger, &folder.0, open);
    let dir = text(&folder.0);
    let key = folder.0.join("key");
    let fees = genesis::account_key(1);
    fs::write(&key, headwater_base::hex(&fees.to_bytes())).expect("a write");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    fs::set_permissions(&key, mode).expect("ours");
    let (lines, _) = json(&["pay", "status", "--dir", &dir]);
    let [status] = &lines[..] else { panic!("{lines:?}") };
    assert_eq!((&status["open"], &status["claimed"]), (&open.0.to_string().into(), &"0".into()));
    assert_eq!(status["payers"][0]["payee"], to_base58(payee()));
    let (lines, _) = json(&["pay", "export", "--dir", &dir]);
    let exported = &lines[0]["vouchers"][0];
    assert_eq!(exported["amount"], open.0.to_string());
    let vault = to_base58(ledger.rail.vault);
    assert_eq!(exported["vault"], vault);
    let (file, place) = (text(&key), ["--pay-node", &ledger.url, "--vault", &vault]);
    let claim = ["pay", "claim", "--dir", &dir, "--claim-key", &file];
    let claim = [&claim[..], &place].concat();
    // Not worth a fee of more than it brings.
    let (lines, exit) = json(&[&claim[..], &["--claim-fee", "7"]].concat());
    assert_eq!((lines.len(), &lines[0]["left"], exit), (1, &open.0.to_string().into(), Some(0)));
    let (lines, exit) = json(&claim);
    assert_eq!((&lines[0]["event"], &lines[1]["event"]), (&"claimed".into(), &"done".into()));
    assert_eq!((&lines[0]["paid"], exit), (&open.0.to_string().into(), Some(0)));
    assert_eq!(ledger.claimed(&ledger_grant(exported)), open);
    assert_eq!(json(&["pay", "status", "--dir", &dir]).0[0]["open"], "0");
    let (lines, exit) = json(&[&claim[..], &["--all"]].concat());
    assert_eq!((lines.len(), &lines[0]["paid"], exit), (1, &"0".into(), Some(0)));
}

#[test]
fn an_exported_voucher_is_all_that_anybody_needs_to_submit_it() {
    let (folder, ledger) = (Folder::new("export"), Ledger::start());
    voucher(&ledger, &folder.0, Amount(7_000));
    let file = text(&folder.0.join("vouchers.json"));
    let (lines, exit) = json(&["pay", "export", "--dir", &text(&folder.0), "-o", &file]);
    assert_eq!((&lines[0]["vouchers"], exit), (&1.into(), Some(0)));
    let written: Value =
        serde_json::from_str(&fs::read_to_string(&file).expect("a file")).expect("JSON");
    let exported = &written["vouchers"][0];
    // As tronweb's triggerSmartContract asks a node, with the fields as they are.
    let field = |name: &str| exported[name].as_str().expect("text").to_owned();
    ledger.submit(&field("vault"), &field("function_selector"), &field("parameter"));
    assert_eq!(ledger.claimed(&ledger_grant(exported)), Amount(7_000));
}

/// The grant of an exported voucher.
fn ledger_grant(exported: &Value) -> headwater_wire::extended::Grant {
    let field = |name: &str| exported["grant"][name].as_str().expect("text").to_owned();
    let account = |name: &str| headwater_tron::address::parse(&field(name)).expect("an address");
    let salt = headwater_base::unhex(&field("salt")[2..]).expect("hex");
    headwater_wire::extended::Grant {
        owner: account("owner"),
        key: account("key"),
        cap: Amount(field("cap").parse().expect("a number")),
        expiry: headwater_base::UnixTime(exported["grant"]["expiry"].as_u64().expect("a number")),
        salt: salt.try_into().expect("32 bytes"),
    }
}

/// Asks a server over HTTP.
fn get(url: &str, path: &str) -> Value {
    let host = url.trim_start_matches("http://").trim_end_matches('/');
    let mut stream = TcpStream::connect(host).expect("it listens");
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {host}\r\n\r\n").expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
    serde_json::from_str(body).expect("JSON")
}

#[test]
fn a_server_sells_and_its_owner_claims() {
    let (folder, ledger) = (Folder::new("server"), Ledger::start());
    let home = folder.0.join("films");
    crate::market::film(&home, 5 << 20);
    let (vault, key) = (to_base58(ledger.rail.vault), text(&folder.0.join("key")));
    let fees = headwater_base::hex(&genesis::account_key(1).to_bytes());
    fs::write(&key, fees).expect("a write");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    fs::set_permissions(&key, mode).expect("ours");
    let payee = to_base58(payee());
    let place = ["--pay-node", &ledger.url, "--vault", &vault];
    // A thousand base units a byte, as everywhere here: no sum is rounded.
    let price = "0.000001073741824";
    let sell = ["--sell", "--payee", &payee, "--price", price, "--upload-limit", "640K"];
    let sell = [&sell[..], &["--log", "debug"]].concat();
    let mut server = serve(&home, &[&sell[..], &place].concat());
    let told: Value = serde_json::from_str(&server.line()).expect("JSON");
    server.until("upload slots are sold");
    server.until("torrent done");
    let url = told["url"].as_str().expect("a URL");
    let magnet = get(url, "/torrents.json")[0]["magnet"].as_str().expect("a link").to_owned();
    let away = folder.0.join("away");
    let mut buyer = Side::start(&ledger, &away, OwnedSource::Text(magnet), None);
    let session = ledger.buying();
    buyer.buy(&session);
    let port = told["port"].as_u64().expect("a port");
    buyer.meet(format!("127.0.0.1:{port}").parse().expect("an address"));
    buyer.until("the film", is_done);
    buyer.settle();
    let promised = buyer.view().promised;
    assert!(promised.0 > 1_000 << 20, "{promised:?}");
    let dir = text(&home);
    let earned = loop {
        let earned = json(&["pay", "status", "--dir", &dir]).0[0]["earned"].clone();
        if earned == promised.0.to_string() {
            break earned;
        }
        server.until("earned");
    };
    let live = json(&["pay", "status", "--dir", &dir]).0[0]["live"].clone();
    assert_eq!((&live["selling"], &live["earned"]), (&true.into(), &earned));
    let claim = ["pay", "claim", "--dir", &dir, "--claim-key", &key, "--all"];
    let (lines, exit) = json(&[&claim[..], &place].concat());
    assert_eq!((&lines[0]["paid"], exit), (&earned, Some(0)));
    assert_eq!(ledger.claimed(&session.grant), promised);
}
