//! wasm-bindgen as a program of this project, so that nothing is installed globally and its version
//! is always the one of `Cargo.lock`. Apart from xtask, since its library takes minutes to build.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use wasm_bindgen_cli::wasm_bindgen_test_runner;
use wasm_bindgen_cli_support::Bindgen;

const USAGE: &str = "usage: xtask-bindgen bindgen WASM OUT_DIR NAME | test-runner WASM [ARGS]";

fn main() -> Result<()> {
    let mut args = std::env::args_os().skip(1);
    let task = args.next().context(USAGE)?;
    match task.to_str() {
        Some("bindgen") => {
            let wasm = PathBuf::from(args.next().context(USAGE)?);
            let out = PathBuf::from(args.next().context(USAGE)?);
            let name = args.next().context(USAGE)?;
            bind(&wasm, &out, &name.to_string_lossy())
        }
        Some("test-runner") => {
            let program = std::iter::once("wasm-bindgen-test-runner".into());
            wasm_bindgen_test_runner::run_cli_with_args(program.chain(args))
        }
        Some(_) | None => bail!(USAGE),
    }
}

fn bind(wasm: &std::path::Path, out: &std::path::Path, name: &str) -> Result<()> {
    let mut bindgen = Bindgen::new();
    bindgen.input_path(wasm).out_name(name).web(true)?.typescript(true);
    bindgen.remove_producers_section(true).remove_name_section(true);
    bindgen.generate(out)
}
