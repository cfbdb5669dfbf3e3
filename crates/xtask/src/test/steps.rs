//! The steps of `cargo xtask test`, cheap ones first, and what each of them runs.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use super::count::{Count, counted};
use crate::run::{cargo, root, run, target_dir, tool};
use crate::{setup, sim, size, tidy, web};

/// One step: what it is called, what it shows, whether the others make sense without it.
pub(super) struct Step {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) needed: bool,
    run: Run,
}

enum Run {
    Task(fn() -> Result<Count>),
    /// Every `*.test.mjs` of that folder under `tests/`.
    Node(&'static str),
}

impl Step {
    /// Runs it. With `full` tests that are long run too, where it has such.
    pub(super) fn run(&self, full: bool) -> Result<Count> {
        match self.run {
            Run::Task(task) => task(),
            Run::Node(folder) => node_tests(folder, full),
        }
    }
}

pub(super) const STEPS: &[Step] = &[
    step("setup", "what the other steps need is there", install),
    step("fmt", "the code is formatted", format),
    step("tidy", "crate rules, sizes, words", check_rules),
    step("web", "wasm, bindings, types, bundles", build_web),
    step("size", "what a page loads is within its budget", weigh),
    step("clippy", "no lint has anything to say, natively and on wasm32", lint),
    step("doc", "every link in the docs leads somewhere", document),
    step("native", "tests of every crate", test_natively),
    step("wasm", "the core's tests on wasm32", test_on_wasm),
    step("sim", "whole swarms in virtual time, kept seeds included", simulate),
    step("page", "the browser shell's tests in Chromium", test_in_page),
    step("program", "the headwater program is built", build_program),
    node("contracts", "what is kept of each contract is what its source compiles to"),
    node("wallet", "the wallet bridge and the payment panel, against scripted wallets"),
    node("e2e", "whole programs and pages against each other"),
    node("interop", "WebTorrent, libtorrent, Transmission, aria2, qBittorrent, tronweb and ours"),
];

const fn step(name: &'static str, about: &'static str, run: fn() -> Result<Count>) -> Step {
    let needed = matches!(name.as_bytes(), b"setup");
    Step { name, about, needed, run: Run::Task(run) }
}

/// A step that is a folder of tests under node, by its name.
const fn node(name: &'static str, about: &'static str) -> Step {
    Step { name, about, needed: false, run: Run::Node(name) }
}

/// Seeds that are played besides those kept. They take under a minute on two cores, and what is
/// measured as long again.
const SEEDS: &str = "600";

const CORE: [&str; 8] = [
    "-pheadwater-base",
    "-pheadwater-metainfo",
    "-pheadwater-wire",
    "-pheadwater-engine",
    "-pheadwater-pay",
    "-pheadwater-tron",
    "-pheadwater-client",
    "-pheadwater-sim",
];
const BROWSER: [&str; 4] = ["-p", "headwater-browser", "--target", "wasm32-unknown-unknown"];

fn one(command: &mut Command) -> Result<Count> {
    run(command)?;
    Ok(Count::passed_step())
}

fn install() -> Result<Count> {
    setup::ensure(false)?;
    Ok(Count::passed_step())
}

fn format() -> Result<Count> {
    one(cargo().args(["fmt", "--all", "--check"]))
}

fn check_rules() -> Result<Count> {
    tidy::report()?;
    Ok(Count::passed_step())
}

fn build_web() -> Result<Count> {
    web::build(true)?;
    Ok(Count::passed_step())
}

fn weigh() -> Result<Count> {
    size::report(false)?;
    Ok(Count::passed_step())
}

fn lint() -> Result<Count> {
    let deny = ["--", "-D", "warnings"];
    run(cargo().args(["clippy", "--locked", "--workspace", "--all-targets"]).args(deny))?;
    run(cargo().args(["clippy", "--locked"]).args(BROWSER).args(deny))?;
    let payment = ["--no-default-features", "--features", "pay"];
    one(cargo().args(["clippy", "--locked"]).args(BROWSER).args(payment).args(deny))
}

fn document() -> Result<Count> {
    let mut doc = cargo();
    doc.env("RUSTDOCFLAGS", "-D warnings").args(["doc", "--locked", "--no-deps", "--workspace"]);
    one(&mut doc)
}

fn test_natively() -> Result<Count> {
    counted(cargo().args(["test", "--locked", "--workspace", "--no-fail-fast"]))
}

fn test_on_wasm() -> Result<Count> {
    let target = ["--target", "wasm32-wasip1", "--no-fail-fast"];
    counted(cargo().args(["test", "--locked"]).args(target).args(CORE))
}

fn simulate() -> Result<Count> {
    let budget = ["--seeds", SEEDS, "--kept", "--measured"].map(str::to_owned);
    let mut count = counted(&mut sim::play(&budget))?;
    sim::compare()?;
    count.add(Count::passed_step());
    Ok(count)
}

fn test_in_page() -> Result<Count> {
    counted(cargo().args(["test", "--locked", "--no-fail-fast"]).args(BROWSER))
}

/// The same build as that of the tests: another choice of packages would mean other features, and
/// minutes for the same crates again. Tests of hybrid bring the program along, those of tron the
/// example that tronweb is compared with.
fn build_program() -> Result<Count> {
    one(cargo().args(["test", "--locked", "--workspace", "--no-run", "-q"]))
}

/// A test file with a line that begins so is run while no other is.
const ALONE: &str = "// Alone:";

/// Runs every `*.test.mjs` of a folder under `tests/`: most of their time they wait, so that two
/// files run at once, but for those that say that they need the machine.
fn node_tests(folder: &str, full: bool) -> Result<Count> {
    let mut files: Vec<_> = std::fs::read_dir(root().join("tests").join(folder))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.to_string_lossy().ends_with(".test.mjs"))
        .collect();
    files.sort();
    if full {
        setup::azurite()?;
    }
    let program = target_dir()?.join("debug/headwater");
    let is_alone = |path: &PathBuf| {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        text.lines().any(|line| line.starts_with(ALONE))
    };
    let (alone, others): (Vec<_>, Vec<_>) = files.into_iter().partition(is_alone);
    let mut count = Count::default();
    for (files, at_once) in [(others, 2), (alone, 1)] {
        if files.is_empty() {
            continue;
        }
        let mut node = tool("node");
        node.env("HEADWATER_PROGRAM", &program);
        if full {
            node.env("HEADWATER_FULL", "1");
        }
        node.arg("--test").arg(format!("--test-concurrency={at_once}"));
        count.add(counted(node.args(["--test-force-exit", "--test-reporter=spec"]).args(files))?);
    }
    Ok(count)
}
