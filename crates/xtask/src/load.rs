//! Puts one server under load, or under an hour of comings and goings, by `tests/load`.

use anyhow::Result;

use crate::args::Args;
use crate::run::{root, run, tool};
use crate::setup;

pub(crate) const USAGE: &str = "\
usage: cargo xtask load [--minutes N] [--browsers N] [--streams N] [--processes N]

  --minutes    how long (10)
  --browsers   simulated browsers, which speak WebRTC alone (300)
  --streams    bare TCP peers (2000)
  --processes  processes the browsers are spread over (300)

One headwater serve has to do with all of them at once, a third as many torrents as browsers, while
our tracker and npm's answer announces by turns. Says what it took; fails where a transfer fails, or
where our tracker answers fewer than three times the announces of npm's.
Run it as root, on a machine that does nothing else: the crowd then waits for what is measured.";

pub(crate) const SOAK_USAGE: &str = "\
usage: cargo xtask soak [--minutes N]

  --minutes    how long (60)

Browsers and TCP peers come and go, torrents are added and removed by the control API. Fails where a
transfer fails, or where memory, descriptors, tasks or threads grow after a third of the time.";

pub(crate) fn run_args(mut args: Args) -> Result<()> {
    let minutes = args.number("--minutes")?.unwrap_or(10);
    let browsers = args.number("--browsers")?.unwrap_or(300);
    let streams = args.number("--streams")?.unwrap_or(2000);
    let processes = args.number("--processes")?.unwrap_or(browsers);
    args.finish()?;
    play("run.mjs", &[browsers, streams, processes, minutes])
}

pub(crate) fn run_soak(mut args: Args) -> Result<()> {
    let minutes = args.number("--minutes")?.unwrap_or(60);
    args.finish()?;
    play("run_soak.mjs", &[minutes])
}

fn play(script: &str, numbers: &[u64]) -> Result<()> {
    setup::npm_packages("tests")?;
    let build = ["build", "--quiet", "--release", "-p", "headwater-hybrid", "--bins"];
    run(tool("cargo").args(build).args(["--example", "crowd"]))?;
    let mut node = tool("node");
    node.env("HEADWATER_PROGRAM", root().join("target/release/headwater"));
    node.arg(format!("tests/load/{script}")).args(numbers.iter().map(u64::to_string));
    run(&mut node)
}
