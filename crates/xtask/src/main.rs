//! `cargo xtask`: builds, runs, tests, measures and checks Headwater with one command each.
//! Knows tools and files; holds nothing of the engine.
#![expect(clippy::print_stdout, reason = "a program of the command line talks on stdout")]

mod args;
mod bench;
mod clock;
mod demo;
mod fresh;
mod load;
mod mutants;
mod oracle;
mod pack;
mod run;
mod setup;
mod sim;
mod size;
mod test;
mod tidy;
mod web;

use std::io::Write;
use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::args::Args;

/// One subcommand: its name, what it is for, what it takes, and what it does.
struct Task {
    name: &'static str,
    about: &'static str,
    usage: &'static str,
    run: fn(Args) -> Result<()>,
}

const TASKS: &[Task] = &[
    Task {
        name: "setup",
        about: "install what is missing: wasm target, Chromium, npm and Python packages",
        usage: setup::USAGE,
        run: setup::run_args,
    },
    Task {
        name: "web",
        about: "build www/dist: wasm, bindings, bundles, type check",
        usage: web::USAGE,
        run: web::run_args,
    },
    Task {
        name: "size",
        about: "weigh www/dist against the budgets of wasm-pack.toml",
        usage: size::USAGE,
        run: size::run_args,
    },
    Task {
        name: "tidy",
        about: "check crate rules, sizes and words",
        usage: tidy::USAGE,
        run: tidy::run_args,
    },
    Task {
        name: "test",
        about: "run everything that CI runs, and count it",
        usage: test::USAGE,
        run: test::run_args,
    },
    Task {
        name: "sim",
        about: "play whole swarms in virtual time, seed after seed",
        usage: sim::USAGE,
        run: sim::run_args,
    },
    Task {
        name: "oracle",
        about: "compare verdicts on spoiled torrents with libtorrent's",
        usage: oracle::USAGE,
        run: oracle::run_args,
    },
    Task {
        name: "mutants",
        about: "plant one-line bugs and say which of them the tests catch",
        usage: mutants::USAGE,
        run: mutants::run_args,
    },
    Task {
        name: "demo",
        about: "play the sample film in a browser, over WebRTC",
        usage: demo::USAGE,
        run: demo::run_args,
    },
    Task {
        name: "bench",
        about: "measure against WebTorrent and a bare data channel",
        usage: bench::USAGE,
        run: bench::run_args,
    },
    Task {
        name: "load",
        about: "put one server under thousands of peers",
        usage: load::USAGE,
        run: load::run_args,
    },
    Task {
        name: "soak",
        about: "look for what grows in an hour of comings and goings",
        usage: load::SOAK_USAGE,
        run: load::run_soak,
    },
];

fn main() -> ExitCode {
    match dispatch(std::env::args().skip(1).collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            if error.is::<args::UsageError>() { ExitCode::from(2) } else { ExitCode::FAILURE }
        }
    }
}

fn dispatch(mut words: Vec<String>) -> Result<()> {
    if words.is_empty() || matches!(words[0].as_str(), "--help" | "-h" | "help") {
        print_tasks();
        return Ok(());
    }
    let name = words.remove(0);
    let Some(task) = TASKS.iter().find(|task| task.name == name) else {
        bail!(args::UsageError(format!("no task named {name}; see cargo xtask --help")));
    };
    let mut args = Args::new(words);
    if args.flag("--help") || args.flag("-h") {
        let usage = task.usage.trim_end();
        tell(&format!("cargo xtask {}: {}\n\n{usage}\n", task.name, task.about));
        return Ok(());
    }
    (task.run)(args)
}

fn print_tasks() {
    let mut text = "usage: cargo xtask TASK [--help]\n\n".to_owned();
    for task in TASKS {
        text.push_str(&format!("  {:<8} {}\n", task.name, task.about));
    }
    tell(&text);
}

/// Writes to a reader that may have seen enough, as `head` has.
fn tell(text: &str) {
    std::io::stdout().write_all(text.as_bytes()).ok();
}
