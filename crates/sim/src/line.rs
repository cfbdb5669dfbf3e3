//! Brings bytes from host to host: packets wait for their host's line in turn, travel, and wait
//! for the far host's line. Nothing is lost for good, and within a link nothing is overtaken.

use core::time::Duration;

use bytes::Bytes;
use headwater_base::LinkId;
use headwater_client::{Input, LinkEnd};

use crate::dial::address_of;
use crate::net::{Author, Flow, Packet, author, describe};
use crate::referee::Watch;
use crate::world::{Coming, World};

/// Bytes of one packet: a block and its head.
const PACKET_BYTES: usize = 16 * 1024 + 32;
/// Bytes that one flow has on its way, at least and at most, whatever the lines would take.
const FLIGHT: (u64, u64) = (20 * 1024, 1024 * 1024);
/// What a flow keeps on its way besides what the latency asks for.
const FLIGHT_MARGIN: Duration = Duration::from_millis(60);
/// How long a lost packet takes to come again.
const AGAIN: Duration = Duration::from_millis(250);
/// How long both ends of a stalled link wait before they give it up.
const STALL_MAX: Duration = Duration::from_secs(25);
/// How long an attempt between two that cannot meet takes to fail.
const FAIL_AFTER: Duration = Duration::from_secs(15);
/// How long a shell takes to gather what a description needs.
const GATHER: Duration = Duration::from_millis(120);

/// Micros that `len` bytes take at `rate` bytes a second.
fn span(len: usize, rate: u64) -> Duration {
    Duration::from_micros(len as u64 * 1_000_000 / rate.max(1))
}

impl World {
    /// Makes an offer, or the answer to one.
    pub(crate) fn describe_link(&mut self, at: usize, link: LinkId, offer: Option<&str>) {
        let me: Author = (at, self.hosts[at].life, link);
        let after = GATHER + Duration::from_millis(self.rng.below(200));
        let Some(offer) = offer else {
            return self.tell(at, after, Input::OfferMade { link, sdp: describe(me) });
        };
        match author(offer) {
            Some(maker) => {
                self.net.answers(me, maker);
                self.tell(at, after, Input::AnswerMade { link, sdp: describe(me) });
            }
            None => self.tell(at, after, Input::LinkClosed { link, end: LinkEnd::Failed }),
        }
    }

    /// Joins an offer to its answer, if a path joins the two hosts.
    pub(crate) fn take_answer(&mut self, at: usize, link: LinkId, answer: &str) {
        let me: Author = (at, self.hosts[at].life, link);
        let theirs = author(answer).filter(|theirs| self.net.take_answer(*theirs, me));
        let alive = |(host, life, _): &Author| {
            let host = &self.hosts[*host];
            host.life == *life && host.is_up()
        };
        let Some(theirs) = theirs.filter(alive) else {
            return self.tell(at, FAIL_AFTER, Input::LinkClosed { link, end: LinkEnd::Failed });
        };
        let (other, _, far) = theirs;
        if !self.reaches(at, other) || !self.hosts[at].path.meets(&self.hosts[other].path) {
            self.tell(at, FAIL_AFTER, Input::LinkClosed { link, end: LinkEnd::Failed });
            let failed = Input::LinkClosed { link: far, end: LinkEnd::Failed };
            return self.tell(other, FAIL_AFTER, failed);
        }
        let latency = self.hosts[at].path.latency + self.hosts[other].path.latency;
        let early = self.rng.below(latency.as_micros() as u64);
        let (first, second) = if self.rng.below(2) == 0 { (0, early) } else { (early, 0) };
        let base = latency * 4;
        let after = [first, second].map(|late| base + Duration::from_micros(late));
        let windows = self.join_ends(me, theirs, after);
        // A browser does not say where the other end of a link is.
        for ((host, _, link), window, after, far) in
            [(me, windows[0], after[0], other), (theirs, windows[1], after[1], at)]
        {
            let from = self.hosts[host].makes.dials().then(|| address_of(far).ip());
            self.tell(host, after, Input::LinkOpened { link, window, from });
        }
    }

    /// Makes a link of two ends, which hear of it later; answers the windows of both.
    pub(crate) fn join_ends(
        &mut self,
        ours: Author,
        theirs: Author,
        after: [Duration; 2],
    ) -> [usize; 2] {
        let windows = [ours, theirs].map(|(host, ..)| self.hosts[host].path.window);
        let joined = self.net.join((ours, windows[0]), (theirs, windows[1]));
        for (side, (host, _, link), (far, ..)) in [(0, ours, theirs), (1, theirs, ours)] {
            self.hosts[host].links.insert(link, Flow { link: joined, side });
            self.hosts[host].partners.insert(link, far);
        }
        let count = self.samples[self.hosts[ours.0].sample.0].piece_count();
        for (end, after) in self.net.links[joined].ends.iter_mut().zip(after) {
            end.opens = self.now + after;
            end.watch = self.refereed.then(|| Watch::new(self.now + after, count));
        }
        windows
    }

    /// Puts bytes into a link.
    pub(crate) fn send(&mut self, at: usize, link: LinkId, bytes: Bytes) {
        let Some(&flow) = self.hosts[at].links.get(&link) else { return };
        if bytes.is_empty() {
            return;
        }
        self.hosts[at].sent += bytes.len() as u64;
        let honest = self.hosts[at].honest;
        let end = self.net.end(flow);
        end.window -= bytes.len() as i64;
        let over = -end.window;
        assert!(!honest || over <= crate::check::OVERDRAFT_MAX, "link {link} overrun by {over}");
        end.queued += bytes.len();
        end.queue.push_back(bytes.clone());
        self.watch(flow, &bytes);
        self.want_line(flow);
    }

    /// Puts a flow into its host's turn if it may send.
    fn want_line(&mut self, flow: Flow) {
        let Flow { link, side } = flow;
        let ends = &self.net.links[link].ends;
        let (host, to) = (ends[side].host, &self.hosts[ends[1 - side].host]);
        let delay = self.hosts[host].path.latency + to.path.latency + FLIGHT_MARGIN;
        let share = to.path.down * delay.as_millis() as u64 / 1000 / to.flows_in.max(1);
        let most = share.clamp(FLIGHT.0, FLIGHT.1) as usize;
        let end = self.net.end(flow);
        if !end.waits && !end.queue.is_empty() && end.in_net < most {
            end.waits = true;
            self.hosts[host].ready.push_back(flow);
            self.use_line(host);
        }
    }

    /// Gives a host's line to the flow whose turn it is.
    fn use_line(&mut self, at: usize) {
        if self.hosts[at].up_busy {
            return;
        }
        while let Some(flow) = self.hosts[at].ready.pop_front() {
            if !self.net.links[flow.link].open {
                continue;
            }
            let end = self.net.end(flow);
            let mut packet = Packet { parts: Vec::new(), len: 0 };
            while let Some(mut part) = end.queue.pop_front() {
                let room = PACKET_BYTES - packet.len;
                if part.len() > room {
                    let rest = part.split_off(room);
                    end.queue.push_front(rest);
                }
                packet.len += part.len();
                packet.parts.push(part);
                if packet.len >= PACKET_BYTES - 64 {
                    break;
                }
            }
            let host = &mut self.hosts[at];
            host.up_busy = true;
            let leaves = self.now + span(packet.len, host.path.up);
            self.queue.post(leaves, Coming::Left(flow, host.life, packet));
            return;
        }
    }

    /// A packet has left its host: the next one's turn.
    pub(crate) fn packet_left(&mut self, flow: Flow, life: u32, packet: Packet) {
        let (from, to) = (self.net.end(flow).host, self.net.end(flow.back()).host);
        if self.hosts[from].life != life {
            return;
        }
        self.hosts[from].up_busy = false;
        if self.net.links[flow.link].open {
            let (a, b) = (self.hosts[from].path, self.hosts[to].path);
            let jitter = (a.jitter + b.jitter).as_micros() as u64;
            let mut trip = a.latency + b.latency + Duration::from_micros(self.rng.below(jitter));
            while self.rng.below(1000) < (a.loss + b.loss).min(500) {
                trip += AGAIN;
            }
            let earliest = (self.now + trip).max(self.net.end(flow.back()).opens);
            let end = self.net.end(flow);
            end.waits = false;
            end.queued -= packet.len;
            let (begins, queued) = (end.in_net == 0, end.queued);
            end.in_net += packet.len;
            end.last_arrival = end.last_arrival.max(earliest);
            let (arrival, id, told) = (end.last_arrival, end.id, end.window);
            self.hosts[to].flows_in += u64::from(begins);
            self.queue.post(arrival, Coming::Arrived(flow, packet));
            let half = a.window as i64 / 2;
            if queued as i64 <= half && told <= half {
                let window = a.window - queued;
                self.net.end(flow).window = window as i64;
                self.hear(from, life, Input::LinkWritable { link: id, window });
            }
            self.want_line(flow);
        }
        self.use_line(from);
    }

    /// A packet waits for the far host's line.
    pub(crate) fn packet_arrived(&mut self, flow: Flow, packet: Packet) {
        let link = &mut self.net.links[flow.link];
        if !link.open {
            return;
        }
        if link.stalled {
            link.ends[flow.side].held.push(packet);
            return;
        }
        let host = &mut self.hosts[link.ends[1 - flow.side].host];
        host.down_free = host.down_free.max(self.now) + span(packet.len, host.path.down);
        self.queue.post(host.down_free, Coming::Landed(flow, packet));
    }

    /// A packet is in. Its cut means nothing, and so it is cut anywhere.
    pub(crate) fn packet_landed(&mut self, flow: Flow, packet: Packet) {
        if !self.net.links[flow.link].open {
            return;
        }
        let end = self.net.end(flow);
        end.in_net -= packet.len;
        let ended = end.in_net == 0;
        let to = self.net.end(flow.back());
        let (host, life, link) = (to.host, to.life, to.id);
        self.hosts[host].flows_in -= u64::from(ended);
        for mut bytes in packet.parts {
            if bytes.len() > 1 && self.rng.below(16) == 0 {
                let at = 1 + self.rng.below(bytes.len() as u64 - 1) as usize;
                let first = bytes.split_to(at);
                self.hear(host, life, Input::LinkBytes { link, bytes: first });
            }
            self.hear(host, life, Input::LinkBytes { link, bytes });
        }
        if self.net.links[flow.link].open {
            self.want_line(flow);
        }
    }

    /// A host closes a link; what is on its way is lost, and the far end hears of it.
    pub(crate) fn close_link(&mut self, at: usize, link: LinkId) {
        let life = self.hosts[at].life;
        self.net.give_up((at, life, link));
        self.hosts[at].dialling.remove(&link);
        if let Some(&flow) = self.hosts[at].links.get(&link) {
            let far = self.net.end(flow.back());
            let (other, far_life, far_link) = (far.host, far.life, far.id);
            let latency = self.hosts[at].path.latency + self.hosts[other].path.latency;
            self.end_link(flow.link);
            let closed = Input::LinkClosed { link: far_link, end: LinkEnd::Closed };
            self.queue.post(self.now + latency, Coming::Input(other, far_life, closed));
        }
    }

    /// Breaks a link; each end hears of it after its own while.
    pub(crate) fn break_link(&mut self, link: usize, after: [Duration; 2]) {
        if !self.net.links[link].open {
            return;
        }
        self.end_link(link);
        for (side, after) in after.into_iter().enumerate() {
            let end = &self.net.links[link].ends[side];
            let closed = Input::LinkClosed { link: end.id, end: LinkEnd::Closed };
            self.queue.post(self.now + after, Coming::Input(end.host, end.life, closed));
        }
    }

    /// Takes a link out of the world.
    fn end_link(&mut self, link: usize) {
        self.net.links[link].open = false;
        for side in 0..2 {
            let far = self.net.links[link].ends[1 - side].host;
            let end = &mut self.net.links[link].ends[side];
            self.hosts[far].flows_in -= u64::from(end.in_net > 0);
            let (host, id, life) = (end.host, end.id, end.life);
            (end.in_net, end.queued) = (0, 0);
            end.queue = Default::default();
            end.held = Vec::new();
            end.watch = None;
            if self.hosts[host].life == life {
                self.hosts[host].links.remove(&id);
            }
        }
    }

    /// Stalls links between parts of the world, and lets the others go on.
    pub(crate) fn part_links(&mut self) {
        for link in 0..self.net.links.len() {
            let [a, b] = [0, 1].map(|side| self.net.links[link].ends[side].host);
            let apart = self.parts[a] != self.parts[b];
            if !self.net.links[link].open || self.net.links[link].stalled == apart {
                continue;
            }
            self.net.links[link].stalled = apart;
            if apart {
                self.queue.post(self.now + STALL_MAX, Coming::LinkDead(link));
                continue;
            }
            for side in 0..2 {
                let flow = Flow { link, side };
                for packet in core::mem::take(&mut self.net.end(flow).held) {
                    self.packet_arrived(flow, packet);
                }
            }
        }
    }

    /// Both ends give up a link that is still stalled.
    pub(crate) fn link_dead(&mut self, link: usize) {
        if self.net.links[link].stalled {
            self.break_link(link, [Duration::ZERO; 2]);
        }
    }
}
