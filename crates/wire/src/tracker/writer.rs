//! Writes the JSON of these messages, field by field, straight into the text that is sent.

use headwater_base::InfoHash;
use serde::Serialize;

use super::{Action, Description};

/// Bytes that most messages fit in, the session description in them left aside.
const ROOM: usize = 512;

/// A message that is being written.
#[derive(Debug)]
pub(super) struct Writer(Vec<u8>);

/// A session description, which on the wire is an object with its type.
#[derive(Debug, Serialize)]
pub(super) struct Session<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    sdp: &'a Description,
}

impl<'a> Session<'a> {
    pub(super) fn offer(sdp: &'a Description) -> Self {
        Self { kind: "offer", sdp }
    }

    pub(super) fn answer(sdp: &'a Description) -> Self {
        Self { kind: "answer", sdp }
    }
}

impl Writer {
    /// A message with its first fields.
    pub(super) fn start(action: Action, info_hash: Option<InfoHash>) -> Self {
        Self::with_room(ROOM, action, info_hash)
    }

    /// The same of a message with a session description, so that it is written in one place.
    pub(super) fn start_session(info_hash: InfoHash, sdp: &Description) -> Self {
        Self::with_room(ROOM + sdp.form_bytes(), Action::Announce, Some(info_hash))
    }

    fn with_room(room: usize, action: Action, info_hash: Option<InfoHash>) -> Self {
        let mut out = Self(Vec::with_capacity(room));
        out.0.extend_from_slice(b"{\"action\":");
        out.push(action.name());
        if let Some(InfoHash(bytes)) = info_hash {
            out.put_bytes("info_hash", &bytes);
        }
        out
    }

    pub(super) fn put(&mut self, key: &'static str, value: impl Serialize) {
        self.0.push(b',');
        self.push(key);
        self.0.push(b':');
        self.push(value);
    }

    pub(super) fn put_some(&mut self, key: &'static str, value: Option<impl Serialize>) {
        if let Some(value) = value {
            self.put(key, value);
        }
    }

    /// Writes bytes as a text of one character for each.
    pub(super) fn put_bytes(&mut self, key: &'static str, bytes: &[u8; 20]) {
        self.0.push(b',');
        self.push(key);
        self.0.extend_from_slice(b":\"");
        for byte in bytes {
            match byte {
                b'"' | b'\\' => self.0.extend_from_slice(&[b'\\', *byte]),
                0..0x20 => {
                    let digit = b"0123456789abcdef"[usize::from(byte % 16)];
                    self.0.extend_from_slice(&[b'\\', b'u', b'0', b'0', b'0' + byte / 16, digit]);
                }
                0x20..0x80 => self.0.push(*byte),
                0x80.. => self.0.extend_from_slice(&[0xc0 | (byte >> 6), 0x80 | (byte & 0x3f)]),
            }
        }
        self.0.push(b'"');
    }

    pub(super) fn finish(mut self) -> String {
        self.0.push(b'}');
        String::from_utf8(self.0).unwrap_or_default()
    }

    fn push(&mut self, value: impl Serialize) {
        // Memory takes whatever it is given, and nothing here refuses to be written.
        let _ = serde_json::to_writer(&mut self.0, &value);
    }
}

/// One character for each byte.
pub(super) fn from_bytes(bytes: &[u8; 20]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}
