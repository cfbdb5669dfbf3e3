//! Secret keys: they sign digests, and signatures tell their signer. Takes its randomness from
//! outside; a key is never shown, not even by `Debug`.

use core::fmt;

use headwater_base::{Address, Digest256, Signature};
use k256::NonZeroScalar;
use k256::ecdsa::{self, RecoveryId, SigningKey, VerifyingKey};

use crate::address;
use crate::digest::keccak256;

/// What `v` is when the point's `y` is even. Its other value is one more.
pub(crate) const V_EVEN: u8 = 27;

/// A secp256k1 key: of a session, or of an account that submits claims.
pub struct SecretKey(SigningKey);

/// Bytes that are no secret key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Zero, or not below the order of the curve. Random bytes are neither.
    #[error("secret key out of range: it must be above zero and below the order of the curve")]
    Range,
}

/// A signature that proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// `v` says neither of the two points.
    #[error("signature has v of {found}, 27 or 28 needed")]
    Parity {
        /// What it is.
        found: u8,
    },
    /// `r` or `s` is zero or not below the order of the curve.
    #[error("signature has r or s out of range")]
    Range,
    /// `s` lies in the upper half: the same signature in a second form, which contracts refuse.
    #[error("signature has s in the upper half of its range")]
    HighS,
    /// No key could have made it.
    #[error("signature belongs to no key")]
    NoKey,
    /// It was made by somebody else.
    #[error("signature is by {found:?}, not by {needed:?}")]
    Signer {
        /// Who made it.
        found: Address,
        /// Who should have made it.
        needed: Address,
    },
}

impl SecretKey {
    /// Makes a key of 32 random bytes.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, KeyError> {
        SigningKey::from_slice(bytes).map(Self).map_err(|_| KeyError::Range)
    }

    /// The key's 32 bytes, for whoever stores it.
    pub fn to_bytes(&self) -> [u8; 32] {
        self.0.to_bytes().into()
    }

    /// The address that signatures of this key tell.
    pub fn address(&self) -> Address {
        address_of(self.0.verifying_key())
    }

    pub(crate) fn scalar(&self) -> &NonZeroScalar {
        self.0.as_nonzero_scalar()
    }

    /// Signs a digest. The same digest has the same signature each time (RFC 6979), with `s` in
    /// the lower half.
    pub fn sign(&self, digest: &Digest256) -> Signature {
        let signed = self.0.sign_prehash_recoverable(digest);
        let (signature, recovery) = signed.expect("a digest of 32 bytes can be signed");
        let mut bytes = [0; 65];
        bytes[..64].copy_from_slice(&signature.to_bytes());
        bytes[64] = V_EVEN + recovery.to_byte();
        Signature(bytes)
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey of {}", address::to_base58(self.address()))
    }
}

/// Tells who signed a digest. Refuses every second form of a signature.
pub fn recover(digest: &Digest256, signature: &Signature) -> Result<Address, SignatureError> {
    recover_key(digest, signature).map(|key| address_of(&key))
}

/// Tells the key that signed a digest, with the same refusals.
pub(crate) fn recover_key(
    digest: &Digest256,
    signature: &Signature,
) -> Result<VerifyingKey, SignatureError> {
    let [rs @ .., v] = &signature.0;
    let parity = v.checked_sub(V_EVEN).filter(|parity| *parity <= 1);
    let parity = parity.ok_or(SignatureError::Parity { found: *v })?;
    let recovery = RecoveryId::from_byte(parity).ok_or(SignatureError::Parity { found: *v })?;
    let known = ecdsa::Signature::from_slice(rs).map_err(|_| SignatureError::Range)?;
    if known.normalize_s().is_some() {
        return Err(SignatureError::HighS);
    }
    let key = VerifyingKey::recover_from_prehash(digest, &known, recovery);
    key.map_err(|_| SignatureError::NoKey)
}

/// Checks that `signer` signed a digest.
pub fn check(
    digest: &Digest256,
    signature: &Signature,
    signer: Address,
) -> Result<(), SignatureError> {
    let found = recover(digest, signature)?;
    if found == signer { Ok(()) } else { Err(SignatureError::Signer { found, needed: signer }) }
}

/// The last 20 bytes of the Keccak-256 of a point's coordinates.
fn address_of(key: &VerifyingKey) -> Address {
    let point = key.to_encoded_point(false);
    let digest = keccak256(&[&point.as_bytes()[1..]]);
    let mut bytes = [0; 20];
    bytes.copy_from_slice(&digest[12..]);
    Address(bytes)
}

#[cfg(test)]
mod tests;
