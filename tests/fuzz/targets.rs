//! What is fuzzed: each target takes any bytes, and panics when a rule is broken. `tests/fuzz` runs
//! them under libFuzzer, `fuzz/corpora.rs` replays what is kept.

mod link;
mod pay;

use bytes::Bytes;
use headwater_base::PieceIndex;
use headwater_metainfo::{Magnet, Torrent, bencode, safe_name, windows_name};
use headwater_wire::extended::{
    DontHave, Handshake, MetadataMessage, PayMessage, PayTerms, PexMessage, SignalMessage,
};
use headwater_wire::tracker::{ClientMessage, TrackerMessage, check_sdp};
use headwater_wire::{Decoder, Message};

/// Takes whatever it is fed.
pub type Target = fn(&[u8]);

/// Every target by its name.
pub const TARGETS: &[(&str, Target)] = &[
    ("bencode", bencode),
    ("torrent", torrent),
    ("info", info),
    ("magnet", magnet),
    ("name", name),
    ("messages", messages),
    ("extended", extended),
    ("tracker", tracker),
    ("link", link::link),
    ("pay", pay::pay),
];

/// Runs the target of that name.
///
/// # Panics
/// When there is none, or when it finds a broken rule.
pub fn run(name: &str, bytes: &[u8]) {
    let target = TARGETS.iter().find(|(known, _)| *known == name);
    let (_, target) = target.expect("a target of that name");
    target(bytes);
}

fn bencode(bytes: &[u8]) {
    let Ok((value, rest)) = bencode::parse_prefix(bytes) else { return };
    assert_eq!(value.raw().len() + rest.len(), bytes.len());
    assert_eq!(bencode::parse(value.raw()).as_ref(), Ok(&value));
    let strict = bencode::Rules { key_order: bencode::KeyOrder::Sorted, ..Default::default() };
    assert_eq!(strict.parse(value.raw()).is_ok(), value.is_canonical());
}

fn torrent(bytes: &[u8]) {
    let Ok(torrent) = Torrent::parse(bytes) else { return };
    sound(&torrent);
    assert_eq!(Torrent::parse(&torrent.to_bytes()).as_ref(), Ok(&torrent));
}

fn info(bytes: &[u8]) {
    let Ok(torrent) = Torrent::from_info(Bytes::copy_from_slice(bytes)) else { return };
    assert_eq!(torrent.info, bytes);
    sound(&torrent);
}

/// Files lie end to end below their folder, and pieces cover all that peers send.
fn sound(torrent: &Torrent) {
    let mut offset = 0;
    for file in &torrent.files {
        assert_eq!(file.offset.0, offset);
        offset += file.length.0;
        for part in file.path.split('/') {
            assert!(!matches!(part, "" | "." | "..") && part.len() <= 255, "{:?}", file.path);
            assert!(!part.contains(['\\', '\0']), "{:?}", file.path);
        }
    }
    assert_eq!(torrent.length.0, offset);
    let last = torrent.piece_count() - 1;
    for piece in [0, last / 2, last].map(PieceIndex) {
        let spans: u32 = torrent.piece_spans(piece).map(|span| span.len).sum();
        assert_eq!(spans, torrent.piece_len(piece));
        assert!(spans > 0 && spans <= torrent.piece_length);
    }
    assert_eq!(torrent.piece_len(PieceIndex(last + 1)), 0);
    assert_eq!(Magnet::parse(&torrent.magnet().to_string()), Ok(torrent.magnet()));
}

fn magnet(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(magnet) = Magnet::parse(text) else { return };
    assert_eq!(Magnet::parse(&magnet.to_string()), Ok(magnet));
}

fn name(bytes: &[u8]) {
    let Some(name) = safe_name(bytes) else { return };
    assert_eq!(safe_name(name.as_bytes()).as_ref(), Some(&name));
    assert_eq!(std::path::Path::new(&name).components().count(), 1);
    let there = windows_name(&name);
    assert_eq!(windows_name(&there), there);
}

/// The first byte says how the rest is cut, the second how many pieces the torrent has.
fn messages(bytes: &[u8]) {
    let [part, pieces, rest @ ..] = bytes else { return };
    let mut decoder = Decoder::new();
    decoder.set_pieces(u32::from(*pieces) * 3);
    for part in rest.chunks(usize::from(*part).max(1)) {
        decoder.push(Bytes::copy_from_slice(part));
        loop {
            match decoder.next_message() {
                Ok(Some(message)) => written(&message),
                Ok(None) => break,
                Err(_) => return,
            }
        }
    }
}

/// What is read can be written, and is read the same again.
fn written(message: &Message) {
    let mut bytes = Vec::new();
    message.encode(&mut bytes);
    let mut decoder = Decoder::new();
    decoder.push(Bytes::from(bytes));
    if let Ok(Some(again)) = decoder.next_message() {
        assert_eq!(std::mem::discriminant(&again), std::mem::discriminant(message));
    }
}

fn extended(bytes: &[u8]) {
    if let Ok(hello) = Handshake::decode(bytes) {
        assert!(Handshake::decode(&hello.encode()).is_ok());
    }
    let payload = Bytes::copy_from_slice(bytes);
    if let Ok(Some(message)) = MetadataMessage::decode(&payload) {
        assert_eq!(MetadataMessage::decode(&message.encode()), Ok(Some(message)));
    }
    if let Ok(lost) = DontHave::decode(bytes) {
        assert_eq!(DontHave::decode(&lost.encode()), Ok(lost));
    }
    if let Ok(pex) = PexMessage::decode(bytes) {
        assert_eq!(PexMessage::decode(&pex.encode()), Ok(pex));
    }
    if let Ok(Some(signal)) = SignalMessage::decode(bytes) {
        assert!(SignalMessage::decode(&signal.encode()).is_ok());
    }
    if let Ok(Some(terms)) = PayTerms::decode(bytes) {
        assert_eq!(PayTerms::decode(&terms.encode()), Ok(Some(terms)));
    }
    if let Ok(Some(message)) = PayMessage::decode(bytes) {
        assert_eq!(PayMessage::decode(&message.encode()), Ok(Some(message)));
    }
}

fn tracker(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(message) = TrackerMessage::decode(text) {
        assert!(TrackerMessage::decode(&message.encode()).is_ok());
    }
    if let Ok(message) = ClientMessage::decode(text) {
        assert!(ClientMessage::decode(&message.encode()).is_ok());
    }
    let _ = check_sdp(text);
}
