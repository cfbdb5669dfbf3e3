//! The message by which a peer says that it lost a piece (BEP 54): four bytes, the piece.

use bytes::Bytes;
use headwater_base::PieceIndex;

use crate::Error;

/// The sender no longer has this piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DontHave(pub PieceIndex);

impl DontHave {
    /// The payload of the extended message.
    pub fn encode(self) -> Bytes {
        Bytes::copy_from_slice(&self.0.0.to_be_bytes())
    }

    /// Reads the payload of an extended message.
    pub fn decode(payload: &[u8]) -> Result<Self, Error> {
        let bytes = <[u8; 4]>::try_from(payload);
        let bytes = bytes.map_err(|_| Error::Field { key: "lt_donthave", needed: "piece" })?;
        Ok(Self(PieceIndex(u32::from_be_bytes(bytes))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wire_form_is_that_of_bep_54() {
        let said = DontHave(PieceIndex(0x0102_0304));
        assert_eq!(said.encode(), [1, 2, 3, 4].as_slice());
        assert_eq!(DontHave::decode(&[1, 2, 3, 4]), Ok(said));
        for wrong in [&[][..], &[1, 2, 3], &[1, 2, 3, 4, 5]] {
            assert!(matches!(DontHave::decode(wrong), Err(Error::Field { .. })));
        }
    }
}
