//! What each message of a peer means. Late bitfields are taken: peers that started from a magnet
//! link send theirs when they can.

use bytes::Bytes;
use headwater_base::{Bitfield, LinkId, PieceIndex};
use headwater_wire::Message;
use headwater_wire::extended::{BTT_PAY_OWN_ID, Extension, Handshake, MetadataMessage};

use super::{Stage, Transfer};
use crate::desk::Desk;
use crate::picker::{Picker, Turn};
use crate::{CloseReason, limit};

type Verdict = Result<(), CloseReason>;

pub(super) const NO_SUCH_PIECE: CloseReason =
    CloseReason::Rule("peer claims pieces that do not exist");

impl Transfer {
    /// Takes one message of a peer that finished its handshake.
    pub(super) fn heard(&mut self, desk: &mut Desk, link: LinkId, message: Message) -> Verdict {
        self.may_say(link, &message)?;
        match message {
            Message::KeepAlive | Message::Port(_) | Message::Unknown { .. } => {}
            Message::Suggest(piece) => self.suggested_by(link, piece),
            Message::AllowedFast(piece) => self.allowed_by(desk, link, piece),
            Message::Choke => self.choked_by(desk, link),
            Message::Unchoke => self.unchoked_by(desk, link),
            Message::Interested => self.wanted_by(desk, link, true),
            Message::NotInterested => self.wanted_by(desk, link, false),
            Message::Have(piece) => return self.has_piece(desk, link, piece),
            Message::Bitfield(bits) => return self.has_bits(desk, link, bits),
            Message::HaveAll => self.has_all(desk, link),
            Message::HaveNone => self.has_none(desk, link),
            Message::Request(span) => return self.asked_by(desk, link, span),
            Message::Cancel(span) => self.cancelled_by(desk, link, span),
            Message::Reject(span) => return self.rejected_by(desk, link, span),
            Message::Piece { piece, begin, data } => {
                return self.block(desk, link, (piece, begin), &data);
            }
            Message::HashRequest(span) => self.hashes_asked_by(desk, link, span),
            Message::Hashes { span, hashes } => {
                return self.hashes_from(desk, link, &span, &hashes);
            }
            Message::HashReject(span) => self.hashes_rejected(desk, link, &span),
            Message::Extended { id: 0, payload } => return self.extensions(desk, link, &payload),
            Message::Extended { id, payload } => {
                return match Extension::from_own_id(id) {
                    Some(Extension::Metadata) => self.metadata_message(desk, link, &payload),
                    Some(Extension::Pex) => self.pex_message(desk, link, &payload),
                    Some(Extension::Want) => self.want_message(desk, link, &payload),
                    Some(Extension::Signal) => self.signal_message(desk, link, &payload),
                    Some(Extension::DontHave) => self.lacks_piece(desk, link, &payload),
                    Some(Extension::UploadOnly) => {
                        self.upload_only_said(desk, link, &payload);
                        Ok(())
                    }
                    None => {
                        if desk.pays() && id == BTT_PAY_OWN_ID {
                            self.pay_message(desk, link, &payload);
                        }
                        Ok(())
                    }
                };
            }
        }
        Ok(())
    }

    fn has_piece(&mut self, desk: &mut Desk, link: LinkId, piece: PieceIndex) -> Verdict {
        let Some(peer) = self.peers.get_mut(&link) else { return Ok(()) };
        let Some(picker) = &mut self.picker else {
            return if peer.early.single(piece) { Ok(()) } else { Err(NO_SUCH_PIECE) };
        };
        if piece.0 >= picker.count() {
            return Err(NO_SUCH_PIECE);
        }
        if peer.has.set(piece) {
            if picker.peer_got(piece) {
                peer.hint.renew();
            }
            peer.useful += u32::from(picker.is_wanted(piece));
            self.reconsider(desk, link);
            self.passed_on(desk, piece);
            if self.peers.get(&link).is_some_and(|peer| peer.place.direct) {
                self.lend_piece(desk, piece);
            }
        }
        Ok(())
    }

    fn has_bits(&mut self, desk: &mut Desk, link: LinkId, bits: Bytes) -> Verdict {
        let Some(peer) = self.peers.get_mut(&link) else { return Ok(()) };
        let Some(picker) = &self.picker else {
            peer.early.bits(bits);
            return Ok(());
        };
        let has = Bitfield::from_bytes(&bits, picker.count()).ok_or(NO_SUCH_PIECE)?;
        self.set_pieces(desk, link, has);
        Ok(())
    }

    fn has_all(&mut self, desk: &mut Desk, link: LinkId) {
        if let Some(count) = self.picker.as_ref().map(Picker::count) {
            self.set_pieces(desk, link, Bitfield::full(count));
        } else if let Some(peer) = self.peers.get_mut(&link) {
            peer.early.all();
        }
    }

    fn has_none(&mut self, desk: &mut Desk, link: LinkId) {
        if let Some(count) = self.picker.as_ref().map(Picker::count) {
            self.set_pieces(desk, link, Bitfield::empty(count));
        } else if let Some(peer) = self.peers.get_mut(&link) {
            peer.early.none();
        }
    }

    /// Replaces what a peer has.
    pub(super) fn set_pieces(&mut self, desk: &mut Desk, link: LinkId, has: Bitfield) {
        let Some(peer) = self.peers.get_mut(&link) else { return };
        let Some(picker) = &mut self.picker else { return };
        picker.peer_went(&peer.has);
        picker.peer_came(&has);
        peer.hint.renew();
        peer.useful = picker.useful(&has);
        peer.has = has;
        self.reconsider(desk, link);
        self.reveal_due(desk);
        self.lend(desk, link);
    }

    /// Says whether we want something of a peer, when that changed.
    pub(super) fn reconsider(&mut self, desk: &mut Desk, link: LinkId) {
        let courts = self.peers.get(&link).is_some_and(|peer| self.courts(peer));
        let Some(peer) = self.peers.get_mut(&link) else { return };
        // Before pieces can be compared we say yes, so that we are served as soon as we ask.
        let interesting = self.stage != Stage::Running || peer.useful > 0 || courts;
        if interesting != peer.interesting && peer.is_joined() {
            peer.interesting = interesting;
            let word = if interesting { Message::Interested } else { Message::NotInterested };
            peer.outbox.say(&word);
        }
        desk.kicks.insert((self.id, link));
        self.watch_use(desk, link);
    }

    /// Counts anew what we want of each peer.
    pub(super) fn reconsider_all(&mut self, desk: &mut Desk) {
        let Some(picker) = &self.picker else { return };
        for peer in self.peers.values_mut() {
            peer.useful = picker.useful(&peer.has);
        }
        let links: Vec<LinkId> = self.peers.keys().copied().collect();
        for link in links {
            self.reconsider(desk, link);
        }
        self.review_upload_only(desk);
    }

    /// Counts in what a reader's move changed: costs what changed, for each peer.
    pub(super) fn turned(&mut self, desk: &mut Desk, turn: Turn) {
        for (link, at) in turn.vain {
            self.cancel(link, at);
        }
        let mut turned = Vec::new();
        for peer in self.peers.values_mut() {
            let before = peer.useful;
            let held = |pieces: &[PieceIndex]| {
                pieces.iter().filter(|piece| peer.has.has(**piece)).count() as u32
            };
            peer.useful = before + held(&turn.gained) - held(&turn.dropped);
            if (before > 0) != (peer.useful > 0) {
                turned.push(peer.link);
            }
        }
        for link in turned {
            self.reconsider(desk, link);
        }
        let done = self.is_done();
        // It may take room as a download again.
        desk.requeue |= self.told_done && !done;
        self.told_done &= done;
        self.tell_if_done(desk);
    }

    fn extensions(&mut self, desk: &mut Desk, link: LinkId, payload: &[u8]) -> Verdict {
        let said = Handshake::decode(payload)?;
        let Some(peer) = self.peers.get_mut(&link) else { return Ok(()) };
        if let Some(agent) = &said.agent {
            peer.agent.clone_from(agent);
        }
        if let Some(most) = said.requests_max {
            peer.requests_max = (most as usize).clamp(1, limit::PIPELINE_MAX);
        }
        for (extension, id) in [
            (Extension::Metadata, &mut peer.metadata_id),
            (Extension::Want, &mut peer.wants.id),
            (Extension::DontHave, &mut peer.dont_have_id),
            (Extension::UploadOnly, &mut peer.upload_only_id),
        ] {
            if said.ids.contains_key(extension.name()) {
                *id = said.id_of(extension);
            }
        }
        peer.upload_only = said.upload_only.unwrap_or(peer.upload_only);
        if let Some(size) = said.metadata_size {
            peer.metadata_size = Some(size);
            self.fetch.forgive(link);
        }
        self.learn_signal(desk, link, &said);
        self.learn_place(desk, link, &said);
        self.learn_terms(desk, link, &said);
        self.tell_wants(desk, link);
        self.watch_use(desk, link);
        self.ask_metadata(desk);
        Ok(())
    }

    /// Says which extensions we speak and where we listen. Said again once metadata is known, and
    /// when the port is another.
    pub(super) fn say_extensions(&mut self, desk: &mut Desk, link: LinkId) {
        let is_public = self.is_public();
        let Some(peer) = self.peers.get_mut(&link) else { return };
        let port = desk.discovery.listens_for(peer.place.from);
        if !peer.extended || !peer.is_joined() {
            return;
        }
        let mut ours = Handshake {
            agent: Some(desk.config.agent.clone()),
            requests_max: Some(limit::SERVED_MAX as u32),
            metadata_size: self.metainfo.as_ref().map(|metainfo| metainfo.info.len() as u32),
            upload_only: Some(self.upload_only),
            port,
            your_ip: peer.place.from,
            ..Handshake::ours()
        };
        if !is_public {
            ours.ids.remove(Extension::Signal.name());
            ours.ids.remove(Extension::Pex.name());
        }
        Self::say_terms(desk, peer, &mut ours);
        peer.outbox.say(&Message::Extended { id: 0, payload: ours.encode() });
        desk.kicks.insert((self.id, link));
    }

    fn metadata_message(&mut self, desk: &mut Desk, link: LinkId, payload: &Bytes) -> Verdict {
        match MetadataMessage::decode(payload)? {
            Some(MetadataMessage::Request { piece }) => {
                return self.metadata_asked_by(desk, link, piece);
            }
            Some(MetadataMessage::Data { piece, total_size, data }) => {
                self.metadata_block(desk, link, piece, total_size, data);
            }
            Some(MetadataMessage::Reject { piece }) => self.metadata_rejected(desk, link, piece),
            None => {}
        }
        Ok(())
    }
}
