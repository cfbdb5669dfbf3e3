//! Encrypted content: a torrent whose files are ChaCha20 (RFC 8439) under a key of their own, so
//! that anyone may seed it, any part of it opens by itself, and one key of 32 bytes opens it all.
//! Lengths and names stay as they are. The key goes to its buyer sealed; who gets it is decided
//! elsewhere.

use core::fmt;

use chacha20::ChaCha20Legacy;
use chacha20::cipher::{KeyIvInit as _, StreamCipher as _, StreamCipherSeek as _};
use headwater_base::{Signature, sha256};
use headwater_pay::{Promise, Signed};
use headwater_tron::seal::{self, SealError};
use headwater_wire::extended::{ContentId, SEALED_LEN};

use crate::chain::{self, SecretKey};

/// What keeps the uses of a content's key apart.
const CHECK_LABEL: &[u8] = b"headwater check";
const FILE_LABEL: &[u8] = b"headwater file";

/// The key of a content. Never shown, not even by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct ContentKey([u8; 32]);

/// Encrypts and decrypts one file of a content.
pub struct FileCipher([u8; 32]);

impl ContentKey {
    /// Makes a key of 32 random bytes. Two contents, or two states of one, need two keys.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The key's bytes, for whoever keeps or seals it.
    pub fn to_bytes(&self) -> [u8; 32] {
        self.0
    }

    /// Names the content, and tests a key: no other key has the same name.
    pub fn id(&self) -> ContentId {
        ContentId(sha256(&[CHECK_LABEL, &self.0].concat()))
    }

    /// Seals the key for the session key that signed a voucher. `random` must be fresh each time.
    pub fn seal(
        &self,
        voucher: &Promise,
        sig: &Signature,
        random: &[u8; 32],
    ) -> Result<[u8; SEALED_LEN], SealError> {
        let digest = chain::digest(&Signed::Voucher(*voucher));
        seal::seal(&self.id().0, &self.0, (&digest, sig), random)
    }

    /// Opens what came sealed for a session key; nothing where it is not the key of that content.
    pub fn unseal(
        session: &SecretKey,
        content: ContentId,
        sealed: &[u8; SEALED_LEN],
    ) -> Option<Self> {
        seal::open(session, &content.0, sealed).map(Self).filter(|key| key.id() == content)
    }

    /// The cipher of a file, by its place among the torrent's files, padding not counted.
    pub fn file(&self, index: u64) -> FileCipher {
        FileCipher(sha256(&[FILE_LABEL, &self.0, &index.to_be_bytes()].concat()))
    }
}

impl fmt::Debug for ContentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ContentKey of {:?}", self.id())
    }
}

impl FileCipher {
    /// Encrypts or decrypts in place, which is the same, what begins at byte `offset` of the file.
    pub fn apply(&self, offset: u64, bytes: &mut [u8]) {
        // Each key is for one file, so that the nonce may be the same. The counter has 64 bits;
        // with the 32 of RFC 8439 a file would end at 256 GiB, up to where both are alike.
        let mut cipher = ChaCha20Legacy::new(&self.0.into(), &[0; 8].into());
        cipher.seek(offset);
        cipher.apply_keystream(bytes);
    }
}

impl fmt::Debug for FileCipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FileCipher")
    }
}

#[cfg(test)]
mod tests {
    use headwater_base::{Address, Amount, UnixTime, hex};
    use headwater_wire::extended::{Grant, Rail};

    use super::*;

    fn stream(key: [u8; 32], offset: u64) -> String {
        let mut bytes = [0; 64];
        FileCipher(key).apply(offset, &mut bytes);
        hex(&bytes)
    }

    #[test]
    fn keystream_is_that_of_rfc_8439() {
        // RFC 8439, A.1, test vectors 1 to 4: those whose nonce is zero.
        let last = |byte| {
            let mut key = [0; 32];
            key[31] = byte;
            key
        };
        let mut second = [0; 32];
        second[1] = 0xff;
        let known = [
            (
                ([0; 32], 0),
                "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7\
                 da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586",
            ),
            (
                ([0; 32], 1),
                "9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed\
                 29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f",
            ),
            (
                (last(1), 1),
                "3aeb5224ecf849929b9d828db1ced4dd832025e8018b8160b82284f3c949aa5a\
                 8eca00bbb4a73bdad192b5c42f73f2fd4e273644c8b36125a64addeb006c13a0",
            ),
            (
                (second, 2),
                "72d54dfbf12ec44b362692df94137f328fea8da73990265ec1bbbea1ae9af0ca\
                 13b25aa26cb4a648cb9b9d1be65b2c0924a66c54d545ec1b7374f4872e99f096",
            ),
        ];
        for ((key, block), expect) in known {
            assert_eq!(stream(key, block * 64), expect);
        }
    }

    #[test]
    fn any_part_opens_as_it_does_within_the_whole() {
        let cipher = ContentKey::from_bytes([7; 32]).file(3);
        let plain: Vec<u8> = (0..10_000_u32).map(|at| at.to_le_bytes()[0]).collect();
        let mut whole = plain.clone();
        cipher.apply(0, &mut whole);
        assert_ne!(whole, plain);
        for (from, to) in
            [(0, 1), (63, 65), (64, 128), (1, 10_000), (4_097, 4_098), (9_999, 10_000)]
        {
            let mut part = whole[from..to].to_vec();
            cipher.apply(u64::try_from(from).expect("small"), &mut part);
            assert_eq!(part, plain[from..to], "{from} to {to}");
        }
    }

    #[test]
    fn files_larger_than_256_gib_do_not_begin_anew() {
        let cipher = FileCipher([9; 32]);
        let [mut first, mut later, mut last] = [[0; 64]; 3];
        cipher.apply(0, &mut first);
        cipher.apply(1 << 38, &mut later);
        cipher.apply(u64::MAX - 64, &mut last);
        assert_ne!(first, later);
        assert_ne!(first, last);
    }

    #[test]
    fn files_of_one_content_have_keys_of_their_own() {
        let key = ContentKey::from_bytes([1; 32]);
        let ciphers = [key.file(0), key.file(1), key.file(256)].map(|file| file.0);
        assert!(ciphers[0] != ciphers[1] && ciphers[1] != ciphers[2]);
        assert!(!ciphers.contains(&key.0) && !ciphers.contains(&key.id().0));
    }

    #[test]
    fn a_key_goes_sealed_to_the_session_that_paid_and_is_tested_there() {
        let session = SecretKey::from_bytes(&[0x22; 32]).expect("a key");
        let rail = Rail { chain: 1, vault: Address([2; 20]), token: Address([3; 20]) };
        let (owner, key) = (Address([4; 20]), session.address());
        let (cap, expiry) = (Amount(9), UnixTime(7));
        let grant = Grant { owner, key, cap, expiry, salt: [8; 32] };
        let voucher = Promise { rail, grant, payee: Address([9; 20]), amount: Amount(0) };
        let sig = chain::sign(&session, &voucher);
        let ours = ContentKey::from_bytes([1; 32]);
        let sealed = ours.seal(&voucher, &sig, &[5; 32]).expect("it is sealed");
        assert_eq!(ContentKey::unseal(&session, ours.id(), &sealed), Some(ours.clone()));
        let other = SecretKey::from_bytes(&[0x23; 32]).expect("a key");
        assert_eq!(ContentKey::unseal(&other, ours.id(), &sealed), None);
        let another = ContentKey::from_bytes([2; 32]);
        assert_eq!(ContentKey::unseal(&session, another.id(), &sealed), None);
        let rubbish = another.seal(&voucher, &sig, &[5; 32]).expect("it is sealed");
        assert_eq!(ContentKey::unseal(&session, ours.id(), &rubbish), None);
    }

    #[test]
    fn a_key_is_tested_by_the_name_of_its_content_and_never_shown() {
        let key = ContentKey::from_bytes([1; 32]);
        assert_eq!(key.id(), ContentKey::from_bytes(key.to_bytes()).id());
        assert_ne!(key.id(), ContentKey::from_bytes([2; 32]).id());
        let shown = format!("{key:?} {:?}", key.file(0));
        assert!(!shown.contains("1, 1, 1") && !shown.contains(&hex(&key.0)));
    }
}
