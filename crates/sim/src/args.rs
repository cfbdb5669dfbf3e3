//! Reads the simulator's command line.

pub(crate) const USAGE: &str = "\
usage: cargo xtask sim [--seeds N] [--seed S] [--scenario X] [--trace] [--list]

  --seeds N      seeds in all, dealt out over the scenarios (100 for each scenario)
  --seed S       just this seed; SIM_SEED does the same
  --first S      the first seed (0)
  --scenario X   just this scenario, searched or measured
  --kept         the seeds of tests/seeds besides
  --measured     each scenario that measures besides, once
  --trace        play one seed of one scenario and say everything that happens
  --jobs N       threads (one for each core)
  --list         name the scenarios";

/// Seeds of each scenario unless somebody says otherwise.
pub(crate) const SEEDS_EACH: u64 = 100;

/// What somebody asked for.
#[derive(Debug, Default)]
pub(crate) struct Args {
    pub(crate) seeds: Option<u64>,
    pub(crate) seed: Option<u64>,
    pub(crate) first: u64,
    pub(crate) scenario: Option<String>,
    pub(crate) kept: bool,
    pub(crate) measured: bool,
    pub(crate) trace: bool,
    /// Play so many seeds of each scenario on one thread, and print their traces' sums.
    pub(crate) traces: Option<u64>,
    pub(crate) list: bool,
    pub(crate) help: bool,
    pub(crate) jobs: usize,
}

impl Args {
    /// Reads the words after the program's name.
    pub(crate) fn read(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let mut args = Self { jobs: cores, ..Self::default() };
        if let Ok(seed) = std::env::var("SIM_SEED") {
            args.seed = Some(number("SIM_SEED", Some(seed))?);
        }
        while let Some(word) = words.next() {
            match word.as_str() {
                "--seeds" => args.seeds = Some(number("--seeds", words.next())?),
                "--seed" => args.seed = Some(number("--seed", words.next())?),
                "--first" => args.first = number("--first", words.next())?,
                "--jobs" => args.jobs = number("--jobs", words.next())?.clamp(1, 256) as usize,
                "--scenario" => {
                    args.scenario = Some(words.next().ok_or("--scenario needs a name")?);
                }
                "--kept" => args.kept = true,
                "--measured" => args.measured = true,
                "--trace" => args.trace = true,
                "--traces" => args.traces = Some(number("--traces", words.next())?),
                "--list" => args.list = true,
                "--help" | "-h" => args.help = true,
                other => return Err(format!("unknown argument {other}")),
            }
        }
        Ok(args)
    }
}

fn number(name: &str, word: Option<String>) -> Result<u64, String> {
    let word = word.ok_or(format!("{name} needs a number"))?;
    word.parse().map_err(|_| format!("{name} needs a number, not {word}"))
}
