//! The program against real web servers: a download from nothing else, a server that lies, and
//! one in a private network that nobody vouched for.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::{env, fs, thread};

use headwater_base::Seed;

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = env::temp_dir().join(format!("headwater-web-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(path.join("shared/film/cd 1")).expect("a temporary folder");
        for (file, size) in [("a.bin", 3_000_000), ("cd 1/\u{fc} #.bin", 2_000_001), ("c", 7)] {
            let mut bytes = vec![0; size];
            Seed([9; 32]).split(file).fill(&mut bytes);
            fs::write(path.join("shared/film").join(file), bytes).expect("a write");
        }
        Self(path)
    }

    fn is_got(&self) -> bool {
        ["a.bin", "cd 1/\u{fc} #.bin", "c"].iter().all(|file| {
            let read = |root: &str| fs::read(self.0.join(root).join("film").join(file)).ok();
            read("got").is_some() && read("got") == read("shared")
        })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Serves the files below `root` in ranges; with `lies` one byte in each answer is wrong.
#[expect(clippy::disallowed_methods, reason = "a server of its own beside the program")]
fn serve(root: &Path, lies: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    let root = root.to_owned();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let root = root.clone();
            thread::spawn(move || {
                let mut out = stream.try_clone().expect("a socket");
                let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
                while let Some(first) = lines.next() {
                    let range = lines.by_ref().take_while(|line| !line.is_empty());
                    let range = range.filter_map(|line| {
                        let line = line.to_ascii_lowercase();
                        line.strip_prefix("range: bytes=").map(str::to_owned)
                    });
                    let range: Vec<String> = range.collect();
                    let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
                    if out.write_all(&answer(&root, &path, &range, lies)).is_err() {
                        return;
                    }
                }
            });
        }
    });
    url
}

fn answer(root: &Path, path: &str, range: &[String], lies: bool) -> Vec<u8> {
    let path = path.trim_start_matches('/').replace("%20", " ").replace("%23", "#");
    let path = path.replace("%C3%BC", "\u{fc}");
    let Ok(file) = fs::read(root.join(path)) else {
        return b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n".to_vec();
    };
    let (first, last) = range[0].split_once('-').expect("a range");
    let (first, last): (usize, usize) = (first.parse().expect(""), last.parse().expect(""));
    let mut body = file[first..=last].to_vec();
    body[0] ^= u8::from(lies);
    let head = format!(
        "HTTP/1.1 206 Partial Content\r\ncontent-range: bytes {first}-{last}/{}\r\n\
         content-length: {}\r\n\r\n",
        file.len(),
        body.len()
    );
    [head.into_bytes(), body].concat()
}

fn program(folder: &Folder, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_headwater"));
    command.args(args).current_dir(&folder.0).stdin(Stdio::null());
    command
}

fn create(folder: &Folder, urls: &[String]) -> Output {
    let mut args = vec!["create", "shared/film", "-o", "film.torrent"];
    for url in urls {
        args.extend(["--web-seed", url]);
    }
    let made = program(folder, &args).output().expect("it runs");
    assert!(made.status.success(), "{made:?}");
    made
}

#[test]
fn folder_comes_from_its_web_seed_alone() {
    let folder = Folder::new("alone");
    let url = serve(&folder.0.join("shared"), false);
    create(&folder, std::slice::from_ref(&url));
    let shown = program(&folder, &["show", "film.torrent"]).output().expect("it runs");
    assert!(String::from_utf8_lossy(&shown.stdout).contains(&url), "{shown:?}");
    let get = ["get", "film.torrent", "-o", "got", "--interface", "127.0.0.1", "--local-web-seeds"];
    let got = program(&folder, &get).output().expect("it runs");
    assert!(got.status.success() && folder.is_got(), "{got:?}");
}

#[test]
fn server_that_lies_is_left_for_an_honest_one() {
    let folder = Folder::new("lies");
    let liar = serve(&folder.0.join("shared"), true);
    let honest = serve(&folder.0.join("shared"), false);
    create(&folder, std::slice::from_ref(&liar));
    // The address that the user names needs no flag.
    let get = ["get", "film.torrent", "-o", "got", "--interface", "127.0.0.1", "--json"];
    let mut get = program(&folder, &get);
    let got = get.args(["--web-seed", &honest, "--web-seed", &liar]).output().expect("it runs");
    assert!(got.status.success() && folder.is_got(), "{got:?}");
    let told = String::from_utf8_lossy(&got.stdout).into_owned();
    assert!(told.contains("web-seed-refused") && told.contains("wrong data"), "{told}");
}

#[test]
fn private_server_is_not_asked_for_a_torrent_from_outside() {
    let folder = Folder::new("private");
    let url = serve(&folder.0.join("shared"), false);
    create(&folder, &[url]);
    let get = ["get", "film.torrent", "-o", "got", "--interface", "127.0.0.1", "--json"];
    let mut child = program(&folder, &get).stdout(Stdio::piped()).spawn().expect("it runs");
    let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let refused = lines.map_while(Result::ok).find(|line| line.contains("web-seed-refused"));
    assert!(refused.is_some_and(|line| line.contains("private network")));
    child.kill().expect("it lives");
    child.wait().expect("it is gone");
    assert!(!folder.is_got());
}
