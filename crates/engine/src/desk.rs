//! What every part of the engine writes to: the tray of things to do, timers, jobs, limits shared
//! by all torrents, and discovery. Decides nothing.

use std::collections::VecDeque;

use bytes::Bytes;
use headwater_base::{
    JobId, LinkId, Map, PeerId, PieceIndex, Rng, Seed, Set, Time, Timers, TorrentId,
};

use crate::bucket::Bucket;
use crate::discovery::Discovery;
use crate::kicks::Kicks;
use crate::meter::Meter;
use crate::picker::BlockAt;
use crate::timer::Timer;
use crate::{Action, Config, Event, PieceData, Step, Warning, limit};

/// Work that the shell does, and what it is for.
pub(crate) enum Job {
    /// Reads blocks for a peer.
    Read { link: LinkId, piece: PieceIndex, begin: u32, len: u32 },
    /// Hashes a complete piece; `leaves` tells whether its leaves are right, once that is known.
    Hash { piece: PieceIndex, data: PieceData, senders: Vec<PeerId>, leaves: Option<bool> },
    /// Hashes blocks that came from these peers.
    Blocks { blocks: Vec<(BlockAt, PeerId)> },
    /// Hashes a piece of a hybrid whose leaves are wrong.
    Dispute { piece: PieceIndex },
    /// Hashes the blocks of a stored piece to prove them to peers.
    Prove { piece: PieceIndex },
    /// Hashes a stored piece.
    Check { piece: PieceIndex },
    /// Fetches part of a web seed's file.
    Fetch { link: LinkId },
    /// Writes a verified piece.
    Write { piece: PieceIndex, data: PieceData },
}

impl Job {
    /// Its name, for assertions.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Read { .. } => "ReadBlock",
            Self::Hash { .. } => "HashPiece",
            Self::Check { .. } => "HashStored",
            Self::Fetch { .. } => "FetchRange",
            Self::Blocks { .. } => "HashBlocks",
            Self::Dispute { .. } => "HashPiece",
            Self::Prove { .. } => "HashLeaves",
            Self::Write { .. } => "WritePiece",
        }
    }
}

/// The shared part of the engine.
pub(crate) struct Desk {
    /// When the input that is being handled happened.
    pub(crate) now: Time,
    pub(crate) config: Config,
    pub(crate) steps: VecDeque<Step>,
    pub(crate) timers: Timers<Timer>,
    pub(crate) jobs: Map<JobId, (TorrentId, Job)>,
    /// Links that may have something to send or to ask.
    pub(crate) kicks: Kicks,
    /// Torrents with blocks to be hashed.
    pub(crate) hash_due: Set<TorrentId>,
    /// Which torrent each open link belongs to.
    pub(crate) links: Map<LinkId, TorrentId>,
    pub(crate) discovery: Discovery,
    /// Our terms of paid priority; none while the user has not opted in.
    pub(crate) pay_terms: Option<Bytes>,
    pub(crate) upload: Bucket,
    pub(crate) download: Bucket,
    pub(crate) sent: Meter,
    pub(crate) fetched: Meter,
    pub(crate) seed: Seed,
    pub(crate) rng: Rng,
    /// Fetches from web servers that run.
    pub(crate) fetches: usize,
    /// Which torrents may be active has to be looked at.
    pub(crate) requeue: bool,
    next_job: u64,
}

impl Desk {
    pub(crate) fn new(config: Config, seed: &Seed) -> Self {
        Self {
            now: Time::ZERO,
            steps: VecDeque::new(),
            timers: Timers::default(),
            jobs: Map::new(),
            kicks: Kicks::default(),
            hash_due: Set::new(),
            links: Map::new(),
            discovery: Discovery::new(&config, seed),
            pay_terms: None,
            upload: Bucket::new(config.upload_limit),
            download: Bucket::new(config.download_limit),
            sent: Meter::default(),
            fetched: Meter::default(),
            rng: seed.split("engine"),
            seed: seed.clone(),
            fetches: 0,
            requeue: false,
            next_job: 0,
            config,
        }
    }

    /// Has the shell do something.
    pub(crate) fn act(&mut self, action: Action) {
        self.steps.push_back(Step::Action(action));
    }

    /// Tells whoever listens.
    pub(crate) fn tell(&mut self, event: Event) {
        self.steps.push_back(Step::Event(event));
    }

    /// Tells of something the engine copes with.
    pub(crate) fn warn(&mut self, torrent: TorrentId, warning: Warning) {
        self.tell(Event::Warned { torrent, warning });
    }

    /// Notes a job and names it.
    pub(crate) fn job(&mut self, torrent: TorrentId, job: Job) -> JobId {
        let id = JobId(self.next_job);
        self.next_job += 1;
        self.jobs.insert(id, (torrent, job));
        id
    }

    /// Sets `timer` a span from the present.
    pub(crate) fn set(&mut self, timer: Timer, span: core::time::Duration) {
        self.timers.set(timer, self.now + span);
    }

    /// Has speeds looked at for as long as something flows.
    pub(crate) fn measure(&mut self) {
        self.timers.start(Timer::Measure, self.now + limit::MEASURE_ROUND);
    }

    /// Has those who wait for a limit go on at once.
    pub(crate) fn free_gates(&mut self) {
        for link in self.links.keys() {
            for timer in [Timer::Upload(*link), Timer::Download(*link)] {
                if self.timers.is_set(timer) {
                    self.timers.set(timer, self.now);
                }
            }
        }
    }
}
