//! SECURITY.md names the test behind each defence; a name without a test proves nothing.

use anyhow::Result;

use super::Finding;
use super::source::Source;
use crate::run::root;

const PAGE: &str = "SECURITY.md";

pub(super) fn check(sources: &[Source], found: &mut Vec<Finding>) -> Result<()> {
    let text = std::fs::read_to_string(root().join(PAGE))?;
    for (at, line) in text.lines().enumerate() {
        for name in tests_named(line) {
            if !sources.iter().any(|source| defines(source, name)) {
                let text = format!("there is no test {name}");
                found.push(Finding { file: PAGE.into(), line: at + 1, rule: "proof", text });
            }
        }
    }
    Ok(())
}

/// Words in backticks that are written like a test's name.
fn tests_named(line: &str) -> impl Iterator<Item = &str> {
    let is_name = |word: &&str| {
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        word.matches('_').count() >= 2 && word.chars().all(is_plain)
    };
    line.split('`').skip(1).step_by(2).filter(is_name)
}

fn defines(source: &Source, name: &str) -> bool {
    let head = format!("fn {name}(");
    let mut lines = source.code.iter().zip(&source.is_test);
    let is_all_tests = source.path.starts_with("tests/");
    lines.any(|(line, is_test)| (*is_test || is_all_tests) && line.contains(&head))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_tests_are_told_from_other_code() {
        let line = "| 1 | a `limit.rs`, `nosniff` and `x_y` | `one_two_three`, `four_five_six` |";
        assert_eq!(tests_named(line).collect::<Vec<_>>(), ["one_two_three", "four_five_six"]);
    }
}
