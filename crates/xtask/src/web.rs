//! Builds `www/dist`: the engine as wasm, its bindings, the bundles, and the type check.
//! Writes a file only when its bytes changed, so that nothing is rebuilt for nothing.

mod bundle;
mod dist;
mod wasm;

use anyhow::Result;

use crate::args::Args;
use crate::pack::Pack;
use crate::setup;

pub(crate) const USAGE: &str = "\
usage: cargo xtask web [--no-check]

  --no-check   leave out tsc

Reads wasm-pack.toml. Steps: cargo build (profile wasm), wasm-bindgen into www/pkg, wasm-opt,
tsc --noEmit, esbuild, www/dist. Work whose inputs did not change is skipped.";

pub(crate) fn run_args(mut args: Args) -> Result<()> {
    let check = !args.flag("--no-check");
    args.finish()?;
    setup::ensure(true)?;
    build(check)
}

/// Builds what changed. `check` adds the type check.
pub(crate) fn build(check: bool) -> Result<()> {
    let pack = Pack::load()?;
    let staging = dist::staging()?;
    wasm::build(&pack, &staging)?;
    if check {
        bundle::check_types()?;
    }
    bundle::bundle(&pack, &staging)?;
    dist::publish(&pack, &staging)
}
