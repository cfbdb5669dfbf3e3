//! Reads `wasm-pack.toml`: what is built for the web and how large it may be.
//! Understands the part of TOML which that file uses: sections, texts, numbers, lists of texts.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};

use crate::run::root;

/// One value of the file.
#[derive(Clone, Debug, PartialEq)]
enum Value {
    Text(String),
    Number(u64),
    List(Vec<String>),
}

/// The whole file: section, key, value. Sections and keys in the order of their names.
pub(crate) struct Pack {
    sections: BTreeMap<String, BTreeMap<String, Value>>,
}

/// Files that are weighed together.
pub(crate) struct Budget {
    pub(crate) name: String,
    pub(crate) bytes: u64,
    pub(crate) files: Vec<String>,
}

impl Pack {
    /// Reads the file at the top level.
    pub(crate) fn load() -> Result<Self> {
        let path = root().join("wasm-pack.toml");
        let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        Self::parse(&text).context("wasm-pack.toml")
    }

    fn parse(text: &str) -> Result<Self> {
        let mut sections: BTreeMap<String, BTreeMap<String, Value>> = BTreeMap::new();
        let mut section = String::new();
        let mut rest = text.lines().enumerate();
        while let Some((number, line)) = rest.next() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
                section = name.to_owned();
                continue;
            }
            let line_of_key = number + 1;
            let (key, value) =
                line.split_once('=').with_context(|| format!("line {line_of_key}: no ="))?;
            let mut value = value.trim().to_owned();
            while value.starts_with('[') && !value.ends_with(']') {
                let (_, more) = rest.next().with_context(|| format!("line {line_of_key}: no ]"))?;
                value.push_str(more.trim());
            }
            let key = key.trim().trim_matches('"').to_owned();
            let value = parse_value(&value).with_context(|| format!("line {line_of_key}"))?;
            sections.entry(section.clone()).or_default().insert(key, value);
        }
        Ok(Self { sections })
    }

    /// A text that must be there.
    pub(crate) fn text(&self, section: &str, key: &str) -> Result<&str> {
        match self.sections.get(section).and_then(|keys| keys.get(key)) {
            Some(Value::Text(text)) => Ok(text),
            Some(_) | None => bail!("wasm-pack.toml: [{section}] needs {key} = \"…\""),
        }
    }

    /// A list that is empty when nobody wrote it.
    pub(crate) fn list(&self, section: &str, key: &str) -> &[String] {
        match self.sections.get(section).and_then(|keys| keys.get(key)) {
            Some(Value::List(list)) => list,
            Some(_) | None => &[],
        }
    }

    /// The sections that say what becomes wasm.
    pub(crate) fn modules(&self) -> Vec<&str> {
        let sections = self.sections.keys().map(String::as_str);
        sections.filter(|name| *name == "wasm" || name.starts_with("wasm.")).collect()
    }

    /// The bundles of a section: file in the out dir, source. A source that is missing is refused.
    pub(crate) fn bundles(&self, section: &str) -> Result<Vec<(&str, &str)>> {
        let pairs = self.pairs(section);
        match pairs.iter().find(|(_, source)| !root().join(source).exists()) {
            Some((file, source)) => bail!("wasm-pack.toml: {source} of {file} is missing"),
            None => Ok(pairs),
        }
    }

    /// All keys of a section whose values are texts.
    pub(crate) fn pairs(&self, section: &str) -> Vec<(&str, &str)> {
        let keys = self.sections.get(section).into_iter().flatten();
        keys.filter_map(|(key, value)| match value {
            Value::Text(text) => Some((key.as_str(), text.as_str())),
            Value::Number(_) | Value::List(_) => None,
        })
        .collect()
    }

    /// What may weigh how much.
    pub(crate) fn budgets(&self) -> Vec<Budget> {
        let named = |section: &str| section.strip_prefix("budget.").map(str::to_owned);
        let sections = self.sections.iter();
        sections
            .filter_map(|(section, keys)| {
                let name = named(section)?;
                let Some(&Value::Number(bytes)) = keys.get("bytes") else { return None };
                Some(Budget { name, bytes, files: self.list(section, "files").to_vec() })
            })
            .collect()
    }
}

fn parse_value(text: &str) -> Result<Value> {
    if let Some(inner) = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
        let items = inner.split(',').map(str::trim).filter(|item| !item.is_empty());
        return Ok(Value::List(items.map(parse_text).collect::<Result<_>>()?));
    }
    if text.starts_with('"') {
        return Ok(Value::Text(parse_text(text)?));
    }
    Ok(Value::Number(text.parse().with_context(|| format!("{text} is no value we know"))?))
}

fn parse_text(text: &str) -> Result<String> {
    let inner = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    Ok(inner.with_context(|| format!("{text} is no text in quotes"))?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_this_project_says_what_is_built() {
        let pack = Pack::load().unwrap();
        assert_eq!(pack.text("wasm", "target").unwrap(), "wasm32-unknown-unknown");
        assert!(pack.list("wasm", "opt").contains(&"-Oz".to_owned()));
        assert!(pack.budgets().iter().any(|budget| budget.name == "client"));
    }

    #[test]
    fn a_line_that_is_no_pair_is_refused_by_its_number() {
        let error = Pack::parse("[a]\nb = 1\nnonsense").err().unwrap();
        assert!(format!("{error:#}").contains("line 3"));
    }

    #[test]
    fn lists_may_span_lines() {
        let pack = Pack::parse("[a]\nb = [\n \"x\",\n \"y\",\n]").unwrap();
        assert_eq!(pack.list("a", "b"), ["x", "y"]);
    }
}
