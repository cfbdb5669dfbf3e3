//! Rules of words: names that say nothing, words with another meaning here, and the top level.

use anyhow::Result;

use super::source::{Language, Source};
use super::{Finding, add};
use crate::run::root;

/// Ends of names that only say that something is there.
const EMPTY_ENDS: [&str; 4] = ["Manager", "Helper", "Helpers", "Utils"];
/// Files and modules that would gather whatever has no place.
const EMPTY_MODULES: [&str; 7] = ["utils", "util", "common", "helper", "helpers", "misc", "core"];
/// What stands before a name that a file defines.
const DEFINES: [&str; 9] =
    ["fn ", "struct ", "enum ", "trait ", "mod ", "type ", "class ", "interface ", "function "];

pub(super) fn check(source: &Source, found: &mut Vec<Finding>) {
    let file = source.path.rsplit('/').next().unwrap_or_default();
    let stem = file.split('.').next().unwrap_or_default();
    if EMPTY_MODULES.contains(&stem) {
        add(found, source, 1, "word", format!("a file named {stem} says nothing"));
    }
    if file == "mod.rs" {
        add(found, source, 1, "word", "a module's file carries the module's name".into());
    }
    for (at, line) in source.code.iter().enumerate() {
        for name in DEFINES.iter().flat_map(|keyword| defined(line, keyword)) {
            if let Some(text) = trouble(name, source.language) {
                add(found, source, at + 1, "word", text);
            }
        }
    }
}

/// Names that traits of others fix.
const FIXED: [&str; 2] = ["get_mut", "get_opts"];

fn trouble(name: &str, language: Language) -> Option<String> {
    if EMPTY_ENDS.iter().any(|end| name.ends_with(end)) || EMPTY_MODULES.contains(&name) {
        return Some(format!("{name} says nothing about what it does"));
    }
    if language == Language::Rust && name.starts_with("get_") && !FIXED.contains(&name) {
        return Some(format!("{name}: leave get_ away"));
    }
    if name.to_lowercase().contains("chunk") {
        return Some(format!("{name}: a block, a piece or a slice, never a chunk"));
    }
    None
}

/// Names that the line defines by this keyword.
fn defined<'a>(line: &'a str, keyword: &'a str) -> impl Iterator<Item = &'a str> {
    line.match_indices(keyword).filter_map(move |(at, _)| {
        let starts_word = line[..at].chars().next_back().is_none_or(|c| !c.is_alphanumeric());
        let rest = &line[at + keyword.len()..];
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        (starts_word && end > 0).then(|| &rest[..end])
    })
}

/// The top level holds what ARCHITECTURE.md names and nothing else.
pub(super) fn check_top_level(found: &mut Vec<Finding>) -> Result<()> {
    let allowed = [
        "Cargo.toml",
        "Cargo.lock",
        "README.md",
        "ARCHITECTURE.md",
        "CHANGELOG.md",
        "SECURITY.md",
        "LICENSE-APACHE",
        "LICENSE-MIT",
        "crates",
        "target",
        "tests",
        "wasm-pack.toml",
        "www",
    ];
    for entry in std::fs::read_dir(root())? {
        let file = entry?.file_name().to_string_lossy().into_owned();
        if !file.starts_with('.') && !allowed.contains(&file.as_str()) {
            let text = "has no place at the top level".to_owned();
            found.push(Finding { file, line: 1, rule: "top-level", text });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_say_nothing_are_found_where_they_are_defined() {
        let text =
            "//! Decides.\nstruct PeerManager;\nfn get_piece() {}\nlet chunks = a.chunks(2);";
        let mut found = Vec::new();
        check(&Source::new("crates/x/src/a.rs", Language::Rust, text), &mut found);
        let lines: Vec<usize> = found.iter().map(|finding| finding.line).collect();
        assert_eq!(lines, [2, 3]);
    }
}
