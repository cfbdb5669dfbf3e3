//! Starts the measurements of `tests/bench`, which need a browser and live outside Rust.

use anyhow::Result;

use crate::args::{Args, UsageError};
use crate::run::{run, tool};
use crate::{setup, web};

pub(crate) const USAGE: &str = "\
usage: cargo xtask bench browser [--rounds N] [--size MIB] [--json]

  --rounds   how often each is measured (5)
  --size     size of the torrent in MiB (64)
  --json     one JSON object instead of the table

Sends a torrent from one Chromium page to another: with Headwater, with WebTorrent 3.0.21, and as
bare 16 KiB messages over one data channel. Rounds are interleaved; medians are compared.";

pub(crate) fn run_args(mut args: Args) -> Result<()> {
    let what = args.word();
    let rounds = args.number("--rounds")?.unwrap_or(5).to_string();
    let size = args.number("--size")?.unwrap_or(64).to_string();
    let json = args.flag("--json");
    args.finish()?;
    if what.as_deref() != Some("browser") {
        return Err(UsageError("bench what? cargo xtask bench browser".to_owned()).into());
    }
    setup::ensure(false)?;
    web::build(false)?;
    let mut bench = tool("node");
    bench.args(["tests/bench/browser.mjs", &rounds, &size, if json { "json" } else { "table" }]);
    run(&mut bench)
}
