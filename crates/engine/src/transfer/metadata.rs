//! Gets a torrent's metadata from peers and gives it to others (BEP 9). Sizes and blocks are
//! hostile until the whole hashes right.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use headwater_base::{InfoHash, LinkId, Map, PeerId, Set, Time, sha1, sha256};
use headwater_metainfo::Torrent;
use headwater_wire::Message;
use headwater_wire::extended::MetadataMessage;
use headwater_wire::limit::METADATA_PIECE_BYTES;

use super::{Stage, Transfer};
use crate::desk::Desk;
use crate::timer::Timer;
use crate::{CloseReason, Event, StoreError, Warning, limit};

/// How far fetching is.
#[derive(Debug, Default)]
pub(super) struct Fetch {
    /// The size that is believed.
    size: Option<u32>,
    blocks: Map<u32, (Bytes, PeerId)>,
    asked: Map<u32, (LinkId, Time)>,
    /// Peers that refused or were silent, and since when.
    refused: Map<LinkId, Time>,
    /// Blocks of several peers did not fit together: one peer gives all from here on.
    alone: bool,
    /// That peer.
    sole: Option<LinkId>,
    /// Since when the size is believed.
    since: Option<Time>,
    /// Turns that ended without the metadata.
    turns: u32,
}

impl Fetch {
    /// Forgets a link.
    pub(super) fn link_gone(&mut self, link: LinkId) {
        self.asked.retain(|_, (asked, _)| *asked != link);
        self.refused.remove(&link);
        if self.sole == Some(link) {
            self.start_over();
        }
    }

    /// Lets a peer be asked again.
    pub(super) fn forgive(&mut self, link: LinkId) {
        self.refused.remove(&link);
    }

    fn start_over(&mut self) {
        self.size = None;
        self.sole = None;
        self.since = None;
        self.blocks.clear();
        self.asked.clear();
    }

    fn refuse(&mut self, link: LinkId, now: Time) {
        self.asked.retain(|_, (asked, _)| *asked != link);
        self.refused.insert(link, now);
        if self.sole == Some(link) {
            self.start_over();
        }
    }

    /// Blocks the believed size has; one while there is none, to learn it from.
    fn count(&self) -> u32 {
        self.size.map_or(1, |size| size.div_ceil(METADATA_PIECE_BYTES as u32))
    }

    /// The first block that is neither here nor asked for.
    fn next_block(&self) -> Option<u32> {
        let free =
            |block: &u32| !self.blocks.contains_key(block) && !self.asked.contains_key(block);
        (0..self.count()).find(free)
    }

    fn block_len(&self, block: u32) -> Option<usize> {
        let start = block as usize * METADATA_PIECE_BYTES;
        let left = (self.size? as usize).checked_sub(start)?;
        (left > 0).then(|| left.min(METADATA_PIECE_BYTES))
    }
}

fn is_sane(size: u32) -> bool {
    size > 0 && size as usize <= limit::METADATA_BYTES_MAX
}

impl Transfer {
    /// Asks peers for what is missing of the metadata.
    pub(super) fn ask_metadata(&mut self, desk: &mut Desk) {
        let waits = self.trees.pending.is_some();
        if self.stage != Stage::Resolving || !self.is_active() || waits {
            return;
        }
        if self.fetch.size.is_none() {
            self.fetch.size = self.likely_size();
        }
        let able = self.able_to_give();
        if self.fetch.alone && self.fetch.sole.is_none() {
            self.fetch.sole = able.first().copied();
            let sole = self.fetch.sole.and_then(|link| self.peers.get(&link));
            self.fetch.size =
                sole.and_then(|peer| peer.metadata_size).filter(|size| is_sane(*size));
        }
        if self.fetch.size.is_some() {
            self.fetch.since.get_or_insert(desk.now);
        }
        // One block each in turn, so that no peer is asked for all of it.
        for _ in 0..limit::METADATA_ASKED_MAX {
            for link in &able {
                let (fetch, link) = (&mut self.fetch, *link);
                if fetch.sole.is_some_and(|sole| sole != link) {
                    continue;
                }
                let owes = fetch.asked.values().filter(|(asked, _)| *asked == link).count();
                let Some(piece) = fetch.next_block() else { break };
                let Some(peer) = self.peers.get_mut(&link) else { continue };
                let Some(id) = peer.metadata_id.filter(|_| owes < limit::METADATA_ASKED_MAX) else {
                    continue;
                };
                fetch.asked.insert(piece, (link, desk.now));
                let payload = MetadataMessage::Request { piece }.encode();
                peer.outbox.say(&Message::Extended { id, payload });
                desk.kicks.insert((self.id, link));
            }
        }
        if self.peers.values().any(|peer| peer.metadata_id.is_some()) {
            let at = desk.now + limit::METADATA_ROUND;
            desk.timers.start(Timer::Metadata(self.id), at);
        }
    }

    /// The size most peers name; the smaller of two that are equally often named.
    fn likely_size(&self) -> Option<u32> {
        let mut votes: Map<u32, usize> = Map::new();
        for peer in self.peers.values().filter(|peer| !self.fetch.refused.contains_key(&peer.link))
        {
            if let Some(size) = peer.metadata_size.filter(|size| is_sane(*size)) {
                *votes.entry(size).or_default() += 1;
            }
        }
        let likely = votes.into_iter().max_by_key(|(size, votes)| (*votes, u32::MAX - size));
        likely.map(|(size, _)| size)
    }

    /// Peers that may have the metadata of the believed size. Those that name no size are asked
    /// too: some clients have it and do not say so.
    fn able_to_give(&self) -> Vec<LinkId> {
        let fits = |named: Option<u32>| match (named, self.fetch.size) {
            (None, _) => true,
            (Some(named), None) => is_sane(named),
            (Some(named), Some(believed)) => named == believed,
        };
        let able = self.peers.values().filter(|peer| {
            peer.metadata_id.is_some()
                && fits(peer.metadata_size)
                && !self.fetch.refused.contains_key(&peer.link)
        });
        able.map(|peer| peer.link).collect()
    }

    /// Gives others a turn when a size, or one peer alone, was believed for long: whoever gives a
    /// block now and then could hold a magnet link for hours otherwise.
    fn pass_metadata_turn(&mut self, now: Time) {
        let turn = limit::METADATA_TURN * (1 << self.fetch.turns.min(limit::METADATA_TURNS_MAX));
        if self.fetch.since.is_none_or(|since| now < since + turn) {
            return;
        }
        let (size, sole) = (self.fetch.size, self.fetch.sole);
        let able = self.peers.values().filter(|peer| {
            peer.metadata_id.is_some() && !self.fetch.refused.contains_key(&peer.link)
        });
        let believed = |link: LinkId, named: Option<u32>| match sole {
            Some(sole) => sole == link,
            None => named.is_none_or(|named| Some(named) == size || !is_sane(named)),
        };
        let (held, others): (Vec<_>, Vec<_>) = able
            .map(|peer| (peer.link, peer.metadata_size))
            .partition(|(link, named)| believed(*link, *named));
        if others.is_empty() {
            return;
        }
        for (link, _) in held {
            self.fetch.refuse(link, now);
        }
        self.fetch.turns += 1;
        self.fetch.start_over();
    }

    pub(super) fn metadata_due(&mut self, desk: &mut Desk) {
        let now = desk.now;
        let late = |at: &Time, span| *at + span <= now;
        let silent: Set<LinkId> = self
            .fetch
            .asked
            .values()
            .filter(|(_, at)| late(at, limit::METADATA_PATIENCE))
            .map(|(link, _)| *link)
            .collect();
        for link in silent {
            self.fetch.refuse(link, now);
        }
        self.fetch.refused.retain(|_, at| !late(at, limit::METADATA_RETRY));
        self.pass_metadata_turn(now);
        if self.fetch.asked.is_empty() && self.able_to_give().is_empty() {
            // Whoever named the believed size is gone or refuses: believe the next.
            self.fetch.start_over();
        }
        self.ask_metadata(desk);
    }

    pub(super) fn metadata_rejected(&mut self, desk: &mut Desk, link: LinkId, piece: u32) {
        if self.fetch.asked.get(&piece).is_some_and(|(asked, _)| *asked == link) {
            self.fetch.refuse(link, desk.now);
            self.ask_metadata(desk);
        }
    }

    pub(super) fn metadata_block(
        &mut self,
        desk: &mut Desk,
        link: LinkId,
        piece: u32,
        total_size: Option<u32>,
        data: Bytes,
    ) {
        let asked = self.fetch.asked.get(&piece).is_some_and(|(asked, _)| *asked == link);
        let Some(peer) = self.peers.get_mut(&link) else { return };
        let Some(id) = peer.id.filter(|_| asked && self.stage == Stage::Resolving) else { return };
        self.fetch.asked.remove(&piece);
        if let Some(size) = total_size.filter(|size| is_sane(*size)) {
            peer.metadata_size = Some(size);
            self.fetch.size = self.fetch.size.or(Some(size));
        }
        let fits = total_size.is_none_or(|size| Some(size) == self.fetch.size);
        if !fits || self.fetch.block_len(piece) != Some(data.len()) {
            self.fetch.refuse(link, desk.now);
        } else {
            self.fetch.blocks.insert(piece, (data, id));
        }
        if self.fetch.size.is_some() && self.fetch.blocks.len() as u32 == self.fetch.count() {
            self.judge_metadata(desk);
        }
        self.ask_metadata(desk);
    }

    fn judge_metadata(&mut self, desk: &mut Desk) {
        let mut whole = BytesMut::new();
        let mut senders = Set::new();
        for (data, sender) in self.fetch.blocks.values() {
            whole.extend_from_slice(data);
            senders.insert(*sender);
        }
        let whole = whole.freeze();
        if self.is_metadata(&whole) {
            match Torrent::from_info(whole) {
                Ok(mut torrent) => {
                    torrent.trackers.clone_from(&self.tiers);
                    torrent.publication = self.publication.take();
                    let torrent = Arc::new(torrent);
                    self.fetch = Fetch::default();
                    if !self.waits_for_layers(desk, &torrent) {
                        self.metadata_known(desk, torrent);
                        self.look_for_peers(desk);
                    }
                }
                Err(error) => self.fail(desk, StoreError::Metadata(error.to_string())),
            }
            return;
        }
        let sole = self.fetch.sole.take();
        self.fetch.start_over();
        self.fetch.alone |= senders.len() > 1;
        if let (1, Some(&liar)) = (senders.len(), senders.first()) {
            desk.warn(self.id, Warning::MetadataFalse { peer: liar });
            self.ban(desk, liar, &CloseReason::FalseMetadata);
        } else if let Some(link) = sole {
            self.fetch.refuse(link, desk.now);
        }
    }

    /// Whether bytes have the identity we know: both, when two are known.
    fn is_metadata(&self, whole: &[u8]) -> bool {
        let v2 = sha256(whole);
        let is_v2 = self.info_hash_v2.is_none_or(|known| known == v2);
        is_v2 && (InfoHash::cut(&v2) == self.info_hash || sha1(whole) == self.info_hash.0)
    }

    /// Has metadata that came as a file say what a link said of its publisher, unless it says so
    /// itself. It is read anew instead of cloned: that code is there, and a page is to be small.
    pub(super) fn learn_publication(&mut self) {
        if let Some(metainfo) = &self.metainfo
            && metainfo.publication.is_none()
            && self.publication.is_some()
            && let Ok(mut torrent) = Torrent::parse(&metainfo.to_bytes())
        {
            torrent.publication = self.publication.take();
            self.metainfo = Some(Arc::new(torrent));
        }
    }

    /// Takes metadata, wherever it came from.
    pub(super) fn metadata_known(&mut self, desk: &mut Desk, metainfo: Arc<Torrent>) {
        if metainfo.piece_count() > limit::PIECES_MAX {
            let pieces = metainfo.piece_count();
            let why = format!("{pieces} pieces, at most {} allowed", limit::PIECES_MAX);
            self.fail(desk, StoreError::Io(why));
            return;
        }
        self.info_hash_v2 = metainfo.info_hash_v2;
        self.metainfo = Some(metainfo);
        self.trees.pending = None;
        self.fetch = Fetch::default();
        desk.timers.clear(Timer::Metadata(self.id));
        desk.tell(Event::MetadataKnown(self.id));
        let links: Vec<LinkId> = self.peers.keys().copied().collect();
        for link in links {
            self.say_extensions(desk, link);
        }
        self.open_store(desk);
    }

    /// Notes a peer's wish for a metadata block, or refuses it.
    pub(super) fn metadata_asked_by(
        &mut self,
        desk: &mut Desk,
        link: LinkId,
        piece: u32,
    ) -> Result<(), CloseReason> {
        let Some(peer) = self.peers.get_mut(&link) else { return Ok(()) };
        let Some(id) = peer.metadata_id else { return Ok(()) };
        let size = self.metainfo.as_ref().map_or(0, |metainfo| metainfo.info.len());
        if piece as usize >= size.div_ceil(METADATA_PIECE_BYTES) {
            let payload = MetadataMessage::Reject { piece }.encode();
            peer.outbox.say(&Message::Extended { id, payload });
        } else if peer.metadata_wanted.len() < limit::METADATA_SERVED_MAX {
            peer.metadata_wanted.push_back(piece);
        } else {
            return Err(CloseReason::Rule("peer asks for metadata over and over"));
        }
        desk.kicks.insert((self.id, link));
        Ok(())
    }

    /// Sends metadata blocks as far as the link's window goes.
    pub(super) fn serve_metadata(&mut self, desk: &mut Desk, link: LinkId) {
        let (Some(peer), Some(metainfo)) = (self.peers.get_mut(&link), &self.metainfo) else {
            return;
        };
        let Some(id) = peer.metadata_id else { return };
        while let Some(&piece) = peer.metadata_wanted.front() {
            if !peer.outbox.takes(desk, METADATA_PIECE_BYTES) {
                return;
            }
            peer.metadata_wanted.pop_front();
            let start = piece as usize * METADATA_PIECE_BYTES;
            let end = metainfo.info.len().min(start + METADATA_PIECE_BYTES);
            let total_size = Some(metainfo.info.len() as u32);
            let data = metainfo.info.slice(start..end);
            let payload = MetadataMessage::Data { piece, total_size, data }.encode();
            peer.outbox.say(&Message::Extended { id, payload });
        }
    }
}
