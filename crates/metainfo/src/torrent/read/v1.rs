//! Reads the files of v1: one by its length, or a list (BEP 3, BEP 47).

use headwater_base::{ByteCount, InfoHash};

use super::{Content, attributes, file_length, folder_name, is_link, lookup_either, name, path};
use crate::bencode::{Dict, Value};
use crate::path::safe_name;
use crate::{Error, File, limit};

/// How clients without BEP 47 mark padding: by this start of the name.
const PADDING_NAME: &str = "_____padding_file_";

/// The files as v1 lists them, not yet told apart.
pub(super) fn content(
    info: &Dict<'_>,
    list: Option<&[Value<'_>]>,
    hash: InfoHash,
) -> Result<Content, Error> {
    if let Some(list) = list {
        let name = folder_name(info, hash)?;
        return Ok(Content { name, folder: true, files: many_files(list)? });
    }
    let name = safe_name(name(info)?).ok_or(Error::Name)?;
    let length = file_length(info, 0)?;
    let file = File { path: name.clone(), length, offset: ByteCount(0), pad: false, root: None };
    Ok(Content { name, folder: false, files: vec![file] })
}

fn many_files(list: &[Value<'_>]) -> Result<Vec<File>, Error> {
    if list.is_empty() {
        return Err(Error::NoFiles);
    }
    if list.len() > limit::FILES_MAX {
        return Err(Error::TooManyFiles { found: list.len(), allowed: limit::FILES_MAX });
    }
    let mut offset = ByteCount(0);
    let mut files = Vec::with_capacity(list.len());
    for (at, entry) in list.iter().enumerate() {
        let entry = entry.dict().ok_or(Error::FileEntry { file: at })?;
        let file = file(entry, at, offset)?;
        offset += file.length;
        if offset.0 > limit::LENGTH_MAX {
            return Err(Error::TotalLength { found: offset.0, allowed: limit::LENGTH_MAX });
        }
        files.push(file);
    }
    Ok(files)
}

fn file(entry: &Dict<'_>, at: usize, offset: ByteCount) -> Result<File, Error> {
    let length = file_length(entry, at)?;
    let is_link = is_link(entry, at)?;
    let marked = attributes(entry).contains(&b'p');
    let parts = lookup_either(entry, "path.utf-8", "path", |value| value.list());
    let (path, padding) = match parts {
        Some(parts @ [.., last]) => {
            let name = last.bytes().unwrap_or_default();
            (path(parts, at)?, name.starts_with(PADDING_NAME.as_bytes()))
        }
        _ if marked => (format!(".pad/{length}"), true),
        _ => return Err(Error::Path { file: at }),
    };
    Ok(File { path, length, offset, pad: padding || is_link || marked, root: None })
}
