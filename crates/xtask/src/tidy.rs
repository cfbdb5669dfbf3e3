//! Checks what no compiler checks: who may use whom, how large things may grow, and which words we
//! do not use. A file may carry `tidy-allow: RULE, reason` in a comment; without a reason it counts
//! for nothing.

mod crates;
mod names;
mod proofs;
mod script;
mod sizes;
mod source;
mod text;

use anyhow::{Result, bail};

use crate::args::Args;
use crate::tidy::source::Source;

pub(crate) const USAGE: &str = "\
usage: cargo xtask tidy

Checks the crate rules of ARCHITECTURE.md (who may use whom, core without clock or IO, shells under
half of the core) and the sizes: 600 lines per file, 70 per function (50 in browser, hybrid and
www), 250 of inline tests, 6 parameters, 100 columns; and that every test that SECURITY.md names is
there. Prints every finding and fails when there is one.";

/// One broken rule at one place.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    pub(crate) file: String,
    pub(crate) line: usize,
    pub(crate) rule: &'static str,
    pub(crate) text: String,
}

pub(crate) fn run_args(args: Args) -> Result<()> {
    args.finish()?;
    report()
}

/// Prints every finding and fails when there is one.
pub(crate) fn report() -> Result<()> {
    let findings = findings()?;
    for Finding { file, line, rule, text } in &findings {
        println!("{file}:{line}: {rule}: {text}");
    }
    if !findings.is_empty() {
        bail!("tidy: {} findings", findings.len());
    }
    println!("tidy: nothing to say");
    Ok(())
}

/// Everything that breaks a rule, by file and line.
pub(crate) fn findings() -> Result<Vec<Finding>> {
    let sources = source::all()?;
    let mut findings = Vec::new();
    for source in &sources {
        let mut found = Vec::new();
        text::check(source, &mut found);
        names::check(source, &mut found);
        sizes::check(source, &mut found);
        script::check(source, &mut found);
        crates::check_core(source, &mut found);
        found.retain(|finding| !source.allows(finding.rule));
        findings.append(&mut found);
    }
    crates::check_manifests(&mut findings)?;
    crates::check_shells(&sources, &mut findings);
    names::check_top_level(&mut findings)?;
    proofs::check(&sources, &mut findings)?;
    findings.sort();
    Ok(findings)
}

/// Adds a finding about a file.
fn add(found: &mut Vec<Finding>, source: &Source, line: usize, rule: &'static str, text: String) {
    found.push(Finding { file: source.path.clone(), line, rule, text });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_project_keeps_its_own_rules() {
        let findings = findings().unwrap();
        let told: Vec<String> = findings.iter().map(|finding| format!("{finding:?}")).collect();
        assert!(told.is_empty(), "{}", told.join("\n"));
    }
}
