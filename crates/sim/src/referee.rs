//! Reads along what is said on links, and judges whether honest hosts keep to the protocol: they
//! serve what is right and was asked for, claim what they store, ask for what they lack and the
//! other claims, forget to tell nobody of a piece they have, and exchange only peers that can be
//! dialled, a few at a time.

use core::time::Duration;
use std::collections::BTreeSet;

use bytes::Bytes;
use headwater_base::{Bitfield, PieceIndex, Time};
use headwater_wire::extended::{Extension, PexMessage};
use headwater_wire::{BlockSpan, Decoder, Message};

use crate::net::Flow;
use crate::world::{Coming, World};

/// How often forgotten claims and interest are looked for.
pub(crate) const SWEEP: Duration = Duration::from_secs(9);
/// How long a claim or a word of interest may wait for a full link.
const TELL_WITHIN: Duration = Duration::from_secs(40);
/// Requests that may be unanswered on one link: `reqq`, and urgent ones.
const ASKED_MAX: usize = 520;

/// What one end of a link said so far.
#[derive(Debug)]
pub(crate) struct Watch {
    decoder: Decoder,
    /// Nothing can be told any more from what it says.
    lost: bool,
    claims: Bitfield,
    /// When it claimed something last.
    claimed: Time,
    /// Whether it said that it serves the other.
    serves: bool,
    interested: bool,
    /// It asked for these and got no answer.
    asked: BTreeSet<BlockSpan>,
    /// It asked for these at some time.
    ever: BTreeSet<BlockSpan>,
    /// It lets the other have these though it serves it not.
    fast: BTreeSet<PieceIndex>,
    begun: Time,
    /// Messages of peer exchange, and when the first came by the clock of who sent it.
    exchanges: (u64, Time),
}

impl Watch {
    pub(crate) fn new(now: Time, count: u32) -> Self {
        Self {
            decoder: Decoder::new(),
            lost: false,
            claims: Bitfield::empty(count),
            claimed: now,
            serves: false,
            interested: false,
            asked: BTreeSet::new(),
            ever: BTreeSet::new(),
            fast: BTreeSet::new(),
            begun: now,
            exchanges: (0, Time::ZERO),
        }
    }

    /// Takes what it says; answers the messages in it.
    fn read(&mut self, bytes: Bytes) -> Vec<Message> {
        let mut messages = Vec::new();
        if self.lost {
            return messages;
        }
        self.decoder.push(bytes);
        if self.decoder.next_handshake().is_err() {
            self.lost = true;
        }
        loop {
            match self.decoder.next_message() {
                Ok(Some(message)) => messages.push(message),
                Ok(None) => return messages,
                Err(_) => {
                    self.lost = true;
                    return messages;
                }
            }
        }
    }
}

impl World {
    /// Reads along what a host says on a link.
    pub(crate) fn watch(&mut self, flow: Flow, bytes: &Bytes) {
        let Some(watch) = &mut self.net.end(flow).watch else { return };
        for message in watch.read(bytes.clone()) {
            self.follow(flow, &message);
            let at = self.net.end(flow).host;
            if self.hosts[at].honest {
                self.judge_said(at, flow, &message);
            }
            self.settle(flow, &message);
        }
    }

    /// Takes note of what a message changes, before it is judged.
    fn follow(&mut self, flow: Flow, message: &Message) {
        let now = self.now;
        let host = self.net.end(flow).host;
        let local = self.local(host);
        let Some(watch) = &mut self.net.end(flow).watch else { return };
        let count = watch.claims.len();
        if is_exchange(message) {
            let (count, first) = watch.exchanges;
            watch.exchanges = (count + 1, if count == 0 { local } else { first });
        } else if let Message::Have(piece) = message {
            if piece.0 < count {
                watch.claims.set(*piece);
            }
            watch.claimed = now;
        } else if let Message::Bitfield(bits) = message {
            watch.claims = Bitfield::from_bytes(bits, count).unwrap_or(Bitfield::empty(count));
            watch.claimed = now;
        } else if matches!(message, Message::HaveAll) {
            watch.claims = Bitfield::full(count);
            watch.claimed = now;
        } else if let Message::AllowedFast(piece) = message {
            watch.fast.insert(*piece);
        } else if matches!(message, Message::Unchoke) {
            watch.serves = true;
        } else if matches!(message, Message::Choke) {
            watch.serves = false;
        } else if matches!(message, Message::Interested) {
            watch.interested = true;
        } else if matches!(message, Message::NotInterested) {
            watch.interested = false;
        } else if let Message::Request(span) = message {
            watch.asked.insert(*span);
            watch.ever.insert(*span);
        }
    }

    /// Takes note of what a message settles, after it was judged.
    fn settle(&mut self, flow: Flow, message: &Message) {
        if let Message::Cancel(span) = message
            && let Some(watch) = &mut self.net.end(flow).watch
        {
            watch.asked.remove(span);
        }
        let Some(other) = &mut self.net.end(flow.back()).watch else { return };
        if let Message::Piece { piece, begin, data } = message {
            let span = BlockSpan { piece: *piece, begin: *begin, len: data.len() as u32 };
            other.asked.remove(&span);
        } else if let Message::Reject(span) = message {
            other.asked.remove(span);
        } else if matches!(message, Message::Choke) {
            other.asked.clear();
        }
    }

    /// Judges what an honest host says.
    fn judge_said(&self, at: usize, flow: Flow, message: &Message) {
        let host = &self.hosts[at];
        let (Some(disk), sample) = (host.disk(), &self.samples[host.sample.0]) else { return };
        let ends = &self.net.links[flow.link].ends;
        let (Some(own), Some(other)) = (&ends[flow.side].watch, &ends[1 - flow.side].watch) else {
            return;
        };
        if let Message::Piece { piece, begin, data } = message {
            let span = BlockSpan { piece: *piece, begin: *begin, len: data.len() as u32 };
            let right = sample.answer(*piece, *begin, span.len).is_some_and(|right| right == *data);
            assert!(right, "host {at} serves wrong bytes: {span:?}");
            let asked = other.lost || other.ever.contains(&span);
            assert!(asked, "host {at} serves what nobody asked for: {span:?}");
            let free = own.serves || own.fast.contains(piece);
            assert!(free, "host {at} serves a peer that it chokes: {span:?}");
        } else if let Message::Request(span) = message {
            // A request may have waited for a full link while its piece came from elsewhere.
            let stored = disk.stored_since(span.piece);
            let lacks = stored.is_none_or(|stored| self.now.since(stored) < TELL_WITHIN);
            assert!(lacks, "host {at} asks for what it has: {span:?}");
            let claimed = other.lost || other.claims.has(span.piece);
            assert!(claimed, "host {at} asks for what its peer never claimed: {span:?}");
            let asked = own.asked.len();
            assert!(asked <= ASKED_MAX, "host {at} asks one peer for {asked} blocks");
        } else if let Message::Cancel(span) = message {
            let asked = own.ever.contains(span);
            assert!(asked, "host {at} cancels what it never asked for: {span:?}");
        } else if let Message::Have(piece) = message {
            assert!(disk.has(*piece), "host {at} claims piece {piece}, which is not stored");
        } else if let Message::Extended { payload, .. } = message
            && is_exchange(message)
        {
            self.judge_exchange((at, ends[1 - flow.side].host), own, payload);
        } else if matches!(message, Message::Bitfield(_) | Message::HaveAll) {
            let false_claim = own.claims.ones().find(|piece| !disk.has(*piece));
            assert!(false_claim.is_none(), "host {at} claims what it has not: {false_claim:?}");
        }
    }

    /// An honest host exchanges peers once a minute at most, and names those that it is or was
    /// linked with, that listen, and that are not the one it speaks to.
    fn judge_exchange(&self, (at, to): (usize, usize), own: &Watch, payload: &[u8]) {
        let message = PexMessage::decode(payload).expect("what an honest host sends");
        let (added, dropped) = (message.added.len(), message.dropped.len());
        assert!(added.max(dropped) <= 50, "host {at} tells of {added} and {dropped} peers at once");
        let (count, first) = own.exchanges;
        // The first may have waited for a full link.
        let most = 2 + self.local(at).since(first).as_secs() / 60;
        assert!(count <= most, "host {at} exchanges peers {count} times, {most} allowed");
        for peer in &message.added {
            let host = self.host_at(peer.address);
            let partner = host.filter(|host| self.hosts[at].partners.values().any(|of| of == host));
            let liar = self.hosts[at].partners.values().any(|of| !self.hosts[*of].honest);
            let told = partner.is_some_and(|host| host != to) || liar;
            assert!(told, "host {at} tells host {to} of {}, who is {host:?}", peer.address);
        }
    }

    /// Looks for claims and interest that were forgotten.
    pub(crate) fn sweep(&mut self) {
        self.queue.post(self.now + SWEEP, Coming::Sweep);
        for link in 0..self.net.links.len() {
            if !self.net.links[link].open || self.net.links[link].stalled {
                continue;
            }
            for side in 0..2 {
                self.judge_told(Flow { link, side });
            }
        }
    }

    /// An honest host tells its peers of every piece, and wants what it lacks and they have.
    fn judge_told(&self, flow: Flow) {
        let ends = &self.net.links[flow.link].ends;
        let (own, other) = (&ends[flow.side], &ends[1 - flow.side]);
        let host = &self.hosts[own.host];
        let (Some(said), Some(heard)) = (&own.watch, &other.watch) else { return };
        let quiet = |since: Time| self.now.since(since) < TELL_WITHIN;
        let moved = host.thawed.max(host.rested).max(self.hosts[other.host].thawed);
        if !host.honest || host.frozen || said.lost || heard.lost || own.queued > 0 {
            return;
        }
        let Some(disk) = host.disk().filter(|_| !quiet(moved) && !quiet(said.begun)) else {
            return;
        };
        let Some(client) = host.client() else { return };
        let at = own.host;
        let kept = client.peer_views(host.torrent()).iter().any(|peer| peer.link == own.id);
        if !kept || !host.is_running() {
            return;
        }
        let count = said.claims.len();
        let old = |piece: &PieceIndex| disk.stored_since(*piece).is_some_and(|at| !quiet(at));
        let untold = |piece: &PieceIndex| !said.claims.has(*piece) && !heard.claims.has(*piece);
        let forgot = (0..count).map(PieceIndex).find(|piece| untold(piece) && old(piece));
        assert!(forgot.is_none(), "host {at} never told host {} of {forgot:?}", other.host);
        let wants = (0..count)
            .map(PieceIndex)
            .any(|piece| heard.claims.has(piece) && !disk.has(piece) && !disk.is_written(piece));
        let honest = self.hosts[other.host].honest;
        let still = honest && !quiet(heard.claimed) && wants && !said.interested;
        assert!(!still, "host {at} wants pieces of host {} and never said so", other.host);
    }
}

/// Whether a message exchanges peers; everybody here wants it under the same id.
fn is_exchange(message: &Message) -> bool {
    matches!(message, Message::Extended { id, .. } if *id == Extension::Pex.own_id())
}
