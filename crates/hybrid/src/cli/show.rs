//! `headwater show`: what a torrent file or magnet link is, or why it is invalid.

use std::fs;
use std::path::Path;

use headwater_base::hex;
use headwater_metainfo::show::Summary;
use headwater_metainfo::{Error, Magnet, Torrent, limit};
use serde_json::{Value, json};

use super::args::Show;
use super::failure::Failure;
use super::publisher::Told;
use super::{is_magnet, print, print_line};

/// Runs the command.
pub(crate) fn run(args: &Show, json: bool) -> Result<(), Failure> {
    let read = if is_magnet(&args.source) {
        Magnet::parse(&args.source).map(|magnet| {
            let told = magnet.publication.as_ref().map(|said| Told::of(said, &(&magnet).into()));
            (Summary::from(&magnet), told)
        })
    } else {
        Torrent::parse(&bytes(Path::new(&args.source))?).map(|torrent| {
            let told = torrent.publication.as_ref().map(|said| Told::of(said, &(&torrent).into()));
            (Summary::from(&torrent), told)
        })
    };
    match read {
        Ok((summary, told)) if json => print(&full(&summary, told.as_ref())),
        Ok((summary, told)) => print_line(&plain(&summary, told.as_ref())),
        Err(error) => return Err(refused(&error)),
    }
    Ok(())
}

/// All that is told, as JSON.
pub(crate) fn full(summary: &Summary, told: Option<&Told>) -> Value {
    let mut shown: Value = serde_json::from_str(&summary.to_json()).unwrap_or_default();
    shown["publication"] = json!(told.map(Told::json));
    shown
}

/// Reads a torrent file, of which no more is read than a torrent may have.
pub(crate) fn bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    let unreadable = |e| Failure::input("unreadable", format!("{}: {e}", path.display()));
    let size = fs::metadata(path).map_err(unreadable)?.len();
    if size > limit::BENCODE_BYTES_MAX as u64 {
        let allowed = limit::BENCODE_BYTES_MAX;
        let message = format!("torrent file of {size} bytes, at most {allowed} allowed");
        return Err(Failure::input("too-large", message));
    }
    fs::read(path).map_err(unreadable)
}

/// A refused source as a failure.
pub(crate) fn refused(error: &Error) -> Failure {
    Failure::input(error.code(), error)
}

fn plain(summary: &Summary, told: Option<&Told>) -> String {
    let mut lines = vec![format!("name          {}", summary.name.as_deref().unwrap_or("unknown"))];
    if let Some(version) = summary.version {
        lines.push(format!("version       {}", version.name()));
    }
    lines.extend(summary.info_hash_v1.map(|hash| format!("info-hash     {hash}")));
    lines.extend(summary.info_hash_v2.map(|hash| format!("info-hash v2  {}", hex(&hash))));
    if let (Some(length), Some(pieces), Some(piece)) =
        (summary.length, summary.pieces, summary.piece_length)
    {
        lines.push(format!("size          {length} bytes in {pieces} pieces of {piece}"));
    }
    if summary.private {
        lines.push("private       only the trackers below introduce peers".to_owned());
    }
    lines.extend(told.map(Told::lines).unwrap_or_default());
    for url in summary.trackers.iter().flatten() {
        lines.push(format!("tracker       {url}"));
    }
    for url in &summary.web_seeds {
        lines.push(format!("web seed      {url}"));
    }
    for file in summary.files.iter().filter(|file| !file.pad) {
        lines.push(format!("{:>14} {}", file.length, file.path));
    }
    // Names come from strangers: nothing in them may steer the terminal.
    let tame = |line: String| line.replace(|c: char| c.is_control(), "\u{fffd}");
    lines.into_iter().map(tame).collect::<Vec<_>>().join("\n")
}
