//! Addresses at which peers of one torrent are said to be: who told of them, how often they were
//! dialled in vain, and which is dialled next. Trusts nobody's word; dials nothing itself.

use core::cmp::Reverse;
use core::net::{IpAddr, SocketAddr};

use headwater_base::{LinkId, Map, Set, Time};

use super::limit::{
    ADDRESS_TRIES, ADDRESSES_MAX, ADDRESSES_PER_HOST_MAX, ADDRESSES_PER_TELLER_MAX, DIAL_REST,
    DIAL_REST_DOUBLINGS, DIAL_REST_NAMED, DOUBTFUL,
};

/// Stand among those who tell for the user, for whom the shell heard of an address from, and for
/// all trackers: no link has such names.
pub(super) const USER: LinkId = LinkId(u64::MAX);
pub(super) const STRANGER: LinkId = LinkId(u64::MAX - 1);
pub(super) const TRACKER: LinkId = LinkId(u64::MAX - 2);

/// The addresses known in one torrent.
#[derive(Debug, Default)]
pub(super) struct Addresses {
    known: Map<SocketAddr, Known>,
    /// Where peers we are linked with can be dialled.
    linked: Map<LinkId, SocketAddr>,
    /// How many dials in vain each that tells is to blame for.
    vain: Map<LinkId, u32>,
}

/// An address to dial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) address: SocketAddr,
    /// When it may be dialled.
    pub(super) at: Time,
    /// Whoever tells of it sent us to nobody before, or nobody tells of it.
    pub(super) doubtful: bool,
}

/// What is known of an address.
#[derive(Debug)]
struct Known {
    /// The links by which it was told. What nobody tells any more may be right all the same.
    tellers: Set<LinkId>,
    /// It has everything, they say.
    seed: bool,
    /// What decides among those dialled equally often: the higher, the sooner.
    rank: u32,
    /// Dials since a link there was sound.
    tries: u32,
    /// It is not dialled before this.
    not_before: Time,
    /// It is never dialled: who is there is banned, ourselves, or in another swarm.
    banned: bool,
}

impl Addresses {
    /// How many may be dialled at some time.
    pub(super) fn len(&self) -> usize {
        self.known.values().filter(|known| !known.banned).count()
    }

    /// Takes that somebody tells of an address; false when that is too much.
    pub(super) fn tell(
        &mut self,
        now: Time,
        teller: LinkId,
        (address, seed): (SocketAddr, bool),
        rank: impl FnOnce() -> u32,
    ) -> bool {
        let told = self.known.values().filter(|known| known.tellers.contains(&teller)).count();
        if told >= ADDRESSES_PER_TELLER_MAX {
            return false;
        }
        if let Some(known) = self.known.get_mut(&address) {
            known.tellers.insert(teller);
            known.seed &= seed;
            return true;
        }
        let host = host_of(address.ip());
        let there = self.known.keys().filter(|other| host_of(other.ip()) == host).count();
        if there >= ADDRESSES_PER_HOST_MAX || !self.make_room() {
            return false;
        }
        let (tellers, rank) = (Set::from([teller]), rank());
        let known = Known { tellers, seed, rank, tries: 0, not_before: now, banned: false };
        self.known.insert(address, known);
        true
    }

    /// Takes that somebody tells of an address no longer.
    pub(super) fn untell(&mut self, teller: LinkId, address: SocketAddr) {
        if let Some(known) = self.known.get_mut(&address) {
            known.tellers.remove(&teller);
        }
    }

    /// Forgets what nobody else told.
    pub(super) fn forget(&mut self, teller: LinkId) {
        self.known.retain(|_, known| !(known.tellers.remove(&teller) && known.tellers.is_empty()));
    }

    /// Sees to it that there is room for one more. What nobody tells any more makes way, then
    /// what was dialled in vain for long enough; what must not be dialled soon stays longest.
    fn make_room(&mut self) -> bool {
        if self.known.len() < ADDRESSES_MAX {
            return true;
        }
        let useless = |(address, known): (&SocketAddr, &Known)| {
            let told = !known.tellers.is_empty();
            let spare = !told || known.tries >= ADDRESS_TRIES;
            spare.then_some((known.banned, told, known.not_before, *address))
        };
        let first = self.known.iter().filter_map(useless).min();
        first.is_some_and(|(.., address)| self.known.remove(&address).is_some())
    }

    /// Takes where the peer of a link can be dialled, should the link end.
    pub(super) fn link_at(
        &mut self,
        now: Time,
        link: LinkId,
        address: SocketAddr,
        rank: impl FnOnce() -> u32,
    ) {
        self.linked.insert(link, address);
        let seed = self.known.get(&address).is_some_and(|known| known.seed);
        self.tell(now, link, (address, seed), rank);
    }

    /// Forgets a link, and that it told anything. Who was at its end rests before it is dialled.
    pub(super) fn link_over(&mut self, now: Time, link: LinkId, sound: bool) {
        for known in self.known.values_mut() {
            known.tellers.remove(&link);
        }
        self.vain.remove(&link);
        let Some(address) = self.linked.remove(&link) else { return };
        if let Some(known) = self.known.get_mut(&address) {
            if sound {
                known.tries = 0;
            }
            known.not_before = known.not_before.max(now + known.rest());
        }
    }

    /// Takes that we parted with the peer of a link, which is not dialled before `until`.
    pub(super) fn part(&mut self, link: LinkId, until: Time) {
        let known = self.linked.get(&link).and_then(|address| self.known.get_mut(address));
        if let Some(known) = known {
            known.not_before = known.not_before.max(until);
        }
    }

    /// Has those dialled soon with whom we parted.
    pub(super) fn hurry(&mut self, now: Time) {
        for known in self.known.values_mut().filter(|known| known.tries == 0) {
            known.not_before = known.not_before.min(now + DIAL_REST);
        }
    }

    /// Takes that an address is dialled.
    pub(super) fn dialled(&mut self, now: Time, address: SocketAddr) {
        if let Some(known) = self.known.get_mut(&address) {
            known.not_before = now + known.rest();
            known.tries = known.tries.saturating_add(1);
        }
    }

    /// Takes that nobody was reached at an address: its tellers are believed less.
    pub(super) fn failed(&mut self, address: SocketAddr) {
        let Some(known) = self.known.get(&address) else { return };
        for teller in &known.tellers {
            *self.vain.entry(*teller).or_default() += 1;
        }
    }

    /// How little is to be had of an address: by orders of magnitude of what the most trustworthy
    /// who tell of it are to blame for.
    fn doubt(&self, known: &Known) -> u32 {
        let blame = |teller| self.vain.get(teller).map_or(0, |vain| vain.ilog2() + 1);
        known.tellers.iter().map(blame).min().unwrap_or(DOUBTFUL)
    }

    /// Has an address never dialled again, as long as there is room to remember it.
    pub(super) fn ban(&mut self, address: SocketAddr) {
        if let Some(known) = self.known.get_mut(&address) {
            known.banned = true;
        }
    }

    /// Gives every address a new rank, unless `rank` has none for it.
    pub(super) fn rank(&mut self, rank: impl Fn(SocketAddr) -> Option<u32>) {
        for (address, known) in self.known.iter_mut() {
            known.rank = rank(*address).unwrap_or(known.rank);
        }
    }

    /// The address to dial next, and when: of those that may be dialled by `now` one told by whom
    /// is believed most, and of those one dialled least; else the one that may be first. A seed
    /// has no use for seeds.
    pub(super) fn next(
        &self,
        now: Time,
        we_seed: bool,
        busy: impl Fn(SocketAddr) -> bool,
    ) -> Option<Candidate> {
        let linked = |address: &SocketAddr| self.linked.values().any(|of| of == address);
        let useful = |(address, known): &(&SocketAddr, &Known)| {
            let idle = known.banned || (we_seed && known.seed);
            !idle && !linked(address) && !busy(**address)
        };
        let order = |(address, known): &(&SocketAddr, &Known)| {
            let wait = known.not_before.max(now);
            (wait, self.doubt(known), known.tries, Reverse(known.rank), **address)
        };
        let (address, known) = self.known.iter().filter(useful).min_by_key(order)?;
        let doubtful = self.doubt(known) >= DOUBTFUL;
        Some(Candidate { address: *address, at: known.not_before.max(now), doubtful })
    }
}

impl Known {
    /// How long it rests, dialled so often since a link there was sound.
    fn rest(&self) -> core::time::Duration {
        let first = if self.tellers.contains(&USER) { DIAL_REST_NAMED } else { DIAL_REST };
        first * (1 << self.tries.min(DIAL_REST_DOUBLINGS))
    }
}

/// What one host, or one line, has to itself.
fn host_of(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(_) => ip,
        IpAddr::V6(ip) => IpAddr::from((u128::from(ip) >> 64 << 64).to_be_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;

    const NOW: Time = Time::ZERO;

    fn at(n: u32) -> SocketAddr {
        let [_, a, b, c] = n.to_be_bytes();
        SocketAddr::from(([50, a, b, c], 6881))
    }

    fn tell(table: &mut Addresses, teller: u64, n: u32) -> bool {
        table.tell(NOW, LinkId(teller), (at(n), false), || n)
    }

    fn next(table: &Addresses, now: Time) -> Option<(SocketAddr, Time)> {
        next_of(table, now, false, |_| false)
    }

    fn next_of(
        table: &Addresses,
        now: Time,
        we_seed: bool,
        busy: impl Fn(SocketAddr) -> bool,
    ) -> Option<(SocketAddr, Time)> {
        table.next(now, we_seed, busy).map(|next| (next.address, next.at))
    }

    #[test]
    fn highest_rank_is_dialled_first_and_whoever_was_dialled_rests_ever_longer() {
        let mut table = Addresses::default();
        assert!([1, 3, 2].into_iter().all(|n| tell(&mut table, 1, n)));
        let mut order = Vec::new();
        for _ in 0..3 {
            let (address, when) = next(&table, NOW).unwrap();
            assert_eq!(when, NOW);
            table.dialled(NOW, address);
            order.push(address);
        }
        assert_eq!(order, [at(3), at(2), at(1)]);
        let (mut now, mut dials) = (NOW, 1);
        while now < NOW + Duration::from_secs(3600) {
            let (address, when) = next_of(&table, now, false, |other| other != at(3)).unwrap();
            now = when;
            table.dialled(now, address);
            dials += 1;
        }
        assert_eq!(dials, 7, "six in the first hour, and the first of the next");
    }

    #[test]
    fn one_that_tells_fills_only_its_share_and_may_not_name_one_host_for_ever() {
        let mut table = Addresses::default();
        let told = (0..1000).filter(|n| tell(&mut table, 1, *n)).count();
        assert_eq!((told, table.len()), (ADDRESSES_PER_TELLER_MAX, ADDRESSES_PER_TELLER_MAX));
        assert!(tell(&mut table, 2, 5000));
        let port = |port| SocketAddr::new(at(5000).ip(), port);
        let ports = (1..100).filter(|n| table.tell(NOW, LinkId(2), (port(*n), false), || 0));
        assert_eq!(ports.count(), ADDRESSES_PER_HOST_MAX - 1);
        let v6 = |last: u16| SocketAddr::from(([0x2001, 0x470, 0, 1, 9, 9, 9, last], 1));
        let there = (1..100).filter(|n| table.tell(NOW, LinkId(2), (v6(*n), false), || 0));
        assert_eq!(there.count(), ADDRESSES_PER_HOST_MAX);
    }

    #[test]
    fn full_table_keeps_what_is_told_and_what_must_not_be_dialled() {
        let mut table = Addresses::default();
        for n in 0..ADDRESSES_MAX as u32 {
            assert!(tell(&mut table, u64::from(n) / 50, n));
        }
        assert!(!tell(&mut table, 99, 9000), "all of it is told by somebody");
        table.dialled(NOW, at(7));
        table.ban(at(8));
        for n in [7, 8, 9] {
            table.untell(LinkId(0), at(n));
        }
        assert!(tell(&mut table, 99, 9001) && !table.known.contains_key(&at(9)));
        assert!(tell(&mut table, 99, 9002) && !table.known.contains_key(&at(7)));
        for _ in 0..ADDRESS_TRIES {
            table.dialled(NOW, at(70));
        }
        assert!(tell(&mut table, 99, 9003) && !table.known.contains_key(&at(70)));
        assert!(tell(&mut table, 99, 9004) && !table.known.contains_key(&at(8)));
        assert!(!tell(&mut table, 99, 9005));
        assert_eq!(table.known.len(), ADDRESSES_MAX);
    }

    #[test]
    fn whoever_sends_us_to_nobody_is_believed_less_than_others() {
        let mut table = Addresses::default();
        for n in 0..60 {
            tell(&mut table, 1, 100 + n);
        }
        for _ in 0..2 {
            let (address, _) = next(&table, NOW).unwrap();
            table.dialled(NOW, address);
            table.failed(address);
        }
        // By rank it would come last.
        tell(&mut table, 2, 1);
        for expect in [at(1), at(157), at(156), at(155)] {
            let (address, _) = next(&table, NOW).unwrap();
            assert_eq!(address, expect);
            table.dialled(NOW, address);
            if expect != at(1) {
                table.failed(address);
            }
        }
        let doubtful = |table: &Addresses| table.next(NOW, false, |_| false).unwrap().doubtful;
        assert!(doubtful(&table));
        tell(&mut table, 4, 120);
        assert!(!doubtful(&table), "somebody else says so too");
        table.link_over(NOW, LinkId(1), true);
        table.link_over(NOW, LinkId(4), true);
        assert!(table.vain.is_empty() && doubtful(&table));
    }

    #[test]
    fn whom_the_user_named_is_dialled_again_soon_but_ever_less_often() {
        let mut table = Addresses::default();
        tell(&mut table, 1, 1);
        tell(&mut table, USER.0, 1);
        table.dialled(NOW, at(1));
        assert_eq!(next(&table, NOW), Some((at(1), NOW + DIAL_REST_NAMED)));
        table.link_at(NOW, LinkId(5), at(1), || 0);
        table.link_over(NOW, LinkId(5), false);
        assert_eq!(next(&table, NOW), Some((at(1), NOW + 2 * DIAL_REST_NAMED)));
    }

    #[test]
    fn telling_again_makes_nobody_forget_a_dial_in_vain() {
        let mut table = Addresses::default();
        tell(&mut table, 1, 1);
        table.dialled(NOW, at(1));
        table.untell(LinkId(1), at(1));
        table.link_over(NOW, LinkId(1), true);
        tell(&mut table, 2, 1);
        assert_eq!(next(&table, NOW), Some((at(1), NOW + DIAL_REST)));
    }

    #[test]
    fn linked_and_banned_addresses_are_not_dialled_and_seeds_not_by_seeds() {
        let mut table = Addresses::default();
        for n in [1, 2] {
            tell(&mut table, 1, n);
        }
        table.tell(NOW, LinkId(1), (at(3), true), || 9);
        table.link_at(NOW, LinkId(5), at(1), || 0);
        table.ban(at(2));
        assert_eq!(next_of(&table, NOW, true, |_| false), None);
        assert_eq!(next_of(&table, NOW, false, |_| false), Some((at(3), NOW)));
        assert_eq!(next_of(&table, NOW, false, |address| address == at(3)), None);
        table.link_over(NOW, LinkId(5), true);
        assert_eq!(next_of(&table, NOW, true, |_| false), Some((at(1), NOW + DIAL_REST)));
    }
}
