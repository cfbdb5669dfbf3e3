//! What becomes of files on disk: looked at again, moved when they are done.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::direct;
use crate::program::{Folder, Program};

/// Spoils a byte of a file behind everybody's back.
fn spoil(path: &Path) {
    let mut content = fs::read(path).expect("a file");
    let changed = fs::metadata(path).expect("a file").modified().expect("a time");
    content[2_000_000] ^= 1;
    fs::write(path, content).expect("a write");
    let file = fs::File::options().write(true).open(path).expect("a file");
    file.set_modified(changed).expect("a time");
}

#[test]
fn verify_finds_what_was_spoiled_behind_the_record_and_fetches_it_again() {
    let folder = Folder::new("verify");
    let (_seed, magnet, address) = direct(&folder);
    let get = ["get", &magnet, "-o", "got", "--json", "--peer", &address];
    let full = [&get[..], &["--preallocate", "full"]].concat();
    assert_eq!(Program::start(&folder.0, &full).until("done")["downloaded"], 8_000_001);
    spoil(&folder.0.join("got/film/a.bin"));
    assert_eq!(Program::start(&folder.0, &get).until("done")["downloaded"], 0);
    let mut again = Program::start(&folder.0, &[&get[..], &["--verify"]].concat());
    assert_eq!(again.until("warning")["code"], "piece-lost");
    let done = again.until("done");
    let fetched = done["downloaded"].as_u64().expect("a number");
    assert!((16_384..=1 << 20).contains(&fetched), "{fetched} bytes of one piece");
    assert_eq!(again.code(), Some(0));
    folder.check();
}

#[test]
fn what_is_done_moves_to_its_folder_is_found_there_and_overwrites_nothing() {
    let folder = Folder::new("finished");
    let (_seed, magnet, address) = direct(&folder);
    let get = ["get", &magnet, "--json", "--peer", &address, "-o", "coming", "--finished", "got"];
    // Where something is in the way, what came stays where it is.
    fs::create_dir_all(folder.0.join("got/film")).expect("a folder");
    let mut first = Program::start(&folder.0, &get);
    let warning = first.until("warning");
    assert_eq!(warning["code"], "not-moved");
    assert!(warning["message"].as_str().expect("a text").contains("is not overwritten"));
    let path = |done: &Value| done["files"][0]["path"].as_str().expect("a path").to_owned();
    assert_eq!((path(&first.until("done")).as_str(), first.code()), ("coming/film/a.bin", Some(1)));
    fs::remove_dir(folder.0.join("got/film")).expect("it goes");
    for downloaded in [0, 0] {
        let mut get = Program::start(&folder.0, &get);
        let done = get.until("done");
        assert_eq!((&done["downloaded"], get.code()), (&downloaded.into(), Some(0)));
        assert_eq!(path(&done), "got/film/a.bin");
        folder.check();
        assert!(!folder.0.join("coming/film").exists());
    }
}

/// Asks a server's control API as its owner.
fn ask(folder: &Folder, url: &str, request: &str, body: &Value) -> Value {
    let token = fs::read_to_string(folder.0.join("dir/.headwater/control-token"));
    let token = token.expect("a token");
    let host = url.trim_start_matches("http://").trim_end_matches('/');
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let text = format!(
        "{request} HTTP/1.0\r\nHost: {host}\r\nAuthorization: Bearer {}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        token.trim(),
        body.len()
    );
    let mut stream = TcpStream::connect(host).expect("it listens");
    stream.write_all(text.as_bytes()).expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let (_, body) = answer.split_once("\r\n\r\n").expect("head and body");
    serde_json::from_str(body).unwrap_or_else(|e| panic!("{e}: {answer}"))
}

/// The only torrent of a server, once it is shared.
fn shared(folder: &Folder, url: &str) -> Value {
    for _ in 0..600 {
        let found = ask(folder, url, "GET /api/v1/torrents", &Value::Null)["torrents"][0].clone();
        if found["state"] == "seeding" {
            return found;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("it is never shared");
}

#[test]
fn a_server_moves_what_is_done_and_shares_it_from_there_after_a_restart() {
    let folder = Folder::new("moved");
    fs::create_dir_all(folder.0.join("dir")).expect("a folder");
    // Below the folder that is shared, where it must not be taken for a torrent itself.
    let serve = ["serve", "--listen", "127.0.0.1:0", "--dir", "dir", "--finished", "dir/got"];
    let moved = folder.0.join("dir/got/new/film/a.bin");
    let mut server = Program::start(&folder.0, &serve);
    let url = server.line().expect("a first line");
    let (seed, magnet) =
        Program::seed(&folder.0, &format!("{}tracker", url.replacen("http", "ws", 1)));
    let add = json!({ "magnet": magnet, "folder": "new" });
    let added = ask(&folder, &url, "POST /api/v1/torrents", &add);
    assert_eq!(added["folder"], "new", "{added}");
    shared(&folder, &url);
    for _ in 0..600 {
        if moved.exists() {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(moved.exists() && !folder.0.join("dir/new/film").exists());
    drop(server);
    drop(seed);
    let mut server = Program::start(&folder.0, &[&serve[..], &["--verify"]].concat());
    let url = server.line().expect("a first line");
    let found = shared(&folder, &url);
    assert_eq!((&found["downloaded_bytes"], &found["progress"]), (&0.into(), &1.0.into()));
    let all = ask(&folder, &url, "GET /api/v1/torrents", &Value::Null);
    assert_eq!(all["torrents"].as_array().map(Vec::len), Some(1), "{all}");
    let hash = found["info_hash"].as_str().expect("a hash");
    ask(&folder, &url, &format!("DELETE /api/v1/torrents/{hash}?data=true"), &Value::Null);
    for _ in 0..600 {
        if !moved.exists() {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("its data is still there");
}
