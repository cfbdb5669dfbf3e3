//! Rules of size for Rust: lines of a file, of a function, of inline tests; parameters.

use super::source::{Language, Source, block_end};
use super::{Finding, add};

/// Lines of code a file may have, tests apart.
pub(super) const FILE_LINES_MAX: usize = 600;
/// Lines of code that inline tests may have; beyond, they get a file of their own.
const TEST_LINES_MAX: usize = 250;
/// Lines from a function's `fn` to its last brace.
const FUNCTION_LINES_MAX: usize = 70;
/// The same where the shells are, which ought to hold no decisions.
pub(super) const SHELL_FUNCTION_LINES_MAX: usize = 50;
/// Parameters besides `self`.
const PARAMETERS_MAX: usize = 6;

pub(super) fn check(source: &Source, found: &mut Vec<Finding>) {
    if source.language != Language::Rust {
        return;
    }
    let lines = source.code_lines(false);
    if lines > FILE_LINES_MAX {
        add(found, source, 1, "lines", format!("{lines} lines, at most {FILE_LINES_MAX}"));
    }
    let tests = source.code_lines(true);
    let inline = source.is_test.contains(&false);
    if inline && tests > TEST_LINES_MAX {
        add(found, source, 1, "tests", format!("{tests} of tests, at most {TEST_LINES_MAX}"));
    }
    let shell = matches!(source.krate(), Some("browser" | "hybrid"));
    let most = if shell { SHELL_FUNCTION_LINES_MAX } else { FUNCTION_LINES_MAX };
    for at in 0..source.code.len() {
        let Some(name) = function_name(&source.code[at]) else { continue };
        if source.is_test[at] {
            continue;
        }
        let end = block_end(&source.code, at).unwrap_or(at);
        let lines = end - at + 1;
        if lines > most {
            let text = format!("{name} has {lines} lines, at most {most}");
            add(found, source, at + 1, "function", text);
        }
        let parameters = parameters(&source.code[at..=end.min(at + 40)].join(" "));
        if parameters > PARAMETERS_MAX {
            let text = format!("{name} takes {parameters} parameters, at most {PARAMETERS_MAX}");
            add(found, source, at + 1, "parameters", text);
        }
    }
}

/// The name of the function that the line begins to define.
fn function_name(line: &str) -> Option<&str> {
    let at = if line.trim_start().starts_with("fn ") {
        line.find("fn ")?
    } else {
        line.find(" fn ")? + 1
    };
    let rest = &line[at + 3..];
    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_')?;
    (end > 0).then(|| &rest[..end])
}

/// How many parameters the first list in parentheses has, `self` left out.
fn parameters(text: &str) -> usize {
    let Some(after) = text.find("fn ").map(|at| &text[at..]) else { return 0 };
    let Some(start) = list_start(after) else { return 0 };
    let (mut depth, mut current, mut names) = (0_i32, String::new(), Vec::new());
    let mut before = ' ';
    for c in after[start..].chars() {
        match c {
            '(' | '[' | '<' | '{' => depth += 1,
            '>' if before == '-' => {}
            ')' | ']' | '>' | '}' => depth -= 1,
            ',' if depth == 1 => names.push(std::mem::take(&mut current)),
            _ => {}
        }
        before = c;
        if depth == 0 {
            break;
        }
        if depth > 1 || !matches!(c, ',' | '(') {
            current.push(c);
        }
    }
    names.push(current);
    let named = names.iter().map(|name| name.trim()).filter(|name| !name.is_empty());
    named.filter(|name| !name.ends_with("self") && !name.contains("self:")).count()
}

/// Where the parameters begin, past generics.
fn list_start(after: &str) -> Option<usize> {
    let mut depth = 0_i32;
    let mut before = ' ';
    for (at, c) in after.char_indices() {
        match c {
            '<' => depth += 1,
            '>' if before != '-' => depth -= 1,
            '(' if depth == 0 => return Some(at),
            _ => {}
        }
        before = c;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(path: &str, text: &str) -> Vec<&'static str> {
        let mut found = Vec::new();
        check(&Source::new(path, Language::Rust, text), &mut found);
        found.into_iter().map(|finding| finding.rule).collect()
    }

    #[test]
    fn shells_get_shorter_functions_than_the_core() {
        let text = format!("fn long() {{\n{}}}\n", "    a();\n".repeat(60));
        assert_eq!(rules("crates/engine/src/a.rs", &text), [""; 0]);
        assert_eq!(rules("crates/hybrid/src/a.rs", &text), ["function"]);
    }

    #[test]
    fn parameters_are_counted_past_generics_and_without_self() {
        assert_eq!(parameters("fn f<F: Fn(u8) -> u8>(&mut self, a: (u8, u8), b: Vec<u8>) {"), 2);
        assert_eq!(parameters("fn f(a: u8, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8) {"), 7);
        assert_eq!(parameters("fn f(run: impl Fn(u8, u8) -> u8,) -> u8 {"), 1);
        assert_eq!(parameters("fn f() {"), 0);
    }

    #[test]
    fn a_file_of_more_than_600_lines_is_found() {
        assert_eq!(rules("crates/x/src/a.rs", &"use a;\n".repeat(601)), ["lines"]);
        assert_eq!(rules("crates/x/src/a.rs", &"// a\n".repeat(601)), [""; 0]);
    }

    #[test]
    fn long_inline_tests_are_sent_to_their_own_file() {
        let text = format!("use a;\n#[cfg(test)]\nmod tests {{\n{}}}\n", "    a();\n".repeat(250));
        assert_eq!(rules("crates/x/src/a.rs", &text), ["tests"]);
        assert_eq!(rules("crates/x/src/a/tests.rs", &text), [""; 0]);
    }
}
