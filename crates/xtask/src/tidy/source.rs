//! The files that tidy reads, each with its code apart from comments and texts.

use std::path::Path;

use anyhow::Result;

use crate::run::root;

/// What a file is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    Rust,
    TypeScript,
    /// Scripts of the tests, read by node or Python.
    Script,
}

/// One file of ours.
pub(crate) struct Source {
    /// From the top level, with `/`.
    pub(crate) path: String,
    pub(crate) language: Language,
    pub(crate) lines: Vec<String>,
    /// The same lines, comments and the insides of texts blanked out.
    pub(crate) code: Vec<String>,
    /// Lines of code inside `#[cfg(test)] mod …`, or everything in a file of tests.
    pub(crate) is_test: Vec<bool>,
}

impl Source {
    pub(crate) fn new(path: &str, language: Language, text: &str) -> Self {
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let mut code: Vec<String> = blank(text, language).lines().map(str::to_owned).collect();
        code.resize(lines.len(), String::new());
        let apart = ["/tests/", "/benches/"].iter().any(|folder| path.contains(folder));
        let all_tests = apart || path.ends_with("/tests.rs");
        let is_test = if all_tests { vec![true; lines.len()] } else { test_lines(&code) };
        Self { path: path.to_owned(), language, lines, code, is_test }
    }

    /// Lines that hold code, comments and blank lines left out.
    pub(crate) fn code_lines(&self, tests: bool) -> usize {
        let both = self.code.iter().zip(&self.is_test);
        both.filter(|(code, is_test)| **is_test == tests && !code.trim().is_empty()).count()
    }

    /// Whether the file carries its reason for breaking the rule.
    pub(crate) fn allows(&self, rule: &str) -> bool {
        self.lines.iter().any(|line| {
            let Some((_, rest)) = line.split_once("tidy-allow: ") else { return false };
            let Some((named, reason)) = rest.split_once(',') else { return false };
            named.trim() == rule && reason.trim().len() > 10
        })
    }

    /// The folder under `crates/`, when the file is in one.
    pub(crate) fn krate(&self) -> Option<&str> {
        self.path.strip_prefix("crates/")?.split('/').next()
    }
}

/// Every file of ours, in the order of the paths.
pub(crate) fn all() -> Result<Vec<Source>> {
    let mut sources = Vec::new();
    for folder in ["crates", "tests", "www"] {
        gather(&root().join(folder), folder, &mut sources)?;
    }
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(sources)
}

fn gather(dir: &Path, name: &str, sources: &mut Vec<Source>) -> Result<()> {
    if !dir.exists() {
        return Ok(());
    }
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        let file = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{name}/{file}");
        let made = ["www/dist", "www/pkg", "tests/e2e/out"].contains(&path.as_str());
        if file == "node_modules" || file == "target" || made {
            continue;
        }
        if entry.file_type()?.is_dir() {
            gather(&entry.path(), &path, sources)?;
        } else if let Some(language) = language_of(&file) {
            sources.push(Source::new(&path, language, &std::fs::read_to_string(entry.path())?));
        }
    }
    Ok(())
}

fn language_of(file: &str) -> Option<Language> {
    match file.rsplit_once('.')?.1 {
        "rs" => Some(Language::Rust),
        "ts" => Some(Language::TypeScript),
        "mjs" | "py" => Some(Language::Script),
        _ => None,
    }
}

/// Blanks comments and the insides of texts; every other character keeps its line and column.
fn blank(text: &str, language: Language) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let taken = skipped(rest, first, language, out.chars().next_back());
        if taken == 0 {
            out.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        }
        let (hidden, after) = rest.split_at(taken);
        out.extend(hidden.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        rest = after;
    }
    out
}

/// How many bytes at the start of `rest` are a comment or a text.
fn skipped(rest: &str, first: char, language: Language, before: Option<char>) -> usize {
    let line = rest.find('\n').unwrap_or(rest.len());
    match first {
        '/' if rest.starts_with("//") => line,
        '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |at| at + 2),
        '"' => quoted(rest, '"'),
        '`' if language != Language::Rust => quoted(rest, '`'),
        '\'' if language != Language::Rust => quoted(rest, '\''),
        '\'' => rust_char(rest),
        'r' if language == Language::Rust && !before.is_some_and(is_word) => raw_text(rest),
        '#' if language == Language::Script => line,
        _ => 0,
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    rest.len()
}

/// A character literal, or nothing when the quote begins a lifetime.
fn rust_char(rest: &str) -> usize {
    let mut chars = rest.char_indices().skip(1);
    match (chars.next(), chars.next()) {
        (Some((_, '\\')), _) => quoted(rest, '\''),
        (Some(_), Some((at, '\''))) => at + 1,
        _ => 0,
    }
}

fn raw_text(rest: &str) -> usize {
    let hashes = rest[1..].chars().take_while(|&c| c == '#').count();
    if !rest[1 + hashes..].starts_with('"') {
        return 0;
    }
    let end = format!("\"{}", "#".repeat(hashes));
    let body = 2 + hashes;
    rest[body..].find(&end).map_or(rest.len(), |at| body + at + end.len())
}

/// Marks the lines of every module that `#[cfg(test)]` stands before.
fn test_lines(code: &[String]) -> Vec<bool> {
    let mut marks = vec![false; code.len()];
    let mut at = 0;
    while at < code.len() {
        let is_mod = code.get(at + 1).is_some_and(|next| next.trim_start().starts_with("mod "));
        if code[at].trim() != "#[cfg(test)]" || !is_mod {
            at += 1;
            continue;
        }
        let end = block_end(code, at + 1).unwrap_or(at + 1);
        marks[at..=end].fill(true);
        at = end + 1;
    }
    marks
}

/// The line on which the first block that opens at or after `from` closes.
pub(crate) fn block_end(code: &[String], from: usize) -> Option<usize> {
    let (mut depth, mut square) = (0_usize, 0_usize);
    for (at, line) in code.iter().enumerate().skip(from) {
        for c in line.chars() {
            match c {
                '[' => square += 1,
                ']' => square = square.saturating_sub(1),
                '{' => depth += 1,
                '}' if depth == 1 => return Some(at),
                '}' => depth = depth.saturating_sub(1),
                ';' if depth == 0 && square == 0 => return None,
                _ => {}
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_texts_hold_no_code() {
        let text = "let a = \"{ fn\"; // fn {\nlet b = '{'; let c: &'a str = r#\"}\"#;";
        let code = blank(text, Language::Rust);
        assert!(!code.contains("fn") && !code.contains('{') && !code.contains('}'));
        assert!(code.contains("&'a str"));
    }

    #[test]
    fn an_array_in_a_head_does_not_end_a_function() {
        let code = ["fn f() -> [u8; 20] {", "    a();", "}"].map(str::to_owned);
        assert_eq!(block_end(&code, 0), Some(2));
        assert_eq!(block_end(&["fn f(a: [u8; 2]);".to_owned()], 0), None);
    }

    #[test]
    fn inline_tests_end_with_their_module() {
        let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\nfn c() {}\n";
        let source = Source::new("crates/x/src/a.rs", Language::Rust, text);
        assert_eq!(source.is_test, [false, true, true, true, true, false]);
        assert_eq!(source.code_lines(false), 2);
    }

    #[test]
    fn an_exception_without_a_reason_counts_for_nothing() {
        let with = |text| Source::new("a.rs", Language::Rust, text).allows("columns");
        assert!(with("// tidy-allow: columns, the table reads better in one piece"));
        assert!(!with("// tidy-allow: columns"));
        assert!(!with("// tidy-allow: lines, the table reads better in one piece"));
    }
}
