//! The decoder against every cut, every size and arbitrary bytes.

use headwater_base::{InfoHash, PeerId, PieceIndex};
use proptest::prelude::*;

use super::*;
use crate::{BlockSpan, Reserved};

const SPAN: BlockSpan = BlockSpan { piece: PieceIndex(3), begin: 16384, len: 16384 };

const HASHES: HashSpan = HashSpan { root: [3; 32], base: 2, index: 8, length: 4, proof_layers: 2 };

fn handshake() -> Handshake {
    Handshake {
        info_hash: InfoHash([1; 20]),
        peer_id: PeerId([2; 20]),
        reserved: Reserved::default().with_extension(),
    }
}

fn one_of_each() -> Vec<Message> {
    let bytes = Bytes::from_static(b"payload");
    vec![
        Message::KeepAlive,
        Message::Choke,
        Message::Unchoke,
        Message::Interested,
        Message::NotInterested,
        Message::Have(PieceIndex(0x0102_0304)),
        Message::Bitfield(bytes.clone()),
        Message::Request(SPAN),
        Message::Piece { piece: PieceIndex(9), begin: 16384, data: bytes.clone() },
        Message::Piece { piece: PieceIndex(9), begin: 0, data: Bytes::new() },
        Message::Cancel(SPAN),
        Message::Port(6881),
        Message::Suggest(PieceIndex(5)),
        Message::HaveAll,
        Message::HaveNone,
        Message::Reject(SPAN),
        Message::AllowedFast(PieceIndex(6)),
        Message::Extended { id: 0, payload: Bytes::from_static(b"de") },
        Message::Extended { id: 7, payload: Bytes::new() },
        Message::HashRequest(HASHES),
        Message::Hashes { span: HASHES, hashes: vec![9; 5 * 32].into() },
        Message::HashReject(HASHES),
        Message::Unknown { id: 24, payload: bytes },
        Message::Unknown { id: 255, payload: Bytes::new() },
    ]
}

fn encoded(messages: &[Message]) -> Vec<u8> {
    let mut out = handshake().to_bytes().to_vec();
    messages.iter().for_each(|message| message.encode(&mut out));
    out
}

fn past_handshake() -> Decoder {
    let mut decoder = Decoder::new();
    decoder.push(Bytes::copy_from_slice(&handshake().to_bytes()));
    assert_eq!(decoder.next_handshake(), Ok(Some(handshake())));
    decoder
}

/// Pushes the parts in turn and takes all there is after each.
fn decode<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<Message>, Error> {
    let (mut decoder, mut messages) = (Decoder::new(), Vec::new());
    for part in parts {
        decoder.push(Bytes::copy_from_slice(part));
        decoder.next_handshake()?;
        while let Some(message) = decoder.next_message()? {
            messages.push(message);
        }
    }
    Ok(messages)
}

/// What a message with this length prefix and id gives, no more bytes behind it.
fn refusal(len: u32, id: u8) -> Option<Error> {
    let mut decoder = past_handshake();
    decoder.push(Bytes::copy_from_slice(&len.to_be_bytes()));
    decoder.push(Bytes::copy_from_slice(&[id]));
    decoder.next_message().err()
}

#[test]
fn every_message_survives_every_cut_in_two() {
    for message in one_of_each() {
        let bytes = encoded(std::slice::from_ref(&message));
        for at in 0..=bytes.len() {
            let (a, b) = bytes.split_at(at);
            assert_eq!(decode([a, b]), Ok(vec![message.clone()]), "cut at {at}");
        }
    }
}

#[test]
fn messages_come_out_alike_byte_by_byte_and_all_at_once() {
    let messages = one_of_each();
    let bytes = encoded(&messages);
    assert_eq!(decode([&bytes[..]]), Ok(messages.clone()));
    assert_eq!(decode(bytes.chunks(1)), Ok(messages));
}

#[test]
fn wire_forms_are_those_of_bep_3_and_6() {
    let check = |message: Message, expect: &[u8]| {
        let mut out = Vec::new();
        message.encode(&mut out);
        assert_eq!(out, expect, "{message:?}");
    };
    check(Message::KeepAlive, &[0, 0, 0, 0]);
    check(Message::Unchoke, &[0, 0, 0, 1, 1]);
    check(Message::Have(PieceIndex(258)), &[0, 0, 0, 5, 4, 0, 0, 1, 2]);
    check(Message::Request(SPAN), &[0, 0, 0, 13, 6, 0, 0, 0, 3, 0, 0, 64, 0, 0, 0, 64, 0]);
    let data = Bytes::from_static(b"xy");
    let piece = Message::Piece { piece: PieceIndex(1), begin: 2, data };
    check(piece, &[0, 0, 0, 11, 7, 0, 0, 0, 1, 0, 0, 0, 2, b'x', b'y']);
    check(Message::Port(0x1ae1), &[0, 0, 0, 3, 9, 0x1a, 0xe1]);
    check(Message::HaveAll, &[0, 0, 0, 1, 14]);
    check(Message::Reject(SPAN), &[0, 0, 0, 13, 16, 0, 0, 0, 3, 0, 0, 64, 0, 0, 0, 64, 0]);
    check(Message::AllowedFast(PieceIndex(2)), &[0, 0, 0, 5, 17, 0, 0, 0, 2]);
    let payload = Bytes::from_static(b"de");
    check(Message::Extended { id: 0, payload }, &[0, 0, 0, 4, 20, 0, b'd', b'e']);
}

#[test]
fn block_that_lies_in_one_push_is_not_copied() {
    let head = Message::piece_head(SPAN);
    let block = Bytes::from(vec![7; 16384]);
    let mut decoder = past_handshake();
    decoder.push(Bytes::copy_from_slice(&head));
    assert_eq!(decoder.next_message(), Ok(None));
    decoder.push(block.clone());
    let Ok(Some(Message::Piece { data, .. })) = decoder.next_message() else { panic!("no piece") };
    assert_eq!(data.as_ptr(), block.as_ptr());

    let mut several = Vec::new();
    for _ in 0..3 {
        several.extend_from_slice(&head);
        several.extend_from_slice(&block);
    }
    let several = Bytes::from(several);
    decoder.push(several.clone());
    for nth in 0..3 {
        let Ok(Some(Message::Piece { data, .. })) = decoder.next_message() else {
            panic!("no piece {nth}")
        };
        assert_eq!(data.as_ptr(), several[nth * (13 + 16384) + 13..].as_ptr());
    }
    assert_eq!((decoder.next_message(), decoder.held()), (Ok(None), 0));
}

#[test]
fn prefix_of_four_gigabytes_is_refused_before_the_id() {
    let found = limit::MESSAGE_BYTES_MAX + 1;
    let mut decoder = past_handshake();
    decoder.push(Bytes::copy_from_slice(&found.to_be_bytes()));
    let expect = Error::Prefix { found, allowed: limit::MESSAGE_BYTES_MAX };
    assert_eq!(decoder.next_message(), Err(expect));

    let mut decoder = past_handshake();
    decoder.push(Bytes::from_static(&[0xff; 4]));
    let expect = Error::Prefix { found: u32::MAX, allowed: limit::MESSAGE_BYTES_MAX };
    assert_eq!(decoder.next_message(), Err(expect.clone()));
    decoder.push(Bytes::from_static(&[0; 4]));
    assert_eq!((decoder.next_message(), decoder.held()), (Err(expect), 0));
}

#[test]
fn sizes_that_a_kind_cannot_have_are_refused_at_the_id() {
    let exact = [(0, 1), (3, 1), (4, 5), (6, 13), (8, 13), (9, 3), (13, 5), (14, 1), (17, 5)];
    for (id, len) in exact {
        assert_eq!(refusal(len, id), None);
        let allowed = len;
        let expect = Error::TooLong { id, found: len + 1, allowed };
        assert_eq!(refusal(len + 1, id), Some(expect));
        if len > 1 {
            let expect = Error::TooShort { id, found: len - 1, needed: len };
            assert_eq!(refusal(len - 1, id), Some(expect));
        }
    }
    let piece_max = 9 + limit::BLOCK_BYTES_MAX;
    assert_eq!(refusal(piece_max, 7), None);
    assert!(matches!(refusal(piece_max + 1, 7), Some(Error::TooLong { id: 7, .. })));
    assert!(matches!(refusal(8, 7), Some(Error::TooShort { id: 7, needed: 9, .. })));
    assert!(matches!(refusal(1, 20), Some(Error::TooShort { id: 20, needed: 2, .. })));
    assert_eq!(refusal(limit::MESSAGE_BYTES_MAX, 20), None);
    assert!(matches!(refusal(limit::MESSAGE_BYTES_MAX, 99), Some(Error::TooLong { .. })));
}

#[test]
fn bitfield_longer_than_the_torrent_is_refused() {
    let mut decoder = past_handshake();
    decoder.set_pieces(9);
    decoder.push(Bytes::from_static(&[0, 0, 0, 3, 5, 0xff, 0x80]));
    let bits = Bytes::from_static(&[0xff, 0x80]);
    assert_eq!(decoder.next_message(), Ok(Some(Message::Bitfield(bits))));
    decoder.push(Bytes::from_static(&[0, 0, 0, 4, 5]));
    let expect = Error::TooLong { id: 5, found: 4, allowed: 3 };
    assert_eq!(decoder.next_message(), Err(expect));
}

#[test]
fn messages_wait_for_the_handshake_to_be_read() {
    let mut decoder = Decoder::new();
    decoder.push(Bytes::from(encoded(&[Message::HaveAll])));
    assert_eq!(decoder.next_message(), Ok(None));
    assert_eq!(decoder.next_handshake(), Ok(Some(handshake())));
    assert_eq!(decoder.next_handshake(), Ok(None));
    assert_eq!(decoder.next_message(), Ok(Some(Message::HaveAll)));
}

#[test]
fn foreign_protocol_is_refused_at_its_first_byte() {
    let mut decoder = Decoder::new();
    decoder.push(Bytes::from_static(b"\x13Bit"));
    assert_eq!(decoder.next_handshake(), Ok(None));
    decoder.push(Bytes::from_static(b"c"));
    let expect = Error::Protocol { at: 4, found: b'c', expected: b'T' };
    assert_eq!(decoder.next_handshake(), Err(expect));
}

#[test]
fn drip_holds_what_was_sent_and_little_more() {
    let mut decoder = past_handshake();
    decoder.push(Bytes::copy_from_slice(&limit::MESSAGE_BYTES_MAX.to_be_bytes()));
    decoder.push(Bytes::from_static(&[20, 1]));
    for _ in 0..100 {
        decoder.push(Bytes::from_static(&[0; 10]));
        assert_eq!(decoder.next_message(), Ok(None));
    }
    assert_eq!(decoder.held(), 1001);
    assert!(decoder.body.capacity() <= limit::ASSEMBLY_BYTES);
}

proptest! {
    #[test]
    fn any_cut_of_any_order_gives_the_same_messages(
        picks in prop::collection::vec(0..21_usize, 0..20),
        cuts in prop::collection::vec(1..40_usize, 1..20),
    ) {
        let all = one_of_each();
        let messages: Vec<_> = picks.iter().map(|at| all[*at].clone()).collect();
        let bytes = encoded(&messages);
        let (mut rest, mut parts) = (&bytes[..], Vec::new());
        for cut in cuts.iter().cycle() {
            let (part, tail) = rest.split_at(rest.len().min(*cut));
            parts.push(part);
            rest = tail;
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(decode(parts), Ok(messages));
    }

    #[test]
    fn damaged_streams_end_in_an_error_or_other_messages_but_never_in_a_panic(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        step in 1..50_usize,
    ) {
        let mut bytes = encoded(&one_of_each());
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let mut decoder = Decoder::new();
        for part in bytes.chunks(step) {
            decoder.push(Bytes::copy_from_slice(part));
            if decoder.next_handshake().is_err() {
                break;
            }
            while let Ok(Some(_)) = decoder.next_message() {}
            prop_assert!(decoder.held() <= bytes.len());
        }
    }

    #[test]
    fn arbitrary_bytes_after_the_handshake_never_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let mut decoder = past_handshake();
        decoder.push(Bytes::from(bytes));
        while let Ok(Some(message)) = decoder.next_message() {
            let mut out = Vec::new();
            message.encode(&mut out);
            prop_assert!(out.len() >= 4);
        }
    }
}

#[test]
fn hash_messages_have_the_form_of_bep_52() {
    let mut out = Vec::new();
    Message::HashRequest(HASHES).encode(&mut out);
    let mut expect = vec![0, 0, 0, 49, 21];
    expect.extend([3; 32]);
    expect.extend([0, 0, 0, 2, 0, 0, 0, 8, 0, 0, 0, 4, 0, 0, 0, 2]);
    assert_eq!(out, expect);
    assert_eq!(refusal(48, 21), Some(Error::TooShort { id: 21, found: 48, needed: 49 }));
    assert_eq!(refusal(50, 23), Some(Error::TooLong { id: 23, found: 50, allowed: 49 }));
    let most = 49 + limit::HASHES_BYTES_MAX;
    assert_eq!(refusal(most, 22), None);
    assert_eq!(
        refusal(most + 1, 22),
        Some(Error::TooLong { id: 22, found: most + 1, allowed: most })
    );
}

#[test]
fn hashes_that_are_not_as_many_as_they_say_are_refused() {
    let check = |span: HashSpan, bytes: usize| {
        let mut decoder = past_handshake();
        let mut out = Vec::new();
        Message::Hashes { span, hashes: vec![0; bytes].into() }.encode(&mut out);
        decoder.push(out.into());
        decoder.next_message()
    };
    assert!(check(HASHES, 5 * 32).is_ok());
    let wrong = |found| Err(Error::HashBytes { found, needed: 5 * 32 });
    for found in [0, 4 * 32, 5 * 32 - 1, 5 * 32 + 1, 6 * 32] {
        assert_eq!(check(HASHES, found), wrong(found));
    }
    let odd = HashSpan { length: 3, ..HASHES };
    assert!(matches!(check(odd, 3 * 32), Err(Error::HashSpan { length: 3, .. })));
}
