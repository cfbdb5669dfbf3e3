//! Dials peers at addresses that others told (BEP 11) or that peers had before, the best first
//! (BEP 40), within limits that make us no good at hammering a host that is no peer.

use core::net::{IpAddr, SocketAddr};
use core::time::Duration;

use headwater_base::{LinkId, Rng, Time, TorrentId};
use headwater_wire::extended::{PexFlags, PexMessage};

use super::addresses::{Candidate, STRANGER, USER};
use super::attempt::{Attempt, State};
use super::limit::{
    DIAL_REST, DIAL_WAIT, DIALS, DIALS_AT_ONCE, DIALS_RESERVED, LINKS_DIALLED_FOR,
    UNSUPPORTED_PAUSE,
};
use super::nearness::may_name;
use super::outside::Outside;
use super::ports::Ports;
use super::priority::priority;
use super::{Budget, Discovery, Swarm, Timer};
use crate::{Action, Config, Finder, LinkEnd};

/// What all torrents dial with.
#[derive(Debug)]
pub(super) struct Dialler {
    /// Whether the shell can dial.
    able: bool,
    ports: Ports,
    outside: Outside,
    budget: Budget,
    /// Nobody is dialled before this: the shell said that it can make no links.
    rests_until: Time,
}

impl Dialler {
    pub(super) fn new(config: &Config) -> Self {
        let (burst, every) = DIALS;
        Self {
            able: config.dials,
            ports: Ports::new(config),
            outside: Outside::default(),
            budget: Budget::new(burst, every),
            rests_until: Time::ZERO,
        }
    }

    /// Whether the shell can dial.
    pub(super) fn able(&self) -> bool {
        self.able
    }

    /// The ports at which we are reached.
    pub(super) fn ports(&self) -> &Ports {
        &self.ports
    }

    /// The same, to be changed.
    pub(super) fn ports_mut(&mut self) -> &mut Ports {
        &mut self.ports
    }

    /// Whether one more may be dialled.
    fn may_dial(&mut self, now: Time, doubtful: bool) -> bool {
        self.budget.left(now) > if doubtful { DIALS_RESERVED } else { 0 }
    }

    /// The canonical priority of an address, while we know how we look from there.
    fn priority(&self, address: SocketAddr) -> Option<u32> {
        let ours = self.outside.facing(address.ip())?;
        priority(SocketAddr::new(ours, self.ports.told().unwrap_or(0)), address)
    }

    /// What an address is ranked by: while its priority is unknown, chance.
    fn rank(&self, rng: &mut Rng, address: SocketAddr) -> u32 {
        self.priority(address).unwrap_or_else(|| rng.next_u64() as u32)
    }

    fn is_ours(&self, address: SocketAddr) -> bool {
        let ours = self.outside.facing(address.ip()) == Some(address.ip());
        ours && self.ports.has(address.port())
    }
}

impl Discovery {
    /// Takes whom a linked peer says it is linked with. `from` is its IP address, if that is known.
    pub(crate) fn peers_told(
        &mut self,
        now: Time,
        (torrent, link): (TorrentId, LinkId),
        from: Option<IpAddr>,
        message: &PexMessage,
    ) {
        let linked = self.linked.contains_key(&link);
        let Some(swarm) = self.torrents.get_mut(&torrent) else { return };
        if !swarm.is_public() || !linked {
            return;
        }
        for address in &message.dropped {
            swarm.addresses.untell(link, *address);
        }
        let told = message.added.iter().filter(|peer| may_name(peer.address.ip(), from));
        let told = told.map(|peer| (peer.address, peer.flags.has(PexFlags::SEED)));
        self.learn(now, (torrent, link), told);
    }

    /// Takes where peers of a torrent are that the shell heard of.
    pub(crate) fn peers_found(
        &mut self,
        now: Time,
        torrent: TorrentId,
        finder: Finder,
        found: &[SocketAddr],
    ) {
        let private = self.torrents.get(&torrent).is_none_or(|swarm| swarm.private == Some(true));
        let (teller, from) = match finder {
            Finder::User => (USER, Some(IpAddr::from([127, 0, 0, 1]))),
            Finder::Stranger(_) if private => return,
            Finder::Stranger(from) => (STRANGER, from),
        };
        let found = found.iter().filter(|address| may_name(address.ip(), from));
        self.learn(now, (torrent, teller), found.map(|address| (*address, false)));
    }

    /// Takes addresses, and whether there is a seed, from whoever told.
    pub(super) fn learn(
        &mut self,
        now: Time,
        (torrent, teller): (TorrentId, LinkId),
        told: impl Iterator<Item = (SocketAddr, bool)>,
    ) {
        let Some(swarm) = self.torrents.get_mut(&torrent) else { return };
        for (address, seed) in told {
            if !self.dialler.is_ours(address) {
                let rank = || self.dialler.rank(&mut self.rng, address);
                swarm.addresses.tell(now, teller, (address, seed), rank);
            }
        }
        self.plan_dials(now, torrent);
    }

    /// Takes where the peer of a link can be dialled, now that its handshake came.
    pub(crate) fn located(
        &mut self,
        now: Time,
        (torrent, link): (TorrentId, LinkId),
        address: SocketAddr,
    ) {
        let linked = self.linked.contains_key(&link);
        if let Some(swarm) = self.torrents.get_mut(&torrent).filter(|_| linked) {
            let rank = || self.dialler.rank(&mut self.rng, address);
            swarm.addresses.link_at(now, link, address, rank);
        }
    }

    /// Takes where somebody at `voter` says we are.
    pub(crate) fn seen_at(&mut self, voter: IpAddr, ours: IpAddr) {
        if self.dialler.able && self.dialler.outside.vote(voter, ours) {
            for swarm in self.torrents.values_mut() {
                swarm.addresses.rank(|address| self.dialler.priority(address));
            }
        }
    }

    /// Has an address never dialled again for a torrent.
    pub(crate) fn ban_address(&mut self, torrent: TorrentId, address: SocketAddr) {
        if let Some(swarm) = self.torrents.get_mut(&torrent) {
            swarm.addresses.ban(address);
        }
    }

    /// How many addresses are known in a torrent.
    pub(crate) fn addresses_known(&self, torrent: TorrentId) -> usize {
        self.torrents.get(&torrent).map_or(0, |swarm| swarm.addresses.len())
    }

    /// A torrent may dial.
    pub(super) fn dial_due(&mut self, now: Time, torrent: TorrentId) {
        while let Some(next) = self.next_dial(now, torrent).filter(|next| next.at <= now)
            && self.dialler.may_dial(now, next.doubtful)
            && self.make_room(now, false)
        {
            let address = next.address;
            self.dialler.budget.take(now);
            if let Some(swarm) = self.torrents.get_mut(&torrent) {
                swarm.addresses.dialled(now, address);
            }
            let link = self.attempt(torrent, State::Dialling(address));
            self.timers.set(Timer::Attempt(link), now + DIAL_WAIT);
            self.act(Action::Dial { link, address });
        }
        self.plan_dials(now, torrent);
    }

    /// Sets when a torrent dials next, unless something must end before.
    pub(super) fn plan_dials(&mut self, now: Time, torrent: TorrentId) {
        self.timers.clear(Timer::Dial(torrent));
        let Some(next) = self.next_dial(now, torrent) else { return };
        let wait = match (self.has_room(now), self.dialler.may_dial(now, next.doubtful)) {
            (false, _) => DIAL_REST,
            (true, false) => DIALS.1,
            (true, true) => Duration::ZERO,
        };
        let at = next.at.max(now + wait);
        self.timers.set(Timer::Dial(torrent), at.max(self.dialler.rests_until));
    }

    /// Plans all torrents that may dial: something ended that counts for all of them.
    fn plan_all_dials(&mut self, now: Time) {
        let torrents: Vec<TorrentId> = self.torrents.keys().copied().collect();
        for torrent in torrents {
            self.plan_dials(now, torrent);
        }
    }

    /// Whom a torrent dials next, and when, as far as its own links and those of all allow.
    fn next_dial(&self, now: Time, torrent: TorrentId) -> Option<Candidate> {
        let swarm = self.torrents.get(&torrent)?;
        let dialling = |attempt: &&Attempt| attempt.dials().is_some();
        let under_way = self.attempts.values().filter(dialling).count();
        let coming = swarm.wanted - self.room(torrent);
        let enough = swarm.linked + coming >= LINKS_DIALLED_FOR || self.room(torrent) == 0;
        if !self.dialler.able || enough || under_way >= DIALS_AT_ONCE {
            return None;
        }
        let busy = |address| {
            let mut ours = self.attempts.values().filter(|at| at.torrent == torrent);
            ours.any(|attempt| attempt.dials() == Some(address))
        };
        swarm.addresses.next(now, Swarm::is_seed(swarm), busy)
    }

    /// A dial came to nothing.
    pub(super) fn dial_failed(&mut self, now: Time, attempt: &Attempt, end: LinkEnd) {
        if let (Some(swarm), Some(address)) =
            (self.torrents.get_mut(&attempt.torrent), attempt.dials())
        {
            swarm.addresses.failed(address);
        }
        if end == LinkEnd::Unsupported {
            self.dialler.rests_until = now + UNSUPPORTED_PAUSE;
        }
        self.plan_all_dials(now);
    }
}
