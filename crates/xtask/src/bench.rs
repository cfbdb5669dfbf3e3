//! Starts the measurements of `tests/bench`, which need a browser and live outside Rust.

mod engine;

use anyhow::Result;

use crate::args::{Args, UsageError};
use crate::run::{root, run, tool};
use crate::{setup, web};

pub(crate) const USAGE: &str = "\
usage: cargo xtask bench browser [--rounds N] [--size MIB] [--json]
       cargo xtask bench engine [--rounds N] [--size MIB]
       cargo xtask bench hybrid [--rounds N] [--size MIB]

  --rounds   how often each is measured (5)
  --size     size of the torrent in MiB (browser 64, engine 256, hybrid 1024)
  --json     one JSON object instead of the table

engine: moves a torrent between two engines on one core, without sockets or stores, natively and in
wasm under node, with hashing and without; then hashes, natively, in wasm, and beside WebCrypto in
Chromium.

browser: sends a torrent from one Chromium page to another: with Headwater, with WebTorrent 3.0.21,
and as bare 16 KiB messages over one data channel.

hybrid: sends a torrent over TCP from headwater to headwater and from libtorrent 2.1.1 to itself,
then 64 MiB over WebRTC from each to a Chromium page; MiB/s and CPU seconds.

Rounds are interleaved; medians are compared.";

pub(crate) fn run_args(mut args: Args) -> Result<()> {
    let what = args.word();
    let rounds = args.number("--rounds")?.unwrap_or(5);
    let size = args.number("--size")?;
    let json = args.flag("--json");
    args.finish()?;
    match what.as_deref() {
        Some("browser") => browser(rounds, size.unwrap_or(64), json),
        Some("engine") if !json => engine::bench(rounds, size.unwrap_or(256)),
        Some("hybrid") if !json => hybrid(rounds, size.unwrap_or(1024)),
        _ => {
            let text = "bench what? cargo xtask bench browser, engine or hybrid";
            Err(UsageError(text.to_owned()).into())
        }
    }
}

/// What a page is sent: it stores in memory.
const WEB_MIB: &str = "64";

fn hybrid(rounds: u64, size: u64) -> Result<()> {
    setup::ensure(false)?;
    web::build(false)?;
    run(tool("cargo").args(["build", "--quiet", "--release", "-p", "headwater-hybrid"]))?;
    let (rounds, size) = (rounds.to_string(), size.to_string());
    let mut bench = tool("node");
    bench.env("HEADWATER_PROGRAM", root().join("target/release/headwater"));
    run(bench.args(["tests/bench/hybrid.mjs", &rounds, &size, WEB_MIB]))
}

fn browser(rounds: u64, size: u64, json: bool) -> Result<()> {
    setup::ensure(false)?;
    web::build(false)?;
    let (rounds, size) = (rounds.to_string(), size.to_string());
    let mut bench = tool("node");
    bench.args(["tests/bench/browser.mjs", &rounds, &size, if json { "json" } else { "table" }]);
    run(&mut bench)
}
