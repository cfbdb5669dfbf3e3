//! Rules of size for TypeScript: lines of a file and of a function.

use super::sizes::{FILE_LINES_MAX, SHELL_FUNCTION_LINES_MAX};
use super::source::{Language, Source};
use super::{Finding, add};

/// Words whose parentheses belong to no function.
const BRANCHES: [&str; 7] = ["if", "for", "while", "switch", "catch", "with", "else"];

pub(super) fn check(source: &Source, found: &mut Vec<Finding>) {
    if source.language != Language::TypeScript {
        return;
    }
    let lines = source.code_lines(false);
    if lines > FILE_LINES_MAX {
        add(found, source, 1, "lines", format!("{lines} lines, at most {FILE_LINES_MAX}"));
    }
    for (start, end) in functions(&source.code) {
        let (lines, most) = (end - start + 1, SHELL_FUNCTION_LINES_MAX);
        if lines > most {
            let text = format!("a function of {lines} lines, at most {most}");
            add(found, source, start + 1, "function", text);
        }
    }
}

/// First and last line of every function with a body, counted from 0.
fn functions(code: &[String]) -> Vec<(usize, usize)> {
    let mut open: Vec<Option<usize>> = Vec::new();
    let mut found = Vec::new();
    let mut head = String::new();
    for (at, line) in code.iter().enumerate() {
        for c in line.chars() {
            match c {
                '{' => {
                    open.push(is_function(&head).then_some(at));
                    head.clear();
                }
                '}' => {
                    if let Some(Some(start)) = open.pop() {
                        found.push((start, at));
                    }
                    head.clear();
                }
                ';' => head.clear(),
                _ => head.push(c),
            }
        }
        head.push(' ');
    }
    found
}

/// Whether what stands before a brace is a function's head: an arrow, or a list of parameters that
/// no branch owns.
fn is_function(head: &str) -> bool {
    let head = head.trim();
    if head.ends_with("=>") {
        return true;
    }
    let Some(list) = head.rfind(')') else { return false };
    let tail = head[list + 1..].trim();
    let typed = tail.is_empty() || tail.starts_with(':');
    let word = head.split(|c: char| !c.is_alphanumeric()).find(|word| !word.is_empty());
    typed && !BRANCHES.contains(&word.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_methods_and_arrows_are_found_and_branches_are_not() {
        let text = "class A {\n  run(a: number): void {\n    if (a) {\n      b();\n    }\n  }\n}\n\
                    const f = async () => {\n  g();\n};\n";
        let code: Vec<String> = text.lines().map(str::to_owned).collect();
        assert_eq!(functions(&code), [(1, 5), (7, 9)]);
    }

    #[test]
    fn a_function_of_more_than_50_lines_is_found() {
        let text = format!("// Decides.\nfunction f() {{\n{}}}\n", "  a();\n".repeat(50));
        let mut found = Vec::new();
        check(&Source::new("www/src/a.ts", Language::TypeScript, &text), &mut found);
        assert_eq!(found.len(), 1);
    }
}
