//! Compares every torrent of libtorrent's test set with what libtorrent says of it, where that
//! set is at hand: in `HEADWATER_TORRENTS`, or in the folder named below. What the set tests is
//! covered by this crate's own cases as well.

use std::path::PathBuf;

use headwater_base::hex;
use headwater_metainfo::{Torrent, Version};

/// Where continuous integration keeps the set, seen from the workspace.
const BESIDE_WORKSPACE: &str = "../shared/testdata/torrents";

fn folder() -> PathBuf {
    match std::env::var_os("HEADWATER_TORRENTS") {
        Some(folder) => folder.into(),
        None => [env!("CARGO_MANIFEST_DIR"), "..", "..", BESIDE_WORKSPACE].iter().collect(),
    }
}

/// What is wrong with our reading of one torrent, if anything.
fn judge(bytes: &[u8], verdict: &[&str]) -> Option<String> {
    let ours = Torrent::parse(bytes);
    let [_, word, v1, v2, files, size, pieces, piece_length] = verdict else {
        return ours.ok().map(|_| "accepted, must be refused".to_owned());
    };
    if *word != "accept" {
        return ours.ok().map(|_| "accepted, must be refused".to_owned());
    }
    let torrent = match ours {
        Ok(torrent) => torrent,
        Err(error) => return Some(format!("refused: {error}")),
    };
    // libtorrent pads the last file of v2 alone as well, which no byte ever needs.
    let piece = u64::from(torrent.piece_length);
    let gap = torrent.length.0.next_multiple_of(piece) - torrent.length.0;
    let gap = if torrent.version() == Version::V2 { gap } else { 0 };
    let none = || "-".to_owned();
    let has_v1 = torrent.version() != Version::V2;
    let found = [
        if has_v1 { torrent.info_hash.to_string() } else { none() },
        torrent.info_hash_v2.map_or_else(none, |hash| hex(&hash)),
        (torrent.files.len() + usize::from(gap > 0)).to_string(),
        (torrent.length.0 + gap).to_string(),
        torrent.piece_count().to_string(),
        torrent.piece_length.to_string(),
    ];
    let expect = [v1, v2, files, size, pieces, piece_length].map(|text| (*text).to_owned());
    (found != expect).then(|| format!("found {found:?}, expected {expect:?}"))
}

#[test]
fn verdicts_and_info_hashes_are_libtorrents() {
    let folder = folder();
    let Ok(table) = std::fs::read_to_string(folder.join("verdicts.tsv")) else {
        eprintln!("skipped: no libtorrent test torrents in {}", folder.display());
        return;
    };
    let mut wrong = Vec::new();
    let mut judged = 0;
    for line in table.lines().skip(1) {
        let verdict: Vec<_> = line.trim_end_matches('\t').split('\t').collect();
        let bytes = std::fs::read(folder.join(verdict[0])).expect(verdict[0]);
        wrong.extend(judge(&bytes, &verdict).map(|what| format!("{}: {what}", verdict[0])));
        judged += 1;
    }
    assert!(judged > 70, "only {judged} verdicts");
    assert!(wrong.is_empty(), "{} of {judged} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
