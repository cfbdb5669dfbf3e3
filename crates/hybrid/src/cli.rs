//! The commands of the program and what they have in common.

mod args;
mod bridge;
mod content;
mod create;
mod deliver;
mod descriptors;
mod devnet;
mod failure;
mod folders;
mod front;
mod get;
mod logs;
mod objects;
mod owner;
mod paid;
mod pay;
mod peer;
mod publisher;
mod seed;
mod sell;
mod serve;
mod settings;
mod share;
mod show;

use std::io::{self, Write};
use std::num::NonZero;
use std::process::ExitCode;
use std::time::Duration;

use serde_json::Value;
use tokio::runtime::{Builder, Runtime};

use args::{Cli, Command};
use failure::Failure;

/// Threads that may block on files and hashing.
const BLOCKING_THREADS: usize = 8;

/// Longest wait for files once a command is done.
const END_TIME_MAX: Duration = Duration::from_secs(2);

/// Runs the command that the command line names.
pub(crate) fn main() -> ExitCode {
    let Cli { command, json } = match settings::read() {
        Ok(cli) => cli,
        Err(failure) => return fail(&failure, false, ""),
    };
    let start = if matches!(command, Command::Show(_)) { "\"valid\":false," } else { "" };
    match run(command, json) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => fail(&failure, json, start),
    }
}

/// Says why it failed; in JSON after these fields.
fn fail(failure: &Failure, json: bool, start: &str) -> ExitCode {
    if json {
        print_line(&format!("{{{start}\"error\":{}}}", failure.to_json()));
    } else {
        eprintln!("error [{}]: {}", failure.code, failure.message);
    }
    ExitCode::from(failure.exit)
}

fn run(command: Command, json: bool) -> Result<(), Failure> {
    match command {
        Command::Show(args) => show::run(&args, json),
        Command::Create(args) => create::run(&args, json),
        Command::Get(args) => wait(get::run(args, json)),
        Command::Seed(args) => wait(seed::run(args, json)),
        Command::Serve(args) => wait(serve::run(*args, json)),
        Command::Pay(command) => pay::run(command, json),
        Command::Devnet(args) => wait(devnet::run(args, json)),
    }
}

fn wait<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = runtime(cores())?;
    let result = runtime.block_on(work);
    // Hashing a large file must not hold up whoever pressed Ctrl-C; stored pieces bear a cut.
    runtime.shutdown_timeout(END_TIME_MAX);
    result
}

/// Threads that work off tasks, so many of them.
fn runtime(threads: usize) -> Result<Runtime, Failure> {
    let runtime = Builder::new_multi_thread()
        .enable_all()
        .worker_threads(threads)
        .max_blocking_threads(BLOCKING_THREADS)
        .build();
    runtime.map_err(|e| Failure::failed("runtime", e))
}

/// How many threads this machine works off at once.
fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

/// Whether a source is a magnet link rather than a file's name.
fn is_magnet(text: &str) -> bool {
    text.trim().get(..7).is_some_and(|start| start.eq_ignore_ascii_case("magnet:"))
}

/// Writes one line of JSON to stdout. A reader that went away is no failure.
fn print(value: &Value) {
    print_line(&value.to_string());
}

/// Writes one line to stdout at once.
fn print_line(line: &str) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}
