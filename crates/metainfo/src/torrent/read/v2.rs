//! Reads the files of v2: a tree of names with a merkle root each, and the piece layers
//! (BEP 52). Makes sure that both halves of a hybrid describe the same bytes.

use headwater_base::{ByteCount, Digest256, InfoHash};

use super::{Content, attributes, file_length, folder_name, is_link};
use crate::bencode::{Dict, Value};
use crate::path::safe_part;
use crate::{Error, File, Layers, Torrent, limit, merkle};

/// The files as the tree lists them, not yet laid out or told apart. One file at the root is no
/// folder unless v1 says so. `bytes` is how long the info dictionary is.
pub(super) fn content(
    info: &Dict<'_>,
    tree: &Dict<'_>,
    in_folder: bool,
    hash: InfoHash,
    bytes: usize,
) -> Result<Content, Error> {
    let name = folder_name(info, hash)?;
    let path_bytes_left = bytes * limit::PATH_BYTES_FACTOR;
    let mut walk = Walk { files: Vec::new(), path: String::new(), path_bytes_left };
    walk.folder(tree)?;
    if walk.files.is_empty() {
        return Err(Error::NoFiles);
    }
    let folder = in_folder || tree.len() != 1 || !tree.iter().all(|(_, entry)| is_file(entry));
    let name = walk.files.first().filter(|_| !folder).map_or(name, |only| only.path.clone());
    Ok(Content { name, folder, files: walk.files })
}

/// A file is a dictionary that has an empty name and nothing else.
fn is_file(entry: &Value<'_>) -> bool {
    entry.dict().is_some_and(|dict| dict.len() == 1 && dict.lookup("").is_some())
}

struct Walk {
    files: Vec<File>,
    /// Where in the tree it is.
    path: String,
    /// Bytes that paths may still have.
    path_bytes_left: usize,
}

impl Walk {
    /// Recurses no deeper than bencode may nest.
    fn folder(&mut self, tree: &Dict<'_>) -> Result<(), Error> {
        let above = self.path.len();
        for (name, entry) in tree.iter() {
            let at = self.files.len();
            let dict = entry.dict().filter(|_| !name.is_empty());
            let dict = dict.ok_or(Error::FileTree { file: at })?;
            if above > 0 {
                self.path.push('/');
            }
            self.path.push_str(&safe_part(name));
            if is_file(entry) {
                let file = dict.lookup("").and_then(Value::dict);
                let file = file.ok_or(Error::FileTree { file: at })?;
                self.file(file)?;
            } else {
                self.folder(dict)?;
            }
            self.path.truncate(above);
        }
        Ok(())
    }

    fn file(&mut self, entry: &Dict<'_>) -> Result<(), Error> {
        let at = self.files.len();
        if at >= limit::FILES_MAX {
            return Err(Error::TooManyFiles { found: at + 1, allowed: limit::FILES_MAX });
        }
        let left = self.path_bytes_left.checked_sub(self.path.len());
        self.path_bytes_left = left.ok_or(Error::PathBytes { file: at })?;
        // BEP 52: padding follows from piece length, so the tree has none.
        if attributes(entry).contains(&b'p') {
            return Err(Error::FileTree { file: at });
        }
        let length = file_length(entry, at)?;
        let pad = is_link(entry, at)?;
        let root = if length.0 > 0 { Some(root(entry, at)?) } else { None };
        let path = self.path.as_str().to_owned();
        self.files.push(File { path, length, offset: ByteCount(0), pad, root });
        Ok(())
    }
}

fn root(entry: &Dict<'_>, file: usize) -> Result<Digest256, Error> {
    let root = entry.lookup("pieces root").and_then(Value::bytes);
    let root = root.and_then(|root| Digest256::try_from(root).ok());
    root.filter(|root| *root != [0; 32]).ok_or(Error::PiecesRoot { file })
}

/// The piece layers, each checked against its root. They may be lacking, as with a magnet link.
pub(super) fn layers(root: &Dict<'_>, torrent: &Torrent) -> Result<Layers, Error> {
    let Some(dict) = root.lookup("piece layers").and_then(Value::dict) else {
        return Ok(Layers::default());
    };
    let mut wanted = wanted(torrent)?;
    let mut layers = Vec::new();
    for (root, value) in dict.iter() {
        let layer = layers.len();
        let refused = Error::PieceLayer { layer };
        let Ok(root) = Digest256::try_from(root) else { return Err(refused) };
        let at = wanted.binary_search_by_key(&root, |(root, _, _)| *root);
        let Some((_, count, taken)) = at.ok().and_then(|at| wanted.get_mut(at)) else {
            return Err(refused);
        };
        let (hashes, rest) = value.bytes().unwrap_or_default().as_chunks::<32>();
        let fits = hashes.len() as u64 == *count && rest.is_empty();
        if core::mem::replace(taken, true) || !fits || !is_layer(hashes, &root, torrent) {
            return Err(refused);
        }
        layers.push((root, hashes.to_vec()));
    }
    Ok(layers.into_iter().collect())
}

fn is_layer(hashes: &[Digest256], root: &Digest256, torrent: &Torrent) -> bool {
    let layer = merkle::piece_layer(torrent.piece_length);
    merkle::root(hashes, layer, merkle::height(hashes.len() as u64)) == *root
}

/// For each root of a file of several pieces, ascending: its pieces, and whether its layer came.
fn wanted(torrent: &Torrent) -> Result<Vec<(Digest256, u64, bool)>, Error> {
    let piece_length = u64::from(torrent.piece_length);
    let files = torrent.files.iter().filter(|file| file.length.0 > piece_length);
    let wanted = files.filter_map(|file| Some((file.root?, file.length.0.div_ceil(piece_length))));
    let mut wanted: Vec<_> = wanted.map(|(root, count)| (root, count, false)).collect();
    wanted.sort_unstable();
    wanted.dedup();
    // One tree has one width: who claims two for one root lies about a length.
    if wanted.windows(2).any(|pair| pair[0].0 == pair[1].0) {
        return Err(Error::PieceLayer { layer: 0 });
    }
    Ok(wanted)
}

/// A hybrid's files as v1 lays them out, with the roots of v2.
pub(super) fn joined(v1: Content, v2: Content, piece_length: u32) -> Result<Content, Error> {
    let Content { name, folder, mut files } = v1;
    let same_root = folder == v2.folder && name == v2.name;
    let layout = padded(&v2.files, piece_length, files.len());
    if !same_root || layout.len() != files.len() {
        return Err(Error::Halves { file: 0 });
    }
    let mut end = 0;
    for (at, (ours, file)) in layout.iter().zip(&mut files).enumerate() {
        let Laid { offset, length, source } = *ours;
        let theirs = source.map(|source| &v2.files[source]);
        let counts = |file: &File| !file.pad && file.length.0 > 0;
        let counted = theirs.filter(|theirs| counts(theirs));
        // Empty files and padding may differ, since no byte depends on them.
        let same = match counted {
            Some(theirs) => {
                counts(file)
                    && (theirs.path == file.path)
                    && (offset, length) == (file.offset.0, file.length.0)
            }
            None => !counts(file),
        };
        if !same {
            return Err(Error::Halves { file: at });
        }
        file.root = counted.and_then(|theirs| theirs.root);
        end = offset + length;
    }
    let length = files.last().map_or(0, |file| (file.offset + file.length).0);
    if end != length {
        return Err(Error::Halves { file: files.len() - 1 });
    }
    Ok(Content { name, folder, files })
}

/// A file or padding in the order of BEP 52: padding behind each file.
struct Laid {
    offset: u64,
    length: u64,
    /// Which file of the tree; none is padding.
    source: Option<usize>,
}

/// How v1 has to list these files. The padding behind the last is optional: it is left out when
/// there is one entry too many for `count`.
fn padded(files: &[File], piece_length: u32, count: usize) -> Vec<Laid> {
    let mut out = Vec::with_capacity(files.len());
    let mut offset = 0_u64;
    for (at, file) in files.iter().enumerate() {
        out.push(Laid { offset, length: file.length.0, source: Some(at) });
        offset = offset.saturating_add(file.length.0);
        let gap = offset.next_multiple_of(u64::from(piece_length)) - offset;
        if gap > 0 {
            out.push(Laid { offset, length: gap, source: None });
            offset += gap;
        }
    }
    if out.len() == count + 1
        && let Some(last) = out.iter().rposition(|laid| laid.length > 0)
        && out[last].source.is_none()
    {
        let gap = out.remove(last).length;
        for laid in &mut out[last..] {
            laid.offset -= gap;
        }
    }
    out
}
