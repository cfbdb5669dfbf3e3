//! What outlives a run of the server: torrents that were added, and what was chosen for them.
//! A file that cannot be read is set aside, never overwritten.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// The version of the form below.
const VERSION: u32 = 1;

/// Limits in bytes a second; `None` for no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Of what is sent.
    #[serde(rename = "upload_limit")]
    pub upload: Option<u64>,
    /// Of what is fetched.
    #[serde(rename = "download_limit")]
    pub download: Option<u64>,
}

/// How much a file is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Choice {
    Skip,
    #[default]
    Normal,
    High,
}

/// One torrent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Kept {
    /// The folder below the server's own that holds it; `None` for what lies there by itself.
    pub(super) folder: Option<String>,
    /// The magnet link it was added by.
    pub(super) magnet: Option<String>,
    pub(super) paused: bool,
    /// A choice for each file in order; what is missing is normal.
    pub(super) files: Vec<Choice>,
    #[serde(flatten)]
    pub(super) limits: Limits,
}

impl Kept {
    /// Whether it says nothing that needs to be remembered.
    pub(super) fn is_plain(&self) -> bool {
        *self == Self::default()
    }
}

/// Everything that is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct State {
    version: u32,
    #[serde(flatten)]
    pub(super) limits: Limits,
    /// By info-hash, in hexadecimal digits.
    pub(super) torrents: BTreeMap<String, Kept>,
}

/// Reads what an earlier run kept. What cannot be read is moved aside, to the path returned.
pub(super) fn read(file: &Path) -> io::Result<(State, Option<PathBuf>)> {
    let text = match fs::read(file) {
        Ok(text) => text,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok((State::default(), None)),
        Err(e) => return Err(e),
    };
    match serde_json::from_slice::<State>(&text) {
        Ok(state) if state.version == VERSION => Ok((state, None)),
        Ok(_) | Err(_) => {
            let aside = free_name(file);
            fs::rename(file, &aside)?;
            Ok((State::default(), Some(aside)))
        }
    }
}

/// Replaces what is kept, all or nothing even if the power fails.
pub(super) fn write(file: &Path, state: &State) -> io::Result<()> {
    let state = State { version: VERSION, ..state.clone() };
    let fresh = file.with_extension("json.new");
    let mut text = serde_json::to_vec_pretty(&state)?;
    text.push(b'\n');
    let mut out = File::create(&fresh)?;
    out.write_all(&text)?;
    out.sync_all()?;
    fs::rename(&fresh, file)
}

fn free_name(file: &Path) -> PathBuf {
    let named = |number: u32| file.with_extension(format!("json.unreadable-{number}"));
    (1..).map(named).find(|path| !path.exists()).unwrap_or_else(|| named(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_comes_back_and_a_spoiled_file_is_set_aside() {
        let folder = std::env::temp_dir().join(format!("headwater-kept-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a folder");
        let file = folder.join("state.json");
        assert_eq!(read(&file).expect("none yet"), (State::default(), None));
        let mut state = State { version: VERSION, ..State::default() };
        let kept = Kept { paused: true, files: vec![Choice::High], ..Kept::default() };
        state.torrents.insert("aa".to_owned(), kept);
        state.limits.upload = Some(5);
        write(&file, &state).expect("written");
        assert_eq!(read(&file).expect("read"), (state, None));
        for (number, spoiled) in
            ["{\"version\":1,", "{\"version\":9,\"torrents\":{}}"].into_iter().enumerate()
        {
            fs::write(&file, spoiled).expect("written");
            let (state, aside) = read(&file).expect("set aside");
            let aside = aside.expect("a path");
            assert_eq!(state, State::default());
            assert!(aside.ends_with(format!("state.json.unreadable-{}", number + 1)));
            assert_eq!(fs::read_to_string(aside).expect("kept"), spoiled);
        }
        let _ = fs::remove_dir_all(&folder);
    }
}
