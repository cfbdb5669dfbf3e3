//! What `serve` is told of the bridge, made into its settings.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use headwater_base::InfoHash;
use headwater_hybrid::bridge::{BridgeConfig, Policy};
use headwater_metainfo::Magnet;

use super::args::{Bridges, Serve};
use super::failure::Failure;
use super::{folders, peer};

/// Torrents listed at most.
const LISTED_MAX: usize = 1_000_000;

/// The settings of the bridge, if one is to run.
pub(crate) fn config(args: &Serve) -> Result<Option<BridgeConfig>, Failure> {
    let policy = match (args.bridge, &args.bridge_list) {
        (Bridges::Off, _) => return Ok(None),
        (Bridges::Paid, _) => {
            let message = "this version cannot be paid yet, so it bridges nothing for pay; use \
                           --bridge open, or --bridge listed with --bridge-list FILE";
            return Err(Failure::input("bridge-paid", message));
        }
        (Bridges::Listed, None) => {
            let message = "--bridge listed needs --bridge-list FILE: an info-hash or magnet link \
                           a line";
            return Err(Failure::input("bridge-list", message));
        }
        (Bridges::Listed, Some(file)) => Policy::Listed(listed(file)?),
        (Bridges::Open, _) => Policy::Open,
    };
    let folder = match &args.bridge_dir {
        Some(folder) => folder.clone(),
        None => folders::cache()
            .ok_or_else(|| {
                let message = "no home folder is known: name one with --bridge-dir DIR";
                Failure::input("bridge-dir", message)
            })?
            .join("bridge"),
    };
    fs::create_dir_all(&folder).map_err(|e| Failure::file(&folder, &e))?;
    Ok(Some(BridgeConfig {
        policy,
        folder,
        cache_bytes: args.bridge_cache,
        torrents_max: args.bridge_torrents,
        torrents_per_browser_max: args.bridge_torrents_per_browser,
        takes_trackers: args.local_trackers || !peer::stays_here(&args.peer),
        peers: args.peer.peer.clone(),
    }))
}

/// Reads a list: blank lines and those that start with `#` say nothing.
fn listed(file: &Path) -> Result<BTreeSet<InfoHash>, Failure> {
    let text = fs::read_to_string(file).map_err(|e| Failure::file(file, &e))?;
    let mut listed = BTreeSet::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let hashes = hashes(line);
        if hashes.is_empty() || listed.len() >= LISTED_MAX {
            let shown = file.display();
            let message = format!("{shown}, line {}: no info-hash or magnet link", number + 1);
            return Err(Failure::input("bridge-list", message));
        }
        listed.extend(hashes);
    }
    Ok(listed)
}

/// Every info-hash that trackers may know a torrent by.
fn hashes(line: &str) -> Vec<InfoHash> {
    let v2 = || headwater_base::unhex(line)?.try_into().ok();
    if let Ok(magnet) = Magnet::parse(line) {
        let v2 = magnet.info_hash_v2.as_ref().map(InfoHash::cut);
        return [Some(magnet.info_hash), v2].into_iter().flatten().collect();
    }
    InfoHash::from_hex(line).or_else(|| v2().as_ref().map(InfoHash::cut)).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_take_hashes_of_either_version_and_magnet_links() {
        let v1 = "0123456789abcdef0123456789abcdef01234567";
        let v2 = format!("{v1}{}", &v1[..24]);
        assert_eq!(hashes(v1).len(), 1);
        assert_eq!(hashes(&v2), hashes(v1), "trackers know the start of a v2 hash");
        assert_eq!(hashes(&format!("magnet:?xt=urn:btih:{v1}")), hashes(v1));
        assert!(hashes("film").is_empty());
    }
}
