//! Torrents that are right, of every version, and changes that make them wrong.

use headwater_base::{Digest256, Rng};
use headwater_metainfo::merkle;

use crate::node::Node;

const PIECES: [u64; 3] = [16384, 32768, 65536];
const NAMES: [&[u8]; 22] = [
    b"a",
    b"b",
    b"film.mkv",
    b"A",
    b"sub",
    b"x.txt",
    b"y",
    b"z z",
    b"..",
    b".",
    b"/",
    b"a/b",
    b"\\",
    b"nul",
    b"C:\\x",
    b"\xff\xfe",
    b"\0",
    "\u{fc}".as_bytes(),
    "\u{202e}x".as_bytes(),
    b"...",
    b"a\nb",
    b"~",
];
const KEYS: [&[u8]; 26] = [
    b"",
    b"attr",
    b"announce",
    b"announce-list",
    b"comment",
    b"file tree",
    b"files",
    b"info",
    b"length",
    b"meta version",
    b"name",
    b"name.utf-8",
    b"path",
    b"path.utf-8",
    b"piece layers",
    b"piece length",
    b"pieces",
    b"pieces root",
    b"private",
    b"symlink path",
    b"url-list",
    b"a",
    b"mtime",
    b"magnet-uri",
    b"nodes",
    b"creation date",
];
const NUMBERS: [i128; 22] = [
    -1,
    0,
    1,
    2,
    3,
    5,
    1000,
    16383,
    16384,
    16385,
    32768,
    65536,
    1 << 28,
    1 << 29,
    536_854_528,
    1 << 32,
    1 << 44,
    1 << 48,
    1 << 62,
    i64::MAX as i128,
    i64::MIN as i128,
    1 << 64,
];

struct File {
    path: Vec<Vec<u8>>,
    length: u64,
    root: Option<Digest256>,
}

/// The bytes of a torrent: right, or changed in structure or bytes.
pub(crate) fn mutant(rng: &mut Rng) -> Vec<u8> {
    let mut node = torrent(rng);
    let changes = [0, 1, 1, 1, 2, 3][rng.below(6) as usize];
    for _ in 0..changes {
        change(rng, &mut node);
    }
    let mut bytes = Vec::new();
    node.write(&mut bytes);
    if rng.below(6) == 0 {
        for _ in 0..=rng.below(3) {
            spoil(rng, &mut bytes);
        }
    }
    bytes
}

fn torrent(rng: &mut Rng) -> Node {
    let is_v2 = rng.below(2) == 0;
    let is_v1 = !is_v2 || rng.below(2) == 0;
    let piece = match rng.below(8) {
        0 if !is_v2 => 1 + rng.below(40_000),
        _ => PIECES[rng.below(3) as usize],
    };
    let mut layers = Vec::new();
    let files = files(rng, piece, is_v2, &mut layers);
    let is_single = files.len() == 1 && files[0].path.len() == 1 && rng.below(2) == 0;
    let name = if is_single { files[0].path[0].clone() } else { name(rng) };
    let mut info = Node::dict([]);
    let total = if is_v1 && !is_single {
        let (list, total) = list(rng, &files, if is_v2 { piece } else { 1 });
        info.push("files", list);
        total
    } else {
        files.iter().map(|file| file.length).sum()
    };
    if is_v2 {
        info.push("file tree", tree(&files, 0));
    }
    if is_v1 && is_single {
        info.push("length", Node::Int(total.into()));
    }
    if is_v2 {
        info.push("meta version", Node::Int(2));
    }
    info.push("name", Node::Bytes(name));
    info.push("piece length", Node::Int(piece.into()));
    if is_v1 {
        let count = total.div_ceil(piece).min(5000);
        info.push("pieces", Node::Bytes(random(rng, count * 20)));
    }
    let mut root = Node::dict([("announce", Node::bytes("http://t/a")), ("info", info)]);
    if is_v2 && rng.below(8) > 0 {
        root.push("piece layers", Node::Dict(layers));
    }
    root
}

fn random(rng: &mut Rng, len: u64) -> Vec<u8> {
    let mut bytes = vec![0; len as usize];
    rng.fill(&mut bytes);
    bytes
}

fn name(rng: &mut Rng) -> Vec<u8> {
    // Mostly plain names: odd ones are refused or changed by themselves.
    let among = if rng.below(6) == 0 { NAMES.len() } else { 8 };
    NAMES[rng.below(among as u64) as usize].to_vec()
}

fn files(rng: &mut Rng, piece: u64, is_v2: bool, layers: &mut Vec<(Vec<u8>, Node)>) -> Vec<File> {
    let mut files: Vec<File> = Vec::new();
    for n in 0..=rng.below(5) {
        let depth = if rng.below(4) == 0 { 2 } else { 1 };
        let mut path: Vec<_> = (0..depth).map(|_| name(rng)).collect();
        if rng.below(5) > 0 {
            // A number keeps names apart and sorted.
            path[0] = [format!("{n}").as_bytes(), &path[0]].concat();
        }
        let length = match rng.below(6) {
            0 => 0,
            1 => piece,
            2 => piece * (1 + rng.below(5)),
            3 => 1 + rng.below(piece * 6),
            _ => 1 + rng.below(piece),
        };
        let twin = files.last().filter(|file| file.root.is_some() && rng.below(10) == 0);
        let (length, root) = match twin {
            // Equal files have equal roots; now and then one lies about its length.
            Some(file) if rng.below(4) == 0 => (file.length + 1, file.root),
            Some(file) => (file.length, file.root),
            None => (length, (is_v2 && length > 0).then(|| root(rng, length, piece, layers))),
        };
        files.push(File { path, length, root });
    }
    files
}

/// A root for a file, and its piece layer where it needs one.
fn root(rng: &mut Rng, length: u64, piece: u64, layers: &mut Vec<(Vec<u8>, Node)>) -> Digest256 {
    let mut nodes = vec![[0; 32]; length.div_ceil(piece) as usize];
    nodes.iter_mut().for_each(|node| rng.fill(node));
    if nodes.len() == 1 {
        return nodes[0];
    }
    let layer = merkle::piece_layer(piece as u32);
    let root = merkle::root(&nodes, layer, merkle::height(nodes.len() as u64));
    layers.push((root.to_vec(), Node::bytes(nodes.as_flattened())));
    root
}

/// The files as v1 lists them, padded to pieces, and how many bytes that makes.
fn list(rng: &mut Rng, files: &[File], piece: u64) -> (Node, u64) {
    let mut list = Vec::new();
    let mut total: u64 = 0;
    let has_tail = rng.below(2) == 0;
    let last = files.iter().rposition(|file| file.length > 0).unwrap_or(0);
    for (at, file) in files.iter().enumerate() {
        let path = Node::List(file.path.iter().map(Node::bytes).collect());
        list.push(Node::dict([("length", Node::Int(file.length.into())), ("path", path)]));
        total += file.length;
        let gap = total.next_multiple_of(piece) - total;
        if gap > 0 && (at < last || has_tail) {
            let path = Node::List(vec![Node::bytes(".pad"), Node::bytes(gap.to_string())]);
            let mut pad = Node::dict([("attr", Node::bytes("p"))]);
            pad.push("length", Node::Int(gap.into()));
            pad.push("path", path);
            list.push(pad);
            total += gap;
        }
    }
    (Node::List(list), total)
}

fn tree(files: &[File], depth: usize) -> Node {
    let mut dict = Node::dict([]);
    let mut at = 0;
    while at < files.len() {
        let part = &files[at].path[depth];
        let same = |file: &File| file.path.len() > depth + 1 && file.path[depth] == *part;
        let run = files[at..].iter().take_while(|file| same(file)).count();
        if run == 0 {
            let mut leaf = Node::dict([("length", Node::Int(files[at].length.into()))]);
            if let Some(root) = files[at].root {
                leaf.push("pieces root", Node::bytes(root));
            }
            dict.push(part, Node::dict([("", leaf)]));
            at += 1;
        } else {
            dict.push(part, tree(&files[at..at + run], depth + 1));
            at += run;
        }
    }
    dict
}

/// Changes one thing somewhere, mostly in the info dictionary.
fn change(rng: &mut Rng, node: &mut Node) {
    let inner = match node {
        Node::List(items) => items.iter_mut().collect::<Vec<_>>(),
        Node::Dict(entries) => entries.iter_mut().map(|(_, value)| value).collect(),
        Node::Int(_) | Node::Bytes(_) => Vec::new(),
    };
    let mut inner = inner;
    if !inner.is_empty() && rng.below(4) > 0 {
        let at = rng.below(inner.len() as u64) as usize;
        change(rng, inner[at]);
        return;
    }
    match node {
        Node::Int(number) => {
            *number = match rng.below(4) {
                0 => *number + 1,
                1 => *number - 1,
                2 => *number * 2,
                _ => NUMBERS[rng.below(NUMBERS.len() as u64) as usize],
            }
        }
        Node::Bytes(bytes) => change_bytes(rng, bytes),
        Node::List(items) => change_list(rng, items),
        Node::Dict(entries) => change_dict(rng, entries),
    }
    if rng.below(12) == 0 {
        *node = value(rng, 0);
    }
}

fn change_bytes(rng: &mut Rng, bytes: &mut Vec<u8>) {
    let at = rng.below(bytes.len() as u64 + 1) as usize;
    match rng.below(7) {
        0 => bytes.truncate(at),
        1 => bytes.push(7),
        2 if at < bytes.len() => bytes[at] ^= 1 << rng.below(8),
        3 => bytes.extend([0; 20]),
        4 => bytes.fill(0),
        5 => drop(bytes.drain(at.saturating_sub(20)..at)),
        _ => *bytes = name(rng),
    }
}

fn change_list(rng: &mut Rng, items: &mut Vec<Node>) {
    if items.is_empty() || rng.below(4) == 0 {
        items.push(value(rng, 0));
        return;
    }
    let at = rng.below(items.len() as u64) as usize;
    match rng.below(4) {
        0 => drop(items.remove(at)),
        1 => items.insert(at, items[at].clone()),
        2 => items[at] = value(rng, 0),
        _ => {
            let last = items.len() - 1;
            items.swap(at, last);
        }
    }
}

fn change_dict(rng: &mut Rng, entries: &mut Vec<(Vec<u8>, Node)>) {
    let key = KEYS[rng.below(KEYS.len() as u64) as usize].to_vec();
    if entries.is_empty() || rng.below(3) == 0 {
        let at = rng.below(entries.len() as u64 + 1) as usize;
        entries.insert(at, (key, value(rng, 0)));
        return;
    }
    let at = rng.below(entries.len() as u64) as usize;
    match rng.below(5) {
        0 => drop(entries.remove(at)),
        1 => entries.insert(at, entries[at].clone()),
        2 => entries[at].0 = key,
        3 => entries[at].1 = value(rng, 0),
        _ => {
            let last = entries.len() - 1;
            entries.swap(at, last);
        }
    }
}

fn value(rng: &mut Rng, depth: u32) -> Node {
    let inner = if depth > 2 { 0 } else { rng.below(3) };
    match rng.below(5) {
        0 => Node::Int(NUMBERS[rng.below(NUMBERS.len() as u64) as usize]),
        1 => Node::Bytes(name(rng)),
        2 => Node::bytes([&b"p"[..], b"l", b"x", b"h", b"lp"][rng.below(5) as usize]),
        3 => Node::List((0..inner).map(|_| value(rng, depth + 1)).collect()),
        _ => {
            let key = |rng: &mut Rng| KEYS[rng.below(KEYS.len() as u64) as usize].to_vec();
            Node::Dict((0..inner).map(|_| (key(rng), value(rng, depth + 1))).collect())
        }
    }
}

/// Changes bytes without regard for what they mean.
fn spoil(rng: &mut Rng, bytes: &mut Vec<u8>) {
    const TOKENS: [&[u8]; 14] = [
        b"i-0e",
        b"i0e",
        b"le",
        b"de",
        b"e",
        b"0:",
        b"4:path",
        b"1:p",
        b"i9223372036854775807e",
        b"99999999999:",
        b"d0:d6:lengthi5eee",
        b"2:..",
        b"i007e",
        b"01:x",
    ];
    let at = rng.below(bytes.len() as u64 + 1) as usize;
    let end = (at + rng.below(40) as usize).min(bytes.len());
    match rng.below(6) {
        0 if at < bytes.len() => bytes[at] = rng.next_u64() as u8,
        1 if at < bytes.len() => bytes[at] ^= 1 << rng.below(8),
        2 => drop(bytes.drain(at..end)),
        3 => {
            let copy = bytes[at..end].to_vec();
            bytes.splice(at..at, copy);
        }
        4 => bytes.truncate(at.max(1)),
        _ => {
            let token = TOKENS[rng.below(TOKENS.len() as u64) as usize];
            bytes.splice(at..at, token.iter().copied());
        }
    }
}
