//! Seals 32 bytes for whoever made a signature, so that they may go over a link that others read
//! or carry. Takes its randomness from outside; knows nothing of what it seals.
//!
//! The point of a fresh secret (33 bytes), then the sealed bytes, each exclusive-or one of
//! SHA-256(`headwater seal` ‖ content ‖ point ‖ what both sides agree on).

use headwater_base::{Digest256, Signature, sha256};
use k256::elliptic_curve::point::AffineCoordinates as _;
use k256::elliptic_curve::sec1::{FromEncodedPoint as _, ToEncodedPoint as _};
use k256::{AffinePoint, EncodedPoint, NonZeroScalar, ProjectivePoint};

use crate::key::{KeyError, SecretKey, SignatureError, recover_key};

/// Bytes of a point in its short form.
const POINT_LEN: usize = 33;
/// Bytes of something sealed.
pub const SEALED_LEN: usize = POINT_LEN + 32;

/// What keeps this use of a shared secret apart from every other.
const LABEL: &[u8] = b"headwater seal";

/// Why nothing was sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The signature tells no key.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// The random bytes are no secret.
    #[error(transparent)]
    Random(#[from] KeyError),
}

/// Seals `secret` for the key that signed `digest`. `random` must be fresh each time.
pub fn seal(
    content: &Digest256,
    secret: &[u8; 32],
    (digest, signature): (&Digest256, &Signature),
    random: &[u8; 32],
) -> Result<[u8; SEALED_LEN], SealError> {
    let theirs = *recover_key(digest, signature)?.as_affine();
    let ours = SecretKey::from_bytes(random)?;
    let ours = *ours.scalar();
    let point = AffinePoint::from(ProjectivePoint::GENERATOR * *ours);
    let point = EncodedPoint::from(point.to_encoded_point(true));
    let mut sealed = [0; SEALED_LEN];
    sealed[..POINT_LEN].copy_from_slice(point.as_bytes());
    let mask = mask(content, point.as_bytes(), theirs, ours);
    sealed[POINT_LEN..].copy_from_slice(&xor(secret, &mask));
    Ok(sealed)
}

/// Opens what was sealed for `key`; nothing where no point is in front. Whether it is what it
/// should be only its content can tell: opened with another key it is noise.
pub fn open(key: &SecretKey, content: &Digest256, sealed: &[u8; SEALED_LEN]) -> Option<[u8; 32]> {
    let (point, hidden) = sealed.split_first_chunk::<POINT_LEN>()?;
    // The short forms with both coordinates told; another form would be the same point twice.
    let encoded = EncodedPoint::from_bytes(point).ok().filter(EncodedPoint::is_compressed)?;
    let theirs = Option::<AffinePoint>::from(AffinePoint::from_encoded_point(&encoded))?;
    let mask = mask(content, point, theirs, *key.scalar());
    Some(xor(hidden.first_chunk()?, &mask))
}

fn mask(content: &Digest256, point: &[u8], theirs: AffinePoint, ours: NonZeroScalar) -> [u8; 32] {
    let shared = AffinePoint::from(ProjectivePoint::from(theirs) * *ours);
    sha256(&[LABEL, content, point, &shared.x()].concat())
}

fn xor(a: &[u8; 32], b: &[u8; 32]) -> [u8; 32] {
    core::array::from_fn(|at| a[at] ^ b[at])
}

#[cfg(test)]
mod tests {
    use headwater_base::{hex, unhex};

    use super::*;
    use crate::digest::keccak256;

    const CONTENT: Digest256 = [0x44; 32];
    const SECRET: [u8; 32] = [0x55; 32];

    fn key(byte: u8) -> SecretKey {
        SecretKey::from_bytes(&[byte; 32]).expect("a key")
    }

    fn sealed(random: u8) -> [u8; SEALED_LEN] {
        let digest = keccak256(&[b"a voucher"]);
        let signature = key(0x22).sign(&digest);
        seal(&CONTENT, &SECRET, (&digest, &signature), &[random; 32]).expect("it is sealed")
    }

    #[test]
    fn whoever_signed_opens_what_was_sealed_and_nobody_else() {
        for random in 1..20 {
            let sealed = sealed(random);
            assert_eq!(open(&key(0x22), &CONTENT, &sealed), Some(SECRET));
            assert_ne!(open(&key(0x23), &CONTENT, &sealed), Some(SECRET));
        }
    }

    #[test]
    fn what_was_sealed_for_one_content_is_noise_for_another() {
        assert_ne!(open(&key(0x22), &[0x45; 32], &sealed(1)), Some(SECRET));
    }

    #[test]
    fn the_same_secret_is_sealed_otherwise_each_time() {
        let (one, other) = (sealed(1), sealed(2));
        assert_ne!(one[POINT_LEN..], other[POINT_LEN..]);
        assert!(!one.windows(32).any(|window| window == SECRET));
    }

    #[test]
    fn every_changed_byte_changes_what_is_opened() {
        let whole = sealed(7);
        for at in 0..SEALED_LEN {
            let mut changed = whole;
            changed[at] ^= 4;
            assert_ne!(open(&key(0x22), &CONTENT, &changed), Some(SECRET), "byte {at}");
        }
    }

    #[test]
    fn bytes_that_are_no_point_open_nothing() {
        for head in [0x00, 0x01, 0x04, 0x05, 0xff] {
            let mut bad = sealed(1);
            bad[0] = head;
            assert_eq!(open(&key(0x22), &CONTENT, &bad), None, "{head:02x}");
        }
        // The point at infinity, and a coordinate that no point has.
        assert_eq!(open(&key(0x22), &CONTENT, &[0; SEALED_LEN]), None);
        let mut none = sealed(1);
        none[1..POINT_LEN].fill(0xff);
        assert_eq!(open(&key(0x22), &CONTENT, &none), None);
    }

    #[test]
    fn signatures_that_tell_no_key_seal_nothing() {
        let digest = keccak256(&[b"a voucher"]);
        let Signature(mut bytes) = key(0x22).sign(&digest);
        bytes[64] = 0;
        let sealed = seal(&CONTENT, &SECRET, (&digest, &Signature(bytes)), &[1; 32]);
        assert_eq!(sealed, Err(SealError::Signature(SignatureError::Parity { found: 0 })));
        let good = key(0x22).sign(&digest);
        let sealed = seal(&CONTENT, &SECRET, (&digest, &good), &[0; 32]);
        assert_eq!(sealed, Err(SealError::Random(KeyError::Range)));
    }

    #[test]
    fn the_sealed_form_is_pinned() {
        // Worked out by Node's own crypto.
        let known = "02531fe6068134503d2723133227c867ac8fa6c83c537e9a44c3c5bdbdcb1fe337\
                     0710e021177bb009a434145487ac38724ffe089a712e8194835403ef3e81ff70";
        assert_eq!(hex(&sealed(3)), known);
        assert_eq!(unhex(known).map(|bytes| bytes.len()), Some(SEALED_LEN));
    }
}
