//! Weighs what a page loads, gzipped, against the budgets of `wasm-pack.toml`.

use std::path::Path;

use anyhow::{Result, bail};
use serde::Serialize;

use crate::args::Args;
use crate::pack::{Budget, Pack};
use crate::run::{capture, root, tool};

pub(crate) const USAGE: &str = "\
usage: cargo xtask size [--json]

  --json   one JSON object instead of the table

Weighs www/dist (build it with cargo xtask web) after gzip -9. Fails over a budget.";

#[derive(Serialize)]
struct Weighed {
    name: String,
    files: Vec<FileWeight>,
    gzip: u64,
    budget: u64,
    within: bool,
}

#[derive(Serialize)]
struct FileWeight {
    file: String,
    raw: u64,
    gzip: u64,
}

pub(crate) fn run_args(mut args: Args) -> Result<()> {
    let json = args.flag("--json");
    args.finish()?;
    report(json)
}

/// Prints what everything weighs and fails when something is over its budget.
pub(crate) fn report(json: bool) -> Result<()> {
    let pack = Pack::load()?;
    let dist = root().join(pack.text("out", "dir")?);
    let budgets = pack.budgets();
    let weighed: Vec<Weighed> =
        budgets.iter().map(|budget| weigh(&dist, budget)).collect::<Result<_>>()?;
    if json {
        println!("{}", serde_json::to_string(&weighed)?);
    } else {
        print_table(&weighed);
    }
    let over: Vec<&str> =
        weighed.iter().filter(|one| !one.within).map(|one| one.name.as_str()).collect();
    if !over.is_empty() {
        bail!("over budget: {}", over.join(", "));
    }
    Ok(())
}

fn weigh(dist: &Path, budget: &Budget) -> Result<Weighed> {
    let mut files = Vec::new();
    for file in &budget.files {
        let path = dist.join(file);
        let Ok(meta) = path.metadata() else {
            bail!("{} is missing; run cargo xtask web", path.display());
        };
        let gzip = capture(tool("gzip").args(["-9", "-n", "-c"]).arg(&path))?.len() as u64;
        files.push(FileWeight { file: file.clone(), raw: meta.len(), gzip });
    }
    let gzip = files.iter().map(|file| file.gzip).sum();
    let (name, budget) = (budget.name.clone(), budget.bytes);
    Ok(Weighed { name, files, gzip, budget, within: gzip <= budget })
}

fn print_table(weighed: &[Weighed]) {
    println!("{:<28} {:>10} {:>10} {:>10}", "file", "bytes", "gzip", "budget");
    for one in weighed {
        for file in &one.files {
            println!("{:<28} {:>10} {:>10}", file.file, file.raw, file.gzip);
        }
        let verdict = if one.within { "" } else { "  over" };
        let title = format!("= {}", one.name);
        println!("{title:<28} {:>10} {:>10} {:>10}{verdict}", "", one.gzip, one.budget);
    }
}
