//! Pieces the sender wants soon, with deadlines (`hw_want`), so that who lacks them too fetches
//! them first. One message replaces the one before it.

use bytes::{BufMut, Bytes};
use headwater_base::PieceIndex;
use headwater_metainfo::bencode::{DictBuilder, Value};

use super::RULES;
use crate::{Error, limit};

/// The only version so far. Messages of another are not understood.
const VERSION: i64 = 1;
/// Bytes of one range: first piece, number of pieces, milliseconds.
const RANGE_LEN: usize = 12;

/// Pieces side by side that are wanted at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Want {
    /// The first of them.
    pub first: PieceIndex,
    /// How many.
    pub count: u32,
    /// Milliseconds from the sending on in which they are wanted.
    pub within_ms: u32,
}

/// Everything the sender wants soon.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WantMessage {
    /// The ranges, the most urgent first; none when nothing is wanted.
    pub ranges: Vec<Want>,
}

impl WantMessage {
    /// The payload of the extended message.
    pub fn encode(&self) -> Bytes {
        let mut bytes = Vec::with_capacity(self.ranges.len() * RANGE_LEN);
        for want in &self.ranges {
            bytes.put_u32(want.first.0);
            bytes.put_u32(want.count);
            bytes.put_u32(want.within_ms);
        }
        Bytes::from(DictBuilder::new().int("v", VERSION).bytes("w", bytes).finish())
    }

    /// Reads the payload of an extended message; `None` for versions not known here.
    pub fn decode(payload: &[u8]) -> Result<Option<Self>, Error> {
        let (dict, _) = RULES.parse_prefix(payload)?;
        if dict.lookup("v").and_then(Value::int) != Some(VERSION) {
            return Ok(None);
        }
        let bytes = dict.lookup("w").and_then(Value::bytes);
        let bytes = bytes.ok_or(Error::Field { key: "w", needed: "list of ranges" })?;
        let (found, allowed) = (bytes.len(), limit::WANTS_MAX * RANGE_LEN);
        if found > allowed {
            return Err(Error::Text { what: "list of wants", found, allowed });
        }
        let (ranges, rest) = bytes.as_chunks::<RANGE_LEN>();
        if !rest.is_empty() {
            return Err(Error::Field { key: "w", needed: "list of ranges" });
        }
        let number = |range: &[u8; RANGE_LEN], at: usize| {
            range[at..at + 4].iter().fold(0, |sum, byte| sum << 8 | u32::from(*byte))
        };
        let read = |range: &[u8; RANGE_LEN]| Want {
            first: PieceIndex(number(range, 0)),
            count: number(range, 4),
            within_ms: number(range, 8),
        };
        Ok(Some(Self { ranges: ranges.iter().map(read).collect() }))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn wire_form_is_that_of_the_readme() {
        let want = Want { first: PieceIndex(1), count: 0x0203, within_ms: 1000 };
        let message = WantMessage { ranges: vec![want] };
        let expect = b"d1:vi1e1:w12:\0\0\0\x01\0\0\x02\x03\0\0\x03\xe8e";
        assert_eq!(message.encode(), expect.as_slice());
        assert_eq!(WantMessage::decode(expect), Ok(Some(message)));
        assert_eq!(WantMessage::decode(b"d1:vi1e1:w0:e"), Ok(Some(WantMessage::default())));
    }

    #[test]
    fn other_versions_broken_ranges_and_long_lists_are_not_taken() {
        assert_eq!(WantMessage::decode(b"d1:vi2e1:w0:e"), Ok(None));
        assert!(matches!(WantMessage::decode(b"d1:vi1ee"), Err(Error::Field { .. })));
        assert!(matches!(WantMessage::decode(b"d1:vi1e1:w2:aae"), Err(Error::Field { .. })));
        let want = Want { first: PieceIndex(0), count: 1, within_ms: 0 };
        let many = |count| WantMessage { ranges: vec![want; count] }.encode();
        assert!(WantMessage::decode(&many(limit::WANTS_MAX)).is_ok());
        let over = WantMessage::decode(&many(limit::WANTS_MAX + 1));
        assert!(matches!(over, Err(Error::Text { .. })));
    }

    proptest! {
        #[test]
        fn arbitrary_payloads_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            if let Ok(Some(read)) = WantMessage::decode(&bytes) {
                prop_assert_eq!(WantMessage::decode(&read.encode()), Ok(Some(read)));
            }
        }
    }
}
