//! Introduces neighbours to each other: tells each of the others, carries offers and answers
//! between two that both speak `hw_signal`. One hop, one answer an offer, everything in limits.

use headwater_base::{LinkId, PeerId, Time, TorrentId};
use headwater_wire::extended::{Refusal, SignalMessage, SignalWay};
use headwater_wire::tracker::OfferId;

use super::attempt::Attempt;
use super::circle::Neighbour;
use super::limit::{FORWARD_LIFE, NEWS_EVERY};
use super::{Discovery, Out, Swarm, Timer};

/// What a neighbour hears that goes on with messages no rule allows.
const ABUSE: &str = "peer abuses introductions";

impl Discovery {
    /// Takes that a linked peer speaks `hw_signal`, or no longer does.
    pub(crate) fn speaks_signal(
        &mut self,
        now: Time,
        torrent: TorrentId,
        (link, peer): (LinkId, PeerId),
        speaks: bool,
    ) {
        let linked = self.linked.contains_key(&link);
        let Some(swarm) = self.torrents.get_mut(&torrent) else { return };
        let public = swarm.is_public();
        let neighbours = &mut swarm.circle.neighbours;
        if !speaks {
            self.neighbour_gone(now, torrent, link);
        } else if linked && public && !neighbours.contains_key(&link) {
            neighbours.insert(link, Neighbour::new(peer));
            self.tell_news(now, torrent, link);
        }
    }

    /// Takes a message of a neighbour. An error is a rule it broke once too often.
    pub(crate) fn signalled(
        &mut self,
        now: Time,
        (torrent, link): (TorrentId, LinkId),
        message: SignalMessage,
    ) -> Result<(), &'static str> {
        if self.neighbour(torrent, link).is_none() {
            return Ok(());
        }
        let at = (torrent, link);
        if let Some(one) = self.neighbour(torrent, link) {
            one.unanswered = 0;
        }
        let fine = match message {
            SignalMessage::News(news) => self.news_heard(now, torrent, (link, news)),
            SignalMessage::Offer { way: SignalWay::To(peer), id, sdp } => {
                self.forward_offer(now, at, (peer, id), sdp)
            }
            SignalMessage::Offer { way: SignalWay::From(peer), id, sdp } => {
                self.offer_brought(now, at, (peer, id), sdp)
            }
            SignalMessage::Answer { way: SignalWay::To(peer), id, sdp } => {
                let reply = |way| SignalMessage::Answer { way, id, sdp };
                self.forward_reply(now, at, (peer, id), reply)
            }
            SignalMessage::Answer { way: SignalWay::From(peer), id, sdp } => {
                self.answer_brought(now, at, (peer, id), sdp)
            }
            SignalMessage::Refuse { way: SignalWay::To(peer), id, why } => {
                let reply = |way| SignalMessage::Refuse { way, id, why };
                self.forward_reply(now, at, (peer, id), reply)
            }
            SignalMessage::Refuse { way: SignalWay::From(peer), id, why } => {
                self.refusal_brought(now, at, (peer, id), why)
            }
        };
        if fine { Ok(()) } else { self.signal_fault(now, torrent, link) }
    }

    /// Notes that a neighbour said what no rule allows; an error when that was once too often.
    pub(crate) fn signal_fault(
        &mut self,
        now: Time,
        torrent: TorrentId,
        link: LinkId,
    ) -> Result<(), &'static str> {
        let fine = self.neighbour(torrent, link).is_none_or(|one| one.faults.take(now));
        if fine { Ok(()) } else { Err(ABUSE) }
    }

    /// Forgets that anybody can introduce a peer.
    pub(crate) fn shun(&mut self, torrent: TorrentId, peer: PeerId) {
        if let Some(swarm) = self.torrents.get_mut(&torrent) {
            swarm.circle.strangers.remove(&peer);
        }
    }

    pub(super) fn neighbour(&mut self, torrent: TorrentId, link: LinkId) -> Option<&mut Neighbour> {
        self.torrents.get_mut(&torrent)?.circle.neighbours.get_mut(&link)
    }

    pub(super) fn say(&mut self, torrent: TorrentId, link: LinkId, message: SignalMessage) {
        self.outs.push_back(Out::Say { torrent, link, message });
    }

    /// Tells a neighbour that `peer` will not answer.
    pub(super) fn refuse(
        &mut self,
        (torrent, link): (TorrentId, LinkId),
        (peer, id): (PeerId, OfferId),
        why: Refusal,
    ) {
        self.say(torrent, link, SignalMessage::Refuse { way: SignalWay::To(peer), id, why });
    }

    /// Carries an offer to a neighbour that wants to be introduced.
    fn forward_offer(
        &mut self,
        now: Time,
        (torrent, link): (TorrentId, LinkId),
        (to, id): (PeerId, OfferId),
        sdp: String,
    ) -> bool {
        let Some(swarm) = self.torrents.get_mut(&torrent) else { return true };
        let circle = &mut swarm.circle;
        let Some(asker) = circle.neighbours.get_mut(&link) else { return true };
        if !asker.asks.take(now) {
            return false;
        }
        let from = asker.peer;
        let why = match circle.open_link(to).filter(|_| to != from) {
            None => Refusal::Absent,
            Some(target) => {
                let fits = circle.neighbours.get_mut(&target).is_some_and(|one| one.gets(now));
                let until = now + FORWARD_LIFE;
                if fits && circle.forward(now, (link, target), id, until) {
                    let way = SignalWay::From(from);
                    self.say(torrent, target, SignalMessage::Offer { way, id, sdp });
                    return true;
                }
                Refusal::Busy
            }
        };
        let way = SignalWay::From(to);
        self.say(torrent, link, SignalMessage::Refuse { way, id, why });
        true
    }

    /// Carries an answer or a refusal back to whose offer it was.
    fn forward_reply(
        &mut self,
        now: Time,
        (torrent, link): (TorrentId, LinkId),
        (to, id): (PeerId, OfferId),
        reply: impl FnOnce(SignalWay) -> SignalMessage,
    ) -> bool {
        let Some(swarm) = self.torrents.get_mut(&torrent) else { return true };
        let Some(asker) = swarm.circle.replied(now, link, to, id) else { return false };
        let Some(by) = swarm.circle.neighbours.get(&link).map(|one| one.peer) else { return true };
        self.say(torrent, asker, reply(SignalWay::From(by)));
        true
    }

    /// A neighbour is linked no more, or speaks no more.
    pub(super) fn neighbour_gone(&mut self, now: Time, torrent: TorrentId, link: LinkId) {
        let Some(swarm) = self.torrents.get_mut(&torrent) else { return };
        let Some(peer) = swarm.circle.neighbours.get(&link).map(|one| one.peer) else { return };
        for (asker, id) in swarm.circle.part(link) {
            let (way, why) = (SignalWay::From(peer), Refusal::Absent);
            self.say(torrent, asker, SignalMessage::Refuse { way, id, why });
        }
        let lost = |at: &Attempt| at.relay == Some(link) && at.offer().is_some();
        let lost: Vec<LinkId> =
            self.attempts.iter().filter(|(_, at)| lost(at)).map(|(link, _)| *link).collect();
        for attempt in lost {
            self.take_back(now, attempt);
        }
        // If it broke, it may be told as alive for a while yet.
        self.rest_stranger(now, torrent, peer, false);
        self.news_due_soon(now, torrent);
        self.introduce(now, torrent);
    }

    /// Plans a round of news.
    pub(super) fn news_due_soon(&mut self, now: Time, torrent: TorrentId) {
        let Some(swarm) = self.torrents.get(&torrent) else { return };
        if !swarm.circle.neighbours.is_empty() {
            let at = swarm.circle.told_at.map_or(now, |told| told + NEWS_EVERY).max(now);
            self.timers.set(Timer::News(torrent), at);
        }
    }

    /// Tells every neighbour what is news to it.
    pub(super) fn news_due(&mut self, now: Time, torrent: TorrentId) {
        let Some(swarm) = self.torrents.get_mut(&torrent) else { return };
        swarm.circle.told_at = Some(now);
        let links: Vec<LinkId> = swarm.circle.neighbours.keys().copied().collect();
        for link in links {
            self.tell_news(now, torrent, link);
        }
    }

    /// Tells one neighbour what is news to it.
    pub(super) fn tell_news(&mut self, now: Time, torrent: TorrentId, link: LinkId) {
        let unsupported = self.is_unsupported(now);
        let Some(swarm) = self.torrents.get_mut(&torrent) else { return };
        let (open, seed) = (swarm.wanted > 0 && !unsupported, Swarm::is_seed(swarm));
        if let Some(news) = swarm.circle.news_for(link, open, seed) {
            self.say(torrent, link, SignalMessage::News(news));
        }
    }
}
