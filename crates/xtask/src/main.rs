//! `cargo xtask`: builds, runs, tests, measures and checks Headwater with one command each.
//! Knows tools and files; holds nothing of the engine.
#![expect(clippy::print_stdout, reason = "a program of the command line talks on stdout")]

mod args;
mod bench;
mod clock;
mod demo;
mod fresh;
mod pack;
mod run;
mod setup;
mod size;
mod test;
mod tidy;
mod web;

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
        println!("cargo xtask {}: {}\n\n{}", task.name, task.about, task.usage.trim_end());
        return Ok(());
    }
    (task.run)(args)
}

fn print_tasks() {
    println!("usage: cargo xtask TASK [--help]\n");
    for task in TASKS {
        println!("  {:<8} {}", task.name, task.about);
    }
}
