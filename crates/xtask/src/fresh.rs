//! Says whether a file that was made is newer than what it was made from.

use std::path::Path;
use std::time::SystemTime;

/// Whether `made` exists and no source is newer.
pub(crate) fn is_fresh(made: &Path, sources: &[&Path]) -> bool {
    made.exists() && sources.iter().all(|source| newest_under(source) <= newest_under(made))
}

/// The newest change of a file, or of any file in a folder. A missing path is as old as can be.
pub(crate) fn newest_under(path: &Path) -> SystemTime {
    let Ok(meta) = path.metadata() else { return SystemTime::UNIX_EPOCH };
    if meta.is_file() {
        return meta.modified().unwrap_or(SystemTime::UNIX_EPOCH);
    }
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    let times = entries.map(|entry| newest_under(&entry.path()));
    times.max().unwrap_or(SystemTime::UNIX_EPOCH)
}
