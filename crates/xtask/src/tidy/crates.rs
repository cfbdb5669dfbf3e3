//! Rules between crates: who may use whom, a core without clock or IO, thin shells.

use anyhow::{Context, Result};

use super::source::{Language, Source};
use super::{Finding, add};
use crate::run::root;

/// One crate: what it may use of ours and, in the core, of others.
struct Row {
    name: &'static str,
    ours: &'static [&'static str],
    /// Nothing said means that any pinned crate may be used.
    others: Option<&'static [&'static str]>,
}

const CORE: [&str; 7] = ["base", "metainfo", "wire", "engine", "pay", "tron", "client"];
const SHELLS: [&str; 2] = ["browser", "hybrid"];

const ROWS: [Row; 14] = [
    Row { name: "base", ours: &[], others: Some(&["sha1", "sha2"]) },
    Row { name: "metainfo", ours: &["base"], others: Some(&["bytes", "thiserror"]) },
    Row {
        name: "wire",
        ours: &["base", "metainfo"],
        others: Some(&["bytes", "serde", "serde_json", "thiserror"]),
    },
    Row {
        name: "engine",
        ours: &["base", "metainfo", "wire"],
        others: Some(&["bytes", "thiserror"]),
    },
    Row { name: "pay", ours: &["base", "wire"], others: Some(&["bytes", "thiserror"]) },
    Row {
        name: "tron",
        ours: &["base"],
        others: Some(&[
            "alloy-primitives",
            "alloy-rlp",
            "alloy-sol-types",
            "bs58",
            "k256",
            "prost",
            "serde",
            "serde_json",
            "sha2",
            "sha3",
            "thiserror",
        ]),
    },
    Row { name: "devnet", ours: &["base", "tron"], others: None },
    Row {
        name: "client",
        ours: &["base", "metainfo", "wire", "engine", "pay", "tron"],
        others: Some(&["bytes", "chacha20", "thiserror"]),
    },
    Row { name: "tracker", ours: &["base", "wire"], others: None },
    Row { name: "objects", ours: &["base", "metainfo"], others: None },
    Row {
        name: "sim",
        ours: &["base", "metainfo", "wire", "client", "pay", "tracker"],
        others: Some(&["bytes"]),
    },
    Row { name: "browser", ours: &["base", "metainfo", "wire", "client", "tron"], others: None },
    Row {
        name: "hybrid",
        ours: &[
            "base", "metainfo", "wire", "engine", "pay", "tron", "client", "tracker", "objects",
            "devnet",
        ],
        others: None,
    },
    Row { name: "xtask", ours: &[], others: None },
];

/// Crates of others that only some of ours may use.
const KEPT_APART: [(&str, &[&str]); 7] = [
    ("webrtc", &["hybrid"]),
    ("rtc", &["hybrid"]),
    ("tokio", &["hybrid", "tracker", "objects", "devnet"]),
    ("wasm-bindgen", &["browser"]),
    ("wasm-bindgen-futures", &["browser"]),
    ("js-sys", &["browser"]),
    ("web-sys", &["browser"]),
];

/// What would let time, IO or chance into the core by another door than its inputs.
const OUTSIDE: [&str; 22] = [
    "Instant",
    "SystemTime",
    "Mutex",
    "OnceLock",
    "LazyLock",
    "AtomicBool",
    "AtomicU32",
    "AtomicU64",
    "AtomicUsize",
    "std::io",
    "std::fs",
    "std::net",
    "std::thread",
    "std::env",
    "std::process",
    "thread_local!",
    "static mut ",
    "async fn",
    "async move",
    ".await",
    "HashMap",
    "HashSet",
];

/// Checks every crate's `Cargo.toml` against its row.
pub(super) fn check_manifests(found: &mut Vec<Finding>) -> Result<()> {
    for entry in std::fs::read_dir(root().join("crates"))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let file = format!("crates/{name}/Cargo.toml");
        let text = std::fs::read_to_string(root().join(&file)).with_context(|| file.clone())?;
        let mut tell = |line, text| {
            found.push(Finding { file: file.clone(), line, rule: "crates", text });
        };
        let Some(row) = ROWS.iter().find(|row| row.name == name) else {
            tell(1, format!("{name} has no row in xtask's table"));
            continue;
        };
        for (line, used) in dependencies(&text) {
            if let Some(text) = trouble(row, used) {
                tell(line, text);
            }
        }
    }
    Ok(())
}

fn trouble(row: &Row, used: &str) -> Option<String> {
    let name = row.name;
    if let Some(ours) = used.strip_prefix("headwater-") {
        return (!row.ours.contains(&ours)).then(|| format!("{name} may not use {ours}"));
    }
    if let Some((_, users)) = KEPT_APART.iter().find(|(kept, _)| *kept == used)
        && !users.contains(&name)
    {
        return Some(format!("{used} belongs to {} alone", users.join(" and ")));
    }
    let others = row.others?;
    (!others.contains(&used)).then(|| format!("{name} is core and may not use {used}"))
}

/// Line and name of everything under `[dependencies]`.
fn dependencies(text: &str) -> Vec<(usize, &str)> {
    let mut section = "";
    let mut found = Vec::new();
    for (at, line) in text.lines().enumerate() {
        if line.starts_with('[') {
            section = line;
        } else if section.ends_with("dependencies]")
            && !section.contains("dev-")
            && let Some(end) = line.find(['.', ' ', '='])
            && end > 0
            && !line.starts_with('#')
        {
            found.push((at + 1, &line[..end]));
        }
    }
    found
}

/// Checks that a file of the core knows only what it is told.
pub(super) fn check_core(source: &Source, found: &mut Vec<Finding>) {
    let Some(krate) = source.krate().filter(|krate| CORE.contains(krate)) else { return };
    // Benches and examples are programs around the core: one needs a clock, the other its input.
    let apart = ["/benches/", "/examples/"].iter().any(|folder| source.path.contains(folder));
    if source.language != Language::Rust || apart {
        return;
    }
    let is_root = source.path.ends_with("/src/lib.rs");
    if is_root && !source.code.iter().any(|line| line.trim() == "#![forbid(unsafe_code)]") {
        add(found, source, 1, "core", "needs #![forbid(unsafe_code)]".into());
    }
    for (at, line) in source.code.iter().enumerate().filter(|(at, _)| !source.is_test[*at]) {
        if krate != "base" && line.contains("target_arch") {
            let text = "the core decides alike everywhere: no target_arch".into();
            add(found, source, at + 1, "core", text);
        }
        if let Some(word) = OUTSIDE.iter().find(|word| has_word(line, word)) {
            let text = format!("{} comes in from outside, never by itself", word.trim());
            add(found, source, at + 1, "core", text);
        }
    }
}

/// Whether the word stands there and does not go on as another.
fn has_word(line: &str, word: &str) -> bool {
    let goes_on = |rest: &str| rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
    line.match_indices(word).any(|(at, _)| !goes_on(&line[at + word.len()..]))
}

/// What the program shows to people: its command line and its HTTP server. They drive no peer.
const FACES: [&str; 2] = ["crates/hybrid/src/cli", "crates/hybrid/src/serve"];

/// Shells hold under half of the lines that the core holds, faces left aside.
pub(super) fn check_shells(sources: &[Source], found: &mut Vec<Finding>) {
    let lines = |names: &[&str]| -> usize {
        let of_these = sources.iter().filter(|source| {
            let is_face = FACES.iter().any(|face| source.path.starts_with(face));
            let counts = source.language == Language::Rust && !is_face;
            counts && source.krate().is_some_and(|k| names.contains(&k))
        });
        of_these.map(|source| source.code_lines(false)).sum()
    };
    let (core, shells) = (lines(&CORE), lines(&SHELLS));
    if shells * 2 >= core {
        let text = format!("shells have {shells} lines, the core {core}: not under half");
        found.push(Finding { file: "crates".into(), line: 1, rule: "shells", text });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engine_may_not_use_tokio_nor_the_client() {
        let manifest = "[dependencies]\nheadwater-client.workspace = true\ntokio = \"1\"\n\
                        bytes.workspace = true\n[dev-dependencies]\nproptest.workspace = true\n";
        let used = dependencies(manifest);
        let engine = ROWS.iter().find(|row| row.name == "engine").unwrap();
        let told: Vec<usize> = used
            .iter()
            .filter(|(_, used)| trouble(engine, used).is_some())
            .map(|(line, _)| *line)
            .collect();
        assert_eq!(told, [2, 3]);
    }

    #[test]
    fn a_clock_in_the_core_is_found_and_one_in_its_tests_is_not() {
        let text = "#![forbid(unsafe_code)]\nuse std::time::Instant;\nself.awaiting();\n\
                    #[cfg(test)]\nmod tests {\nuse std::time::Instant;\n}\n";
        let mut found = Vec::new();
        let path = "crates/engine/src/lib.rs";
        check_core(&Source::new(path, Language::Rust, text), &mut found);
        assert_eq!(found.iter().map(|finding| finding.line).collect::<Vec<_>>(), [2]);
    }
}
