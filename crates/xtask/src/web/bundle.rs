//! From TypeScript to the files that ship: the type check by tsc, the bundles by esbuild.

use std::path::Path;

use anyhow::Result;

use crate::pack::Pack;
use crate::run::{root, run, tool};

/// Checks every type under `www` by its own tsconfig.json.
pub(crate) fn check_types() -> Result<()> {
    println!("web: tsc --noEmit");
    let mut tsc = tool("node");
    tsc.current_dir(root().join("www")).arg("node_modules/typescript/bin/tsc");
    run(tsc.args(["--noEmit", "--strict"]))
}

/// Bundles what the pack names into `staging`.
pub(crate) fn bundle(pack: &Pack, staging: &Path) -> Result<()> {
    for (section, format) in [("modules", "esm"), ("scripts", "iife")] {
        for (file, source) in pack.bundles(section)? {
            println!("web: esbuild {source} -> {file}");
            run(&mut esbuild(pack, source, format, &staging.join(file)))?;
        }
    }
    for (file, source) in pack.bundles("files")? {
        std::fs::copy(root().join(source), staging.join(file))?;
    }
    Ok(())
}

fn esbuild(pack: &Pack, source: &str, format: &str, out: &Path) -> std::process::Command {
    let mut esbuild = tool(root().join("www/node_modules/.bin/esbuild"));
    esbuild.args([source, "--bundle", "--minify", "--target=es2022", "--charset=utf8"]);
    esbuild.args(["--log-level=warning", &format!("--format={format}")]);
    for (import, file) in pack.pairs("external") {
        esbuild.arg(format!("--alias:{import}={file}")).arg(format!("--external:{file}"));
    }
    esbuild.arg(format!("--outfile={}", out.display()));
    esbuild
}
