//! One web seed: what it has, what it is asked for, how it does.

use core::time::Duration;

use headwater_base::{BLOCK_LEN, Bitfield, LinkId, PeerId, PieceIndex, Rng, Time};

use super::run::Run;
use super::url;
use crate::bucket::{Bucket, Gate};
use crate::meter::Meter;
use crate::{WebSeed, WebSeedTrouble, WebSeedView, limit};

/// Names of web seeds start here, far from those of links.
const FIRST: u64 = 1 << 52;

/// One web seed of one torrent.
pub(super) struct Server {
    pub(super) url: String,
    pub(super) trusted: bool,
    /// What the picker calls it; no link bears this name.
    pub(super) link: LinkId,
    /// What blame calls it, and every other web seed on the same server.
    pub(super) id: PeerId,
    /// The pieces whose files it has, as far as is known.
    pub(super) has: Bitfield,
    pub(super) runs: Vec<Run>,
    /// The piece after its last run.
    pub(super) cursor: PieceIndex,
    pub(super) trouble: Option<WebSeedTrouble>,
    /// It is not asked again.
    pub(super) out: bool,
    failures: u32,
    /// It is not asked before.
    pub(super) again: Time,
    pub(super) fetched: Meter,
    pub(super) gate: Gate,
    pub(super) gate_at: Time,
    pub(super) download: Bucket,
}

impl Server {
    /// A web seed; `None` when its address is none.
    pub(super) fn new(seed: WebSeed, number: usize, download: Option<u64>) -> Option<Self> {
        let origin = url::origin(&seed.url)?;
        Some(Self {
            url: seed.url,
            trusted: seed.trusted,
            link: LinkId(FIRST + number as u64),
            id: url::identity(&origin),
            has: Bitfield::default(),
            runs: Vec::new(),
            cursor: PieceIndex(0),
            trouble: None,
            out: false,
            failures: 0,
            again: Time::ZERO,
            fetched: Meter::default(),
            gate: Gate::Unpaid,
            gate_at: Time::ZERO,
            download: Bucket::new(download),
        })
    }

    /// Whether a link's name is that of a web seed.
    pub(super) fn is_named(link: LinkId) -> bool {
        link.0 >= FIRST
    }

    /// How many blocks its next run may have.
    pub(super) fn room(&self, now: Time, piece_length: u32, reading: bool) -> usize {
        let span = if reading { limit::WEB_RUN_SPAN / 2 } else { limit::WEB_RUN_SPAN };
        let sent = u128::from(self.fetched.rate(now)) * span.as_micros() / 1_000_000;
        let whole = u64::from(piece_length).min(limit::WEB_WHOLE_PIECE_MAX);
        let bytes = (sent as u64).max(limit::WEB_RUN_FIRST).max(whole).min(limit::WEB_RUN_MAX);
        bytes.div_ceil(u64::from(BLOCK_LEN)) as usize
    }

    /// Takes a failure that passes; answers when to ask again.
    pub(super) fn back_off(&mut self, now: Time, asked: Option<u64>, rng: &mut Rng) {
        let doubled = limit::WEB_RETRY_MIN.saturating_mul(1 << self.failures.min(16));
        let wait = doubled.max(Duration::from_secs(asked.unwrap_or(0))).min(limit::WEB_RETRY_MAX);
        // Clients that a server lost at one moment must not come back at one moment.
        let jitter = Duration::from_millis(rng.below(wait.as_millis() as u64 / 4 + 1));
        self.again = now + wait + jitter;
        self.failures += 1;
    }

    /// Says that a run came whole.
    pub(super) fn succeeded(&mut self) {
        self.failures = 0;
        self.trouble = None;
    }

    /// Forgets troubles that may have passed.
    pub(super) fn forgive(&mut self, pieces: u32) {
        let lied = matches!(self.trouble, Some(WebSeedTrouble::WrongData(_)));
        if !lied {
            self.succeeded();
            self.out = false;
            self.again = Time::ZERO;
            self.has = Bitfield::full(pieces);
        }
    }

    pub(super) fn view(&self, now: Time) -> WebSeedView {
        WebSeedView {
            url: self.url.clone(),
            working: !self.out && self.again <= now,
            trouble: self.trouble.as_ref().map(ToString::to_string).unwrap_or_default(),
            downloaded: headwater_base::ByteCount(self.fetched.total()),
            download_speed: self.fetched.rate(now),
        }
    }
}
