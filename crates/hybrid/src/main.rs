//! The `headwater` program: reads the command line, runs one command, answers with an exit code.

mod cli;

use std::process::ExitCode;

/// Many threads ask for and free much of the same: packets, messages, blocks.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::main()
}
