//! Compares two verdicts on one torrent. Where the two engines differ on purpose, says by which
//! policy.

use headwater_base::hex;
use headwater_metainfo::{Error, Torrent, Version};

/// A difference that is meant, and why. In each of them we refuse what libtorrent accepts; there
/// is none the other way round.
pub(crate) struct Policy {
    pub(crate) name: &'static str,
    pub(crate) why: &'static str,
    /// Whether it explains that we refuse by this error.
    refuses: fn(&Error) -> bool,
}

/// Every difference that is meant.
pub(crate) const POLICIES: &[Policy] = &[
    Policy {
        name: "strict bencode",
        why: "a number has one spelling: two spellings are two info-hashes of one torrent",
        refuses: |error| matches!(error, Error::Bencode(_)),
    },
    Policy {
        name: "far versions",
        why: "libtorrent keeps 32 bits of a meta version and takes 2^32 + 2 for 2",
        refuses: |error| matches!(error, Error::MetaVersion { found } if *found > 0x7fff_ffff),
    },
    Policy {
        name: "the smallest number",
        why: "libtorrent reads the smallest 64-bit length as 0",
        refuses: |error| matches!(error, Error::FileLength { found: Some(i64::MIN), .. }),
    },
    Policy {
        name: "half a hybrid",
        why: "without hashes of v1 no peer of its v1 swarm could check anything",
        refuses: |error| matches!(error, Error::NoPieces | Error::NoFiles),
    },
    Policy {
        name: "one root, two lengths",
        why: "a tree has one width, so one of the two files could never be had",
        refuses: |error| matches!(error, Error::PieceLayer { .. }),
    },
];

/// What came of comparing.
pub(crate) enum Outcome {
    Same,
    Meant(&'static str),
    Wrong(String),
}

/// Compares our verdict with a line of `verdicts.py`.
pub(crate) fn judge(ours: &Result<Torrent, Error>, theirs: &str) -> Outcome {
    let words: Vec<_> = theirs.split('\t').collect();
    match (ours, words.as_slice()) {
        (Err(_), ["reject", ..]) => Outcome::Same,
        (Err(error), _) => {
            let found = POLICIES.iter().find(|policy| (policy.refuses)(error));
            let wrong = || Outcome::Wrong(format!("refused: {error}; theirs {theirs}"));
            found.map_or_else(wrong, |policy| Outcome::Meant(policy.name))
        }
        (Ok(_), ["reject", reason]) => Outcome::Wrong(format!("accepted; theirs {reason}")),
        (Ok(torrent), ["accept", expect @ ..]) => {
            let found = shown(torrent);
            let same = found.iter().map(String::as_str).eq(expect.iter().copied());
            if same { Outcome::Same } else { Outcome::Wrong(format!("{found:?}, not {expect:?}")) }
        }
        (Ok(_), _) => Outcome::Wrong(format!("no verdict: {theirs}")),
    }
}

/// Info-hashes, files, bytes, pieces and their length, as libtorrent counts them: it pads the last
/// file of v2 alone as well, which no byte ever needs.
fn shown(torrent: &Torrent) -> [String; 6] {
    let piece = u64::from(torrent.piece_length);
    let gap = torrent.length.0.next_multiple_of(piece) - torrent.length.0;
    let is_v2 = torrent.version() == Version::V2;
    let gap = if is_v2 { gap } else { 0 };
    let v2 = torrent.info_hash_v2.map(|hash| hex(&hash));
    [
        if is_v2 { "-".to_owned() } else { torrent.info_hash.to_string() },
        v2.unwrap_or_else(|| "-".to_owned()),
        (torrent.files.len() + usize::from(gap > 0)).to_string(),
        (torrent.length.0 + gap).to_string(),
        torrent.piece_count().to_string(),
        torrent.piece_length.to_string(),
    ]
}
