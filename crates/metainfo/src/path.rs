//! Makes names from outside safe to create below a folder, and tells files apart.
//! Names are changed rather than refused, as other clients do. What only one system forbids
//! is changed by the shell that runs there, so that names on others stay what they are.

use std::collections::BTreeSet;

use crate::{Error, File, limit};

/// What a bad character becomes.
const BLANK: char = '_';

/// Makes one part of a path safe; `None` when nothing is left of it.
///
/// Separators, zero bytes and characters that turn the direction of text are dropped. Control
/// characters and bytes that are not UTF-8 become `_`, as does the colon of a drive letter.
/// `.` and `..` leave nothing. Long names are cut.
pub fn safe_name(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    let mut name: String = text.chars().filter_map(safe_char).collect();
    if name.len() > limit::NAME_BYTES_MAX {
        name = shorten(&name);
    }
    if matches!(name.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic()) {
        name.replace_range(1..2, "_");
    }
    (!matches!(name.as_str(), "" | "." | "..")).then_some(name)
}

/// What a safe name must be called on Windows, which forbids more: some punctuation, dots and
/// spaces at the end, names of devices. No two files of a torrent are called the same by it.
pub fn windows_name(name: &str) -> String {
    let forbidden = |c| matches!(c, '<' | '>' | ':' | '"' | '|' | '?' | '*');
    let blank = |c| if forbidden(c) { BLANK } else { c };
    let kept = name.trim_end_matches(['.', ' ']);
    let mut out: String = kept.chars().map(blank).collect();
    if out.is_empty() || is_device(&out) {
        out.insert(0, BLANK);
    }
    out
}

/// Makes one part of a path safe; what leaves nothing becomes `_`.
pub(crate) fn safe_part(bytes: &[u8]) -> String {
    safe_name(bytes).unwrap_or_else(|| BLANK.into())
}

fn safe_char(c: char) -> Option<char> {
    match c {
        '/' | '\\' | '\0' => None,
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => None,
        char::REPLACEMENT_CHARACTER => Some(BLANK),
        _ if c.is_control() => Some(BLANK),
        _ => Some(c),
    }
}

/// Cuts a name, but keeps its ending, by which programs know what it is.
fn shorten(name: &str) -> String {
    let ending = match name.rfind('.') {
        Some(dot) if name.len() - dot <= limit::EXTENSION_BYTES_MAX => &name[dot..],
        _ => "",
    };
    let stem = &name[..name.floor_char_boundary(limit::NAME_BYTES_MAX - ending.len())];
    format!("{stem}{ending}")
}

fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name).trim_end().to_ascii_lowercase();
    let numbered = |prefix: &str| {
        let number = stem.strip_prefix(prefix).map(|rest| rest.chars().collect::<Vec<_>>());
        matches!(number.as_deref(), Some(['0'..='9' | '¹' | '²' | '³']))
    };
    matches!(stem.as_str(), "con" | "prn" | "aux" | "nul" | "conin$" | "conout$")
        || numbered("com")
        || numbered("lpt")
}

/// Renames files so that no two share a path and none has a folder's path, on any system and
/// whatever the case of letters. Padding has no path of its own and is left alone.
pub(crate) fn tell_apart(files: &mut [File]) -> Result<(), Error> {
    let mut taken = BTreeSet::new();
    for file in files.iter().filter(|file| !file.pad) {
        folders(&file.path, &mut taken);
    }
    for file in files.iter_mut().filter(|file| !file.pad) {
        let mut path = file.path.clone();
        let mut number = 0_u32;
        while !taken.insert(fingerprint(&path)) {
            number += 1;
            if number > limit::RENAMES_MAX {
                return Err(Error::DuplicatePaths { allowed: limit::RENAMES_MAX });
            }
            path = numbered(&file.path, number);
        }
        file.path = path;
    }
    Ok(())
}

/// Puts a number before the ending: `a/b.txt` becomes `a/b.1.txt`.
fn numbered(path: &str, number: u32) -> String {
    let name_at = path.rfind('/').map_or(0, |slash| slash + 1);
    let dot = path[name_at..].rfind('.').filter(|dot| *dot > 0).map(|dot| dot + name_at);
    let (stem, ending) = path.split_at(dot.unwrap_or(path.len()));
    format!("{stem}.{number}{ending}")
}

/// Paths are kept as 64-bit fingerprints: deep hostile paths would otherwise cost memory by the
/// square of their depth. Two paths that meet by chance cost a needless rename.
fn fingerprint(path: &str) -> u64 {
    folded(path).bytes().fold(FNV_OFFSET, fnv1a)
}

fn folders(path: &str, taken: &mut BTreeSet<u64>) {
    let mut hash = FNV_OFFSET;
    for byte in folded(path).bytes() {
        if byte == b'/' {
            taken.insert(hash);
        }
        hash = fnv1a(hash, byte);
    }
}

/// A path as the least discerning system sees it.
fn folded(path: &str) -> String {
    path.split('/').map(windows_name).collect::<Vec<_>>().join("/").to_lowercase()
}

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;

fn fnv1a(hash: u64, byte: u8) -> u64 {
    (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use headwater_base::ByteCount;
    use proptest::prelude::*;

    fn named(paths: &[&str]) -> Vec<File> {
        let zero = ByteCount(0);
        let file = |path: &&str| File {
            path: (*path).to_owned(),
            length: zero,
            offset: zero,
            pad: path.starts_with(".pad"),
            root: None,
        };
        paths.iter().map(file).collect()
    }

    fn check_apart(paths: &[&str], expect: &[&str]) {
        let mut files = named(paths);
        tell_apart(&mut files).unwrap();
        let found: Vec<_> = files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(found, expect);
    }

    #[test]
    fn names_that_mean_something_to_a_file_system_are_defused() {
        for (name, expect) in [
            ("What: a \"film\"?.mkv", Some("What: a \"film\"?.mkv")),
            ("Mr. and Mrs. ", Some("Mr. and Mrs. ")),
            (".hidden", Some(".hidden")),
            ("...", Some("...")),
            (".", None),
            ("..", None),
            ("", None),
            ("/", None),
            ("\\\\", None),
            ("./.", None),
            ("\0\0", None),
            ("/etc/passwd", Some("etcpasswd")),
            ("..\\..\\x", Some("....x")),
            ("C:", Some("C_")),
            ("c:\\x", Some("c_x")),
            ("a\0b\x1b[31m\x7f", Some("ab_[31m_")),
            ("\u{202e}gpj.exe", Some("gpj.exe")),
            ("a\u{200e}\u{200f}\u{202a}\u{2066}\u{2069}b", Some("ab")),
        ] {
            assert_eq!(safe_name(name.as_bytes()).as_deref(), expect, "{name:?}");
        }
        assert_eq!(safe_name(b"a\xff\xfeb").as_deref(), Some("a__b"));
        assert_eq!(safe_part(b".."), "_");
    }

    #[test]
    fn long_names_are_cut_but_keep_their_ending() {
        let long = format!("{}.mkv", "é".repeat(200));
        let cut = safe_name(long.as_bytes()).unwrap();
        assert!(cut.len() <= 240 && cut.ends_with("é.mkv"), "{cut}");
        let no_ending = safe_name("x".repeat(5000).as_bytes()).unwrap();
        assert_eq!(no_ending.len(), 240);
    }

    #[test]
    fn windows_gets_names_it_takes() {
        for (name, expect) in [
            ("film.mkv", "film.mkv"),
            ("a:stream", "a_stream"),
            ("what? *<|>\"", "what_ _____"),
            ("name. . ", "name"),
            ("...", "_"),
            ("con", "_con"),
            ("con ", "_con"),
            ("Aux.tar.gz", "_Aux.tar.gz"),
            ("LPT1", "_LPT1"),
            ("com¹.txt", "_com¹.txt"),
            ("com10", "com10"),
            ("conference", "conference"),
            (" lead", " lead"),
            (".hidden", ".hidden"),
        ] {
            assert_eq!(windows_name(name), expect, "{name:?}");
        }
    }

    #[test]
    fn files_with_one_path_get_numbers() {
        check_apart(&["a/b.txt", "a/b.txt", "a/B.TXT"], &["a/b.txt", "a/b.1.txt", "a/B.2.TXT"]);
        check_apart(&["a", "a/b"], &["a.1", "a/b"]);
        check_apart(&["a/b", "A"], &["a/b", "A.1"]);
        check_apart(&["x", "x", "x.1"], &["x", "x.1", "x.1.1"]);
        check_apart(&["d.e/.f", "d.e/.f"], &["d.e/.f", "d.e/.f.1"]);
        check_apart(&["a:b/c", "a_b/C", "a_b."], &["a:b/c", "a_b/C.1", "a_b.1."]);
        check_apart(&[".pad/1", ".pad/1"], &[".pad/1", ".pad/1"]);
    }

    #[test]
    fn too_many_files_with_one_path_are_refused() {
        assert!(tell_apart(&mut named(&["x"; 33])).is_ok());
        let refused = tell_apart(&mut named(&["x"; 34]));
        assert_eq!(refused, Err(Error::DuplicatePaths { allowed: limit::RENAMES_MAX }));
    }

    proptest! {
        #[test]
        fn every_safe_name_is_one_part_of_a_path(
            bytes in prop::collection::vec(any::<u8>(), 0..300),
        ) {
            if let Some(name) = safe_name(&bytes) {
                prop_assert!(!name.is_empty() && name.len() <= 255 && name != "." && name != "..");
                let bad = ['/', '\\', '\0', '\u{202e}'];
                prop_assert!(!name.contains(bad) && !name.contains(char::is_control));
                prop_assert_eq!(safe_name(name.as_bytes()), Some(name.clone()), "stable");
                let path = std::path::Path::new(&name);
                prop_assert_eq!(path.components().count(), 1);
                let there = windows_name(&name);
                prop_assert_eq!(windows_name(&there), there.clone(), "stable");
                prop_assert!(!there.ends_with(['.', ' ']) && !there.contains([':', '?', '*']));
            }
        }

        #[test]
        fn safe_names_are_stable_for_hostile_text(text in "[./\\\\: a-cA-C\u{202e}\0é]{0,12}") {
            if let Some(name) = safe_name(text.as_bytes()) {
                prop_assert_eq!(safe_name(name.as_bytes()), Some(name));
            }
        }

        #[test]
        fn paths_told_apart_are_distinct(
            parts in prop::collection::vec("[aA]{1,2}(/[ab]){0,2}", 1..20),
        ) {
            let mut files = named(&parts.iter().map(String::as_str).collect::<Vec<_>>());
            tell_apart(&mut files).unwrap();
            let paths: BTreeSet<_> = files.iter().map(|file| file.path.to_lowercase()).collect();
            prop_assert_eq!(paths.len(), files.len());
            for path in &paths {
                let inside = format!("{path}/");
                prop_assert!(!paths.iter().any(|other| other.starts_with(&inside)));
            }
        }
    }
}
