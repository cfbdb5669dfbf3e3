//! What is lost and what is no longer wanted: pieces that are gone (BEP 54), and ends that take
//! nothing more though they may lack pieces (BEP 21).

use bytes::Bytes;
use headwater_base::{LinkId, PieceIndex};
use headwater_wire::Message;
use headwater_wire::extended::DontHave;

use super::message::NO_SUCH_PIECE;
use super::{Stage, Transfer};
use crate::CloseReason;
use crate::desk::Desk;

impl Transfer {
    /// Takes that a peer lost a piece. What it owes of it is asked of others.
    pub(super) fn lacks_piece(
        &mut self,
        desk: &mut Desk,
        link: LinkId,
        payload: &[u8],
    ) -> Result<(), CloseReason> {
        let DontHave(piece) = DontHave::decode(payload)?;
        let Some(peer) = self.peers.get_mut(&link) else { return Ok(()) };
        let Some(picker) = &mut self.picker else {
            peer.early.lose(piece);
            return Ok(());
        };
        if piece.0 >= picker.count() {
            return Err(NO_SUCH_PIECE);
        }
        if !peer.has.clear(piece) {
            return Ok(());
        }
        picker.peer_lost(piece);
        peer.useful = peer.useful.saturating_sub(u32::from(picker.is_wanted(piece)));
        let owed: Vec<_> =
            peer.asked.iter().map(|one| one.at).filter(|at| at.piece == piece).collect();
        let mut is_free = false;
        for at in owed {
            peer.asked.retain(|one| one.at != at);
            peer.remember_late(at);
            is_free |= picker.release(at, link);
        }
        if is_free {
            self.kick_hungry(desk);
        }
        self.reconsider(desk, link);
        Ok(())
    }

    /// Tells peers that we lost a piece; what they asked of it is refused.
    pub(super) fn tell_lost(&mut self, desk: &mut Desk, piece: PieceIndex) {
        for peer in self.peers.values_mut().filter(|peer| peer.told_pieces) {
            Self::refuse(peer, |span| span.piece == piece);
            let knows = peer.reveal.as_ref().is_none_or(|reveal| reveal.shows(piece));
            if let (Some(id), true) = (peer.dont_have_id, knows) {
                let payload = DontHave(piece).encode();
                peer.outbox.say(&Message::Extended { id, payload });
            }
            desk.kicks.insert((self.id, peer.link));
        }
    }

    /// Takes that a peer wants nothing more, or something again.
    pub(super) fn upload_only_said(&mut self, desk: &mut Desk, link: LinkId, payload: &[u8]) {
        if let (Some(peer), [flag]) = (self.peers.get_mut(&link), payload) {
            peer.upload_only = *flag != 0;
            self.watch_use(desk, link);
        }
    }

    /// Tells peers when we began or ceased to want nothing more. While pieces are shown one by one
    /// we seem to have none, so that nothing is said.
    pub(super) fn review_upload_only(&mut self, desk: &mut Desk) {
        let done = self.is_done();
        let only = self.stage == Stage::Running && done && !self.is_revealing();
        if only == self.upload_only {
            return;
        }
        self.upload_only = only;
        if !only {
            desk.discovery.lacks_again(desk.now, self.id);
        }
        let ids: Vec<_> =
            self.peers.values().map(|peer| (peer.link, peer.upload_only_id)).collect();
        for (link, id) in ids {
            let Some(id) = id else {
                self.say_extensions(desk, link);
                continue;
            };
            if let Some(peer) = self.peers.get_mut(&link) {
                let payload = Bytes::copy_from_slice(&[u8::from(only)]);
                peer.outbox.say(&Message::Extended { id, payload });
                desk.kicks.insert((self.id, link));
            }
        }
    }
}
