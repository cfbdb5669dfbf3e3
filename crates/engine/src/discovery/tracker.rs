//! One tracker's socket and what each torrent that uses it knows from it.
//! Decides pauses between announces and between retries; sends nothing.

use core::time::Duration;

use headwater_base::{InfoHash, Map, PeerId, Rng, Set, Time};

use super::limit::{
    ANNOUNCE_EAGER, ANNOUNCE_INTERVAL, ANNOUNCE_INTERVAL_DEFAULT, ANNOUNCE_REFUSED, ASK_EAGER,
    ASK_INTERVAL_DEFAULT, MET_MAX, SCRAPE_EVERY, TRACKER_RETRY, TRACKER_SOUND,
    TRACKER_URL_BYTES_MAX, TRACKER_WORDS_MAX, TROUBLE_REPEAT,
};
use crate::{TrackerTrouble, TrackerView};

/// A tracker, whichever torrents announce to it.
#[derive(Debug)]
pub(super) struct Tracker {
    /// Where it is, normalized.
    pub(super) url: String,
    pub(super) socket: Socket,
    /// Failures in a row.
    pub(super) failures: u32,
    /// Why it is out of reach, while it is.
    pub(super) trouble: Option<TrackerTrouble>,
    /// The hashes under which torrents announce to it.
    pub(super) members: Map<InfoHash, Member>,
}

/// How a tracker's socket stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Socket {
    /// Closed; opened again when its timer says so.
    Waiting,
    /// The shell opens it.
    Opening,
    /// Open. `proven` once a message came that makes sense.
    Open {
        /// Since when.
        since: Time,
        /// Whether a message came that makes sense.
        proven: bool,
    },
}

/// One hash of a torrent at one tracker.
#[derive(Debug, Default)]
pub(super) struct Member {
    /// `started` was said.
    pub(super) started: bool,
    /// `completed` is to be said.
    pub(super) completed_due: bool,
    /// The last announce could not say what is known now: what is missing, or another port.
    pub(super) stale: bool,
    /// When it announced last on the open socket.
    pub(super) sent_at: Option<Time>,
    /// The last announce is unanswered.
    pub(super) awaiting: bool,
    /// The next announce waits for its offers to be made.
    pub(super) gathering: bool,
    /// The last announce went before all its offers were made.
    pub(super) short: bool,
    /// What the tracker asked for, clamped.
    pub(super) interval: Option<Duration>,
    /// The least pause the tracker asked for, clamped.
    pub(super) interval_min: Option<Duration>,
    /// Eager announces since there was last a reason for haste.
    pub(super) eager: u32,
    /// Peers with and without everything, as the tracker counts them, us among them.
    pub(super) counts: Option<(u32, u32)>,
    /// When it was last asked to count, and whether it owes the answer.
    scrape: Option<(Time, bool)>,
    /// Peers whose offers or answers came from this tracker.
    met: Set<PeerId>,
    /// What the tracker wants given back.
    pub(super) tracker_id: Option<String>,
    /// The bridge behind it was told of trackers that we cannot ask.
    pub(super) told_elsewhere: bool,
    /// What the tracker holds against this torrent.
    pub(super) trouble: Option<TrackerTrouble>,
    /// The trouble told last, and when.
    told: Option<(TrackerTrouble, Time)>,
    /// Nothing good came since that was told.
    standing: bool,
}

impl Tracker {
    /// A tracker nobody uses yet.
    pub(super) fn new(url: String) -> Self {
        let members = Map::new();
        Self { url, socket: Socket::Waiting, failures: 0, trouble: None, members }
    }

    /// Whether the shell asks it one question at a time; else it has a socket that stays open.
    pub(super) fn is_asked(&self) -> bool {
        !self.url.starts_with("ws")
    }

    /// Whether messages can be sent.
    pub(super) fn is_open(&self) -> bool {
        matches!(self.socket, Socket::Open { .. })
    }

    /// Notes that it said something that makes sense.
    pub(super) fn prove(&mut self) {
        if let Socket::Open { proven, .. } = &mut self.socket {
            *proven = true;
            self.trouble = None;
        }
    }

    /// Notes that its socket is gone; answers how long to wait, about `most` at most, and
    /// whether that is trouble.
    /// A socket that worked for a while is opened again before anyone is told.
    pub(super) fn lose(&mut self, now: Time, most: Duration, rng: &mut Rng) -> (Duration, bool) {
        let (sound, proven) = match self.socket {
            Socket::Open { since, proven } => (proven && now.since(since) >= TRACKER_SOUND, proven),
            Socket::Waiting | Socket::Opening => (false, false),
        };
        self.failures = if sound { 1 } else { self.failures.saturating_add(1) };
        self.socket = Socket::Waiting;
        for member in self.members.values_mut() {
            (member.sent_at, member.awaiting, member.gathering) = (None, false, false);
            member.told_elsewhere = false;
        }
        let doublings = (self.failures - 1).min(16);
        let pause = (TRACKER_RETRY * (1 << doublings)).min(most);
        (jitter(pause * 4 / 5, pause * 2 / 5, rng), !proven || self.failures > 2)
    }

    /// How it looks to a torrent of these hashes. Who is in both swarms of a hybrid is counted
    /// once, since most are.
    pub(super) fn view(&self, hashes: &[InfoHash], next_in: Option<Duration>) -> TrackerView {
        let members = || hashes.iter().filter_map(|hash| self.members.get(hash));
        let trouble = self.trouble.as_ref().or(members().next().and_then(|at| at.trouble.as_ref()));
        let counts = members().filter_map(|member| member.counts);
        let counts = counts.reduce(|one, two| (one.0.max(two.0), one.1.max(two.1)));
        let (complete, incomplete) = counts.unwrap_or_default();
        TrackerView {
            url: self.url.clone(),
            working: trouble.is_none() && counts.is_some(),
            trouble: trouble.map(describe).unwrap_or_default(),
            complete,
            incomplete,
            next_in: next_in.map(|wait| wait.as_secs()),
        }
    }
}

impl Member {
    /// Peers other than us that a torrent may want; `None` while the tracker has not told.
    /// Who has everything needs only those who have not.
    pub(super) fn others(&self, seed: bool) -> Option<usize> {
        let (complete, incomplete) = self.counts?;
        let all =
            if seed { incomplete } else { complete.saturating_add(incomplete).saturating_sub(1) };
        Some(all as usize)
    }

    /// Whether it may be asked to count; notes that it is.
    pub(super) fn is_scrape_due(&mut self, now: Time) -> bool {
        let due = self.scrape.is_none_or(|(at, _)| now.since(at) >= SCRAPE_EVERY);
        if due {
            self.scrape = Some((now, true));
        }
        due
    }

    /// Whether it owes counts; notes that they came.
    pub(super) fn takes_scrape(&mut self) -> bool {
        self.scrape.as_mut().is_some_and(|(_, owed)| core::mem::take(owed))
    }

    /// Remembers that a peer is at this tracker.
    pub(super) fn meet(&mut self, peer: PeerId, known: &Set<PeerId>) {
        if self.met.len() >= MET_MAX {
            self.met.retain(|peer| known.contains(peer));
        }
        if self.met.len() < MET_MAX {
            self.met.insert(peer);
        }
    }

    /// Of the others, how many are not linked, as far as can be told.
    pub(super) fn strangers(&self, seed: bool, known: &Set<PeerId>) -> Option<usize> {
        let linked = self.met.intersection(known).count();
        Some(self.others(seed)?.saturating_sub(linked))
    }

    /// How long after an announce the next follows.
    pub(super) fn pause(&self, eager: bool, asked: bool, rng: &mut Rng) -> Duration {
        let (default, first) = match asked {
            true => (ASK_INTERVAL_DEFAULT, ASK_EAGER),
            false => (ANNOUNCE_INTERVAL_DEFAULT, ANNOUNCE_EAGER),
        };
        let interval = self.interval.unwrap_or(default);
        if matches!(self.trouble, Some(TrackerTrouble::Refused(_))) {
            return jitter(ANNOUNCE_REFUSED, ANNOUNCE_REFUSED / 10, rng).max(interval);
        }
        if !eager {
            return interval;
        }
        let pause = first * (1 << self.eager.saturating_sub(1).min(16));
        let pause = jitter(pause, pause / 5, rng).min(interval);
        pause.max(self.interval_min.unwrap_or_default())
    }

    /// Whether a trouble is news, and so told; one that comes and goes is not told each time.
    pub(super) fn tell(&mut self, now: Time, trouble: &TrackerTrouble) -> bool {
        let known = self.told.as_ref().is_some_and(|(told, at)| {
            let same = core::mem::discriminant(told) == core::mem::discriminant(trouble);
            same && (self.standing || now.since(*at) < TROUBLE_REPEAT)
        });
        self.standing = true;
        if !known {
            self.told = Some((trouble.clone(), now));
        }
        !known
    }

    /// Notes that all is well.
    pub(super) fn clear_trouble(&mut self) {
        (self.trouble, self.standing) = (None, false);
    }
}

/// A span between `least` and `least + more`.
fn jitter(least: Duration, more: Duration, rng: &mut Rng) -> Duration {
    let micros = u64::try_from(more.as_micros()).unwrap_or(u64::MAX);
    least + Duration::from_micros(rng.below(micros))
}

/// An interval as a tracker gave it, within sane bounds.
pub(super) fn clamp_interval(seconds: u32) -> Duration {
    Duration::from_secs(seconds.into()).clamp(ANNOUNCE_INTERVAL.0, ANNOUNCE_INTERVAL.1)
}

/// Says a trouble in a few words for a person.
fn describe(trouble: &TrackerTrouble) -> String {
    match trouble {
        TrackerTrouble::Unreachable(why) => format!("cannot be reached: {why}"),
        TrackerTrouble::Refused(why) => format!("refuses: {why}"),
        TrackerTrouble::Malformed => "sent something that is no tracker message".to_owned(),
    }
}

/// Cuts what others say for a person to a sane length, on one line.
pub(super) fn words(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(TRACKER_WORDS_MAX).collect()
}

/// The form by which addresses of one tracker are known as one; `None` unless it is a WebSocket or,
/// for who can dial those it names, one that is asked.
pub(super) fn normalize(url: &str, direct: bool) -> Option<String> {
    let url = url.trim();
    let (scheme, rest) = url.split_once("://")?;
    let scheme = scheme.to_ascii_lowercase();
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let plain = !rest.chars().any(|c| c.is_control() || c.is_whitespace());
    let hosted = !rest.is_empty() && !rest.starts_with(['/', '?', '#']);
    let known = match scheme.as_str() {
        "ws" | "wss" => true,
        "http" | "https" | "udp" => direct,
        _ => false,
    };
    (known && plain && hosted && url.len() <= TRACKER_URL_BYTES_MAX)
        .then(|| format!("{scheme}://{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trackers_are_of_schemes_the_shell_can_speak_and_a_trailing_slash_makes_no_other() {
        assert_eq!(normalize(" WSS://a.example/x/ ", false).as_deref(), Some("wss://a.example/x"));
        assert_eq!(normalize("ws://127.0.0.1:80/", false).as_deref(), Some("ws://127.0.0.1:80"));
        for bad in ["udp://a:1", "https://a/announce", "ws://", "ws:///", "wss", "ws://a b", ""] {
            assert_eq!(normalize(bad, false), None, "{bad}");
        }
        assert_eq!(normalize(&format!("ws://{}", "a".repeat(TRACKER_URL_BYTES_MAX)), false), None);
        for url in ["udp://a:1", "http://a/announce", "https://a/announce", "ws://a"] {
            assert_eq!(normalize(url, true).as_deref(), Some(url));
        }
        assert_eq!(normalize("gopher://a", true), None);
    }

    #[test]
    fn what_a_tracker_says_is_cut_and_kept_on_one_line() {
        assert_eq!(words("no\r\nway"), "no  way");
        assert_eq!(words(&"ä".repeat(500)).chars().count(), TRACKER_WORDS_MAX);
    }
}
