//! What `serve` is told of its log.

use std::env;

use clap::ValueEnum as _;
use headwater_hybrid::log::{self, Format};
use tracing_subscriber::filter::LevelFilter;

use super::args::{Level, LogForm, Serve};
use super::failure::Failure;

/// The level where no flag says one.
const VARIABLE: &str = "HEADWATER_LOG";

/// Starts the log.
pub(crate) fn start(args: &Serve) -> Result<(), Failure> {
    let level = match args.log {
        Some(level) => level,
        None => from_environment()?,
    };
    let filter = match level {
        Level::Off => LevelFilter::OFF,
        Level::Error => LevelFilter::ERROR,
        Level::Warn => LevelFilter::WARN,
        Level::Info => LevelFilter::INFO,
        Level::Debug => LevelFilter::DEBUG,
        Level::Trace => LevelFilter::TRACE,
    };
    let format = match args.log_format {
        LogForm::Text => Format::Text,
        LogForm::Json => Format::Json,
    };
    log::start(filter, format).map_err(|e| Failure::failed("log", e))
}

fn from_environment() -> Result<Level, Failure> {
    let Ok(text) = env::var(VARIABLE) else { return Ok(Level::Info) };
    Level::from_str(text.trim(), true).map_err(|_| {
        let message =
            format!("{VARIABLE} is {text:?}: off, error, warn, info, debug or trace expected");
        Failure::input("bad-log-level", message)
    })
}
