//! How many torrents one browser has bridged, and how fast new ones are joined for all of them:
//! each costs announces and look-ups at others.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use headwater_base::InfoHash;
use headwater_tracker::{ProcessId, SocketId};

/// Torrents that may be joined at once, and the time that allows one more.
const JOINS_AT_ONCE: u32 = 20;
const JOIN_EVERY: Duration = Duration::from_secs(2);

/// Browsers remembered; when they are more, those with the oldest sockets are forgotten.
const BROWSERS_MAX: usize = 10_000;

/// A browser: its socket, and the process of the fleet that has it if that is another one.
type Browser = (Option<ProcessId>, SocketId);

/// Who asked for what.
pub(super) struct Seekers {
    most: usize,
    of: BTreeMap<Browser, BTreeSet<InfoHash>>,
    left: u32,
    filled: Option<Instant>,
}

impl Seekers {
    pub(super) fn new(torrents_per_browser_max: usize) -> Self {
        Self {
            most: torrents_per_browser_max,
            of: BTreeMap::new(),
            left: JOINS_AT_ONCE,
            filled: None,
        }
    }

    /// Whether a torrent may be joined for whoever announced it.
    pub(super) fn may_seek(&mut self, now: Instant, browser: Browser, hash: InfoHash) -> bool {
        let full = self
            .of
            .get(&browser)
            .is_some_and(|seeks| seeks.len() >= self.most && !seeks.contains(&hash));
        if full || !self.take(now) {
            return false;
        }
        if self.of.len() >= BROWSERS_MAX && !self.of.contains_key(&browser) {
            self.of.pop_first();
        }
        self.of.entry(browser).or_default().insert(hash);
        true
    }

    fn take(&mut self, now: Instant) -> bool {
        let since = self.filled.map_or(Duration::ZERO, |filled| now - filled);
        let more = (since.as_millis() / JOIN_EVERY.as_millis()) as u32;
        if more > 0 || self.filled.is_none() {
            self.filled = Some(now);
            self.left = self.left.saturating_add(more).min(JOINS_AT_ONCE);
        }
        let taken = self.left > 0;
        self.left = self.left.saturating_sub(1);
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(n: u8) -> InfoHash {
        InfoHash([n; 20])
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a moment to count from")]
    fn one_browser_has_few_torrents_and_all_together_a_pace() {
        let (mut seekers, now) = (Seekers::new(2), Instant::now());
        let taken = |seekers: &mut Seekers, at, socket, n| {
            seekers.may_seek(at, (None, SocketId(socket)), hash(n))
        };
        assert!(taken(&mut seekers, now, 1, 1) && taken(&mut seekers, now, 1, 2));
        assert!(!taken(&mut seekers, now, 1, 3), "a third");
        assert!(taken(&mut seekers, now, 1, 2), "one of the first again");
        let others = (10..60).filter(|n| taken(&mut seekers, now, u64::from(*n), *n)).count();
        assert_eq!(others as u32, JOINS_AT_ONCE - 3);
        let later = now + JOIN_EVERY * 3;
        let others = (60..90).filter(|n| taken(&mut seekers, later, u64::from(*n), *n)).count();
        assert_eq!(others, 3);
    }
}
