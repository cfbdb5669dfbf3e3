//! The list of bugs: what each turns into what, and where. `tests/data/mutants.txt` holds it.

use anyhow::{Context, Result, bail};

use crate::run::root;

/// Where the list lies below the project's top level.
const LIST: &str = "tests/data/mutants.txt";

/// One bug of one line.
#[derive(Debug)]
pub(super) struct Bug {
    /// Counts from 1 in the order of the list.
    pub(super) number: u32,
    /// What sort of mistake it is.
    pub(super) kind: String,
    /// The file below the top level.
    pub(super) file: String,
    /// What stands there, exactly once.
    pub(super) old: String,
    /// What the bug makes of it; nothing for a statement that is left out.
    pub(super) new: String,
}

/// Reads the list and checks that each bug's place is found exactly once.
pub(super) fn read() -> Result<Vec<Bug>> {
    let text =
        std::fs::read_to_string(root().join(LIST)).with_context(|| format!("read {LIST}"))?;
    let bugs = parse(&text)?;
    for bug in &bugs {
        let source = std::fs::read_to_string(root().join(&bug.file))
            .with_context(|| format!("bug {}: read {}", bug.number, bug.file))?;
        let found = source.matches(&bug.old).count();
        if found != 1 {
            bail!("bug {}: `{}` stands {found} times in {}", bug.number, bug.old, bug.file);
        }
    }
    Ok(bugs)
}

/// Reads lines: `= KIND` begins a kind, `@ FILE` a file, `- OLD` and `+ NEW` are one bug.
fn parse(text: &str) -> Result<Vec<Bug>> {
    let (mut kind, mut file, mut old) = (String::new(), String::new(), None);
    let mut bugs: Vec<Bug> = Vec::new();
    for line in text.lines() {
        let (sign, rest) = line.split_once(' ').unwrap_or((line, ""));
        let rest = rest.trim();
        match sign {
            "" | "#" => {}
            "=" => rest.clone_into(&mut kind),
            "@" => rest.clone_into(&mut file),
            "-" => old = Some(rest.to_owned()),
            "+" => {
                let old = old.take().with_context(|| format!("`{line}` follows no `-`"))?;
                let number = bugs.len() as u32 + 1;
                let (kind, file) = (kind.clone(), file.clone());
                bugs.push(Bug { number, kind, file, old, new: rest.to_owned() });
            }
            _ => bail!("`{line}` is no line of a list of bugs"),
        }
    }
    Ok(bugs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bug_has_its_place_and_there_are_enough() {
        let bugs = read().unwrap();
        assert!(bugs.len() >= 60, "{} bugs", bugs.len());
    }

    #[test]
    fn a_bug_is_two_lines_below_its_kind_and_file() {
        let bugs = parse("# why\n= off by one\n@ a.rs\n- a < b\n+ a <= b\n- x();\n+\n").unwrap();
        let [first, second] = &bugs[..] else { panic!("{bugs:?}") };
        assert_eq!((first.kind.as_str(), first.new.as_str()), ("off by one", "a <= b"));
        assert_eq!((second.old.as_str(), second.new.as_str()), ("x();", ""));
        assert!(parse("+ b").is_err() && parse("? b").is_err());
    }
}
