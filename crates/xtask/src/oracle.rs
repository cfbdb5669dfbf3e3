//! Starts the oracle test with many torrents: ours against libtorrent's verdicts.

use anyhow::Result;

use crate::args::Args;
use crate::run::{cargo, run};
use crate::setup;

pub(crate) const USAGE: &str = "\
usage: cargo xtask oracle [--mutants N] [--seed S]

  --mutants N   torrents made and spoiled (100000)
  --seed S      which (0)

Parses each with metainfo and with libtorrent: verdicts, info-hashes, files, bytes and pieces must
agree but for the policies it lists. None may panic or take 64 times its bytes of memory.";

pub(crate) fn run_args(mut args: Args) -> Result<()> {
    let mutants = args.value("--mutants")?.unwrap_or_else(|| "100000".to_owned());
    let seed = args.value("--seed")?.unwrap_or_else(|| "0".to_owned());
    args.finish()?;
    setup::libtorrent()?;
    let test = ["test", "--locked", "-p", "headwater-tests", "--test", "oracle", "--"];
    let mut command = cargo();
    command.env("HEADWATER_MUTANTS", mutants).env("HEADWATER_SEED", seed);
    run(command.args(test).arg("--nocapture"))
}
