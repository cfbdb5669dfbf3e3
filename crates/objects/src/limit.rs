//! Every limit of this crate.

use std::time::Duration;

/// Most objects below one URL, as many as a torrent may have files.
pub(crate) const OBJECTS_MAX: usize = headwater_metainfo::limit::FILES_MAX;

/// Bytes read at once for blocks: one request for 64 of them.
pub(crate) const RUN_BYTES: u32 = 1 << 20;

/// Most bytes of runs kept, of all torrents together.
pub(crate) const CACHE_BYTES_MAX: u64 = 64 << 20;

/// Most requests under way at a time, of all torrents together.
pub(crate) const REQUESTS_MAX: usize = 16;

/// Longest wait for a run. A peer asks others meanwhile.
pub(crate) const READ_TIME_MAX: Duration = Duration::from_secs(20);

/// Longest wait for the next bytes of an answer.
pub(crate) const SILENCE_MAX: Duration = Duration::from_secs(30);

/// Wait before a store that is out of reach is asked again; it doubles each time.
pub(crate) const AGAIN_MIN: Duration = Duration::from_secs(1);

/// Longest such wait.
pub(crate) const AGAIN_MAX: Duration = Duration::from_secs(60);

/// Times that a request is repeated before it counts as failed.
pub(crate) const RETRIES_MAX: usize = 3;

/// Time after which it is repeated no more.
pub(crate) const RETRY_TIME_MAX: Duration = Duration::from_secs(15);

/// Pieces that were hashed and not recorded yet: a crash costs these to be hashed again.
pub(crate) const NOTES_MAX: usize = 64;

/// Most bytes of a record that is read.
pub(crate) const RECORD_BYTES_MAX: u64 = 256 << 20;

/// Most entries of the folder of records that are looked at.
pub(crate) const RECORDS_MAX: usize = 100_000;
