//! Links made by address: every host has one, and whoever listens there is reached unless its
//! router keeps others out.

use core::time::Duration;
use std::net::SocketAddr;

use headwater_base::{LinkId, Time};
use headwater_client::{ACCEPTED_FROM, Input, LinkEnd};

use crate::cheat::Mode;
use crate::net::{Author, Nat};
use crate::world::{Coming, World};

/// How soon after it comes a host's shell finds others.
pub(crate) const FIND: Duration = Duration::from_secs(1);
/// How long a dial takes to fail that nobody answers.
const UNANSWERED: Duration = Duration::from_secs(20);
/// The port every host listens on.
const PORT: u16 = 6881;
/// Dials of one address in an hour: where somebody is, whose links may break again and again, and
/// where nobody is.
const DIALS_MAX: (usize, usize) = (40, 8);

/// Where a host is.
pub(crate) fn address_of(host: usize) -> SocketAddr {
    SocketAddr::from(([45, (host >> 8) as u8, host as u8, 1], PORT))
}

impl World {
    /// Who listens at an address, if a host could.
    pub(crate) fn host_at(&self, address: SocketAddr) -> Option<usize> {
        let at = (0..self.hosts.len()).find(|host| address_of(*host) == address)?;
        self.hosts[at].makes.dials().then_some(at)
    }

    /// Whether one host's packets get to another.
    pub(crate) fn reaches(&self, at: usize, other: usize) -> bool {
        let played = |at: usize| matches!(self.hosts[at].mode, Mode::Played(_));
        // Puppets have nothing to say to each other, and would say it for ever.
        self.parts[at] == self.parts[other] && !(played(at) && played(other))
    }

    /// Dials an address for a host.
    pub(crate) fn dial(&mut self, at: usize, link: LinkId, to: SocketAddr) {
        let life = self.hosts[at].life;
        assert!(self.hosts[at].makes.dials(), "host {at} dials and cannot");
        self.judge_dial(at, to);
        self.hosts[at].dialling.insert(link);
        let far = self.host_at(to).map_or(Duration::ZERO, |host| self.hosts[host].path.latency);
        let after = self.hosts[at].path.latency + far + Duration::from_millis(1);
        self.queue.post(self.now + after, Coming::Dialled { host: at, life, link, to });
    }

    /// Nobody is dialled more often than somebody who is no peer can bear.
    fn judge_dial(&mut self, at: usize, to: SocketAddr) {
        let (now, somebody) = (self.local(at), self.host_at(to).is_some());
        let times = self.hosts[at].dialled.entry(to).or_default();
        times.retain(|time: &Time| now.since(*time) < Duration::from_secs(3600));
        times.push(now);
        let (most, count) = (if somebody { DIALS_MAX.0 } else { DIALS_MAX.1 }, times.len());
        assert!(count <= most, "host {at} dials {to} {count} times in an hour, {most} allowed");
    }

    /// A dial reaches the address, or nobody.
    pub(crate) fn dialled(&mut self, at: usize, life: u32, link: LinkId, to: SocketAddr) {
        let me: Author = (at, life, link);
        if self.hosts[at].life != life || !self.hosts[at].dialling.remove(&link) {
            return;
        }
        let failed = Input::LinkClosed { link, end: LinkEnd::Failed };
        let Some(other) = self.host_at(to).filter(|other| self.hosts[*other].is_up()) else {
            let after = if self.rng.below(2) == 0 { Duration::ZERO } else { UNANSWERED };
            return self.tell(at, after, failed);
        };
        if self.hosts[other].path.nat == Nat::Hard || !self.reaches(at, other) {
            return self.tell(at, UNANSWERED, failed);
        }
        let far = LinkId(ACCEPTED_FROM + self.hosts[other].accepted);
        self.hosts[other].accepted += 1;
        let theirs: Author = (other, self.hosts[other].life, far);
        let latency = self.hosts[at].path.latency + self.hosts[other].path.latency;
        let after = [latency, Duration::ZERO];
        let windows = self.join_ends(me, theirs, after);
        let from = SocketAddr::new(address_of(at).ip(), 40_000 + (far.0 % 20_000) as u16);
        let opened = Input::LinkOpened { link, window: windows[0], from: Some(to.ip()) };
        self.tell(at, after[0], opened);
        let accepted = Input::LinkAccepted { link: far, window: windows[1], from };
        self.tell(other, after[1], accepted);
    }
}
