//! Files of keys. That which submits claims pays fees and can do nothing else to what was earned:
//! vouchers pay whom they name. A publisher's owns nothing, and is its name. Still nobody else may
//! read them.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use headwater_base::{hex, unhex};
use headwater_client::chain::{KeyError, SecretKey};

/// Why the file of a key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The disk's own trouble.
    #[error("{path}: {error}")]
    Disk {
        /// The file.
        path: PathBuf,
        /// What.
        error: io::Error,
    },
    /// Others may read it.
    #[error("{path}: others may read this key (mode {mode:03o}); it is used once it has mode 600")]
    Open {
        /// The file.
        path: PathBuf,
        /// What it lets others do.
        mode: u32,
    },
    /// It holds no key.
    #[error("{path}: no key of 64 hexadecimal digits")]
    Form {
        /// The file.
        path: PathBuf,
    },
    /// The number is no key.
    #[error("{path}: {error}")]
    Range {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: KeyError,
    },
}

/// Reads the key in `path`, or makes one there that only this user may read.
pub fn open_key(path: &Path) -> Result<SecretKey, KeyFileError> {
    match read_secret(path)? {
        Some(bytes) => {
            let range = |error| KeyFileError::Range { path: path.to_owned(), error };
            SecretKey::from_bytes(&bytes).map_err(range)
        }
        None => make(path).map_err(|error| KeyFileError::Disk { path: path.to_owned(), error }),
    }
}

/// Reads 32 secret bytes; nothing where there is no file.
pub(super) fn read_secret(path: &Path) -> Result<Option<[u8; 32]>, KeyFileError> {
    let failed = |error| KeyFileError::Disk { path: path.to_owned(), error };
    let found = match fs::metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    if let Some(mode) = open_to_others(&found) {
        return Err(KeyFileError::Open { path: path.to_owned(), mode });
    }
    let text = fs::read_to_string(path).map_err(failed)?;
    let text = text.trim();
    let bytes = unhex(text.strip_prefix("0x").unwrap_or(text));
    let bytes: Option<[u8; 32]> = bytes.and_then(|bytes| bytes.try_into().ok());
    bytes.map(Some).ok_or_else(|| KeyFileError::Form { path: path.to_owned() })
}

/// Writes 32 secret bytes to a file of their own, which is whole or not there.
pub(super) fn write_secret(path: &Path, bytes: &[u8; 32]) -> io::Result<()> {
    let fresh = path.with_extension("new");
    // What a crash left was never acknowledged.
    match fs::remove_file(&fresh) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut file = options().open(&fresh)?;
    writeln!(file, "{}", hex(bytes))?;
    file.sync_all()?;
    fs::rename(&fresh, path)
}

fn make(path: &Path) -> io::Result<SecretKey> {
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    let key = SecretKey::from_bytes(&random).map_err(io::Error::other)?;
    write_secret(path, &random)?;
    Ok(key)
}

#[cfg(unix)]
fn open_to_others(found: &fs::Metadata) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = found.permissions().mode() & 0o777;
    (mode & 0o077 != 0).then_some(mode)
}

#[cfg(not(unix))]
fn open_to_others(_: &fs::Metadata) -> Option<u32> {
    None
}

#[cfg(unix)]
fn options() -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    options
}

#[cfg(not(unix))]
fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    options
}

#[cfg(test)]
mod tests {
    #[cfg(unix)]
    #[test]
    fn key_is_made_once_for_this_user_alone_and_refused_once_others_may_read_it() {
        use std::os::unix::fs::PermissionsExt as _;

        use super::*;

        let name = format!("headwater-claim-key-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let _ = fs::remove_file(&path);
        let made = open_key(&path).expect("a key");
        let mode = |mode| fs::set_permissions(&path, fs::Permissions::from_mode(mode));
        let found = fs::metadata(&path).expect("it is there").permissions().mode() & 0o777;
        assert_eq!(found, 0o600);
        assert_eq!(open_key(&path).expect("the same").address(), made.address());
        for open in [0o640, 0o604, 0o620, 0o666] {
            mode(open).expect("ours");
            let refused = open_key(&path);
            assert!(matches!(refused, Err(KeyFileError::Open { mode, .. }) if mode == open));
        }
        mode(0o600).expect("ours");
        for text in ["", "12", &"zz".repeat(32), &"11".repeat(33)] {
            fs::write(&path, text).expect("a write");
            assert!(matches!(open_key(&path), Err(KeyFileError::Form { .. })), "{text}");
        }
        fs::write(&path, "00".repeat(32)).expect("a write");
        assert!(matches!(open_key(&path), Err(KeyFileError::Range { .. })));
        fs::remove_file(&path).expect("it is there");
    }
}
