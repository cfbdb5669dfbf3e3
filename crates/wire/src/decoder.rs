//! Cuts a link's bytes into a handshake and messages, however the link cut them.
//! Holds at most one unfinished message; sizes are judged before anything is held.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

use crate::message::id;
use crate::{Error, Handshake, HashSpan, Message, limit};

/// Reads one link. Push what arrives, then take messages until there are none.
#[derive(Debug)]
pub struct Decoder {
    /// What was pushed and is not read yet.
    input: VecDeque<Bytes>,
    stage: Stage,
    /// The fixed bytes that start a message: prefix, id, and the numbers that follow it.
    head: Head,
    /// A payload that arrives in parts.
    body: BytesMut,
    bitfield_bytes_max: u32,
    failed: Option<Error>,
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    /// The handshake is not complete.
    Handshake,
    /// The length prefix is not complete.
    Prefix,
    /// The id byte of a message of this many bytes is missing.
    Id(u32),
    /// The numbers after the id are not complete.
    Numbers(Shape),
    /// The payload is not complete.
    Payload(Shape),
}

/// The sizes of one message's parts.
#[derive(Clone, Copy, Debug)]
struct Shape {
    id: u8,
    /// Bytes of numbers after the id.
    numbers: usize,
    /// Bytes after those.
    payload: usize,
}

#[derive(Debug)]
struct Head {
    bytes: [u8; Handshake::LEN],
    len: usize,
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

impl Decoder {
    /// Makes a decoder for a link that begins with a handshake.
    pub fn new() -> Self {
        Self {
            input: VecDeque::new(),
            stage: Stage::Handshake,
            head: Head { bytes: [0; Handshake::LEN], len: 0 },
            body: BytesMut::new(),
            bitfield_bytes_max: limit::BITFIELD_BYTES_MAX,
            failed: None,
        }
    }

    /// Says how many pieces the torrent has, so that longer bitfields are refused.
    pub fn set_pieces(&mut self, pieces: u32) {
        self.bitfield_bytes_max = pieces.div_ceil(8);
    }

    /// Takes the next bytes of the link. Ignored after an error.
    pub fn push(&mut self, bytes: Bytes) {
        if self.failed.is_none() && !bytes.is_empty() {
            self.input.push_back(bytes);
        }
    }

    /// Bytes pushed and held, read messages excluded.
    pub fn held(&self) -> usize {
        let input: usize = self.input.iter().map(Bytes::len).sum();
        input + self.head.len + self.body.len()
    }

    /// The handshake, once its 68 bytes are there. Answers `None` ever after.
    pub fn next_handshake(&mut self) -> Result<Option<Handshake>, Error> {
        self.checked(Self::read_handshake)
    }

    /// The next message, or `None` when its bytes are not all there or the handshake is unread.
    /// An error ends the link: the same error comes again.
    pub fn next_message(&mut self) -> Result<Option<Message>, Error> {
        self.checked(Self::read_message)
    }

    fn checked<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<Option<T>, Error>,
    ) -> Result<Option<T>, Error> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let result = read(self);
        if let Err(error) = &result {
            self.failed = Some(error.clone());
            self.input.clear();
            self.body = BytesMut::new();
        }
        result
    }

    fn read_handshake(&mut self) -> Result<Option<Handshake>, Error> {
        if !matches!(self.stage, Stage::Handshake) {
            return Ok(None);
        }
        if !self.fill_head(Handshake::LEN) {
            return Handshake::check_start(&self.head.bytes[..self.head.len]).map(|()| None);
        }
        self.stage = Stage::Prefix;
        self.head.len = 0;
        Handshake::from_bytes(&self.head.bytes).map(Some)
    }

    fn read_message(&mut self) -> Result<Option<Message>, Error> {
        loop {
            match self.stage {
                Stage::Handshake => return Ok(None),
                Stage::Prefix => {
                    if !self.fill_head(4) {
                        return Ok(None);
                    }
                    let [a, b, c, d, ..] = self.head.bytes;
                    let len = u32::from_be_bytes([a, b, c, d]);
                    self.head.len = 0;
                    if len == 0 {
                        return Ok(Some(Message::KeepAlive));
                    }
                    if len > limit::MESSAGE_BYTES_MAX {
                        let allowed = limit::MESSAGE_BYTES_MAX;
                        return Err(Error::Prefix { found: len, allowed });
                    }
                    self.stage = Stage::Id(len);
                }
                Stage::Id(len) => {
                    if !self.fill_head(1) {
                        return Ok(None);
                    }
                    let shape = self.shape(self.head.bytes[0], len)?;
                    self.head.len = 0;
                    self.stage = Stage::Numbers(shape);
                }
                Stage::Numbers(shape) => {
                    if !self.fill_head(shape.numbers) {
                        return Ok(None);
                    }
                    self.stage = Stage::Payload(shape);
                }
                Stage::Payload(shape) => {
                    let Some(payload) = self.take_payload(shape.payload) else {
                        return Ok(None);
                    };
                    let numbers = &self.head.bytes[..shape.numbers];
                    let message = Message::from_parts(shape.id, numbers, payload);
                    check_hashes(&message)?;
                    self.head.len = 0;
                    self.stage = Stage::Prefix;
                    return Ok(Some(message));
                }
            }
        }
    }

    /// Judges the size of a message and tells where its payload starts.
    fn shape(&self, id: u8, len: u32) -> Result<Shape, Error> {
        let (numbers, payload_max) = match id {
            id::CHOKE | id::UNCHOKE | id::INTERESTED | id::NOT_INTERESTED => (0, 0),
            id::HAVE_ALL | id::HAVE_NONE => (0, 0),
            id::HAVE | id::SUGGEST | id::ALLOWED_FAST => (4, 0),
            id::REQUEST | id::CANCEL | id::REJECT => (12, 0),
            id::PORT => (2, 0),
            id::BITFIELD => (0, self.bitfield_bytes_max),
            id::PIECE => (8, limit::BLOCK_BYTES_MAX),
            id::EXTENDED => (1, limit::EXTENDED_BYTES_MAX),
            id::HASH_REQUEST | id::HASH_REJECT => (HashSpan::LEN as u32, 0),
            id::HASHES => (HashSpan::LEN as u32, limit::HASHES_BYTES_MAX),
            _ => (0, limit::EXTENDED_BYTES_MAX),
        };
        let (needed, allowed) = (1 + numbers, 1 + numbers + payload_max);
        if len < needed {
            return Err(Error::TooShort { id, found: len, needed });
        }
        if len > allowed {
            return Err(Error::TooLong { id, found: len, allowed });
        }
        Ok(Shape { id, numbers: numbers as usize, payload: (len - needed) as usize })
    }

    /// Moves input into the head until it has `len` bytes; false when input ran out.
    fn fill_head(&mut self, len: usize) -> bool {
        while self.head.len < len {
            let Some(part) = self.take_input(len - self.head.len) else { return false };
            self.head.bytes[self.head.len..][..part.len()].copy_from_slice(&part);
            self.head.len += part.len();
        }
        true
    }

    /// The whole payload: a slice of the input when it lies in one push, else put together.
    fn take_payload(&mut self, len: usize) -> Option<Bytes> {
        if len == 0 {
            return Some(Bytes::new());
        }
        if self.body.is_empty() {
            if self.input.front()?.len() >= len {
                return self.take_input(len);
            }
            self.body.reserve(len.min(limit::ASSEMBLY_BYTES));
        }
        while self.body.len() < len {
            let part = self.take_input(len - self.body.len())?;
            self.body.extend_from_slice(&part);
        }
        Some(std::mem::take(&mut self.body).freeze())
    }

    /// At most `len` bytes from the front of the input; `None` when it is empty.
    fn take_input(&mut self, len: usize) -> Option<Bytes> {
        let front = self.input.front_mut()?;
        if front.len() > len {
            return Some(front.split_to(len));
        }
        self.input.pop_front()
    }
}

/// Refuses hashes that are not as many as their span says. Requests and rejects pass: what no tree
/// has is refused in words.
fn check_hashes(message: &Message) -> Result<(), Error> {
    let Message::Hashes { span, hashes } = message else { return Ok(()) };
    span.check()?;
    let (found, needed) = (hashes.len(), span.count() as usize * 32);
    if found == needed { Ok(()) } else { Err(Error::HashBytes { found, needed }) }
}

#[cfg(test)]
mod tests;
