//! What lies between hosts: links with latency, loss, windows and bandwidth that is shared fairly;
//! descriptions that name their authors; pairs that no path joins.

use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use headwater_base::{LinkId, Time};

use crate::referee::Watch;

/// How a host is joined to the world.
#[derive(Clone, Copy, Debug)]
pub struct Path {
    /// Bytes a second, out.
    pub up: u64,
    /// Bytes a second, in.
    pub down: u64,
    /// Its part of the latency, one way.
    pub latency: Duration,
    /// The most by which latency varies. Links vary apart, so their messages overtake each other.
    pub jitter: Duration,
    /// Packets of a thousand that are lost and come again later.
    pub loss: u64,
    /// Bytes that wait at a link before it is full.
    pub window: usize,
    /// What is between it and the rest.
    pub nat: Nat,
}

/// What a host's router lets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nat {
    /// Everybody reaches it.
    Open,
    /// It reaches everybody whose router keeps its ports.
    Easy,
    /// Each way out has a port of its own: only `Open` and `Easy` hosts are reached.
    Hard,
}

impl Path {
    /// A home with a fast line in and a slower one out. As much waits at a link as in a page whose
    /// line takes less than 6 MB/s.
    pub const HOME: Self = Self {
        up: 1_000_000,
        down: 4_000_000,
        latency: Duration::from_millis(12),
        jitter: Duration::from_millis(4),
        loss: 0,
        window: 64 * 1024,
        nat: Nat::Easy,
    };
    /// A server.
    pub const SERVER: Self = Self {
        up: 12_000_000,
        down: 12_000_000,
        latency: Duration::from_millis(5),
        jitter: Duration::from_millis(1),
        window: 256 * 1024,
        nat: Nat::Open,
        ..Self::HOME
    };
    /// A phone on the move.
    pub const MOBILE: Self = Self {
        up: 300_000,
        down: 1_500_000,
        latency: Duration::from_millis(60),
        jitter: Duration::from_millis(40),
        loss: 15,
        nat: Nat::Hard,
        ..Self::HOME
    };

    /// Whether a link between the two can be made.
    pub(crate) fn meets(&self, other: &Self) -> bool {
        !(self.nat == Nat::Hard && other.nat == Nat::Hard)
    }
}

/// A direction of a link: the side that sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Flow {
    pub(crate) link: usize,
    pub(crate) side: usize,
}

impl Flow {
    /// The way back.
    pub(crate) fn back(self) -> Self {
        Self { side: 1 - self.side, ..self }
    }
}

/// Bytes that travel together.
#[derive(Debug)]
pub(crate) struct Packet {
    pub(crate) parts: Vec<Bytes>,
    pub(crate) len: usize,
}

/// One end of a link.
#[derive(Debug)]
pub(crate) struct End {
    /// What it said, as far as somebody reads along.
    pub(crate) watch: Option<Watch>,
    pub(crate) host: usize,
    pub(crate) life: u32,
    pub(crate) id: LinkId,
    /// What its shell was given and has not put on the wire.
    pub(crate) queue: VecDeque<Bytes>,
    pub(crate) queued: usize,
    /// Bytes the engine believes it may send.
    pub(crate) window: i64,
    /// Bytes on their way to the other end.
    pub(crate) in_net: usize,
    /// It waits for its host's line.
    pub(crate) waits: bool,
    /// When its shell hears that the link is open; nothing arrives before.
    pub(crate) opens: Time,
    /// Nothing overtakes what was sent before it.
    pub(crate) last_arrival: Time,
    /// What arrived for the other end while no path joined the two.
    pub(crate) held: Vec<Packet>,
}

/// A link, or what is left of one.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) ends: [End; 2],
    pub(crate) open: bool,
    /// The partition that stalls it, if one does.
    pub(crate) stalled: bool,
}

/// All links, and who answers whose offer.
#[derive(Debug, Default)]
pub(crate) struct Net {
    pub(crate) links: Vec<Link>,
    /// The offer each answering description answers.
    answering: BTreeMap<Author, Author>,
}

/// Whose a description is: host, its life, its link.
pub(crate) type Author = (usize, u32, LinkId);

impl Net {
    /// Notes that `answer` answers `offer`.
    pub(crate) fn answers(&mut self, answer: Author, offer: Author) {
        self.answering.insert(answer, offer);
    }

    /// Whether it does; a description is good for one link.
    pub(crate) fn take_answer(&mut self, answer: Author, offer: Author) -> bool {
        self.answering.get(&answer) == Some(&offer) && self.answering.remove(&answer).is_some()
    }

    /// Forgets an attempt.
    pub(crate) fn give_up(&mut self, author: Author) {
        self.answering.remove(&author);
    }

    /// Makes a link of two attempts.
    pub(crate) fn join(
        &mut self,
        (ours, our_window): (Author, usize),
        theirs: (Author, usize),
    ) -> usize {
        let end = |((host, life, id), window): (Author, usize)| End {
            watch: None,
            host,
            life,
            id,
            queue: VecDeque::new(),
            queued: 0,
            window: window as i64,
            in_net: 0,
            waits: false,
            opens: Time::ZERO,
            last_arrival: Time::ZERO,
            held: Vec::new(),
        };
        let ends = [end((ours, our_window)), end(theirs)];
        self.links.push(Link { ends, open: true, stalled: false });
        self.links.len() - 1
    }

    pub(crate) fn end(&mut self, flow: Flow) -> &mut End {
        &mut self.links[flow.link].ends[flow.side]
    }
}

const REST: &str = " 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
    m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\n\
    a=candidate:1 1 udp 2113937151 192.168.0.7 50000 typ host\r\na=ice-ufrag:abcd\r\n\
    a=ice-pwd:abcdefghijklmnopqrstuvwx\r\na=fingerprint:sha-256 \
    AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:\
    AB:AB\r\na=setup:actpass\r\na=mid:0\r\na=sctp-port:5000\r\na=max-message-size:262144\r\n";

/// A session description that names its author.
pub(crate) fn describe((host, life, link): Author) -> String {
    format!("v=0\r\no={host}.{life}.{link}{REST}")
}

/// Who wrote a description; `None` when nobody here did.
pub(crate) fn author(description: &str) -> Option<Author> {
    let line = description.strip_prefix("v=0\r\no=")?;
    let (name, _) = line.split_once(' ')?;
    let mut words = name.split('.');
    let host = words.next()?.parse().ok()?;
    let life = words.next()?.parse().ok()?;
    Some((host, life, LinkId(words.next()?.parse().ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_is_well_formed_and_names_its_author() {
        let text = describe((3, 1, LinkId(77)));
        assert_eq!(headwater_wire::tracker::check_sdp(&text), Ok(()));
        assert_eq!(author(&text), Some((3, 1, LinkId(77))));
        assert_eq!(author("v=0\r\no=- 1 2 IN"), None);
    }

    #[test]
    fn an_answer_makes_one_link() {
        let mut net = Net::default();
        let (offer, answer) = ((0, 0, LinkId(1)), (1, 0, LinkId(9)));
        net.answers(answer, offer);
        assert!(!net.take_answer(answer, (0, 0, LinkId(2))));
        assert!(net.take_answer(answer, offer) && !net.take_answer(answer, offer));
    }
}
