//! Messages as wallets sign them: with a prefix that no transaction begins with (TIP-191).

use headwater_base::Digest256;

use crate::digest::keccak256;
use crate::limit;

const PREFIX: &[u8] = b"\x19TRON Signed Message:\n";

/// A message that is not signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// Nobody reads so much before signing it.
    #[error("message of {found} bytes, at most {allowed} allowed")]
    Length {
        /// How long it is.
        found: usize,
        /// The most allowed.
        allowed: usize,
    },
}

/// The digest that tronweb's `sign` (V1) makes of 32 bytes given as hex.
pub fn digest_v1(bytes: &[u8; 32]) -> Digest256 {
    keccak256(&[PREFIX, b"32", bytes])
}

/// The digest of `signMessageV2`: the length is that of the message, in bytes.
pub fn digest_v2(message: &[u8]) -> Result<Digest256, MessageError> {
    let (found, allowed) = (message.len(), limit::MESSAGE_BYTES_MAX);
    if found > allowed {
        return Err(MessageError::Length { found, allowed });
    }
    Ok(keccak256(&[PREFIX, found.to_string().as_bytes(), message]))
}

#[cfg(test)]
mod tests {
    use headwater_base::hex;

    use super::*;
    use crate::key::SecretKey;

    fn signed(digest: Digest256) -> String {
        hex(&SecretKey::from_bytes(&[0x11; 32]).expect("a key").sign(&digest).0)
    }

    #[test]
    fn v2_signature_is_that_of_tronweb() {
        let known = "12fe01932c06f9c9cfc66f904900135416afdeca86068662d58d9ecd230bf9d0\
                     5b72bb4725cef1b4086626382e029502a1ed1c90f97328ea5b3a370a1bab0242\
                     1b";
        assert_eq!(signed(digest_v2(b"hello").expect("short")), known);
    }

    #[test]
    fn v1_signature_is_that_of_tronweb() {
        let known = "6ec1d6245a6f6a305c0636899fc367b2f8494a1a60d7dfe9b496eaaccdf388a0\
                     41469259b3d3eccfe599d663510ba371d9372bcf49af246ef08b21dd8e43a529\
                     1c";
        assert_eq!(signed(digest_v1(&[0xab; 32])), known);
    }

    #[test]
    fn message_beyond_the_limit_is_refused() {
        let (found, allowed) = (limit::MESSAGE_BYTES_MAX + 1, limit::MESSAGE_BYTES_MAX);
        let error = digest_v2(&vec![0; found]);
        assert_eq!(error, Err(MessageError::Length { found, allowed }));
    }
}
