//! One host: a client with a path, disks and a clock of its own, and what a scenario says of it.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::rc::Rc;

use headwater_base::{Amount, Bitfield, LinkId, PeerId, PieceIndex, Time, TorrentId, TrackerId};
use headwater_client::{Client, Config, TorrentState};
use headwater_pay::Event;

use crate::cheat::Mode;
use crate::disk::{Disk, Manners};
use crate::money::{Crash, Purse, Trade};
use crate::net::{Flow, Path};
use crate::sample::SampleId;
use crate::world::Coming;

/// Which host of the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HostId(pub(crate) usize);

/// What a host has of a torrent when it joins for the first time.
#[derive(Clone, Debug)]
pub enum Have {
    /// Nothing.
    None,
    /// Every piece.
    All,
    /// Every piece whose number, divided by the first, leaves the second.
    Share(u32, u32),
}

impl Have {
    /// As bits of a torrent with `count` pieces.
    pub(crate) fn bits(&self, count: u32) -> Bitfield {
        let mut bits = Bitfield::empty(count);
        for at in 0..count {
            let held = match self {
                Self::None => false,
                Self::All => true,
                Self::Share(of, rest) => at % of == *rest,
            };
            if held {
                bits.set(PieceIndex(at));
            }
        }
        bits
    }
}

/// What kinds of links a host can make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Makes {
    /// By offer and answer, as a browser does.
    Offers,
    /// By address, as an ordinary client does.
    Dials,
    /// Both, as a hybrid does.
    Both,
}

impl Makes {
    /// Whether it can be made by address.
    pub(crate) fn dials(self) -> bool {
        self != Self::Offers
    }

    /// Whether it can be made by offer.
    pub(crate) fn offers(self) -> bool {
        self != Self::Dials
    }
}

/// A host to be. Made by `Spec::seed` or `Spec::leech`, changed by the rest.
pub struct Spec {
    pub(crate) kind: &'static str,
    pub(crate) sample: SampleId,
    pub(crate) have: Have,
    pub(crate) magnet: bool,
    pub(crate) trackers: Option<Vec<usize>>,
    pub(crate) makes: Makes,
    pub(crate) finds: Vec<HostId>,
    pub(crate) path: Path,
    pub(crate) manners: Manners,
    pub(crate) at: Duration,
    pub(crate) mode: Mode,
    pub(crate) purse: Purse,
    pub(crate) must_finish: bool,
    pub(crate) leaves: Option<Duration>,
    pub(crate) config: Rc<dyn Fn(&mut Config)>,
}

impl Spec {
    /// A host that has everything.
    pub fn seed(sample: SampleId) -> Self {
        Self {
            kind: "seed",
            sample,
            have: Have::All,
            magnet: false,
            trackers: None,
            makes: Makes::Offers,
            finds: Vec::new(),
            path: Path::HOME,
            manners: Manners::default(),
            at: Duration::ZERO,
            mode: Mode::Honest,
            purse: Purse::default(),
            must_finish: false,
            leaves: None,
            config: Rc::new(|_| {}),
        }
    }

    /// A host that has nothing and must have everything in the end.
    pub fn leech(sample: SampleId) -> Self {
        Self { kind: "leech", have: Have::None, must_finish: true, ..Self::seed(sample) }
    }

    /// What it is called in logs and figures.
    #[must_use]
    pub fn named(self, kind: &'static str) -> Self {
        Self { kind, ..self }
    }

    /// It has these pieces already.
    #[must_use]
    pub fn having(self, have: Have) -> Self {
        Self { have, ..self }
    }

    /// It knows the torrent by its info-hash only.
    #[must_use]
    pub fn magnet(self) -> Self {
        Self { magnet: true, ..self }
    }

    /// It knows these trackers of the world, and not those the torrent names.
    #[must_use]
    pub fn knows(self, trackers: &[usize]) -> Self {
        Self { trackers: Some(trackers.to_vec()), ..self }
    }

    /// It dials and listens besides making offers.
    #[must_use]
    pub fn dials(self) -> Self {
        Self { makes: Makes::Both, ..self }
    }

    /// It dials and listens, and can make no links by offers.
    #[must_use]
    pub fn dials_only(self) -> Self {
        Self { makes: Makes::Dials, ..self }
    }

    /// Its shell finds this host by means of its own, soon after it comes.
    #[must_use]
    pub fn finds(mut self, host: HostId) -> Self {
        self.finds.push(host);
        self
    }

    /// It is joined to the world like this.
    #[must_use]
    pub fn path(self, path: Path) -> Self {
        Self { path, ..self }
    }

    /// Its disk behaves like this.
    #[must_use]
    pub fn disk(self, manners: Manners) -> Self {
        Self { manners, ..self }
    }

    /// It comes this long after the start.
    #[must_use]
    pub fn at(self, at: Duration) -> Self {
        Self { at, ..self }
    }

    /// It goes for good this long after it has everything.
    #[must_use]
    pub fn leaving(self, after: Duration) -> Self {
        Self { leaves: Some(after), ..self }
    }

    /// Nobody waits for it to finish.
    #[must_use]
    pub fn optional(self) -> Self {
        Self { must_finish: false, ..self }
    }

    /// It cheats. Nobody waits for it, and it may be banned.
    #[must_use]
    pub fn cheats(self, kind: &'static str, mode: Mode) -> Self {
        Self { kind, mode, must_finish: false, ..self }
    }

    /// It pays for its torrent, up to so many times what sellers take at least.
    #[must_use]
    pub fn buys(self, times: u128) -> Self {
        self.purse(|purse| purse.trade = Trade::Buys(times))
    }

    /// It sells slots.
    #[must_use]
    pub fn sells(self) -> Self {
        self.purse(|purse| purse.trade = Trade::Sells)
    }

    /// It has so much in the vault.
    #[must_use]
    pub fn deposits(self, deposit: Amount) -> Self {
        self.purse(|purse| purse.deposit = deposit)
    }

    /// It lets one payer have so much open at most.
    #[must_use]
    pub fn unsecured(self, unsecured: Amount) -> Self {
        self.purse(|purse| purse.unsecured = unsecured)
    }

    /// No claim of it reaches the chain so long after the start.
    #[must_use]
    pub fn claims_from(self, after: Duration) -> Self {
        self.purse(|purse| purse.claims_from = Time::ZERO + after)
    }

    /// It crashes in the middle of what its payment wants done, and comes back.
    #[must_use]
    pub fn crashes(self, crash: Crash) -> Self {
        self.purse(|purse| purse.crash = Some(crash))
    }

    fn purse(mut self, change: impl FnOnce(&mut Purse)) -> Self {
        change(&mut self.purse);
        self
    }

    /// Its client runs with these settings.
    #[must_use]
    pub fn config(self, config: impl Fn(&mut Config) + 'static) -> Self {
        Self { config: Rc::new(config), ..self }
    }
}

/// One host.
pub struct Host {
    /// What it is called in logs and figures.
    pub kind: &'static str,
    /// How it is joined to the world; a fault may change it at any time.
    pub path: Path,
    /// When it joined for the first time.
    pub joined: Time,
    /// When it had everything it wants.
    pub done: Option<Time>,
    /// Bytes that left it, all messages together.
    pub sent: u64,
    /// Bytes that reached it.
    pub got: u64,
    pub(crate) honest: bool,
    pub(crate) must_finish: bool,
    pub(crate) leaves: Option<Duration>,
    pub(crate) sample: SampleId,
    pub(crate) magnet: bool,
    pub(crate) trackers: Option<Vec<usize>>,
    pub(crate) makes: Makes,
    pub(crate) finds: Vec<HostId>,
    /// What it dials.
    pub(crate) dialling: BTreeSet<LinkId>,
    /// When it dialled which address, by its own clock.
    pub(crate) dialled: BTreeMap<SocketAddr, Vec<Time>>,
    /// Links it accepted.
    pub(crate) accepted: u64,
    pub(crate) config: Rc<dyn Fn(&mut Config)>,
    pub(crate) mode: Mode,
    pub(crate) client: Option<Client>,
    pub(crate) purse: Purse,
    pub(crate) peer: PeerId,
    /// How often it came and went; what was meant for another life is lost.
    pub(crate) life: u32,
    pub(crate) disks: BTreeMap<SampleId, Disk>,
    pub(crate) torrents: BTreeMap<TorrentId, SampleId>,
    /// By how much its clock is ahead of the world's.
    pub(crate) ahead: Duration,
    /// When its client wants to be called, by its own clock.
    pub(crate) wake: Option<Time>,
    /// When the world will call it.
    pub(crate) wake_posted: Option<Time>,
    /// Calls in a row that found nothing to do.
    pub(crate) idle_wakes: u32,
    pub(crate) drains: u64,
    /// It runs no code; what reaches it waits.
    pub(crate) frozen: bool,
    pub(crate) held: Vec<Coming>,
    /// When it went on last.
    pub(crate) thawed: Time,
    /// When somebody told its torrent to stop or to go on.
    pub(crate) rested: Time,
    /// Which tracker of the world each of its sockets leads to.
    pub(crate) sockets: BTreeMap<TrackerId, usize>,
    pub(crate) links: BTreeMap<LinkId, Flow>,
    /// Whom each link led to, also when it is gone.
    pub(crate) partners: BTreeMap<LinkId, usize>,
    /// Flows that wait for its line, in turn.
    pub(crate) ready: VecDeque<Flow>,
    pub(crate) up_busy: bool,
    pub(crate) down_free: Time,
    /// Flows that have bytes on their way to it.
    pub(crate) flows_in: u64,
}

impl Host {
    /// Whether it is there.
    pub fn is_up(&self) -> bool {
        self.client.is_some()
    }

    /// Its client, while it is there.
    pub fn client(&self) -> Option<&Client> {
        self.client.as_ref()
    }

    /// How often it came.
    pub fn lives(&self) -> u32 {
        self.life + u32::from(self.is_up())
    }

    /// What it keeps of its torrent.
    pub fn disk(&self) -> Option<&Disk> {
        self.disks.get(&self.sample)
    }

    /// What its torrent is called in its client.
    pub fn torrent(&self) -> TorrentId {
        TorrentId(0)
    }

    /// Whether its torrent fetches or serves.
    pub(crate) fn is_running(&self) -> bool {
        let view = self.client.as_ref().and_then(|client| client.torrent_view(self.torrent()));
        let running = [TorrentState::Leeching, TorrentState::Seeding];
        view.is_some_and(|view| running.contains(&view.state))
    }

    /// How many peers it has, while it is there.
    pub fn peers(&self) -> Option<usize> {
        Some(self.client.as_ref()?.torrent_view(self.torrent())?.peers)
    }

    /// Bytes it promised to pay for, and what it promised.
    pub fn bought(&self) -> (u64, Amount) {
        let mut sum = (0, Amount(0));
        for event in &self.purse.events {
            if let Event::Bought { bytes, amount, .. } = event {
                sum = (sum.0 + bytes, Amount(sum.1.0 + amount.0));
            }
        }
        sum
    }

    /// The highest price of a MiB that it agreed to.
    pub fn top_price(&self) -> Amount {
        let price = |event: &Event| {
            if let Event::PriceChanged { price, .. } = event { *price } else { Amount(0) }
        };
        self.purse.events.iter().map(price).max().unwrap_or_default()
    }

    /// What was promised to it, as it was told.
    pub fn sold(&self) -> u128 {
        let earned = |event: &Event| {
            if let Event::Earned { amount, .. } = event { amount.0 } else { 0 }
        };
        self.purse.events.iter().map(earned).sum()
    }

    /// How long it took from joining to the last piece.
    pub fn took(&self) -> Option<Duration> {
        self.done.map(|done| done.since(self.joined))
    }
}
