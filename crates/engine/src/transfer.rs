//! One torrent: what stage it is in, its peers, pieces and readers. Its parts lie in the folder of
//! the same name; this file starts, stops and describes it.

mod blame;
mod bridge;
mod choke;
mod download;
mod fast;
mod hashes;
mod lack;
mod leaves;
mod link;
mod message;
mod metadata;
mod pace;
mod paid;
mod pex;
mod prove;
mod reader;
mod reveal;
mod signal;
mod store;
mod trees;
mod upload;
mod verify;
mod view;
mod want;
mod webseed;

use std::collections::VecDeque;
use std::sync::Arc;

use headwater_base::{
    Bitfield, Digest256, InfoHash, LinkId, Map, PieceIndex, ReaderId, Set, TorrentId,
};
use headwater_metainfo::{RawPublication, Torrent};

use crate::desk::Desk;
use crate::discovery::Totals;
use crate::meter::Meter;
use crate::peer::Peers;
use crate::picker::Picker;
use crate::timer::Timer;
use crate::{Action, AddTorrent, CloseReason, Config, Event, Priority, StoreError, WebSeed};
use blame::Blame;
use bridge::Bridge;
use choke::Slots;
use metadata::Fetch;
use pace::Pace;
use reader::Reader;
use trees::Trees;
pub(crate) use want::PeerWants;
use want::ToldWants;
use webseed::WebSeeds;

/// What a torrent is doing, pauses left aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Peers are asked for metadata.
    Resolving,
    /// The store is being opened.
    Opening,
    /// Doubtful pieces are being hashed.
    Checking,
    /// Blocks are asked for and served.
    Running,
    /// The store failed; nothing goes on.
    Failed,
}

/// One torrent.
pub(crate) struct Transfer {
    id: TorrentId,
    info_hash: InfoHash,
    info_hash_v2: Option<Digest256>,
    tiers: Vec<Vec<String>>,
    /// What a link said of its publisher, until its metadata is known.
    publication: Option<RawPublication>,
    /// Files named when it was added, until its metadata is known.
    files: Option<Vec<u32>>,
    /// What the user chose for each file.
    choice: Vec<Priority>,
    /// Pieces come in order.
    sequential: bool,
    metainfo: Option<Arc<Torrent>>,
    stage: Stage,
    paused: bool,
    /// Enough others are active.
    queued: bool,
    /// Its own limits.
    pace: Pace,
    fetch: Fetch,
    trees: Trees,
    /// Known as soon as the store is open.
    picker: Option<Picker>,
    /// Pieces that wait to be hashed as they are stored, and those being hashed.
    doubtful: VecDeque<PieceIndex>,
    /// Whether the store, once it is open, is to be doubted whatever its record says.
    doubts_all: bool,
    /// Of the doubtful pieces, those that the record vouched for.
    vouched: Option<Bitfield>,
    checks: usize,
    peers: Peers,
    web: WebSeeds,
    blame: Blame,
    slots: Slots,
    readers: Map<ReaderId, Reader>,
    wants: ToldWants,
    /// Peers that found less to ask for than they have room for.
    hungry: Set<LinkId>,
    /// Blocks that came though they were here.
    twice: u64,
    /// The quickest peers of late.
    quick: Vec<LinkId>,
    sent: Meter,
    fetched: Meter,
    wasted: u64,
    /// `TorrentDone` was told, and nothing was lacking since.
    told_done: bool,
    /// Peers were told that we want nothing more (BEP 21).
    upload_only: bool,
    /// The user wants pieces shown one by one while we seed (BEP 16).
    super_seed: bool,
    /// It serves browsers from the ordinary swarm, as they ask.
    bridge: Option<Bridge>,
}

impl Transfer {
    pub(crate) fn new(id: TorrentId, add: AddTorrent, config: &Config) -> Self {
        let limits = [config.active_downloads_max, config.active_seeds_max];
        Self {
            id,
            info_hash: add.info_hash,
            info_hash_v2: add.info_hash_v2,
            tiers: add.trackers,
            publication: add.publication,
            // A bridge fetches what it is asked for, and nothing else.
            files: if add.bridge { Some(Vec::new()) } else { add.files },
            choice: Vec::new(),
            sequential: false,
            metainfo: add.metainfo,
            stage: Stage::Resolving,
            paused: add.paused,
            // It waits until it is known whether there is room.
            queued: limits.iter().any(Option::is_some),
            pace: Pace::new(config.torrent_upload_limit, config.torrent_download_limit),
            fetch: Fetch::default(),
            trees: Trees::default(),
            picker: None,
            doubtful: VecDeque::new(),
            doubts_all: false,
            vouched: None,
            checks: 0,
            peers: Peers::new(),
            web: WebSeeds::default(),
            blame: Blame::default(),
            slots: Slots::default(),
            readers: Map::new(),
            wants: ToldWants::default(),
            hungry: Set::new(),
            twice: 0,
            quick: Vec::new(),
            sent: Meter::default(),
            fetched: Meter::default(),
            wasted: 0,
            told_done: false,
            upload_only: false,
            super_seed: false,
            bridge: add.bridge.then(Bridge::default),
        }
    }

    /// Does what a new torrent needs first.
    pub(crate) fn begin(&mut self, desk: &mut Desk, web_seeds: Vec<WebSeed>) {
        self.add_web_seeds(desk, web_seeds);
        if self.metainfo.is_some() {
            self.open_store(desk);
        }
        self.look_for_peers(desk);
    }

    /// Takes trackers and metadata it lacks.
    pub(crate) fn merge(&mut self, desk: &mut Desk, add: AddTorrent) {
        for tier in add.trackers {
            let known = |url: &String| self.tiers.iter().flatten().any(|known| known == url);
            let fresh: Vec<_> = tier.into_iter().filter(|url| !known(url)).collect();
            if !fresh.is_empty() {
                self.tiers.push(fresh);
            }
        }
        // Of several links the first counts, or a later one could turn tips to somebody else.
        self.publication = self.publication.take().or(add.publication);
        if let (Stage::Resolving, Some(metainfo)) = (self.stage, add.metainfo) {
            self.metadata_known(desk, metainfo);
        }
        self.learn_publication();
        self.add_web_seeds(desk, add.web_seeds);
        self.look_for_peers(desk);
    }

    fn is_active(&self) -> bool {
        !self.paused && !self.queued && self.stage != Stage::Failed
    }

    fn look_for_peers(&mut self, desk: &mut Desk) {
        if self.is_active() {
            let private = self.metainfo.as_ref().map(|metainfo| metainfo.private);
            let who = (self.id, self.bridge.is_some());
            desk.discovery.start(desk.now, who, &self.hashes(), &self.tiers, private);
            self.tell_signals(desk);
            self.plan_pex(desk);
            self.tell_discovery(desk);
        }
    }

    /// What trackers and handshakes call it: the name it was added by, and that of the other
    /// version, where it has one and that is known.
    fn hashes(&self) -> Vec<InfoHash> {
        let v1 = self.metainfo.as_ref().map(|metainfo| metainfo.info_hash);
        let other = self.cut().into_iter().chain(v1).find(|hash| *hash != self.info_hash);
        core::iter::once(self.info_hash).chain(other).collect()
    }

    /// Its hash of v2 as trackers and handshakes have it.
    fn cut(&self) -> Option<InfoHash> {
        self.info_hash_v2.as_ref().map(InfoHash::cut)
    }

    /// Tells discovery how far the torrent is and how many links it has room for.
    fn tell_discovery(&mut self, desk: &mut Desk) {
        if !self.is_active() {
            return;
        }
        let running = self.stage == Stage::Running;
        let left = self.picker.as_ref().filter(|_| running).map(Picker::left);
        let (uploaded, downloaded) = (self.sent.total(), self.fetched.total());
        desk.discovery.progress(desk.now, self.id, Totals { uploaded, downloaded, left });
        let room = desk.config.links_per_torrent_max.saturating_sub(self.peers.len());
        desk.discovery.want(desk.now, self.id, room);
    }

    /// Stops everything that involves peers.
    pub(crate) fn pause(&mut self, desk: &mut Desk) {
        if !core::mem::replace(&mut self.paused, true) {
            self.leave_swarm(desk);
            desk.requeue = true;
        }
    }

    /// Goes on after a pause or a failure.
    pub(crate) fn resume(&mut self, desk: &mut Desk) {
        let failed = self.stage == Stage::Failed;
        if !self.paused && !failed {
            return;
        }
        self.paused = false;
        if failed {
            self.stage = Stage::Resolving;
            self.fetch = Fetch::default();
            if self.metainfo.is_some() {
                self.open_store(desk);
            }
        }
        self.forgive_web_seeds();
        self.join_swarm(desk);
        desk.requeue = true;
        self.check_more(desk);
    }

    /// Starts everything that involves peers.
    fn join_swarm(&mut self, desk: &mut Desk) {
        self.kick_web_seeds(desk);
        self.look_for_peers(desk);
    }

    /// Ends the torrent. Jobs it waits for are ignored when they are answered.
    pub(crate) fn remove(mut self, desk: &mut Desk, delete: bool) {
        self.leave_swarm(desk);
        self.drop_jobs(desk);
        self.fail_readers(desk);
        if self.metainfo.is_some() && self.stage != Stage::Failed || delete {
            desk.act(Action::CloseStore { torrent: self.id, delete });
        }
    }

    /// Stops because the store failed. What is stored stays.
    fn fail(&mut self, desk: &mut Desk, error: StoreError) {
        if self.stage == Stage::Failed {
            return;
        }
        let opened = self.picker.is_some();
        self.stage = Stage::Failed;
        self.leave_swarm(desk);
        self.drop_jobs(desk);
        self.picker = None;
        self.trees.stop();
        self.doubtful.clear();
        self.vouched = None;
        self.checks = 0;
        self.told_done = false;
        self.upload_only = false;
        if opened {
            desk.act(Action::CloseStore { torrent: self.id, delete: false });
        }
        desk.requeue = true;
        desk.tell(Event::TorrentFailed { torrent: self.id, error });
        self.fail_readers(desk);
    }

    fn leave_swarm(&mut self, desk: &mut Desk) {
        self.stop_web_seeds(desk);
        desk.discovery.stop(self.id);
        let links: Vec<LinkId> = self.peers.keys().copied().collect();
        for link in links {
            self.close(desk, link, CloseReason::Stopped);
        }
        for timer in [
            Timer::Choke(self.id),
            Timer::Metadata(self.id),
            Timer::Hashes(self.id),
            Timer::Urgent(self.id),
            Timer::Want(self.id),
        ] {
            desk.timers.clear(timer);
        }
    }

    fn drop_jobs(&mut self, desk: &mut Desk) {
        desk.jobs.retain(|_, (torrent, _)| *torrent != self.id);
    }

    pub(crate) fn metainfo(&self) -> Option<Arc<Torrent>> {
        self.metainfo.clone()
    }

    /// Takes the user's choice of files.
    pub(crate) fn choose(&mut self, desk: &mut Desk, priorities: Vec<Priority>) {
        self.choice = priorities;
        self.files = None;
        self.apply_choice(desk);
    }

    /// Takes the user's choice of order.
    pub(crate) fn order(&mut self, sequential: bool) {
        self.sequential = sequential;
        if let Some(picker) = &mut self.picker {
            picker.set_sequential(sequential);
        }
    }

    fn apply_choice(&mut self, desk: &mut Desk) {
        let (Some(metainfo), Some(picker)) = (&self.metainfo, &mut self.picker) else { return };
        if let Some(files) = self.files.take() {
            let files: Set<u32> = files.into_iter().collect();
            self.choice = (0..metainfo.files.len() as u32)
                .map(|at| if files.contains(&at) { Priority::Normal } else { Priority::Skip })
                .collect();
        }
        let vain = picker.set_priorities(piece_priorities(metainfo, &self.choice));
        for (link, at) in vain {
            self.cancel(link, at);
        }
        desk.requeue = true;
        self.told_done &= self.is_done();
        self.reconsider_all(desk);
        self.tell_if_done(desk);
    }

    /// Whether everything chosen is stored. A bridge is never done: somebody may ask for more.
    pub(crate) fn is_done(&self) -> bool {
        self.bridge.is_none() && self.picker.as_ref().is_some_and(Picker::is_done)
    }

    fn tell_if_done(&mut self, desk: &mut Desk) {
        self.review_upload_only(desk);
        let done = self.is_done();
        if done && self.stage == Stage::Running && !self.told_done {
            self.told_done = true;
            desk.requeue = true;
            desk.tell(Event::TorrentDone(self.id));
        }
    }

    /// Has every peer looked at for things to ask or send.
    fn kick_all(&self, desk: &mut Desk) {
        self.kick_web_seeds(desk);
        desk.kicks.extend(self.peers.keys().map(|link| (self.id, *link)));
    }

    /// Has peers looked at that could be asked for more when there was nothing.
    fn kick_hungry(&mut self, desk: &mut Desk) {
        self.kick_web_seeds(desk);
        let hungry = core::mem::take(&mut self.hungry).into_iter();
        desk.kicks.extend(hungry.map(|link| (self.id, link)));
    }

    /// Does what there is to do on one link.
    pub(crate) fn work(&mut self, desk: &mut Desk, link: LinkId) {
        if Self::is_web_seed(link) {
            self.ask_web_seed(desk, link);
            return;
        }
        self.refill(desk, link);
        self.serve(desk, link);
        let Some(peer) = self.peers.get_mut(&link) else { return };
        peer.outbox.flush(desk);
        if peer.outbox.is_clogged() {
            self.close(desk, link, CloseReason::Rule("peer reads nothing of what we say"));
        }
    }

    /// Takes a timer of the torrent itself or of one of its links.
    pub(crate) fn rang(&mut self, desk: &mut Desk, timer: Timer) {
        match timer {
            Timer::Handshake(link) => self.handshake_due(desk, link),
            Timer::Greet(link) => self.greet_due(desk, link),
            Timer::KeepAlive(link) => self.keep_alive_due(desk, link),
            Timer::Silence(link) => self.silence_due(desk, link),
            Timer::Retire(link) => self.retire_due(desk, link),
            Timer::Useless(link) => self.useless_due(desk, link),
            Timer::Snub(link) => self.snub_due(desk, link),
            Timer::Upload(link) => self.upload_due(desk, link),
            Timer::Download(link) => self.download_due(desk, link),
            Timer::Pex(link) => self.pex_due(desk, link),
            Timer::Choke(_) => self.choke_due(desk),
            Timer::Metadata(_) => self.metadata_due(desk),
            Timer::Hashes(_) => self.hashes_due(desk),
            Timer::Urgent(_) => self.urgent_due(desk),
            Timer::WebSeeds(_) => self.web_seeds_due(desk),
            Timer::Want(_) => self.want_due(desk),
            Timer::Measure => {}
        }
    }
}

/// The priority of each piece: the highest of the files it holds bytes of.
fn piece_priorities(metainfo: &Torrent, choice: &[Priority]) -> Vec<Priority> {
    let mut pieces = vec![Priority::Skip; metainfo.piece_count() as usize];
    let length = u64::from(metainfo.piece_length);
    for (at, file) in metainfo.files.iter().enumerate() {
        if file.pad || file.length.0 == 0 {
            continue;
        }
        let priority = choice.get(at).copied().unwrap_or_default();
        let first = (file.offset.0 / length) as usize;
        let last = ((file.offset.0 + file.length.0 - 1) / length) as usize;
        let held = pieces.get_mut(first..=last).into_iter().flatten();
        for piece in held {
            *piece = priority.max(*piece);
        }
    }
    pieces
}

/// A bitfield of the right size, whatever a store says.
fn fitted(bits: Bitfield, count: u32) -> Bitfield {
    if bits.len() == count { bits } else { Bitfield::empty(count) }
}
