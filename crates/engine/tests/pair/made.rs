//! Makes torrents of v2 and hybrids, honest ones and such that contradict themselves.

use std::sync::Arc;

use bytes::Bytes;
use headwater_base::{Digest256, Seed, sha1};
use headwater_engine::AddTorrent;
use headwater_metainfo::{Torrent, merkle};

use crate::Sample;

/// What kind of torrent to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    V2,
    Hybrid,
    /// A hybrid whose v1 hash of piece 2 is another.
    FalseV1,
    /// A hybrid whose v2 tree is that of other bytes in piece 2.
    FalseV2,
}

impl Sample {
    /// Adds a hybrid as one who knows nothing of v2.
    pub(crate) fn v1_only(&self) -> AddTorrent {
        let torrent = Torrent::clone(&self.torrent);
        let files = torrent.files.iter().cloned();
        let files = files.map(|file| headwater_metainfo::File { root: None, ..file }).collect();
        let torrent = Torrent { info_hash_v2: None, files, ..torrent };
        AddTorrent { info_hash_v2: None, metainfo: Some(Arc::new(torrent)), ..self.magnet() }
    }
}

/// Makes a torrent of files of these sizes, filled at random.
pub(crate) fn made(kind: Kind, lens: &[usize], piece_length: usize) -> Sample {
    let mut files = Vec::new();
    for (at, len) in lens.iter().enumerate() {
        let mut bytes = vec![0; *len];
        Seed([7; 32]).split(&format!("file {at}")).fill(&mut bytes);
        files.push((format!("f{at}"), bytes));
    }
    let mut data = Vec::new();
    let (mut tree, mut list) = (Vec::new(), Vec::new());
    let mut layers: Vec<(Digest256, Vec<Digest256>)> = Vec::new();
    let last = files.iter().rposition(|(_, bytes)| !bytes.is_empty());
    for (at, (name, bytes)) in files.iter().enumerate() {
        let mut hashed = bytes.clone();
        if kind == Kind::FalseV2 {
            hashed[2 * piece_length + 9] ^= 1;
        }
        let leaves = merkle::leaves(&hashed);
        let root = merkle::file_root(&leaves);
        if bytes.len() > piece_length {
            layers.push((root, merkle::layer_of_pieces(&leaves, piece_length as u32)));
        }
        tree.extend(format!("{}:{name}d0:d6:lengthi{}e", name.len(), bytes.len()).bytes());
        if !bytes.is_empty() {
            tree.extend(b"11:pieces root32:");
            tree.extend(root);
        }
        tree.extend(b"ee");
        let path = format!("{}:{name}", name.len());
        list.extend(format!("d6:lengthi{}e4:pathl{path}ee", bytes.len()).bytes());
        data.extend(bytes);
        let gap = data.len().next_multiple_of(piece_length) - data.len();
        if gap > 0 && Some(at) < last {
            let name = gap.to_string();
            let path = format!("l4:.pad{}:{name}e", name.len());
            list.extend(format!("d4:attr1:p6:lengthi{gap}e4:path{path}e").bytes());
            data.resize(data.len() + gap, 0);
        }
    }
    let mut info = b"d9:file treed".to_vec();
    info.extend(tree);
    info.push(b'e');
    if kind != Kind::V2 {
        info.extend(b"5:filesl");
        info.extend(list);
        info.push(b'e');
    }
    info.extend(format!("12:meta versioni2e4:name1:n12:piece lengthi{piece_length}e").bytes());
    if kind != Kind::V2 {
        let mut pieces = data.clone();
        if kind == Kind::FalseV1 {
            pieces[2 * piece_length + 9] ^= 1;
        }
        let hashes: Vec<u8> = pieces.chunks(piece_length).flat_map(sha1).collect();
        info.extend(format!("6:pieces{}:", hashes.len()).bytes());
        info.extend(hashes);
    }
    info.push(b'e');
    let torrent = Torrent::from_info(Bytes::from(info)).expect("a valid torrent");
    let torrent = torrent.with_layers(layers);
    assert_eq!(torrent.length.0, data.len() as u64);
    Sample { torrent: Arc::new(torrent), data: Arc::new(data) }
}
