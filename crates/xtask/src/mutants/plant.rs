//! Makes a copy of the sources in which every bug lies dormant behind a switch.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::list::Bug;
use crate::run::{root, target_dir};

/// What the copy's `base` gains: the number of the bug that is awake.
const SWITCH: &str = "
#[doc(hidden)]
pub fn mutant(number: u32) -> bool {
    static AWAKE: std::sync::OnceLock<u32> = std::sync::OnceLock::new();
    let read = || std::env::var(\"HEADWATER_MUTANT\").ok()?.parse().ok();
    *AWAKE.get_or_init(|| read().unwrap_or(0)) == number
}
";

/// Parts of the project that the copy needs.
const PARTS: [&str; 4] = ["Cargo.toml", "Cargo.lock", "crates", "tests"];

/// Writes the copy and answers where it is. Files that did not change keep their time, so that
/// cargo builds only what did.
pub(super) fn tree(bugs: &[Bug]) -> Result<PathBuf> {
    let tree = target_dir()?.join("mutants/tree");
    std::fs::create_dir_all(&tree)?;
    for part in PARTS {
        copy(&root().join(part), &tree.join(part), Path::new(part), bugs)?;
    }
    Ok(tree)
}

fn copy(from: &Path, to: &Path, name: &Path, bugs: &[Bug]) -> Result<()> {
    if from.is_dir() {
        std::fs::create_dir_all(to)?;
        for entry in std::fs::read_dir(from)? {
            let part = entry?.file_name();
            if part != "node_modules" && part != "target" {
                copy(&from.join(&part), &to.join(&part), &name.join(&part), bugs)?;
            }
        }
        return Ok(());
    }
    let mut bytes = std::fs::read(from).with_context(|| format!("read {}", from.display()))?;
    let name = name.to_string_lossy();
    for bug in bugs.iter().filter(|bug| bug.file == name) {
        let text = String::from_utf8(bytes)?;
        bytes = text.replacen(&bug.old, &dormant(bug), 1).into_bytes();
    }
    if name == "crates/base/src/lib.rs" {
        bytes.extend_from_slice(SWITCH.as_bytes());
    }
    if std::fs::read(to).ok().as_deref() != Some(&bytes) {
        std::fs::write(to, bytes).with_context(|| format!("write {}", to.display()))?;
    }
    Ok(())
}

/// The bug and what it replaces, with the switch between them.
fn dormant(bug: &Bug) -> String {
    let Bug { number, old, new, .. } = bug;
    let home = if bug.file.starts_with("crates/base/") { "crate" } else { "headwater_base" };
    let choice = format!("if {home}::mutant({number}) {{ {new} }} else {{ {old} }}");
    if old.ends_with(';') { choice } else { format!("({choice})") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_stays_one_and_a_statement_too() {
        let bug = |file: &str, old: &str, new: &str| Bug {
            number: 7,
            kind: String::new(),
            file: file.to_owned(),
            old: old.to_owned(),
            new: new.to_owned(),
        };
        assert_eq!(
            dormant(&bug("crates/wire/src/a.rs", "a < b", "a <= b")),
            "(if headwater_base::mutant(7) { a <= b } else { a < b })"
        );
        assert_eq!(
            dormant(&bug("crates/base/src/a.rs", "tell();", "")),
            "if crate::mutant(7) {  } else { tell(); }"
        );
    }
}
