//! SHA-1, SHA-256 and hex. SHA-1 serves BitTorrent v1 identities only, where BEP 3 demands it.

mod lanes;
mod many;
#[cfg(test)]
mod tests;
mod wide1;
mod wide256;

use sha1::Digest as _;

pub use many::{sha1_many, sha256_many};

/// What SHA-1 gives.
pub type Digest1 = [u8; 20];
/// What SHA-256 gives.
pub type Digest256 = [u8; 32];

/// SHA-1 of `bytes`.
pub fn sha1(bytes: &[u8]) -> Digest1 {
    sha1::Sha1::digest(bytes).into()
}

/// SHA-256 of `bytes`.
pub fn sha256(bytes: &[u8]) -> Digest256 {
    sha2::Sha256::digest(bytes).into()
}

/// SHA-1 of bytes that come in parts.
#[derive(Clone, Default)]
pub struct Sha1(sha1::Sha1);

impl Sha1 {
    /// Takes the next part.
    pub fn update(&mut self, part: &[u8]) {
        self.0.update(part);
    }

    /// The digest of all parts in order.
    pub fn finish(self) -> Digest1 {
        self.0.finalize().into()
    }
}

/// Lower-case hex digits of `bytes`.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

/// Bytes of hex digits of either case; `None` when a digit is odd or missing.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|[high, low]| Some(nibble(*high)? << 4 | nibble(*low)?)).collect()
}

fn nibble(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}
