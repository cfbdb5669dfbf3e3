//! Finds out which tools are missing and installs them, saying each step aloud.
//! Nothing is installed globally except Debian packages, and those only as root.

use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::args::Args;
use crate::fresh::is_fresh;
use crate::run::{answers, capture, root, run, tool};

pub(crate) const USAGE: &str = "\
usage: cargo xtask setup [--web]

  --web   only what building www/dist needs (no browser, no foreign engines)

Installs, when missing: the wasm32 targets (rustup), chromium and chromium-driver (apt, as root),
npm packages in www/ and tests/ (npm ci, without install scripts), libtorrent in target/venv (pip),
and transmission-daemon, aria2, qbittorrent-nox, opentracker and nats-server (apt, as root), whose
services it stops, microsocks, tinyproxy, faketime, ip, nft and miniupnpd. Running it again does
nothing. `cargo xtask test --full` installs azurite in target/azurite too (npm).";

/// The engine of another family that the interop tests talk to.
const LIBTORRENT: &str = "libtorrent==2.1.1";
/// Microsoft's emulator of Azure's object store: 360 MB, so that only `--full` has it.
const AZURITE: &str = "azurite@3.37.0";
/// Programs of other families that tests run, and the Debian packages they come in.
const FOREIGNERS: [(&str, &str); 11] = [
    ("transmission-daemon", "transmission-daemon"),
    ("aria2c", "aria2"),
    ("qbittorrent-nox", "qbittorrent-nox"),
    ("opentracker", "opentracker"),
    ("faketime", "faketime"),
    ("ip", "iproute2"),
    ("nats-server", "nats-server"),
    ("microsocks", "microsocks"),
    ("tinyproxy", "tinyproxy-bin"),
    ("miniupnpd", "miniupnpd-nftables"),
    ("nft", "nftables"),
];
/// Targets of the browser and of the core's tests on wasm32.
const TARGETS: [&str; 2] = ["wasm32-unknown-unknown", "wasm32-wasip1"];

/// Installs what is missing. `only_web` leaves out what only tests need.
pub(crate) fn ensure(only_web: bool) -> Result<()> {
    targets()?;
    need_node()?;
    npm_packages("www")?;
    if !only_web {
        chromium()?;
        npm_packages("tests")?;
        libtorrent()?;
        foreigners()?;
    }
    Ok(())
}

pub(crate) fn run_args(mut args: Args) -> Result<()> {
    let only_web = args.flag("--web");
    args.finish()?;
    ensure(only_web)?;
    println!("setup: everything is there");
    Ok(())
}

fn targets() -> Result<()> {
    let installed = capture(tool("rustup").args(["target", "list", "--installed"]))
        .context("rustup is needed to add the wasm32 targets")?;
    let installed = String::from_utf8_lossy(&installed).into_owned();
    for target in TARGETS {
        if !installed.lines().any(|line| line == target) {
            println!("setup: rustup target add {target}");
            run(tool("rustup").args(["target", "add", target]))?;
        }
    }
    Ok(())
}

fn need_node() -> Result<()> {
    if answers(tool("node").arg("--version")) && answers(tool("npm").arg("--version")) {
        return Ok(());
    }
    bail!("node 20 or later with npm is needed; on Debian: sudo apt-get install nodejs npm")
}

/// Runs `npm ci` unless what it made is newer than the lock file.
pub(crate) fn npm_packages(dir: &str) -> Result<()> {
    let dir = root().join(dir);
    let lock = dir.join("package-lock.json");
    if !lock.exists() {
        bail!("{} is missing", lock.display());
    }
    if is_fresh(&dir.join("node_modules/.package-lock.json"), &[&lock]) {
        return Ok(());
    }
    println!("setup: npm ci in {}", dir.display());
    let mut npm = tool("npm");
    npm.current_dir(&dir).args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
    run(npm.arg("--loglevel=error"))
}

/// Installs Azurite unless it is there.
pub(crate) fn azurite() -> Result<()> {
    let dir = root().join("target/azurite");
    if dir.join("node_modules/.package-lock.json").exists() {
        return Ok(());
    }
    println!("setup: {AZURITE} in target/azurite");
    std::fs::create_dir_all(&dir)?;
    let mut npm = tool("npm");
    npm.current_dir(&dir).args(["install", "--ignore-scripts", "--no-audit", "--no-fund"]);
    run(npm.args(["--loglevel=error", AZURITE]))
}

fn chromium() -> Result<()> {
    let has_driver = capture(tool("chromedriver").arg("--version")).is_ok();
    match chromium_path() {
        Some(_) if has_driver => Ok(()),
        _ => debian("Chromium or its driver", "chromium chromium-driver"),
    }
}

/// Installs the programs that tests run with settings of their own.
fn foreigners() -> Result<()> {
    let missing: Vec<&str> = FOREIGNERS
        .iter()
        .filter(|(program, _)| !is_on_path(program))
        .map(|(_, package)| *package)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    debian("What tests run", &missing.join(" "))?;
    missing.iter().for_each(|package| rest(package));
    Ok(())
}

fn is_on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Debian keeps servers where users who are not root do not look.
    let servers = Path::new("/usr/sbin").to_owned();
    std::env::split_paths(&path).chain([servers]).any(|dir| dir.join(program).exists())
}

/// Stops the service that a package just started, where it did: tests start their own.
fn rest(service: &str) {
    let by_systemd = answers(tool("systemctl").args(["disable", "--now", service]));
    if by_systemd || answers(tool("service").args([service, "stop"])) {
        println!("setup: stopped the service {service}");
    }
}

/// Installs Debian packages, or says the command when we may not.
fn debian(what: &str, packages: &str) -> Result<()> {
    let install = format!("apt-get install -y --no-install-recommends {packages}");
    let is_root = capture(tool("id").arg("-u")).is_ok_and(|id| id.trim_ascii() == b"0");
    if !is_root {
        bail!("{what} is missing; run: sudo apt-get update && sudo {install}");
    }
    println!("setup: apt-get update && {install}");
    run(tool("apt-get").args(["-q", "update"]))?;
    let mut apt = tool("apt-get");
    apt.env("DEBIAN_FRONTEND", "noninteractive").args(install.split(' ').skip(1)).arg("-q");
    run(&mut apt)
}

/// Where Chromium is: `HEADWATER_CHROMIUM`, or the place where Debian puts it.
fn chromium_path() -> Option<String> {
    let named = std::env::var("HEADWATER_CHROMIUM").ok();
    let places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
    named.into_iter().chain(places.map(str::to_owned)).find(|path| Path::new(path).exists())
}

/// Installs libtorrent unless it is there.
pub(crate) fn libtorrent() -> Result<()> {
    let venv = root().join("target/venv");
    let python = venv.join("bin/python");
    let check = "import libtorrent, sys; sys.exit(libtorrent.__version__[:5] != '2.1.1')";
    if python.exists() && answers(tool(&python).args(["-c", check])) {
        return Ok(());
    }
    println!("setup: python venv with {LIBTORRENT} in target/venv");
    if !answers(tool("python3").args(["-c", "import venv, ensurepip"])) {
        debian("Python's venv", "python3 python3-venv")?;
    }
    run(tool("python3").args(["-m", "venv", "--clear"]).arg(&venv))?;
    let quiet = ["-m", "pip", "install", "-q", "--disable-pip-version-check"];
    run(tool(&python).args(quiet).arg("--only-binary=:all:").arg(LIBTORRENT))
}
