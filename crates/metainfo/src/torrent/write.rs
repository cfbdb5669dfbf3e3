//! Writes torrents. The info dictionary leaves exactly as it came.

use super::{Layers, Torrent};
use crate::bencode::{DictBuilder, ListBuilder, write_bytes};
use crate::magnet::Magnet;

impl Torrent {
    /// The bytes of a `.torrent` file, with the piece layers that are known.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut root = root(self);
        let is_whole = self.info_hash_v2.is_some() && self.layerless_files().next().is_none();
        if is_whole || !self.layers.is_empty() {
            root = root.raw("piece layers", layers(&self.layers));
        }
        root.raw("info", self.info.to_vec()).finish()
    }

    /// The magnet link of this torrent, with its trackers, its web seeds and what
    /// it says of its publisher.
    pub fn magnet(&self) -> Magnet {
        Magnet {
            info_hash: self.info_hash,
            info_hash_v2: self.info_hash_v2,
            name: Some(self.name.clone()),
            length: Some(self.length),
            trackers: self.tracker_urls().map(str::to_owned).collect(),
            web_seeds: self.web_seeds.clone(),
            peers: Vec::new(),
            chosen: Vec::new(),
            publication: self.publication.clone(),
        }
    }
}

/// The layers, whose roots ascend as the keys of a dictionary must.
fn layers(layers: &Layers) -> Vec<u8> {
    let mut out = vec![b'd'];
    for (root, layer) in layers.iter() {
        write_bytes(&mut out, root);
        write_bytes(&mut out, layer.as_flattened());
    }
    out.push(b'e');
    out
}

/// Everything around the info dictionary and the piece layers.
fn root(torrent: &Torrent) -> DictBuilder {
    let mut root = DictBuilder::new();
    if let Some(first) = torrent.tracker_urls().next() {
        root = root.bytes("announce", first);
    }
    if torrent.tracker_urls().nth(1).is_some() {
        let tiers = torrent.trackers.iter().map(|tier| strings(tier));
        root = root.list("announce-list", tiers.fold(ListBuilder::new(), ListBuilder::list));
    }
    if !torrent.web_seeds.is_empty() {
        root = root.list("url-list", strings(&torrent.web_seeds));
    }
    if let Some(comment) = &torrent.comment {
        root = root.bytes("comment", comment);
    }
    if let Some(program) = &torrent.created_by {
        root = root.bytes("created by", program);
    }
    if let Some(date) = torrent.creation_date {
        root = root.int("creation date", date);
    }
    if let Some(publication) = &torrent.publication {
        root = root.raw("hw", publication.bytes());
    }
    root
}

fn strings(items: &[String]) -> ListBuilder {
    items.iter().fold(ListBuilder::new(), ListBuilder::bytes)
}
