//! Writes the info dictionary of a draft: the list of v1, the tree of v2, or both.

use super::{Draft, Version};
use crate::File;
use crate::bencode::{DictBuilder, ListBuilder};

/// The bytes of the info dictionary.
pub(super) fn info(draft: &Draft) -> Vec<u8> {
    let version = draft.options.version;
    let mut info = DictBuilder::new()
        .bytes("name", &draft.name)
        .int("piece length", i64::from(draft.piece_length));
    if draft.options.private {
        info = info.int("private", 1);
    }
    if version != Version::V1 {
        let files: Vec<_> = draft.files.iter().filter(|file| !file.pad).collect();
        info = info.int("meta version", 2).dict("file tree", tree(&files, 0));
    }
    if version == Version::V2 {
        return info.finish();
    }
    info = info.bytes("pieces", &draft.pieces);
    if draft.folder {
        let entries = draft.files.iter().map(entry);
        info.list("files", entries.fold(ListBuilder::new(), ListBuilder::dict)).finish()
    } else {
        info.int("length", draft.length as i64).finish()
    }
}

fn entry(file: &File) -> DictBuilder {
    let parts = file.path.split('/').fold(ListBuilder::new(), ListBuilder::bytes);
    let entry = DictBuilder::new().int("length", file.length.0 as i64).list("path", parts);
    if file.pad { entry.bytes("attr", "p") } else { entry }
}

/// Files that share the first `depth` parts of their paths, sorted by the rest.
fn tree(files: &[&File], depth: usize) -> DictBuilder {
    let part = |file: &File| file.path.split('/').nth(depth).unwrap_or_default().to_owned();
    let mut dict = DictBuilder::new();
    for here in files.chunk_by(|one, other| part(one) == part(other)) {
        let inner = match here {
            [file] if file.path.split('/').count() == depth + 1 => {
                DictBuilder::new().dict("", leaf(file))
            }
            _ => tree(here, depth + 1),
        };
        dict = dict.dict(part(here[0]), inner);
    }
    dict
}

fn leaf(file: &File) -> DictBuilder {
    let leaf = DictBuilder::new().int("length", file.length.0 as i64);
    match &file.root {
        Some(root) => leaf.bytes("pieces root", root),
        None => leaf,
    }
}
