//! RC4 as MSE uses it: a key a direction, the first kilobyte thrown away.

use headwater_base::{InfoHash, sha1};
use rc4::{KeyInit, Rc4, StreamCipher};

use super::exchange::KEY_BYTES;

/// Bytes of a keystream that are not used, since they tell of the key.
const THROWN_AWAY: usize = 1024;

/// What one direction is encrypted with.
pub(in crate::transport) struct Keystream(Rc4);

impl Keystream {
    /// The keystream of `label`'s direction.
    fn new(label: &[u8; 4], secret: &[u8; KEY_BYTES], info_hash: &InfoHash) -> Self {
        let key = sha1(&[&label[..], secret, &info_hash.0].concat());
        // A digest is no longer and no shorter than the cipher takes.
        let mut out = Self(Rc4::new_from_slice(&key).unwrap_or_else(|_| unreachable!()));
        out.apply(&mut [0; THROWN_AWAY]);
        out
    }

    /// Encrypts or decrypts the next bytes of the stream.
    pub(in crate::transport) fn apply(&mut self, bytes: &mut [u8]) {
        self.0.apply_keystream(bytes);
    }
}

impl std::fmt::Debug for Keystream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keystream")
    }
}

/// Both directions, as one side sees them.
#[derive(Debug)]
pub(in crate::transport) struct Keystreams {
    pub(in crate::transport) incoming: Keystream,
    pub(in crate::transport) outgoing: Keystream,
}

impl Keystreams {
    pub(super) fn new(secret: &[u8; KEY_BYTES], info_hash: &InfoHash, dialled: bool) -> Self {
        let dialler = Keystream::new(b"keyA", secret, info_hash);
        let other = Keystream::new(b"keyB", secret, info_hash);
        match dialled {
            true => Self { incoming: other, outgoing: dialler },
            false => Self { incoming: dialler, outgoing: other },
        }
    }
}
