//! Starts the simulator: quick code with every assertion on, and the same seeds on wasm32.

use anyhow::{Result, bail};

use crate::args::Args;
use crate::run::{capture, cargo, run, target_dir, tool};

pub(crate) const USAGE: &str = "\
usage: cargo xtask sim [--seeds N] [--seed S] [--scenario X] [--trace] [--list] [--wasm]

  --seeds N      seeds in all, dealt out over the scenarios (100 for each scenario)
  --seed S       just this seed; SIM_SEED does the same
  --first S      the first seed (0)
  --scenario X   just this scenario, searched or measured
  --kept         the seeds of tests/seeds besides
  --measured     each scenario that measures besides, once
  --trace        play one seed of one scenario and say everything that happens
  --jobs N       threads (one for each core)
  --list         name the scenarios
  --wasm         play some seeds natively and on wasm32, and compare every step of both

Plays whole swarms in virtual time. A seed that fails is named with the command that replays it.";

const PROFILE: [&str; 5] = ["--locked", "--profile", "sim", "-p", "headwater-sim"];
/// Seeds of each scenario that are played natively and on wasm32.
const COMPARED: &str = "2";

pub(crate) fn run_args(mut args: Args) -> Result<()> {
    if args.flag("--wasm") {
        args.finish()?;
        return compare();
    }
    run(&mut play(&args.rest()))
}

/// The simulator with these arguments.
pub(crate) fn play(args: &[String]) -> std::process::Command {
    let mut command = cargo();
    command.args(["run", "-q"]).args(PROFILE).arg("--").args(args);
    command
}

/// Plays the same seeds natively and on wasm32; every step must have the same bytes.
pub(crate) fn compare() -> Result<()> {
    let wanted = ["--traces", COMPARED];
    let here = capture(&mut play(&wanted.map(str::to_owned)))?;
    run(cargo().args(["build", "-q"]).args(PROFILE).args(["--target", "wasm32-wasip1"]))?;
    let wasm = target_dir()?.join("wasm32-wasip1/sim/headwater-sim.wasm");
    let there = capture(tool("node").arg("tests/wasi.mjs").arg(wasm).args(wanted))?;
    let (here, there) = (String::from_utf8_lossy(&here), String::from_utf8_lossy(&there));
    for (here, there) in here.lines().zip(there.lines()).filter(|(here, there)| here != there) {
        println!("natively {here}\non wasm32 {there}");
    }
    if here.is_empty() || here != there {
        bail!("the same seeds run otherwise on wasm32");
    }
    println!("{} runs are the same natively and on wasm32, byte for byte", here.lines().count());
    Ok(())
}
