//! One link and what is known of the peer at its end. Keeps what may be sent within the link's
//! window; decides nothing about pieces.

mod early;
mod fast;
mod list;
mod outbox;
mod paid;
mod place;
mod reveal;
mod standing;

use std::collections::VecDeque;

use core::time::Duration;

use headwater_base::{Bitfield, ByteCount, InfoHash, LinkId, PeerId, PieceIndex, Set, Time};
use headwater_wire::{BlockSpan, Decoder, HashSpan};

use crate::bucket::{Bucket, Gate};
use crate::discovery::Role;
use crate::meter::Meter;
use crate::picker::{BlockAt, Hint};
use crate::transfer::PeerWants;
use crate::{PeerView, limit};
pub(crate) use early::Early;
pub(crate) use fast::FastPieces;
pub(crate) use list::Peers;
pub(crate) use outbox::Outbox;
pub(crate) use paid::{PAYS, Paid};
pub(crate) use place::{Exchange, Place};
pub(crate) use reveal::Reveal;
pub(crate) use standing::Standing;

/// A block we asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    pub(crate) at: BlockAt,
    pub(crate) asked: Time,
}

/// A request of the peer that we serve.
#[derive(Debug)]
pub(crate) struct Served {
    pub(crate) span: BlockSpan,
    pub(crate) state: Serve,
}

/// How far a request of the peer is.
#[derive(Debug)]
pub(crate) enum Serve {
    /// Nothing was done.
    Queued,
    /// The store reads it in this job.
    Reading(headwater_base::JobId),
    /// It can be sent.
    Ready(bytes::Bytes),
}

/// One peer.
pub(crate) struct Peer {
    pub(crate) link: LinkId,
    pub(crate) role: Role,
    pub(crate) decoder: Decoder,
    pub(crate) outbox: Outbox,
    /// What it calls itself, once its handshake came.
    pub(crate) id: Option<PeerId>,
    pub(crate) joined_at: Time,
    /// The hash of the swarm it was met in.
    pub(crate) info_hash: InfoHash,
    /// Our handshake left.
    pub(crate) greeted: bool,
    /// The link speaks v2: hashes may be asked for.
    pub(crate) v2: bool,
    pub(crate) hashes: Hashes,
    /// It speaks the fast extension (BEP 6).
    pub(crate) fast: bool,
    /// It speaks extended messages (BEP 10).
    pub(crate) extended: bool,
    pub(crate) agent: String,
    /// Its id for metadata messages.
    pub(crate) metadata_id: Option<u8>,
    pub(crate) metadata_size: Option<u32>,
    /// What it wants soon.
    pub(crate) wants: PeerWants,
    /// Its id for introductions.
    pub(crate) signal_id: Option<u8>,
    /// Who it must be, when a neighbour introduced it.
    pub(crate) introduced: Option<PeerId>,
    pub(crate) place: Place,
    pub(crate) exchange: Exchange,
    /// Its ids for pieces lost (BEP 54) and for whether anything is wanted.
    pub(crate) dont_have_id: Option<u8>,
    pub(crate) upload_only_id: Option<u8>,
    /// It wants nothing though it may lack pieces (BEP 21).
    pub(crate) upload_only: bool,
    /// Most requests it takes.
    pub(crate) requests_max: usize,

    /// The pieces it has; empty until ours are known too.
    pub(crate) has: Bitfield,
    /// What it said of its pieces before the number of pieces was known.
    pub(crate) early: Early,
    /// What the picker learnt of it.
    pub(crate) hint: Hint,
    /// Wanted pieces it has.
    pub(crate) useful: u32,
    /// We told it what we have.
    pub(crate) told_pieces: bool,
    /// The missing piece it waits for first, where we are a bridge.
    pub(crate) lent: Option<PieceIndex>,
    /// It is told of our pieces one by one (BEP 16).
    pub(crate) reveal: Option<Reveal>,
    pub(crate) fast_pieces: FastPieces,
    /// How often it said all at once what it has.
    pub(crate) claims: u32,

    pub(crate) choking_us: bool,
    pub(crate) interested: bool,
    pub(crate) choked: bool,
    pub(crate) interesting: bool,
    /// A better link to the same peer is open; this one waits to be closed.
    pub(crate) retiring: bool,

    /// Blocks asked for and not answered, oldest first.
    pub(crate) asked: VecDeque<Wanted>,
    /// Blocks given up or cancelled that may still come.
    pub(crate) late: Set<BlockAt>,
    /// Blocks that came unasked.
    pub(crate) unasked: u32,
    /// It owed blocks for too long and has sent none since.
    pub(crate) snubbing: bool,
    /// It is asked for nothing until a block comes or a timer rings.
    pub(crate) on_hold: bool,
    /// Shortest time between a request and its block.
    pub(crate) round_trip: Option<Duration>,
    pub(crate) last_block: Time,
    /// Usual time between two blocks.
    pub(crate) gap: Duration,
    pub(crate) fetched: Meter,
    pub(crate) download: Bucket,
    pub(crate) download_gate: Gate,

    /// What it asked for, in order: ready, being read, queued.
    pub(crate) serving: VecDeque<Served>,
    /// Bytes of `serving` that are ready or being read.
    pub(crate) read_ahead: u32,
    pub(crate) sent: Meter,
    pub(crate) upload: Bucket,
    pub(crate) upload_gate: Gate,
    pub(crate) standing: Standing,
    pub(crate) paid: Paid,
    /// Metadata blocks it asked for.
    pub(crate) metadata_wanted: VecDeque<u32>,

    pub(crate) heard_at: Time,
}

/// Hashes asked of a peer and by it (BEP 52).
#[derive(Debug, Default)]
pub(crate) struct Hashes {
    /// What it asked for.
    pub(crate) wanted: VecDeque<HashSpan>,
    /// Bytes that were hashed for it.
    pub(crate) cost: u64,
    /// When it last refused a part of a layer.
    pub(crate) refused: Option<Time>,
    /// How often in a row it refused leaves.
    pub(crate) leafless: u8,
}

/// The limits a peer starts with.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) upload: Option<u64>,
    pub(crate) download: Option<u64>,
}

impl Peer {
    pub(crate) fn new(link: LinkId, role: Role, window: usize, now: Time, limits: Limits) -> Self {
        Self {
            link,
            role,
            decoder: Decoder::new(),
            outbox: Outbox::new(link, window),
            id: None,
            joined_at: now,
            info_hash: InfoHash([0; 20]),
            greeted: false,
            v2: false,
            hashes: Hashes::default(),
            fast: false,
            extended: false,
            agent: String::new(),
            metadata_id: None,
            metadata_size: None,
            wants: PeerWants::default(),
            signal_id: None,
            introduced: None,
            place: Place::default(),
            exchange: Exchange::default(),
            dont_have_id: None,
            upload_only_id: None,
            upload_only: false,
            requests_max: limit::PIPELINE_DEFAULT,
            has: Bitfield::default(),
            early: Early::default(),
            hint: Hint::default(),
            useful: 0,
            told_pieces: false,
            lent: None,
            reveal: None,
            fast_pieces: FastPieces::default(),
            claims: 0,
            choking_us: true,
            interested: false,
            choked: true,
            interesting: false,
            retiring: false,
            asked: VecDeque::new(),
            late: Set::new(),
            unasked: 0,
            snubbing: false,
            on_hold: false,
            round_trip: None,
            last_block: now,
            gap: Duration::ZERO,
            fetched: Meter::default(),
            download: Bucket::new(limits.download),
            download_gate: Gate::Unpaid,
            serving: VecDeque::new(),
            read_ahead: 0,
            sent: Meter::default(),
            upload: Bucket::new(limits.upload),
            upload_gate: Gate::Unpaid,
            standing: Standing::new(now),
            paid: Paid::default(),
            metadata_wanted: VecDeque::new(),
            heard_at: now,
        }
    }

    /// Whether its handshake came.
    pub(crate) fn is_joined(&self) -> bool {
        self.id.is_some()
    }

    /// Whether it may be asked for blocks.
    pub(crate) fn serves_us(&self) -> bool {
        self.is_joined() && !self.choking_us && !self.retiring
    }

    /// Whether it may be asked for a few pieces, at least.
    pub(crate) fn serves_some(&self) -> bool {
        let some = !self.choking_us || self.fast_pieces.allows_any();
        self.is_joined() && some && !self.retiring
    }

    /// How many blocks it should owe: what it sends in a round trip and a margin.
    pub(crate) fn pipeline(&self, now: Time, reading: bool) -> usize {
        if self.snubbing {
            return 1;
        }
        let margin = if reading { limit::PIPELINE_MARGIN_READING } else { limit::PIPELINE_MARGIN };
        let span = self.round_trip.unwrap_or_default().min(limit::SNUB) + margin;
        let blocks = self.blocks_within(now, span, u128::div_ceil);
        let least = if reading { limit::PIPELINE_MIN_READING } else { limit::PIPELINE_MIN };
        let least = if self.fetched.total() == 0 {
            least
        } else {
            // What a slow one holds, nobody else is asked for.
            let soon = self.blocks_within(now, limit::PIPELINE_MIN_SPAN, |bytes, len| bytes / len);
            soon.clamp(limit::PIPELINE_MIN_READING, least)
        };
        blocks.max(least).min(self.requests_max).min(limit::PIPELINE_MAX)
    }

    fn blocks_within(&self, now: Time, span: Duration, by: fn(u128, u128) -> u128) -> usize {
        let bytes = u128::from(self.fetched.rate(now)) * span.as_micros() / 1_000_000;
        by(bytes, u128::from(headwater_base::BLOCK_LEN)) as usize
    }

    /// Blocks that are still to come from it. With the fast extension each one that was cancelled
    /// comes too, or is refused (BEP 6).
    pub(crate) fn backlog(&self) -> usize {
        self.asked.len() + if self.fast { self.late.len() } else { 0 }
    }

    /// How long it would take to send what it owes, and one block more.
    pub(crate) fn queue_span(&self, now: Time) -> Duration {
        self.span_of(now, 1)
    }

    /// How long it would take to send what it owes, and so many blocks more.
    pub(crate) fn span_of(&self, now: Time, more: usize) -> Duration {
        if self.snubbing {
            return Duration::MAX;
        }
        let blocks = self.backlog() + more;
        let rate = self.fetched.rate(now);
        if rate == 0 && self.backlog() <= limit::PIPELINE_MIN {
            // Nothing is known of it: it gets the benefit of the doubt, less with each block.
            return limit::URGENT_QUEUE.saturating_mul(more as u32);
        }
        let bytes = blocks as u64 * u64::from(headwater_base::BLOCK_LEN);
        Duration::from_micros(bytes * 1_000_000 / rate.max(1))
    }

    /// Takes note of a block that came.
    pub(crate) fn brought(&mut self, now: Time, bytes: u64) {
        if now.since(self.last_block) < limit::SNUB {
            self.gap = (self.gap * 3 + now.since(self.last_block)) / 4;
        }
        self.fetched.add(now, bytes);
        self.last_block = now;
        self.snubbing = false;
        self.on_hold = false;
    }

    /// Whether it sends blocks as it used to.
    pub(crate) fn is_lively(&self, now: Time) -> bool {
        let asked = self.asked.front().map(|oldest| oldest.asked);
        let since = asked.unwrap_or_default().max(self.last_block);
        !self.snubbing && now.since(since) < limit::LIVELY + self.gap * 3
    }

    /// How long a block it was asked for will take: those before it come first.
    pub(crate) fn wait(&self, now: Time, at: BlockAt) -> Duration {
        if self.snubbing {
            return Duration::MAX;
        }
        let asked = self.asked.len();
        let after = self.asked.iter().rev().position(|wanted| wanted.at == at).unwrap_or(0);
        let before = self.backlog() - after.min(asked);
        let bytes = (before as u64).max(1) * u64::from(headwater_base::BLOCK_LEN);
        let silent = now.since(self.last_block.max(self.asked.front().map_or(now, |o| o.asked)));
        Duration::from_micros(bytes * 1_000_000 / self.fetched.rate(now).max(1)).max(silent)
    }

    /// Remembers a block that may come though it is not waited for.
    pub(crate) fn remember_late(&mut self, at: BlockAt) {
        if self.late.len() >= limit::LATE_MAX {
            self.late.pop_first();
        }
        self.late.insert(at);
    }

    /// Takes a block off those asked for; answers when it was asked for.
    pub(crate) fn answered(&mut self, at: BlockAt) -> Option<Time> {
        let place = self.asked.iter().position(|wanted| wanted.at == at)?;
        self.asked.remove(place).map(|wanted| wanted.asked)
    }

    /// Whether it has every piece.
    pub(crate) fn is_seed(&self) -> bool {
        (!self.has.is_empty() && self.has.is_full()) || self.early.is_all()
    }

    pub(crate) fn view(&self, now: Time) -> Option<PeerView> {
        let asked: u64 = self.asked.len() as u64 * u64::from(headwater_base::BLOCK_LEN);
        let held = self.decoder.held() + self.outbox.waiting() + self.read_ahead as usize;
        let peer = self.id?;
        Some(PeerView {
            link: self.link,
            peer,
            direct: self.place.direct,
            from: self.place.from,
            agent: if self.agent.is_empty() { agent_of(peer) } else { self.agent.clone() },
            pieces: self.has.count(),
            downloaded: ByteCount(self.fetched.total()),
            uploaded: ByteCount(self.sent.total()),
            download_speed: self.fetched.rate(now),
            upload_speed: self.sent.rate(now),
            choking_us: self.choking_us,
            interested: self.interested,
            choked: self.choked,
            interesting: self.interesting,
            asked: ByteCount(asked),
            held: ByteCount(held as u64),
        })
    }
}

/// The client a peer id names (BEP 20), or nothing.
fn agent_of(peer: PeerId) -> String {
    let name = match &peer.0 {
        [b'-', b'W', b'W', ..] => "WebTorrent",
        [b'-', b'W', b'D', ..] => "WebTorrent Desktop",
        [b'-', b'L', b'T', ..] | [b'-', b'l', b't', ..] => "libtorrent",
        [b'-', b'H', b'W', ..] => "Headwater",
        _ => "",
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer() -> Peer {
        let limits = Limits { upload: None, download: None };
        Peer::new(LinkId(1), Role::Offered, 1000, Time::ZERO, limits)
    }

    #[test]
    fn fresh_peer_is_asked_for_several_blocks_and_a_snubbing_one_for_one() {
        let mut peer = peer();
        assert_eq!(peer.pipeline(Time::ZERO, false), limit::PIPELINE_MIN);
        peer.snubbing = true;
        assert_eq!(peer.pipeline(Time::ZERO, false), 1);
    }

    #[test]
    fn slow_peer_is_asked_for_no_more_than_it_soon_sends() {
        let mut peer = peer();
        for secs in 1..6 {
            peer.fetched.add(Time::from_millis(secs * 1000), 16 * 1024);
        }
        assert_eq!(peer.pipeline(Time::from_millis(5001), false), 4);
        assert_eq!(peer.pipeline(Time::from_millis(60_000), false), limit::PIPELINE_MIN_READING);
    }

    #[test]
    fn pipeline_covers_bandwidth_times_delay() {
        let mut peer = peer();
        peer.round_trip = Some(Duration::from_millis(500));
        for milli in 0..4000 {
            peer.fetched.add(Time::from_millis(milli), 1638);
        }
        let blocks = peer.pipeline(Time::from_millis(4000), false);
        assert!((140..=160).contains(&blocks), "{blocks}");
        peer.requests_max = 50;
        assert_eq!(peer.pipeline(Time::from_millis(4000), false), 50);
    }
}
