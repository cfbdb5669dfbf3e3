//! Rules of plain text: a doc at the top, columns, and marks that nobody comes back to.

use super::source::{Language, Source};
use super::{Finding, add};

/// Columns a line may have, unless it carries an address.
const COLUMNS_MAX: usize = 100;
/// Marks in comments that stay for years.
const MARKS: [&str; 3] = ["TODO", "FIXME", "XXX"];

pub(super) fn check(source: &Source, found: &mut Vec<Finding>) {
    let first = source.lines.iter().find(|line| !line.starts_with("#!") && !line.is_empty());
    let opens = first.map_or("", |line| line.as_str());
    let documented = match source.language {
        Language::Rust => opens.starts_with("//!"),
        Language::TypeScript => opens.starts_with("//") || opens.starts_with("/*"),
        Language::Script => opens.starts_with("//") || opens.starts_with("\"\"\""),
    };
    if !documented {
        add(found, source, 1, "doc", "says not what it decides and what it does not know".into());
    }
    for (at, line) in source.lines.iter().enumerate() {
        let columns = line.chars().count();
        if columns > COLUMNS_MAX && !line.contains("://") {
            let text = format!("{columns} columns, at most {COLUMNS_MAX}");
            add(found, source, at + 1, "columns", text);
        }
        let comment = line.split_once("//").map_or("", |(_, comment)| comment);
        if let Some(mark) = MARKS.into_iter().find(|mark| comment.contains(mark)) {
            add(found, source, at + 1, "mark", format!("{mark} belongs into an issue"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(text: &str) -> Vec<&'static str> {
        let mut found = Vec::new();
        check(&Source::new("crates/x/src/a.rs", Language::Rust, text), &mut found);
        found.into_iter().map(|finding| finding.rule).collect()
    }

    #[test]
    fn a_file_says_what_it_is_at_its_top() {
        assert_eq!(rules("//! Decides.\n"), [""; 0]);
        assert_eq!(rules("use a;\n"), ["doc"]);
    }

    #[test]
    fn marks_count_in_comments_only() {
        let mark = MARKS[0];
        assert_eq!(rules(&format!("//! Decides.\nlet a = 1; // {mark}\n")), ["mark"]);
        assert_eq!(rules(&format!("//! Decides.\nlet a = \"{mark}\";\n")), [""; 0]);
    }

    #[test]
    fn long_lines_are_found_unless_they_hold_an_address() {
        let long = "a".repeat(101);
        assert_eq!(rules(&format!("//! Decides.\n// {long}\n")), ["columns"]);
        assert_eq!(rules(&format!("//! Decides.\n// https://{long}\n")), [""; 0]);
    }
}
