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
use super::{At, Discovery, Timer};
use crate::{Action, TrackerTrouble};

impl Discovery {
    /// Makes a torrent use the tracker at `url`, if there is room for it.
    pub(super) fn join(&mut self, now: Time, torrent: TorrentId, url: String) {
        let known = self.trackers.iter().find(|(_, tracker)| tracker.url == url).map(|(id, _)| *id);
        let used = known.is_some_and(|known| self.trackers_of(torrent).any(|id| id == known));
        let Some(swarm) = self.torrents.get(&torrent) else { return };
        // Strangers leave room for what the user adds.
        let most = if swarm.bridge { TRACKERS_MAX / 2 } else { TRACKERS_MAX };
        let full = self.trackers_of(torrent).count() >= TRACKERS_PER_TORRENT_MAX
            || (known.is_none() && self.trackers.len() >= most);
        if full && !used {
            return;
        }
        let hashes = swarm.hashes.clone();
        let id = known.unwrap_or_else(|| self.found(now, url));
        for hash in hashes {
            let Some(tracker) = self.trackers.get_mut(&id) else { return };
            if tracker.members.contains_key(&hash) {
                continue;
            }
            tracker.members.insert(hash, Member::default());
            if let Some(trouble) = tracker.trouble.clone() {
                self.warn(now, (id, hash), &trouble);
            }
            self.plan(now, (id, hash));
        }
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
        if tracker.is_asked() {
            self.socket_opened(now, id);
            return;
        }
        let url = tracker.url.clone();
        self.timers.set(Timer::Socket(id), now + TRACKER_OPEN_WAIT);
        self.act(Action::OpenTracker { tracker: id, url });
    }

    /// Ends a torrent's use of a tracker; the last one closes its socket.
    pub(super) fn leave(&mut self, id: TrackerId, torrent: TorrentId) {
        for at in self.members_of(torrent).into_iter().filter(|at| at.0 == id) {
            self.say_stopped(at);
            self.timers.clear(Timer::Announce(at.0, at.1));
            if let Some(tracker) = self.trackers.get_mut(&id) {
                tracker.members.remove(&at.1);
            }
        }
        let Some(tracker) = self.trackers.get(&id).filter(|at| at.members.is_empty()) else {
            return;
        };
        let close = tracker.socket != Socket::Waiting && !tracker.is_asked();
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
        let members: Vec<InfoHash> = tracker.members.keys().copied().collect();
        let mut swarms = members.iter().filter_map(|hash| self.swarm(*hash));
        let lonely = swarms.any(|swarm| swarm.wanted > 0 && swarm.is_lonely());
        let Some(tracker) = self.trackers.get_mut(&id) else { return };
        let lonely = lonely && !tracker.is_asked();
        let most = if lonely { TRACKER_RETRY_LONELY } else { TRACKER_RETRY_MAX };
        let (pause, trouble) = tracker.lose(now, most, &mut self.rng);
        self.timers.set(Timer::Socket(id), now + pause);
        for hash in &members {
            self.timers.clear(Timer::Announce(id, *hash));
        }
        if !trouble {
            return;
        }
        let trouble = TrackerTrouble::Unreachable(words(why));
        if let Some(tracker) = self.trackers.get_mut(&id) {
            tracker.trouble = Some(trouble.clone());
        }
        for hash in members {
            self.warn(now, (id, hash), &trouble);
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
        if self.trackers.get(&id).is_some_and(|tracker| !tracker.is_asked()) {
            self.act(Action::CloseTracker(id));
        }
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
                let members: Vec<InfoHash> = tracker.members.keys().copied().collect();
                for hash in members {
                    self.blame(now, (id, hash), TrackerTrouble::Malformed);
                }
                return;
            }
        };
        tracker.prove();
        match message {
            TrackerMessage::Announce(reply) => self.announced(now, id, reply),
            TrackerMessage::Offer { info_hash, peer_id, offer_id, sdp } => {
                let at = (id, info_hash);
                if let Some(torrent) = self.met(at, peer_id) {
                    self.offered(now, (Way::Tracker(at), torrent), (peer_id, offer_id), sdp.text());
                }
            }
            TrackerMessage::Answer { info_hash, peer_id, offer_id, sdp } => {
                let at = (id, info_hash);
                if let Some(torrent) = self.met(at, peer_id) {
                    self.answered(now, (at, torrent), (peer_id, offer_id), sdp.text());
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
    pub(super) fn refused(
        &mut self,
        now: Time,
        id: TrackerId,
        info_hash: Option<InfoHash>,
        reason: &str,
    ) {
        let Some(tracker) = self.trackers.get_mut(&id) else { return };
        let mut meant = Vec::new();
        for (hash, member) in &mut tracker.members {
            if member.awaiting && info_hash.is_none_or(|named| named == *hash) {
                member.awaiting = false;
                meant.push((id, *hash));
            }
        }
        let trouble = TrackerTrouble::Refused(words(reason));
        for at in meant {
            self.blame(now, at, trouble.clone());
            self.plan(now, at);
        }
    }

    /// Holds a trouble against a tracker, for one hash.
    pub(super) fn blame(&mut self, now: Time, at: At, trouble: TrackerTrouble) {
        if let Some(member) = self.member_mut(at) {
            member.trouble = Some(trouble.clone());
            self.warn(now, at, &trouble);
        }
    }

    /// Remembers that a peer is at a tracker; answers for which torrent, if we have it there.
    /// Most are there under both hashes of a hybrid and speak under one.
    fn met(&mut self, at: At, peer: PeerId) -> Option<TorrentId> {
        self.member(at)?;
        let torrent = *self.hashes.get(&at.1)?;
        let swarm = self.torrents.get(&torrent)?;
        for hash in &swarm.hashes {
            let tracker = self.trackers.get_mut(&at.0);
            if let Some(member) = tracker.and_then(|tracker| tracker.members.get_mut(hash)) {
                member.meet(peer, &swarm.known);
            }
        }
        Some(torrent)
    }
}
