//! Programs and a tracker on one machine: a magnet link, a kill in the middle, no tracker.

mod dht;
mod disk;
mod program;

use std::fs;
use std::io::{Read as _, Write as _};
use std::process::Command;

use program::{Folder, Program};
use serde_json::Value;

#[test]
fn a_folder_crosses_by_magnet_link_alone() {
    let folder = Folder::new("magnet");
    let (_server, tracker) = Program::serve(&folder.0);
    let (_seed, magnet) = Program::seed(&folder.0, &tracker);
    let mut get = Program::start(&folder.0, &["get", &magnet, "-o", "got", "--json"]);
    let done = get.until("done");
    assert_eq!((get.code(), &done["length"]), (Some(0), &8_000_001.into()));
    assert_eq!((&done["downloaded"], &done["wasted"]), (&8_000_001.into(), &0.into()));
    assert_eq!(done["files"].as_array().map(Vec::len), Some(3));
    folder.check();
    // A second run finds everything there and asks nobody.
    let mut again = Program::start(&folder.0, &["get", &magnet, "-o", "got", "--json"]);
    assert_eq!((&again.until("done")["downloaded"], again.code()), (&0.into(), Some(0)));
}

#[test]
fn a_killed_download_goes_on_without_fetching_stored_pieces_again() {
    let folder = Folder::new("killed");
    let (_server, tracker) = Program::serve(&folder.0);
    let (_seed, magnet) = Program::seed(&folder.0, &tracker);
    let slow = ["get", &magnet, "-o", "got", "--json", "--download-limit", "2M"];
    let mut get = Program::start(&folder.0, &slow);
    let stored = loop {
        let stored = get.until("progress")["stored"].as_u64().expect("a number");
        if stored > 2_000_000 {
            break stored;
        }
    };
    get.child.kill().expect("it lives");
    get.code();
    let mut get = Program::start(&folder.0, &["get", &magnet, "-o", "got", "--json"]);
    let done = get.until("done");
    let fetched = done["downloaded"].as_u64().expect("a number");
    assert!(fetched <= 8_000_001 - stored, "{fetched} bytes fetched after {stored} were stored");
    assert_eq!(get.code(), Some(0));
    folder.check();
}

/// A folder that is shared over TCP, the link to it, and where its peer listens.
pub(crate) fn direct(folder: &Folder) -> (Program, String, String) {
    let args = ["seed", "shared/film", "--json", "--transports", "tcp,utp"];
    let mut seed = Program::start(&folder.0, &args);
    let line: Value = serde_json::from_str(&seed.line().expect("a line")).expect("JSON");
    let magnet = line["magnet"].as_str().expect("a link").to_owned();
    (seed, magnet, format!("127.0.0.1:{}", line["port"]))
}

#[test]
fn a_peer_that_is_named_is_dialled_over_tcp_and_utp_and_encrypted() {
    for (transports, encryption) in [("tcp", "off"), ("utp", "on"), ("tcp,utp", "required")] {
        let folder = Folder::new(&format!("direct-{transports}-{encryption}"));
        let (_seed, magnet, address) = direct(&folder);
        let to = ["get", &magnet, "-o", "got", "--json", "--peer", &address];
        let by = ["--transports", transports, "--encryption", encryption];
        let mut get = Program::start(&folder.0, &[&to[..], &by].concat());
        assert_eq!(get.until("done")["downloaded"], 8_000_001, "{transports} {encryption}");
        assert_eq!(get.code(), Some(0));
        folder.check();
    }
}

#[test]
fn chosen_files_come_alone_and_one_of_them_goes_to_stdout_in_order() {
    let folder = Folder::new("chosen");
    let (_seed, magnet, address) = direct(&folder);
    let named = ["--peer", &address, "--files", "0"];
    let get = ["get", &magnet, "-o", "got", "--json"];
    let done = Program::start(&folder.0, &[&get[..], &named].concat()).until("done");
    assert!(done["downloaded"].as_u64().expect("a number") < 4_000_000, "{done}");
    let output = |args: &[&str]| {
        let all = [&["get", &magnet, "-o", "-", "--interface", "127.0.0.1"][..], args].concat();
        let mut command = Command::new(env!("CARGO_BIN_EXE_headwater"));
        command.args(all).current_dir(&folder.0).output().expect("it runs")
    };
    let got = output(&named);
    let sent = fs::read(folder.0.join("shared/film/a.bin")).expect("what was shared");
    assert!(got.status.success() && got.stdout == sent, "{} bytes", got.stdout.len());
    let all = output(&["--peer", &address]);
    assert_eq!((all.status.code(), all.stdout.len()), (Some(2), 0), "which file is meant?");
    assert!(String::from_utf8_lossy(&all.stderr).contains("several-files"));
}

#[test]
fn players_read_any_range_while_it_downloads_and_other_sites_read_nothing() {
    let folder = Folder::new("stream");
    let (_seed, magnet, address) = direct(&folder);
    let args = ["get", &magnet, "-o", "got", "--json", "--peer", &address, "--stream"];
    let mut get = Program::start(&folder.0, &args);
    let url = get.until("stream")["url"].as_str().expect("a URL").to_owned();
    let (host, path) = url.trim_start_matches("http://").split_once('/').expect("a path");
    let ask = |host_said: &str, range: &str| {
        let mut stream = std::net::TcpStream::connect(host).expect("it listens");
        let request = format!(
            "GET /{path} HTTP/1.1\r\nHost: {host_said}\r\nRange: {range}\r\n\
             Connection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).expect("it is sent");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("an answer");
        answer
    };
    let sent = fs::read(folder.0.join("shared/film/a.bin")).expect("what was shared");
    let answer = ask(host, "bytes=2900000-2999999");
    assert!(answer.starts_with(b"HTTP/1.1 206") && answer.ends_with(&sent[2_900_000..]));
    assert!(ask(host, "bytes=3000000-").starts_with(b"HTTP/1.1 416"));
    assert!(ask("evil.example", "bytes=0-9").starts_with(b"HTTP/1.1 421"));
}

#[test]
fn who_shares_up_to_a_ratio_ends_once_that_is_reached() {
    let folder = Folder::new("ratio");
    let (_seed, magnet, address) = direct(&folder);
    let args = ["get", &magnet, "-o", "got", "--json", "--peer", &address, "--seed-ratio", "0"];
    let mut get = Program::start(&folder.0, &args);
    get.until("done");
    assert_eq!(get.code(), Some(0), "nothing was to be sent");
    let args = ["get", &magnet, "-o", "got", "--json", "--seed-ratio", "0.5"];
    let mut get = Program::start(&folder.0, &args);
    get.until("done");
    assert!(get.child.try_wait().expect("a state").is_none(), "it still shares");
}

#[test]
fn a_tracker_out_of_reach_is_named_and_tried_again() {
    let folder = Folder::new("noone");
    let hash = "0123456789012345678901234567890123456789";
    let tracker = "ws://127.0.0.1:9/announce";
    let args = ["get", hash, "-o", "got", "--json", "--tracker", tracker];
    let mut get = Program::start(&folder.0, &args);
    let warning = get.until("warning");
    assert_eq!(warning["code"], "tracker-unreachable");
    assert_eq!(warning["tracker"], tracker);
}
