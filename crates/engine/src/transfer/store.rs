//! Where a torrent's bytes are kept: opened, checked, doubted. What is stored is trusted only when
//! the store's own record says so or it hashes right.

use headwater_base::{Bitfield, Digest1, Digest256, JobId, LinkId, PieceIndex};

use headwater_metainfo::{Torrent, Version};
use headwater_wire::BlockSpan;

use super::trees::are_leaves;
use super::{Stage, Transfer, fitted};
use crate::desk::{Desk, Job};
use crate::picker::{Picker, Turn, Window};
use crate::{Action, CloseReason, Event, Input, StoreError, Stored, Warning, limit};

impl Transfer {
    pub(super) fn open_store(&mut self, desk: &mut Desk) {
        if let Some(metainfo) = self.metainfo.clone() {
            self.stage = Stage::Opening;
            self.trees.learn(&metainfo);
            self.ask_layers(desk);
            desk.act(Action::OpenStore { torrent: self.id, metainfo });
        }
    }

    /// Takes that the store is open, and what it holds.
    pub(crate) fn store_opened(&mut self, desk: &mut Desk, result: Result<Stored, StoreError>) {
        if self.stage != Stage::Opening {
            return;
        }
        let Some(metainfo) = self.metainfo.clone() else { return };
        let stored = match result {
            Ok(stored) => stored,
            Err(error) => {
                self.fail(desk, error);
                return;
            }
        };
        let count = metainfo.piece_count();
        let mut have = fitted(stored.have, count);
        let doubtful: Bitfield = fitted(stored.doubtful, count);
        self.doubtful = doubtful.ones().filter(|piece| !have.has(*piece)).collect();
        if core::mem::take(&mut self.doubts_all) {
            self.doubtful.extend(have.ones());
            self.vouched = Some(core::mem::replace(&mut have, Bitfield::empty(count)));
        }
        let rng = desk.seed.split(&format!("picker {}", self.id));
        let mut picker = Picker::new(&metainfo, have, rng);
        picker.set_sequential(self.sequential);
        if stored.read_only {
            picker.set_read_only();
        }
        let length = metainfo.length.0;
        for (id, reader) in &mut self.readers {
            let Window { start, end } = reader.window;
            reader.window = Window { start: start.min(length), end: end.min(length) };
            picker.set_window(*id, Some(reader.window));
        }
        self.picker = Some(picker);
        self.settle_web_seeds(desk);
        self.stage = Stage::Checking;
        self.apply_choice(desk);
        let links: Vec<LinkId> = self.peers.keys().copied().collect();
        for link in links {
            if let Err(reason) = self.settle_claims(desk, link, count) {
                self.close(desk, link, reason);
            }
        }
        self.tell_readers(desk);
        self.check_more(desk);
    }

    /// Has doubtful pieces hashed, a few at once; starts the transfer after the last.
    pub(super) fn check_more(&mut self, desk: &mut Desk) {
        if self.picker.is_none() || self.paused {
            return;
        }
        while self.checks < limit::CHECKS_MAX
            && let Some(piece) = self.doubtful.pop_front()
        {
            self.checks += 1;
            let job = desk.job(self.id, Job::Check { piece });
            let torrent = self.id;
            desk.act(match self.metainfo.as_deref().map(Torrent::version) {
                Some(Version::V2) => Action::HashLeaves { job, torrent, piece },
                Some(Version::V1 | Version::Hybrid) | None => {
                    Action::HashStored { job, torrent, piece }
                }
            });
        }
        if self.stage == Stage::Checking && self.checks == 0 {
            self.run(desk);
        }
    }

    fn run(&mut self, desk: &mut Desk) {
        self.stage = Stage::Running;
        self.vouched = None;
        desk.requeue = true;
        desk.tell(Event::TorrentReady(self.id));
        let links: Vec<LinkId> = self.peers.keys().copied().collect();
        for link in links {
            self.tell_pieces(desk, link);
        }
        self.reconsider_all(desk);
        self.kick_web_seeds(desk);
        self.fill_slots(desk);
        self.tell_discovery(desk);
        self.tell_if_done(desk);
    }

    /// Takes the SHA-1 of a stored piece. A hybrid's leaves are looked at too where they can be.
    fn sha1_checked(
        &mut self,
        desk: &mut Desk,
        piece: PieceIndex,
        result: Result<Digest1, StoreError>,
    ) {
        let Some(metainfo) = &self.metainfo else { return };
        let right = result.map(|digest| metainfo.pieces.get(piece.idx()) == Some(&digest));
        if right == Ok(true) && metainfo.piece_node(piece).is_some() {
            let job = desk.job(self.id, Job::Check { piece });
            desk.act(Action::HashLeaves { job, torrent: self.id, piece });
            return;
        }
        self.checked(desk, piece, right);
    }

    /// Takes the leaves of a stored piece.
    fn leaves_checked(
        &mut self,
        desk: &mut Desk,
        piece: PieceIndex,
        result: Result<Vec<Digest256>, StoreError>,
    ) {
        let Some(metainfo) = &self.metainfo else { return };
        let right = result.as_ref().map(|leaves| are_leaves(metainfo, piece, leaves));
        // A store that has lost it meanwhile gives none.
        let gone = result.as_ref().is_ok_and(Vec::is_empty);
        let right = match right {
            // Its SHA-1 was right, so nothing that is stored can be.
            Ok(Some(false)) if metainfo.version() == Version::Hybrid && !gone => {
                self.fail(desk, StoreError::Contradiction(piece));
                return;
            }
            Ok(right) => Ok(right == Some(true)),
            Err(error) => Err(error.clone()),
        };
        if let (Ok(true), Ok(leaves)) = (&right, result) {
            self.trees.keep(piece, leaves);
        }
        self.checked(desk, piece, right);
    }

    fn checked(&mut self, desk: &mut Desk, piece: PieceIndex, right: Result<bool, StoreError>) {
        self.checks = self.checks.saturating_sub(1);
        let Some(picker) = &mut self.picker else { return };
        match right {
            Err(error) => {
                self.fail(desk, error);
                return;
            }
            Ok(true) => {
                let wanted = picker.is_wanted(piece);
                if picker.found(piece) {
                    self.had(desk, piece, wanted);
                }
            }
            Ok(false) => {
                if self.vouched.as_ref().is_some_and(|vouched| vouched.has(piece)) {
                    desk.warn(self.id, Warning::PieceLost(piece));
                }
                if picker.lost(piece) {
                    desk.warn(self.id, Warning::PieceLost(piece));
                    let gained = if picker.is_wanted(piece) { vec![piece] } else { Vec::new() };
                    for reader in self.readers.values_mut() {
                        reader.forget();
                    }
                    self.tell_lost(desk, piece);
                    self.reveal_everything(desk);
                    self.turned(desk, Turn { gained, ..Turn::default() });
                    self.kick_hungry(desk);
                    self.tell_discovery(desk);
                }
            }
        }
        self.check_more(desk);
    }

    /// Has everything that is stored hashed again.
    pub(crate) fn doubt_all(&mut self, desk: &mut Desk) {
        let Some(picker) = &self.picker else {
            self.doubts_all = true;
            return;
        };
        let mut waiting = Bitfield::empty(picker.have().len());
        for piece in &self.doubtful {
            waiting.set(*piece);
        }
        self.doubtful.extend(picker.have().ones().filter(|piece| !waiting.has(*piece)));
        self.check_more(desk);
    }

    /// Has a stored piece hashed again because it could not be read.
    pub(super) fn doubt(&mut self, desk: &mut Desk, piece: PieceIndex) {
        let has = self.picker.as_ref().is_some_and(|picker| picker.have().has(piece));
        if has && !self.doubtful.contains(&piece) {
            self.doubtful.push_back(piece);
            self.check_more(desk);
        }
    }

    /// Takes the answer to a job.
    pub(crate) fn job_done(&mut self, desk: &mut Desk, id: JobId, job: Job, answer: Input) {
        match (job, answer) {
            (Job::Read { link, piece, begin, len }, Input::BlockRead { result, .. }) => {
                let span = BlockSpan { piece, begin, len };
                self.was_read(desk, id, (link, span), result);
            }
            (Job::Hash { piece, data, senders, leaves }, Input::PieceHashed { result, .. }) => {
                self.hashed(desk, piece, (data, senders, leaves), result);
            }
            (Job::Check { piece }, Input::PieceHashed { result, .. }) => {
                self.sha1_checked(desk, piece, result);
            }
            (Job::Check { piece }, Input::BlocksHashed { result, .. }) => {
                self.leaves_checked(desk, piece, result);
            }
            (Job::Dispute { piece }, Input::PieceHashed { result, .. }) => {
                self.disputed(desk, piece, result);
            }
            (Job::Blocks { blocks }, Input::BlocksHashed { result, .. }) => {
                self.blocks_hashed(desk, &blocks, result);
            }
            (Job::Prove { piece }, Input::BlocksHashed { result, .. }) => {
                self.leaves_read(desk, piece, result);
            }
            (Job::Write { piece, data }, Input::PieceWritten { result, .. }) => {
                self.written(desk, piece, data, result);
            }
            (job, _) => panic!("an answer of another kind to {}", job.name()),
        }
    }

    /// Takes that a link closed by itself.
    pub(crate) fn link_closed(&mut self, desk: &mut Desk, link: LinkId) {
        self.gone(desk, link, CloseReason::Remote);
    }
}
