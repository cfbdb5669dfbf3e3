//! Programs and a tracker on one machine: a magnet link, a kill in the middle, no tracker.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::{env, fs};

use headwater_base::Seed;
use serde_json::Value;

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = env::temp_dir().join(format!("headwater-swarm-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(path.join("shared/film/cd 1")).expect("a temporary folder");
        for (file, size) in [("a.bin", 3_000_000), ("cd 1/b.bin", 5_000_001), ("empty", 0)] {
            let mut bytes = vec![0; size];
            Seed([9; 32]).split(file).fill(&mut bytes);
            fs::write(path.join("shared/film").join(file), bytes).expect("a write");
        }
        Self(path)
    }

    /// Whether `got/film` holds what was shared.
    fn check(&self) {
        for file in ["a.bin", "cd 1/b.bin", "empty"] {
            let read = |root: &str| fs::read(self.0.join(root).join("film").join(file)).ok();
            assert!(read("got") == read("shared") && read("got").is_some(), "{file} differs");
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A running program; killed when dropped.
struct Program {
    child: Child,
    out: BufReader<ChildStdout>,
}

impl Program {
    fn start(folder: &Path, args: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_headwater"))
            .args(args)
            .args(["--interface", "127.0.0.1"])
            .current_dir(folder)
            .stdout(Stdio::piped())
            .spawn()
            .expect("it runs");
        let out = BufReader::new(child.stdout.take().expect("piped"));
        Self { child, out }
    }

    /// Starts a server on the folder `shared` and returns it with its tracker.
    fn serve(folder: &Path) -> (Self, String) {
        let mut server = Self::start(folder, &["serve", "--listen", "127.0.0.1:0"]);
        let url = server.line().expect("a first line");
        let tracker = format!("{}tracker", url.replacen("http", "ws", 1));
        (server, tracker)
    }

    /// Seeds `shared/film` by that tracker and returns the link it prints.
    fn seed(folder: &Path, tracker: &str) -> (Self, String) {
        let mut seed = Self::start(folder, &["seed", "shared/film", "--tracker", tracker]);
        let magnet = seed.line().expect("a link");
        (seed, magnet)
    }

    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        self.out.read_line(&mut line).expect("text");
        (!line.is_empty()).then(|| line.trim().to_owned())
    }

    /// Reads JSON lines until one has this event.
    fn until(&mut self, event: &str) -> Value {
        loop {
            let line = self.line().unwrap_or_else(|| panic!("it ended before {event:?}"));
            let value: Value = serde_json::from_str(&line).expect("JSON");
            if value["event"] == event {
                return value;
            }
        }
    }

    fn code(&mut self) -> Option<i32> {
        self.child.wait().expect("it ends").code()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

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
