//! What must hold at every step, whatever a scenario does. A checker that does not hold panics
//! with what it found; the runner names the seed.
//!
//! Elsewhere: what is stored hashes (`shell.rs`, on every write), only stored pieces are read to be
//! served (`disk.rs`), no link is overrun (`line.rs`), a deadline is never over (`world.rs`),
//! honest hosts keep to the protocol (`referee.rs`).

use core::time::Duration;

use headwater_base::{ByteCount, PeerId, Time};
use headwater_client::{CloseReason, Event, Step, Warning};

use crate::fault::Fault;
use crate::host::HostId;
use crate::world::{Coming, World};

/// Things a client may want done in one drain.
pub(crate) const STEPS_MAX: u64 = 200_000;
/// Bytes beyond its window that a link takes: small messages overdraw it.
pub(crate) const OVERDRAFT_MAX: i64 = 32 * 1024;
/// Deadlines in a row that may find nothing to do, a moment apart.
const IDLE_WAKES_MAX: u32 = 100;
/// Deadlines nearer to each other than this are one.
const TELLING_APART: Duration = Duration::from_millis(1);
/// How often a host's views are looked at: every so many drains.
const VIEW_EVERY: u64 = 64;
/// Bytes held for one link: a message of the largest kind that is not whole, control bytes that
/// wait, and what is read ahead.
const HELD_BYTES_MAX: u64 = (1024 + 2048 + 512) * 1024;
/// Bytes asked of one peer at once: what `reqq` promises, and urgent ones.
const ASKED_BYTES_MAX: u64 = 520 * 16 * 1024;

impl World {
    /// A client told something.
    pub(crate) fn told(&mut self, at: usize, event: &Event) {
        if let Event::TorrentDone(_) = event {
            self.done(at);
        } else if let Event::PieceStored { torrent, piece } = event {
            let stored = self.disk(at, *torrent).is_some_and(|disk| disk.has(*piece));
            assert!(stored, "host {at} tells of piece {piece}, which is not stored");
        } else if let Event::Warned { warning, .. } = event {
            if let Warning::PeerBanned { peer, .. } | Warning::MetadataFalse { peer } = warning {
                self.judge_ban(at, *peer, &format!("{warning:?}"));
            }
        } else if let Event::PeerLeft { reason, link, .. } = event
            && is_blame(reason)
            && let Some(partner) = self.hosts[at].partners.get(link)
        {
            let peer = self.hosts[*partner].peer;
            self.judge_ban(at, peer, &format!("{reason:?}"));
        }
    }

    /// A host has everything it wants.
    pub(crate) fn done(&mut self, at: usize) {
        let host = &mut self.hosts[at];
        if host.done.is_some() {
            return;
        }
        host.done = Some(self.now);
        self.waiting -= usize::from(host.must_finish);
        if let Some(after) = host.leaves {
            self.queue.post(self.now + after, Coming::Fault(Fault::Vanish(HostId(at))));
        }
    }

    /// No honest host is ever banned, or sent away for what it says, by another honest one.
    fn judge_ban(&self, at: usize, peer: PeerId, why: &str) {
        let accused = self.names.get(&peer).copied();
        let both = accused.is_some_and(|accused| self.hosts[accused].honest);
        assert!(!both || !self.hosts[at].honest, "host {at} blames honest {accused:?}: {why}");
    }

    /// Calls a host at its deadline; that must move it.
    pub(crate) fn drain_due(&mut self, at: usize) {
        let before = self.hosts[at].wake;
        let steps = self.drain(at);
        let host = &mut self.hosts[at];
        assert!(host.wake.is_none() || host.wake > before, "deadline of host {at} stays");
        let soon = |wake: Time| wake.since(self.now + host.ahead).as_millis() <= 2;
        let idle = steps == 0 && host.wake.is_some_and(soon);
        host.idle_wakes = if idle { host.idle_wakes + 1 } else { 0 };
        let idle = host.idle_wakes;
        assert!(idle < IDLE_WAKES_MAX, "host {at} was called {idle} times for nothing");
    }

    /// Nothing changes between deadlines: a client that is asked again sleeps on. Deadlines are
    /// told a millisecond apart, so one that is about to come may hide an earlier one.
    pub(crate) fn judge_rest(&mut self, at: usize) {
        let now = self.local(at);
        let host = &mut self.hosts[at];
        if host.wake.is_some_and(|wake| wake.since(now) <= TELLING_APART) {
            return;
        }
        let Some(client) = &mut host.client else { return };
        let step = client.next(now);
        let Step::Sleep(wake) = &step else { panic!("host {at} between deadlines: {step:?}") };
        let (wake, known) = (wake.map(|wake| wake.at), host.wake);
        assert!(wake == known, "deadline of host {at} moved by itself from {known:?} to {wake:?}");
    }

    /// Now and then after a drain: everything a client shows of itself is within its limits.
    pub(crate) fn judge_drained(&mut self, at: usize) {
        self.hosts[at].drains += 1;
        if !self.hosts[at].drains.is_multiple_of(VIEW_EVERY) || !self.hosts[at].honest {
            return;
        }
        self.judge_rest(at);
        let whole = self.length_of(at);
        let host = &self.hosts[at];
        let Some(client) = &host.client else { return };
        let (view, torrent) = (client.view(), host.torrent());
        let mut config = headwater_client::Config::new(host.peer);
        (host.config)(&mut config);
        let most = config.links_max;
        assert!(view.links <= most, "host {at} has {} links, {most} allowed", view.links);
        let Some(view) = client.torrent_view(torrent) else { return };
        let most = config.links_per_torrent_max;
        assert!(view.peers <= most, "host {at} has {} peers, {most} allowed", view.peers);
        let ByteCount(stored) = view.wanted_stored;
        assert!(stored <= whole.0, "host {at} says it stored {stored} of {whole} bytes");
        let piece = u64::from(self.samples[host.sample.0].torrent.piece_length);
        let ByteCount(open) = view.open;
        assert!(open + stored <= whole.0 + piece, "host {at} holds {open} bytes beside {stored}");
        for peer in client.peer_views(torrent) {
            let (asked, held) = (peer.asked.0, peer.held.0);
            assert!(held <= HELD_BYTES_MAX, "host {at} holds {held} bytes for {}", peer.peer);
            assert!(asked <= ASKED_BYTES_MAX, "host {at} asks {} for {asked} bytes", peer.peer);
        }
    }

    /// A host that had everything lost some of it with its tab, and must fetch it again.
    pub(crate) fn judge_lost(&mut self, at: usize) {
        let full = self.hosts[at].disk().is_some_and(crate::Disk::is_full);
        let host = &mut self.hosts[at];
        if host.must_finish && host.done.is_some() && !full {
            host.done = None;
            self.waiting += 1;
        }
    }

    /// At the end, whoever had to finish holds every byte.
    pub(crate) fn judge_end(&mut self) {
        for (at, host) in self.hosts.iter().enumerate().filter(|(_, host)| host.must_finish) {
            let full = host.disk().is_some_and(crate::Disk::is_full);
            assert!(full, "host {at} says that it is done, and lacks pieces");
        }
    }

    /// One line a host, for a failure.
    pub fn describe(&self) -> String {
        let mut text = String::new();
        for (at, host) in self.hosts.iter().enumerate() {
            let stored = host.disk().map_or(0, crate::Disk::stored);
            let of = self.samples[host.sample.0].piece_count();
            let torrent = host.client().and_then(|client| client.torrent_view(host.torrent()));
            let state = torrent.map(|view| (view.state, view.peers, view.rarest));
            let links = host.links.len();
            let kind = host.kind;
            text.push_str(&format!("{at:>4} {kind:<12} {stored}/{of} {links} links {state:?}\n"));
        }
        text
    }
}

/// Whether a link ended because of something the peer said.
fn is_blame(reason: &CloseReason) -> bool {
    match reason {
        CloseReason::Banned
        | CloseReason::Poisoned(_)
        | CloseReason::FalseMetadata
        | CloseReason::FalseHashes(_)
        | CloseReason::Malformed(_)
        | CloseReason::WrongSwarm
        | CloseReason::Rule(_) => true,
        CloseReason::Remote
        | CloseReason::Unreachable
        | CloseReason::Stopped
        | CloseReason::Ourselves
        | CloseReason::Duplicate
        | CloseReason::Silent(_)
        | CloseReason::Useless
        | CloseReason::Crowded => false,
    }
}
