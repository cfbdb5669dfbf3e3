//! Keccak-256, by which keys become addresses and contracts name their functions.

use headwater_base::Digest256;
use sha3::{Digest as _, Keccak256};

/// Keccak-256 of `parts` one after the other: the digest from before NIST changed its padding.
pub fn keccak256(parts: &[&[u8]]) -> Digest256 {
    let mut state = Keccak256::new();
    for part in parts {
        state.update(part);
    }
    state.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use headwater_base::hex;

    #[test]
    fn empty_input_has_the_digest_known_from_ethereum() {
        let known = "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470";
        assert_eq!(hex(&keccak256(&[])), known);
    }

    #[test]
    fn parts_are_hashed_as_if_they_were_one() {
        assert_eq!(keccak256(&[b"head", b"water"]), keccak256(&[b"headwater"]));
    }
}
