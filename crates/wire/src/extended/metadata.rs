//! The messages by which peers give each other the info dictionary (BEP 9).
//! The dictionary written is flat, so that its first `ee` is its end: ut_metadata 5 cuts there.

use bytes::Bytes;
use headwater_metainfo::bencode::{DictBuilder, Value};

use super::RULES;
use crate::{Error, limit};

/// One metadata message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MetadataMessage {
    /// The sender wants this piece of the info dictionary.
    Request {
        /// Which 16 KiB piece.
        piece: u32,
    },
    /// A piece of the info dictionary.
    Data {
        /// Which 16 KiB piece.
        piece: u32,
        /// Size of the whole dictionary, if it is said.
        total_size: Option<u32>,
        /// The bytes: 16 KiB, fewer in the last piece.
        data: Bytes,
    },
    /// The sender does not give this piece.
    Reject {
        /// Which 16 KiB piece.
        piece: u32,
    },
}

impl MetadataMessage {
    /// The payload of the extended message.
    pub fn encode(&self) -> Bytes {
        let head = |kind, piece: &u32| {
            DictBuilder::new().int("msg_type", kind).int("piece", i64::from(*piece))
        };
        let bytes = match self {
            Self::Request { piece } => head(0, piece).finish(),
            Self::Reject { piece } => head(2, piece).finish(),
            Self::Data { piece, total_size, data } => {
                let mut dict = head(1, piece);
                if let Some(size) = total_size {
                    dict = dict.int("total_size", i64::from(*size));
                }
                let mut bytes = dict.finish();
                bytes.extend_from_slice(data);
                bytes
            }
        };
        Bytes::from(bytes)
    }

    /// Reads the payload of an extended message; `None` for a kind not known here, which BEP 9
    /// says to ignore. A piece's bytes are a slice of the payload.
    pub fn decode(payload: &Bytes) -> Result<Option<Self>, Error> {
        let (dict, data) = RULES.parse_prefix(payload)?;
        let int = |key| dict.lookup(key).and_then(Value::int);
        let kind = int("msg_type").ok_or(Error::Field { key: "msg_type", needed: "integer" })?;
        if !(0..=2).contains(&kind) {
            return Ok(None);
        }
        let found = int("piece").ok_or(Error::Field { key: "piece", needed: "integer" })?;
        let allowed = u32::MAX;
        let piece =
            u32::try_from(found).map_err(|_| Error::Range { key: "piece", found, allowed })?;
        if kind == 0 {
            return Ok(Some(Self::Request { piece }));
        }
        if kind == 2 {
            return Ok(Some(Self::Reject { piece }));
        }
        let allowed = limit::METADATA_PIECE_BYTES;
        if data.len() > allowed {
            return Err(Error::MetadataPiece { found: data.len(), allowed });
        }
        let total_size = int("total_size").and_then(|size| u32::try_from(size).ok());
        Ok(Some(Self::Data { piece, total_size, data: payload.slice_ref(data) }))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn data() -> MetadataMessage {
        let data = Bytes::from_static(b"xxxxxxxx");
        MetadataMessage::Data { piece: 0, total_size: Some(3425), data }
    }

    #[test]
    fn wire_forms_are_those_of_bep_9() {
        let check = |message: MetadataMessage, expect: &'static [u8]| {
            assert_eq!(message.encode(), expect);
            assert_eq!(MetadataMessage::decode(&Bytes::from(expect)), Ok(Some(message)));
        };
        check(MetadataMessage::Request { piece: 0 }, b"d8:msg_typei0e5:piecei0ee");
        check(data(), b"d8:msg_typei1e5:piecei0e10:total_sizei3425eexxxxxxxx");
        check(MetadataMessage::Reject { piece: 0 }, b"d8:msg_typei2e5:piecei0ee");
    }

    #[test]
    fn first_double_e_ends_the_dictionary() {
        for message in [MetadataMessage::Request { piece: 12 }, data()] {
            let bytes = message.encode();
            let cut = bytes.windows(2).position(|pair| pair == b"ee").unwrap() + 2;
            let rest = &bytes[cut..];
            assert!(rest.is_empty() || rest == b"xxxxxxxx");
        }
    }

    #[test]
    fn piece_bytes_are_a_slice_of_the_payload() {
        let payload = data().encode();
        let Ok(Some(MetadataMessage::Data { data, .. })) = MetadataMessage::decode(&payload) else {
            panic!("no data")
        };
        assert_eq!(data.as_ptr(), payload[payload.len() - 8..].as_ptr());
    }

    #[test]
    fn unknown_kinds_are_ignored_and_bad_ones_refused() {
        let decode = |text: &'static [u8]| MetadataMessage::decode(&Bytes::from(text));
        assert_eq!(decode(b"d8:msg_typei3ee"), Ok(None));
        let field = |key| Err(Error::Field { key, needed: "integer" });
        assert_eq!(decode(b"d5:piecei0ee"), field("msg_type"));
        assert_eq!(decode(b"d8:msg_typei0ee"), field("piece"));
        assert_eq!(decode(b"i7e"), field("msg_type"));
        let expect = Error::Range { key: "piece", found: -1, allowed: u32::MAX };
        assert_eq!(decode(b"d8:msg_typei0e5:piecei-1ee"), Err(expect));
    }

    #[test]
    fn pieces_longer_than_16_kib_are_refused() {
        let message = |len| {
            let data = Bytes::from(vec![0; len]);
            MetadataMessage::Data { piece: 1, total_size: None, data }.encode()
        };
        assert!(MetadataMessage::decode(&message(16384)).is_ok());
        let expect = Error::MetadataPiece { found: 16385, allowed: 16384 };
        assert_eq!(MetadataMessage::decode(&message(16385)), Err(expect));
    }

    proptest! {
        #[test]
        fn damaged_messages_never_panic(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
            let mut bytes = data().encode().to_vec();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            if let Ok(Some(read)) = MetadataMessage::decode(&Bytes::from(bytes)) {
                prop_assert_eq!(MetadataMessage::decode(&read.encode()), Ok(Some(read)));
            }
        }
    }
}
