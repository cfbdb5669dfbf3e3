//! Where programs of this user keep things (XDG Base Directory Specification).

use std::env;
use std::path::PathBuf;

/// What can be fetched again.
pub(crate) fn cache() -> Option<PathBuf> {
    folder("XDG_CACHE_HOME", ".cache")
}

/// What is to be there at the next start.
pub(crate) fn state() -> Option<PathBuf> {
    folder("XDG_STATE_HOME", ".local/state")
}

/// Our folder in the one a variable names, or in that one below the user's home.
fn folder(variable: &str, below_home: &str) -> Option<PathBuf> {
    let named = |name| env::var_os(name).filter(|path| !path.is_empty()).map(PathBuf::from);
    let folder = named(variable).or_else(|| Some(named("HOME")?.join(below_home)))?;
    Some(folder.join("headwater"))
}
