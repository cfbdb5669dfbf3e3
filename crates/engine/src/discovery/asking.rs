//! HTTP and UDP trackers (BEP 3, 15): the shell asks them, one question at a time, and they name
//! addresses to dial. When they are asked is decided as for those with sockets, only more rarely:
//! no offer of ours grows old there.

use core::net::{IpAddr, SocketAddr};

use headwater_base::{InfoHash, Time, TorrentId, TrackerId};
use headwater_wire::tracker::http::{Query, Refusal};
use headwater_wire::tracker::{AnnounceReply, Happening};

use super::addresses::TRACKER;
use super::limit::PEERS_ASKED_FOR;
use super::nearness::may_name;
use super::tracker::{normalize, words};
use super::{At, Discovery};
use crate::{Action, Ask, Asked, AskedFailure, TrackerTrouble};

impl Discovery {
    /// Has the shell ask a tracker.
    pub(super) fn ask_tracker(&mut self, at: At, event: Option<Happening>) {
        let (Some(swarm), Some(tracker)) = (self.swarm(at.1), self.trackers.get(&at.0)) else {
            return;
        };
        let wants = swarm.wanted > 0 && event != Some(Happening::Stopped);
        let query = Query {
            info_hash: at.1,
            peer_id: self.peer_id,
            port: self.dialler.ports().told().unwrap_or(0),
            uploaded: swarm.totals.uploaded,
            downloaded: swarm.totals.downloaded,
            left: swarm.left(),
            event,
            wanted: if wants { PEERS_ASKED_FOR } else { 0 },
            key: self.key,
            tracker_id: self.member(at).and_then(|member| member.tracker_id.clone()),
        };
        let ours = |url: &String| normalize(url, true).as_ref() == Some(&tracker.url);
        let trusted = !swarm.bridge || self.local_trackers || self.trackers_always.iter().any(ours);
        let ask = Ask { tracker: at.0, url: tracker.url.clone(), query, trusted };
        self.act(Action::Ask(Box::new(ask)));
    }

    /// Has trackers told anew what they know wrongly: a seed would be taken for a leech, or sought
    /// at a port that is no longer ours, until one is asked again in half an hour.
    pub(super) fn say_anew(&mut self, now: Time, torrent: TorrentId) {
        for at in self.members_of(torrent) {
            let Some(tracker) = self.trackers.get_mut(&at.0).filter(|at| at.is_asked()) else {
                continue;
            };
            if let Some(member) = tracker.members.get_mut(&at.1) {
                member.stale = member.sent_at.is_some();
            }
            self.plan(now, at);
        }
    }

    /// A tracker that was asked answered, or did not.
    pub(crate) fn asked(
        &mut self,
        now: Time,
        (id, info_hash): (TrackerId, InfoHash),
        result: Result<Asked, AskedFailure>,
    ) {
        let at = (id, info_hash);
        if !self.member(at).is_some_and(|member| member.awaiting) {
            return;
        }
        match result {
            Ok(Asked { from, found }) => {
                if let Some(tracker) = self.trackers.get_mut(&id) {
                    tracker.prove();
                }
                self.take_peers(now, at, from, &found.peers);
                let reply = AnnounceReply {
                    interval: found.interval,
                    interval_min: found.interval_min,
                    // It never counts when asked to: what it does not say is nothing.
                    complete: Some(found.complete.unwrap_or(0)),
                    incomplete: Some(found.incomplete.unwrap_or(0)),
                    tracker_id: found.tracker_id,
                    ..AnnounceReply::new(info_hash)
                };
                self.announced(now, id, reply);
            }
            Err(AskedFailure::Refused(Refusal::Said(why))) => {
                self.refused(now, id, Some(info_hash), &why);
            }
            Err(AskedFailure::Refused(Refusal::Malformed)) => {
                if let Some(member) = self.member_mut(at) {
                    member.awaiting = false;
                }
                self.blame(now, at, TrackerTrouble::Malformed);
                self.plan(now, at);
            }
            Err(AskedFailure::Unreachable(why)) => self.socket_closed(now, id, &words(&why)),
        }
    }

    /// Takes whom a tracker names: a torrent's own, so that a private torrent dials them too.
    fn take_peers(&mut self, now: Time, at: At, from: Option<IpAddr>, peers: &[SocketAddr]) {
        let Some(&torrent) = self.hashes.get(&at.1) else { return };
        let named = peers.iter().filter(|address| may_name(address.ip(), from));
        self.learn(now, (torrent, TRACKER), named.map(|address| (*address, false)));
    }
}
