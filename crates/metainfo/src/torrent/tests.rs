//! Where bytes lie, the way back to bytes and links, and damaged torrents.

mod cases;
mod v2;

use headwater_base::{ByteCount, PieceIndex, Rng, Seed};
use proptest::prelude::*;

use super::{Span, Torrent};
use crate::create::{Draft, Options};

/// A folder of files of these lengths, all bytes zero.
fn folder(lens: &[u64], align: bool) -> Torrent {
    let files = lens.iter().enumerate().map(|(at, len)| (format!("f{at}"), ByteCount(*len)));
    let options = Options {
        trackers: vec![vec!["wss://t/1".into(), "wss://t/2".into()], vec!["udp://t:3".into()]],
        web_seeds: vec!["http://s/".into()],
        comment: Some("c".into()),
        creation_date: Some(-5),
        align,
        ..Options::default()
    };
    let mut draft = Draft::folder("dir", files.collect(), options).unwrap();
    for len in lens {
        draft.feed(&vec![0; *len as usize]).unwrap();
    }
    draft.finish().unwrap()
}

fn span(file: usize, offset: u64, len: u32, pad: bool) -> Span {
    Span { file, offset: ByteCount(offset), len, pad }
}

#[test]
fn spans_cross_files_and_skip_empty_ones() {
    let torrent = folder(&[10, 0, 20, 0, 16384], false);
    let spans = |begin, len| torrent.spans(PieceIndex(0), begin, len).collect::<Vec<_>>();
    assert_eq!(spans(0, 10), [span(0, 0, 10, false)]);
    assert_eq!(spans(9, 2), [span(0, 9, 1, false), span(2, 0, 1, false)]);
    assert_eq!(spans(10, 21), [span(2, 0, 20, false), span(4, 0, 1, false)]);
    assert_eq!(spans(10, 0), []);
    let last = torrent.spans(PieceIndex(1), 0, 16384).collect::<Vec<_>>();
    assert_eq!(last, [span(4, 16354, 30, false)], "cut at the torrent's end");
    assert_eq!(torrent.spans(PieceIndex(u32::MAX), u32::MAX, u32::MAX).count(), 0);
}

#[test]
fn padding_is_marked_in_spans() {
    let torrent = folder(&[10, 5], true);
    let spans: Vec<_> = torrent.piece_spans(PieceIndex(0)).collect();
    assert_eq!(spans, [span(0, 0, 10, false), span(1, 0, 16374, true)]);
    assert_eq!(torrent.piece_spans(PieceIndex(1)).collect::<Vec<_>>(), [span(2, 0, 5, false)]);
}

#[test]
fn files_know_their_pieces() {
    let torrent = folder(&[10, 0, 16384, 16384], false);
    assert_eq!(torrent.file_pieces(0), 0..1);
    assert!(torrent.file_pieces(1).is_empty());
    assert_eq!(torrent.file_pieces(2), 0..2);
    assert_eq!(torrent.file_pieces(3), 1..3);
    assert!(torrent.file_pieces(4).is_empty());
    assert_eq!(torrent.range_pieces(3, 0..1), 1..2);
    assert_eq!(torrent.range_pieces(3, 16373..16374), 1..2);
    assert_eq!(torrent.range_pieces(3, 16374..u64::MAX), 2..3);
    assert!(torrent.range_pieces(3, 16384..16385).is_empty());
    assert!(torrent.range_pieces(3, 5..5).is_empty());
}

#[test]
fn the_magnet_link_names_what_finds_the_torrent() {
    let torrent = folder(&[10], false);
    let magnet = torrent.magnet();
    let expect = format!(
        "magnet:?xt=urn:btih:{}&dn=dir&xl=10&tr=wss%3A%2F%2Ft%2F1&tr=wss%3A%2F%2Ft%2F2\
         &tr=udp%3A%2F%2Ft%3A3&ws=http%3A%2F%2Fs%2F",
        torrent.info_hash
    );
    assert_eq!(magnet.to_string(), expect);
    assert_eq!(crate::Magnet::parse(&expect), Ok(magnet));
}

/// Makes one to eight random changes that keep some of the structure.
fn mutate(rng: &mut Rng, bytes: &mut Vec<u8>) {
    const TOKENS: [&[u8]; 12] = [
        b"i-1e",
        b"i0e",
        b"le",
        b"de",
        b"e",
        b"0:",
        b"4:path",
        b"1:p",
        b"i9223372036854775807e",
        b"99999999999:",
        b"6:length",
        b"2:..",
    ];
    for _ in 0..=rng.below(8) {
        let at = rng.below(bytes.len() as u64 + 1) as usize;
        let end = (at + rng.below(40) as usize).min(bytes.len());
        match rng.below(6) {
            0 if at < bytes.len() => bytes[at] = rng.next_u64() as u8,
            1 if at < bytes.len() => bytes[at] ^= 1 << rng.below(8),
            2 => drop(bytes.drain(at..end)),
            3 => {
                let copy = bytes[at..end].to_vec();
                bytes.splice(at..at, copy);
            }
            4 => bytes.truncate(at.max(1)),
            _ => {
                let token = TOKENS[rng.below(TOKENS.len() as u64) as usize];
                bytes.splice(at..at, token.iter().copied());
            }
        }
    }
}

#[test]
fn damaged_torrents_are_answered_and_the_accepted_ones_are_sound() {
    let mut rng = Seed([3; 32]).split("mutants");
    let good = [folder(&[10, 0, 40_000], true).to_bytes(), folder(&[5], false).to_bytes()];
    let mut accepted = 0;
    for round in 0..20_000 {
        let mut bytes = good[round % good.len()].clone();
        mutate(&mut rng, &mut bytes);
        let Ok(torrent) = Torrent::parse(&bytes) else { continue };
        accepted += 1;
        check_sound(&torrent);
    }
    assert!((500..19_500).contains(&accepted), "{accepted} of 20000 accepted");
}

fn check_sound(torrent: &Torrent) {
    let mut offset = 0;
    for file in &torrent.files {
        assert_eq!(file.offset.0, offset);
        offset += file.length.0;
        for part in file.path.split('/') {
            assert!(!matches!(part, "" | "." | "..") && part.len() <= 255, "{:?}", file.path);
            assert!(!part.contains(['\\', '\0']), "{:?}", file.path);
        }
    }
    assert_eq!(torrent.length.0, offset);
    let covered: u64 = (0..torrent.piece_count())
        .flat_map(|piece| torrent.piece_spans(PieceIndex(piece)))
        .map(|span| u64::from(span.len))
        .sum();
    assert_eq!(covered, torrent.length.0);
    assert_eq!(Torrent::parse(&torrent.to_bytes()).as_ref(), Ok(torrent));
    assert_eq!(crate::Magnet::parse(&torrent.magnet().to_string()), Ok(torrent.magnet()));
}

proptest! {
    #[test]
    fn spans_agree_with_counting_bytes(
        lens in prop::collection::vec(0..40_000_u64, 1..8),
        align: bool,
        begin in 0..20_000_u32,
        len in 0..40_000_u32,
        piece in 0..12_u32,
    ) {
        prop_assume!(lens.iter().sum::<u64>() > 0);
        let torrent = folder(&lens, align);
        let start = u64::from(piece) * u64::from(torrent.piece_length) + u64::from(begin);
        let mut at = start;
        for span in torrent.spans(PieceIndex(piece), begin, len) {
            let file = &torrent.files[span.file];
            prop_assert_eq!(file.offset.0 + span.offset.0, at);
            prop_assert!(span.len > 0 && span.offset.0 + u64::from(span.len) <= file.length.0);
            prop_assert_eq!(span.pad, file.pad);
            if !span.pad {
                let end = span.offset.0 + u64::from(span.len);
                let pieces = torrent.range_pieces(span.file, span.offset.0..end);
                prop_assert_eq!(u64::from(pieces.start), at / u64::from(torrent.piece_length));
            }
            at += u64::from(span.len);
        }
        let expect = (start + u64::from(len)).min(torrent.length.0).max(start);
        prop_assert_eq!(at, expect);
    }
}
