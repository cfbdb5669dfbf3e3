//! Runs the tests of the copy with one bug awake, until something notices.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::list::Bug;
use crate::clock::Clock;
use crate::run::{capture, cargo, target_dir};

/// Crates whose tests judge. The simulator comes with its own.
const JUDGES: [&str; 7] = [
    "-pheadwater-base",
    "-pheadwater-metainfo",
    "-pheadwater-wire",
    "-pheadwater-tracker",
    "-pheadwater-engine",
    "-pheadwater-client",
    "-pheadwater-sim",
];

/// How a bug was noticed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Caught {
    /// This test failed, or this program ended badly.
    By(String),
    /// A test did not come to an end.
    Hung(String),
    /// Nothing noticed.
    Missed,
}

impl std::fmt::Display for Caught {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::By(test) => f.write_str(test),
            Self::Hung(test) => write!(f, "{test}, which ran on"),
            Self::Missed => f.write_str("**missed**"),
        }
    }
}

/// One program full of tests.
struct Program {
    path: PathBuf,
    folder: PathBuf,
    name: String,
    took: Duration,
}

/// The built tests, quick ones first.
pub(super) struct Judge {
    programs: Vec<Program>,
}

impl Judge {
    /// Builds the copy's tests and runs them once without a bug: all must pass.
    pub(super) fn build(tree: &Path) -> Result<Self> {
        let mut build = cargo();
        build.current_dir(tree).env("CARGO_TARGET_DIR", target_dir()?.join("mutants/build"));
        build.args(["test", "--no-run", "--message-format=json", "-q"]).args(JUDGES);
        let mut programs = Vec::new();
        for line in String::from_utf8(capture(&mut build)?)?.lines() {
            let message: serde_json::Value = serde_json::from_str(line)?;
            let (Some(path), Some(manifest)) =
                (message["executable"].as_str(), message["manifest_path"].as_str())
            else {
                continue;
            };
            if message["profile"]["test"] == true {
                let folder =
                    Path::new(manifest).parent().context("a manifest lies in no folder")?;
                let name = message["target"]["name"].as_str().unwrap_or_default();
                programs.push(Program {
                    path: path.into(),
                    folder: folder.to_owned(),
                    name: name.trim_start_matches("headwater_").to_owned(),
                    took: Duration::ZERO,
                });
            }
        }
        let clean = Self { programs };
        println!("{} programs of tests, run once without a bug", clean.programs.len());
        clean.timed()
    }

    fn timed(mut self) -> Result<Self> {
        for program in &mut self.programs {
            let clock = Clock::start();
            let caught = program.run(0, Duration::from_secs(600))?;
            program.took = clock.elapsed();
            if caught != Caught::Missed {
                bail!("without a bug, {caught} fails");
            }
        }
        self.programs.sort_by_key(|program| program.took);
        Ok(self)
    }

    /// Tries every bug, two at a time.
    pub(super) fn try_all(&self, bugs: &[&Bug]) -> Result<Vec<Caught>> {
        let todo: Mutex<VecDeque<usize>> = Mutex::new((0..bugs.len()).collect());
        let done: Mutex<Vec<Option<Result<Caught>>>> = Mutex::new(vec![]);
        let slots = || bugs.iter().map(|_| None).collect();
        if let Ok(mut done) = done.lock() {
            *done = slots();
        }
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while let Some(at) = todo.lock().ok().and_then(|mut todo| todo.pop_front()) {
                        let verdict = self.try_one(bugs[at].number);
                        if let Ok(caught) = &verdict {
                            println!("bug {} of {}: {caught}", bugs[at].number, bugs.len());
                        }
                        if let Ok(mut done) = done.lock() {
                            done[at] = Some(verdict);
                        }
                    }
                });
            }
        });
        let done = done.into_inner().unwrap_or_default();
        done.into_iter().map(|verdict| verdict.context("a bug was not tried")?).collect()
    }

    fn try_one(&self, number: u32) -> Result<Caught> {
        for program in &self.programs {
            let patience = program.took * 4 + Duration::from_secs(20);
            let caught = program.run(number, patience)?;
            if caught != Caught::Missed {
                return Ok(caught);
            }
        }
        Ok(Caught::Missed)
    }
}

impl Program {
    /// Runs all its tests with one bug awake. `Missed` means that all of them passed.
    fn run(&self, number: u32, patience: Duration) -> Result<Caught> {
        let out = target_dir()?.join(format!("mutants/{number}-{}.log", self.name));
        let file = std::fs::File::create(&out)?;
        let mut command = Command::new(&self.path);
        command.current_dir(&self.folder).env("HEADWATER_MUTANT", number.to_string());
        command.stdin(Stdio::null()).stdout(file).stderr(Stdio::null());
        let child = command.spawn().with_context(|| format!("start {}", self.path.display()))?;
        let Some(well) = wait(child, patience)? else { return Ok(Caught::Hung(self.name.clone())) };
        if well {
            std::fs::remove_file(&out)?;
            return Ok(Caught::Missed);
        }
        let log = String::from_utf8_lossy(&std::fs::read(&out)?).into_owned();
        let failed = log.lines().find_map(|line| {
            line.strip_prefix("test ")?.strip_suffix(" ... FAILED").map(str::to_owned)
        });
        Ok(Caught::By(failed.map_or_else(
            || format!("{}, which ended badly", self.name),
            |test| format!("{}: {test}", self.name),
        )))
    }
}

/// Waits for the end of a program, or ends it. Answers whether it did well, if it ended itself.
fn wait(mut child: Child, patience: Duration) -> Result<Option<bool>> {
    let clock = Clock::start();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status.success()));
        }
        if clock.elapsed() > patience {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}
