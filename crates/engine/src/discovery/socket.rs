//! Opens, loses and reopens trackers' sockets, and sorts what comes out of them.
//! Knows which torrents use a tracker, not when they announce.

use headwater_base::{InfoHash, PeerId, Time, TorrentId, TrackerId};
use headwater_wire::Error;
use headwater_wire::tracker::TrackerMessage;

use super::attempt::Way;
use super::limit::{
    TRACKER_OPEN_WAIT, TRACKER_RETRY_LONELY, TRACKER_RETRY_MAX, TRACKERS_MAX,
    TRACKERS_PER_TORRENT_MAX,
};
use super::tracker::{Member, Socket, Tracker, words};
use super::{Discovery, Timer};
use crate::{Action, TrackerTrouble};

impl Discovery {
    /// Makes a torrent use the tracker at `url`, if there is room for it.
    pub(super) fn join(&mut self, now: Time, torrent: TorrentId, url: String) {
        let known = self.trackers.iter().find(|(_, tracker)| tracker.url == url).map(|(id, _)| *id);
        let member = |id| self.trackers[&id].members.contains_key(&torrent);
        let full = self.trackers_of(torrent).count() >= TRACKERS_PER_TORRENT_MAX
            || (known.is_none() && self.trackers.len() >= TRACKERS_MAX);
        if known.is_some_and(member) || full {
            return;
        }
        let id = known.unwrap_or_else(|| self.found(now, url));
        let Some(tracker) = self.trackers.get_mut(&id) else { return };
        tracker.members.insert(torrent, Member::default());
        if let Some(trouble) = tracker.trouble.clone() {
            self.warn(now, id, torrent, &trouble);
        }
        self.plan(now, id, torrent);
    }

    /// Makes a new tracker and opens its socket.
    fn found(&mut self, now: Time, url: String) -> TrackerId {
        let id = TrackerId(self.next_tracker);
        self.next_tracker += 1;
        self.trackers.insert(id, Tracker::new(url));
        self.open(now, id);
        id
    }

    fn open(&mut self, now: Time, id: TrackerId) {
        let Some(tracker) = self.trackers.get_mut(&id) else { return };
        tracker.socket = Socket::Opening;
        let url = tracker.url.clone();
        self.timers.set(Timer::Socket(id), now + TRACKER_OPEN_WAIT);
        self.act(Action::OpenTracker { tracker: id, url });
    }

    /// Ends a torrent's use of a tracker; the last one closes its socket.
    pub(super) fn leave(&mut self, id: TrackerId, torrent: TorrentId) {
        self.say_stopped(id, torrent);
        self.timers.clear(Timer::Announce(id, torrent));
        let Some(tracker) = self.trackers.get_mut(&id) else { return };
        tracker.members.remove(&torrent);
        if !tracker.members.is_empty() {
            return;
        }
        let close = tracker.socket != Socket::Waiting;
        self.trackers.remove(&id);
        self.timers.clear(Timer::Socket(id));
        if close {
            self.act(Action::CloseTracker(id));
        }
    }

    /// A tracker can be spoken to.
    pub(super) fn socket_opened(&mut self, now: Time, id: TrackerId) {
        let Some(tracker) = self.trackers.get_mut(&id) else { return };
        if tracker.socket != Socket::Opening {
            return;
        }
        tracker.socket = Socket::Open { since: now, proven: false };
        self.timers.clear(Timer::Socket(id));
        self.plan_members(now, id);
    }

    /// A tracker's socket is gone, or never was.
    pub(super) fn socket_closed(&mut self, now: Time, id: TrackerId, why: &str) {
        let Some(tracker) = self.trackers.get_mut(&id) else { return };
        if tracker.socket == Socket::Waiting {
            return;
        }
        let members: Vec<TorrentId> = tracker.members.keys().copied().collect();
        let swarms = members.iter().filter_map(|torrent| self.torrents.get(torrent));
        let lonely = swarms.into_iter().any(|swarm| swarm.wanted > 0 && swarm.is_lonely());
        let most = if lonely { TRACKER_RETRY_LONELY } else { TRACKER_RETRY_MAX };
        let (pause, trouble) = tracker.lose(now, most, &mut self.rng);
        self.timers.set(Timer::Socket(id), now + pause);
        for torrent in &members {
            self.timers.clear(Timer::Announce(id, *torrent));
        }
        if !trouble {
            return;
        }
        let trouble = TrackerTrouble::Unreachable(words(why));
        if let Some(tracker) = self.trackers.get_mut(&id) {
            tracker.trouble = Some(trouble.clone());
        }
        for torrent in members {
            self.warn(now, id, torrent, &trouble);
        }
    }

    /// A socket is to be opened again, or took too long.
    pub(super) fn socket_due(&mut self, now: Time, id: TrackerId) {
        match self.trackers.get(&id).map(|tracker| tracker.socket) {
            Some(Socket::Waiting) => self.open(now, id),
            Some(Socket::Opening) => self.drop_socket(now, id, "it does not open its socket"),
            Some(Socket::Open { .. }) | None => {}
        }
    }

    /// Gives up a socket that does not do what it should.
    pub(super) fn drop_socket(&mut self, now: Time, id: TrackerId, why: &str) {
        self.act(Action::CloseTracker(id));
        self.socket_closed(now, id, why);
    }

    /// A tracker sent a message.
    pub(super) fn heard(&mut self, now: Time, id: TrackerId, text: &str) {
        let Some(tracker) = self.trackers.get_mut(&id) else { return };
        if !tracker.is_open() {
            return;
        }
        let message = match TrackerMessage::decode(text) {
            Ok(message) => message,
            // A description is a peer's fault, not the tracker's.
            Err(Error::Sdp { .. }) => return,
            Err(_) => {
                let members: Vec<TorrentId> = tracker.members.keys().copied().collect();
                for torrent in members {
                    self.blame(now, id, torrent, TrackerTrouble::Malformed);
                }
                return;
            }
        };
        tracker.prove();
        match message {
            TrackerMessage::Announce(reply) => self.announced(now, id, reply),
            TrackerMessage::Offer { info_hash, peer_id, offer_id, sdp } => {
                if let Some(torrent) = self.met(id, info_hash, peer_id) {
                    self.offered(now, (Way::Tracker(id), torrent), (peer_id, offer_id), sdp);
                }
            }
            TrackerMessage::Answer { info_hash, peer_id, offer_id, sdp } => {
                if let Some(torrent) = self.met(id, info_hash, peer_id) {
                    self.answered(now, (id, torrent), (peer_id, offer_id), sdp);
                }
            }
            TrackerMessage::Failure { info_hash, reason, .. } => {
                self.refused(now, id, info_hash, &reason);
            }
            TrackerMessage::Scrape(entries) => self.scraped(now, id, &entries),
        }
    }

    /// A tracker refuses. Only a torrent that waits for an answer can be meant: a tracker also
    /// fails an answer to an offer whose maker is gone.
    fn refused(&mut self, now: Time, id: TrackerId, info_hash: Option<InfoHash>, reason: &str) {
        let Some(tracker) = self.trackers.get_mut(&id) else { return };
        let named = info_hash.map(|hash| self.hashes.get(&hash).copied());
        let mut meant = Vec::new();
        for (torrent, member) in &mut tracker.members {
            if member.awaiting && named.is_none_or(|named| named == Some(*torrent)) {
                member.awaiting = false;
                meant.push(*torrent);
            }
        }
        let trouble = TrackerTrouble::Refused(words(reason));
        for torrent in meant {
            self.blame(now, id, torrent, trouble.clone());
            self.plan(now, id, torrent);
        }
    }

    /// Holds a trouble against a tracker, for one torrent.
    fn blame(&mut self, now: Time, id: TrackerId, torrent: TorrentId, trouble: TrackerTrouble) {
        let tracker = self.trackers.get_mut(&id);
        if let Some(member) = tracker.and_then(|tracker| tracker.members.get_mut(&torrent)) {
            member.trouble = Some(trouble.clone());
            self.warn(now, id, torrent, &trouble);
        }
    }

    /// Remembers that a peer is at a tracker; answers for which torrent, if we have it there.
    fn met(&mut self, id: TrackerId, info_hash: InfoHash, peer: PeerId) -> Option<TorrentId> {
        let torrent = self.user(id, info_hash)?;
        let known = &self.torrents.get(&torrent)?.known;
        self.trackers.get_mut(&id)?.members.get_mut(&torrent)?.meet(peer, known);
        Some(torrent)
    }

    /// The torrent of that hash, if it uses that tracker.
    pub(super) fn user(&self, id: TrackerId, info_hash: InfoHash) -> Option<TorrentId> {
        let torrent = self.hashes.get(&info_hash)?;
        self.trackers.get(&id)?.members.contains_key(torrent).then_some(*torrent)
    }
}
