//! Keys of contents in files, by the content's name: those of what is published here, and those
//! that were bought. Nobody else may read them.

use std::io;
use std::path::{Path, PathBuf};

use headwater_base::hex;
use headwater_client::content::ContentKey;
use headwater_wire::extended::ContentId;

use super::key::{self, KeyFileError};
use super::records::{make_private, sync_folder};

/// A folder of keys.
#[derive(Clone, Debug)]
pub struct ContentKeys {
    folder: PathBuf,
}

impl ContentKeys {
    /// Makes the folder where there is none, for this user alone.
    pub fn open(folder: &Path) -> Result<Self, KeyFileError> {
        let failed = |error| KeyFileError::Disk { path: folder.to_owned(), error };
        make_private(folder).map_err(failed)?;
        Ok(Self { folder: folder.to_owned() })
    }

    /// The key of a content, where it is here.
    pub fn read(&self, content: ContentId) -> Result<Option<ContentKey>, KeyFileError> {
        let path = self.path(content);
        let Some(bytes) = key::read_secret(&path)? else { return Ok(None) };
        let key = ContentKey::from_bytes(bytes);
        if key.id() != content {
            return Err(KeyFileError::Form { path });
        }
        Ok(Some(key))
    }

    /// Keeps a key; once it answers, it survives a crash.
    pub fn keep(&self, key: &ContentKey) -> io::Result<()> {
        key::write_secret(&self.path(key.id()), &key.to_bytes())?;
        sync_folder(&self.folder)
    }

    fn path(&self, content: ContentId) -> PathBuf {
        self.folder.join(format!("{}.key", hex(&content.0)))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn keys_are_kept_by_the_name_of_their_content_for_this_user_alone() {
        let name = format!("headwater-content-keys-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        let _ = fs::remove_dir_all(&folder);
        let keys = ContentKeys::open(&folder).expect("a folder");
        let key = ContentKey::from_bytes([7; 32]);
        assert_eq!(keys.read(key.id()).expect("nothing"), None);
        for _ in 0..2 {
            keys.keep(&key).expect("a write");
            assert_eq!(keys.read(key.id()).expect("a key"), Some(key.clone()));
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode();
            assert_eq!(mode(&keys.path(key.id())) & 0o777, 0o600);
            assert_eq!(mode(&folder) & 0o777, 0o700);
        }
        // Another key under its name opens nothing.
        fs::write(keys.path(key.id()), hex(&[8; 32])).expect("a write");
        assert!(matches!(keys.read(key.id()), Err(KeyFileError::Form { .. })));
        fs::remove_dir_all(&folder).expect("ours");
    }
}
