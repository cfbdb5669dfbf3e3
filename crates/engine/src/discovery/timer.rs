//! The one timer table of discovery. Knows when a timer is due, not what it is for.

use headwater_base::{InfoHash, LinkId, Map, Set, Time, TorrentId, TrackerId};

/// What a deadline is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    /// A tracker's socket is opened, or took too long to open.
    Socket(TrackerId),
    /// A torrent announces, stops waiting for its offers, or got no answer.
    Announce(TrackerId, InfoHash),
    /// A link attempt took too long, or an offer is too old.
    Attempt(LinkId),
    /// A torrent may ask to be introduced to a stranger.
    Introduce(TorrentId),
    /// A torrent's neighbours hear whom they can be introduced to.
    News(TorrentId),
    /// A torrent may dial an address.
    Dial(TorrentId),
    /// A torrent may be looked for where nobody keeps a list.
    Seek(TorrentId),
    /// A link that came in must have said which torrent it is for.
    Arrival(LinkId),
}

impl Timer {
    /// The name it has in logs and tests.
    pub(super) fn why(self) -> &'static str {
        match self {
            Self::Socket(_) => "tracker socket",
            Self::Announce(..) => "announce",
            Self::Attempt(_) => "link attempt",
            Self::Introduce(_) => "introduction",
            Self::News(_) => "news",
            Self::Dial(_) => "dial",
            Self::Seek(_) => "seek",
            Self::Arrival(_) => "arrival",
        }
    }
}

/// Deadlines, one for each timer at most.
#[derive(Debug, Default)]
pub(super) struct Timers {
    deadlines: Map<Timer, Time>,
    order: Set<(Time, Timer)>,
}

impl Timers {
    /// Sets a timer, whatever it was set to.
    pub(super) fn set(&mut self, timer: Timer, at: Time) {
        self.clear(timer);
        self.deadlines.insert(timer, at);
        self.order.insert((at, timer));
    }

    /// Forgets a timer.
    pub(super) fn clear(&mut self, timer: Timer) {
        if let Some(at) = self.deadlines.remove(&timer) {
            self.order.remove(&(at, timer));
        }
    }

    /// The deadline of a timer.
    pub(super) fn deadline(&self, timer: Timer) -> Option<Time> {
        self.deadlines.get(&timer).copied()
    }

    /// The first deadline and its timer.
    pub(super) fn first(&self) -> Option<(Time, Timer)> {
        self.order.first().copied()
    }

    /// Takes the first timer that is due.
    pub(super) fn pop(&mut self, now: Time) -> Option<Timer> {
        let (at, timer) = self.first()?;
        (at <= now).then(|| {
            self.clear(timer);
            timer
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timer_set_again_fires_once_at_its_last_deadline() {
        let mut timers = Timers::default();
        let timer = Timer::Attempt(LinkId(1));
        timers.set(timer, Time::from_millis(5));
        timers.set(timer, Time::from_millis(9));
        assert_eq!(timers.pop(Time::from_millis(8)), None);
        assert_eq!(timers.first(), Some((Time::from_millis(9), timer)));
        assert_eq!(timers.pop(Time::from_millis(9)), Some(timer));
        assert_eq!((timers.first(), timers.deadline(timer)), (None, None));
    }
}
