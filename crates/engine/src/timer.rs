//! The one table of timers. Nothing else in the engine waits for a time.

use headwater_base::{LinkId, Map, Set, Time, TorrentId};

use crate::Wake;

/// Everything the engine waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// A link must have shown its handshake.
    Handshake(LinkId),
    /// We greet a link though its peer has not.
    Greet(LinkId),
    /// A link needs a sign of life from us.
    KeepAlive(LinkId),
    /// A link may have been silent too long.
    Silence(LinkId),
    /// A peer may owe blocks for too long.
    Snub(LinkId),
    /// A second link to a peer may go.
    Retire(LinkId),
    /// Neither side of a link may have use for it.
    Useless(LinkId),
    /// A link may send a block under the limits.
    Upload(LinkId),
    /// A link may ask for a block under the limits.
    Download(LinkId),
    /// A peer may be told who came and who went.
    Pex(LinkId),
    /// Upload slots are given out anew.
    Choke(TorrentId),
    /// Metadata may be asked of somebody else.
    Metadata(TorrentId),
    /// Hashes may be asked of somebody else.
    Hashes(TorrentId),
    /// Urgent blocks may be late.
    Urgent(TorrentId),
    /// Web seeds may be asked, or owe bytes for too long.
    WebSeeds(TorrentId),
    /// Peers hear what readers want soon.
    Want(TorrentId),
    /// Speeds have changed.
    Measure,
}

impl Timer {
    /// Its name, for logs and tests.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Handshake(_) => "handshake",
            Self::Greet(_) => "greet",
            Self::KeepAlive(_) => "keep-alive",
            Self::Silence(_) => "silence",
            Self::Snub(_) => "snub",
            Self::Retire(_) => "retire",
            Self::Useless(_) => "useless",
            Self::Upload(_) => "upload",
            Self::Download(_) => "download",
            Self::Pex(_) => "peer exchange",
            Self::Choke(_) => "choke",
            Self::Metadata(_) => "metadata",
            Self::Hashes(_) => "hashes",
            Self::Urgent(_) => "urgent",
            Self::WebSeeds(_) => "web seeds",
            Self::Want(_) => "want",
            Self::Measure => "measure",
        }
    }
}

/// Which timer rings when.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    at: Map<Timer, Time>,
    queue: Set<(Time, Timer)>,
}

impl Timers {
    /// Sets `timer`, whenever it was set for before.
    pub(crate) fn set(&mut self, timer: Timer, at: Time) {
        self.clear(timer);
        self.at.insert(timer, at);
        self.queue.insert((at, timer));
    }

    /// Sets `timer` unless it is set.
    pub(crate) fn start(&mut self, timer: Timer, at: Time) {
        if !self.at.contains_key(&timer) {
            self.set(timer, at);
        }
    }

    /// Sets `timer` unless it is set for an earlier time.
    pub(crate) fn sooner(&mut self, timer: Timer, at: Time) {
        if self.at.get(&timer).is_none_or(|known| *known > at) {
            self.set(timer, at);
        }
    }

    /// Whether `timer` is set.
    pub(crate) fn is_set(&self, timer: Timer) -> bool {
        self.at.contains_key(&timer)
    }

    /// Unsets `timer`.
    pub(crate) fn clear(&mut self, timer: Timer) {
        if let Some(at) = self.at.remove(&timer) {
            self.queue.remove(&(at, timer));
        }
    }

    /// Unsets all of a link's timers.
    pub(crate) fn clear_link(&mut self, link: LinkId) {
        for timer in [
            Timer::Handshake(link),
            Timer::Greet(link),
            Timer::KeepAlive(link),
            Timer::Silence(link),
            Timer::Snub(link),
            Timer::Retire(link),
            Timer::Useless(link),
            Timer::Upload(link),
            Timer::Download(link),
            Timer::Pex(link),
        ] {
            self.clear(timer);
        }
    }

    /// Takes a timer that is due; it is unset.
    pub(crate) fn due(&mut self, now: Time) -> Option<Timer> {
        let &(at, timer) = self.queue.first()?;
        if at > now {
            return None;
        }
        self.clear(timer);
        Some(timer)
    }

    /// The next one.
    pub(crate) fn next(&self) -> Option<Wake> {
        self.queue.first().map(|&(at, timer)| Wake { at, why: timer.name() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timers_ring_in_order_and_once() {
        let mut timers = Timers::default();
        timers.set(Timer::Measure, Time::from_millis(9));
        timers.set(Timer::Silence(LinkId(1)), Time::from_millis(5));
        timers.set(Timer::Silence(LinkId(1)), Time::from_millis(7));
        timers.start(Timer::Measure, Time::from_millis(1));
        assert_eq!(timers.next(), Some(Wake { at: Time::from_millis(7), why: "silence" }));
        assert_eq!(timers.due(Time::from_millis(6)), None);
        assert_eq!(timers.due(Time::from_millis(9)), Some(Timer::Silence(LinkId(1))));
        assert_eq!(timers.due(Time::from_millis(9)), Some(Timer::Measure));
        assert_eq!(timers.next(), None);
    }

    #[test]
    fn clear_link_leaves_other_links_alone() {
        let mut timers = Timers::default();
        timers.set(Timer::Snub(LinkId(1)), Time::ZERO);
        timers.set(Timer::Snub(LinkId(2)), Time::ZERO);
        timers.clear_link(LinkId(1));
        assert_eq!(timers.due(Time::ZERO), Some(Timer::Snub(LinkId(2))));
        assert_eq!(timers.due(Time::ZERO), None);
    }
}
