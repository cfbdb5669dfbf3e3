//! How many torrents one browser has bridged, and how fast new ones are joined for all of them:
//! each costs announces and look-ups at others.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use headwater_base::InfoHash;
use headwater_tracker::{ProcessId, SocketId};

/// Torrents that may be joined at once, and the time that allows one more.
const JOINS_AT_ONCE: u32 = 20;
const JOIN_EVERY: Duration = Duration::from_secs(2);

/// Browsers remembered; when they are more, those that came first are forgotten.
const BROWSERS_MAX: usize = 10_000;

/// A browser: its socket, and the process of the fleet that has it if that is another one.
type Browser = (Option<ProcessId>, SocketId);

/// What one browser has bridged.
struct Seeks {
    /// Counts browsers in the order they came.
    since: u64,
    hashes: BTreeSet<InfoHash>,
}

/// Who asked for what.
pub(super) struct Seekers {
    most: usize,
    of: BTreeMap<Browser, Seeks>,
    by_age: BTreeMap<u64, Browser>,
    count: u64,
    left: u32,
    filled: Option<Instant>,
}

impl Seekers {
    pub(super) fn new(torrents_per_browser_max: usize) -> Self {
        Self {
            most: torrents_per_browser_max,
            of: BTreeMap::new(),
            by_age: BTreeMap::new(),
            count: 0,
            left: JOINS_AT_ONCE,
            filled: None,
        }
    }

    /// Whether a torrent may be joined for whoever announced it.
    pub(super) fn may_seek(&mut self, now: Instant, browser: Browser, hash: InfoHash) -> bool {
        let known = self.of.get(&browser);
        let is_full = |seeks: &Seeks| seeks.hashes.len() >= self.most;
        if known.is_some_and(|seeks| is_full(seeks) && !seeks.hashes.contains(&hash))
            || !self.take(now)
        {
            return false;
        }
        self.put(browser, hash);
        true
    }

    fn put(&mut self, browser: Browser, hash: InfoHash) {
        if let Some(seeks) = self.of.get_mut(&browser) {
            seeks.hashes.insert(hash);
            return;
        }
        if self.of.len() >= BROWSERS_MAX
            && let Some((_, first)) = self.by_age.pop_first()
        {
            self.of.remove(&first);
        }
        self.count += 1;
        self.by_age.insert(self.count, browser);
        self.of.insert(browser, Seeks { since: self.count, hashes: [hash].into() });
    }

    /// Counts a torrent for nobody: it is bridged no longer.
    pub(super) fn forget(&mut self, hash: InfoHash) {
        self.keep(|_, seeks| !seeks.hashes.remove(&hash) || !seeks.hashes.is_empty());
    }

    /// Forgets browsers of processes that do not live.
    pub(super) fn forget_all_but(&mut self, live: &BTreeSet<ProcessId>) {
        self.keep(|(process, _), _| process.is_none_or(|process| live.contains(&process)));
    }

    fn keep(&mut self, mut keeps: impl FnMut(&Browser, &mut Seeks) -> bool) {
        let by_age = &mut self.by_age;
        self.of.retain(|browser, seeks| {
            let kept = keeps(browser, seeks);
            if !kept {
                by_age.remove(&seeks.since);
            }
            kept
        });
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

    #[test]
    fn who_came_first_is_forgotten_first_wherever_it_is() {
        let mut seekers = Seekers::new(2);
        let there = Some(ProcessId([1; 16]));
        seekers.put((there, SocketId(0)), hash(1));
        for socket in 0..BROWSERS_MAX as u64 - 1 {
            seekers.put((None, SocketId(socket)), hash(1));
        }
        seekers.put((None, SocketId(0)), hash(2));
        assert!(seekers.of.contains_key(&(there, SocketId(0))), "there is room");
        seekers.put((there, SocketId(1)), hash(1));
        assert!(!seekers.of.contains_key(&(there, SocketId(0))));
        assert!(seekers.of.contains_key(&(None, SocketId(0))));
        assert_eq!((seekers.of.len(), seekers.by_age.len()), (BROWSERS_MAX, BROWSERS_MAX));
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a moment to count from")]
    fn what_is_bridged_no_longer_and_who_is_gone_do_not_count() {
        let (mut seekers, now) = (Seekers::new(2), Instant::now());
        let [here, live, gone] = [None, Some(ProcessId([1; 16])), Some(ProcessId([2; 16]))]
            .map(|process| (process, SocketId(1)));
        for browser in [here, live, gone] {
            assert!(seekers.may_seek(now, browser, hash(1)));
            assert!(seekers.may_seek(now, browser, hash(2)));
            assert!(!seekers.may_seek(now, browser, hash(3)));
        }
        seekers.forget(hash(1));
        assert!(seekers.may_seek(now, here, hash(3)), "one of two is left");
        seekers.forget_all_but(&[ProcessId([1; 16])].into());
        let known: Vec<_> = seekers.of.keys().copied().collect();
        assert_eq!(known, [here, live]);
        [1, 2, 3].into_iter().for_each(|number| seekers.forget(hash(number)));
        assert!(seekers.of.is_empty() && seekers.by_age.is_empty());
    }
}
