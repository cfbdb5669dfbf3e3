//! A program under test, and a folder for it to share.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::{env, fs};

use headwater_base::Seed;
use serde_json::Value;

/// A folder with something to share; removed when dropped.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
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
    pub(crate) fn check(&self) {
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
pub(crate) struct Program {
    pub(crate) child: Child,
    pub(crate) out: BufReader<ChildStdout>,
}

impl Program {
    pub(crate) fn start(folder: &Path, args: &[&str]) -> Self {
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
    pub(crate) fn serve(folder: &Path) -> (Self, String) {
        let mut server = Self::start(folder, &["serve", "--listen", "127.0.0.1:0"]);
        let url = server.line().expect("a first line");
        let tracker = format!("{}tracker", url.replacen("http", "ws", 1));
        (server, tracker)
    }

    /// Seeds `shared/film` by that tracker and returns the link it prints.
    pub(crate) fn seed(folder: &Path, tracker: &str) -> (Self, String) {
        let mut seed = Self::start(folder, &["seed", "shared/film", "--tracker", tracker]);
        let magnet = seed.line().expect("a link");
        (seed, magnet)
    }

    pub(crate) fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        self.out.read_line(&mut line).expect("text");
        (!line.is_empty()).then(|| line.trim().to_owned())
    }

    /// Reads JSON lines until one has this event.
    pub(crate) fn until(&mut self, event: &str) -> Value {
        loop {
            let line = self.line().unwrap_or_else(|| panic!("it ended before {event:?}"));
            let value: Value = serde_json::from_str(&line).expect("JSON");
            if value["event"] == event {
                return value;
            }
        }
    }

    pub(crate) fn code(&mut self) -> Option<i32> {
        self.child.wait().expect("it ends").code()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
