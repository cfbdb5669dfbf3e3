//! Files and folders encrypted into copies with the same names and sizes.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use headwater_base::sha256;
use headwater_client::content::ContentKey;

use super::{Content, Found, MakeError, READ_BYTES, failed, found};

/// Bytes at the start of each file by which a copy is known.
const LOOK_BYTES: usize = 64 * 1024;

impl Content {
    /// Names this state of the files: where they lie, how long they are, when they changed. A
    /// changed file needs a new key, or both states could be read by who has both.
    pub(crate) fn fingerprint(&self) -> [u8; 32] {
        let mut text = self.root.join(&self.name).display().to_string().into_bytes();
        for file in &self.files {
            let changed = file.changed.and_then(|at| at.duration_since(UNIX_EPOCH).ok());
            text.push(0);
            text.extend(file.relative.bytes());
            text.push(0);
            text.extend(file.length.to_be_bytes());
            text.extend(changed.unwrap_or_default().as_nanos().to_be_bytes());
        }
        sha256(&text)
    }

    /// Where the copy in a folder lies.
    pub(crate) fn copy_in(&self, folder: &Path) -> PathBuf {
        folder.join(&self.name)
    }

    /// Whether the copy in a folder is this, encrypted with `key`, as far as sizes and the first
    /// bytes of each file tell.
    pub(crate) fn is_encrypted_in(&self, folder: &Path, key: &ContentKey) -> bool {
        let Ok(copy) = Self::at(&self.copy_in(folder)) else { return false };
        let shape = |content: &Self| -> Vec<(String, u64)> {
            content.files.iter().map(|file| (file.relative.clone(), file.length)).collect()
        };
        let mut pairs = self.files.iter().zip(&copy.files).zip(0..);
        shape(self) == shape(&copy)
            && pairs.all(|((plain, copy), index)| {
                let (Ok(plain), Ok(mut copy)) = (head(&plain.path), head(&copy.path)) else {
                    return false;
                };
                key.file(index).apply(0, &mut copy);
                plain == copy
            })
    }

    /// Encrypts everything into a folder, and tells after each part how many bytes are done. The
    /// copy is there whole, or not at all.
    pub(crate) fn encrypt(
        &self,
        folder: &Path,
        key: &ContentKey,
        tell: impl Fn(u64),
    ) -> Result<(), MakeError> {
        let (part, whole) = (folder.join(format!(".{}.part", self.name)), self.copy_in(folder));
        // What an earlier run did not finish.
        for left in [fs::remove_dir_all(&part), fs::remove_file(&part)] {
            drop(left);
        }
        fs::create_dir_all(folder).map_err(|e| failed(folder, e))?;
        let mut done = 0;
        for (file, index) in self.files.iter().zip(0..) {
            let to = if self.folder { part.join(&file.relative) } else { part.clone() };
            if let Some(above) = to.parent() {
                fs::create_dir_all(above).map_err(|e| failed(above, e))?;
            }
            encrypt_file(file, &to, |offset, bytes| {
                key.file(index).apply(offset, bytes);
                tell(done + offset + bytes.len() as u64);
            })?;
            done += file.length;
        }
        fs::rename(&part, &whole).map_err(|e| failed(&whole, e))
    }
}

fn encrypt_file(
    file: &Found,
    to: &Path,
    mut apply: impl FnMut(u64, &mut [u8]),
) -> Result<(), MakeError> {
    let changed = || MakeError::Changed(file.path.display().to_string());
    let mut source = File::open(&file.path).map_err(|e| failed(&file.path, e))?;
    let mut copy = File::create(to).map_err(|e| failed(to, e))?;
    let (mut offset, mut buffer) = (0, vec![0; READ_BYTES]);
    loop {
        let read = source.read(&mut buffer).map_err(|e| failed(&file.path, e))?;
        if read == 0 {
            break;
        }
        apply(offset, &mut buffer[..read]);
        copy.write_all(&buffer[..read]).map_err(|e| failed(to, e))?;
        offset += read as u64;
        if offset > file.length {
            return Err(changed());
        }
    }
    copy.sync_all().map_err(|e| failed(to, e))?;
    let again = found(&file.path, file.relative.clone())?;
    if (offset, again.length, again.changed) != (file.length, file.length, file.changed) {
        return Err(changed());
    }
    Ok(())
}

fn head(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(LOOK_BYTES as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}
