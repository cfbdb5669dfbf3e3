//! Hosts that cheat. A `Tamper` is a client whose messages are changed as they leave; a `Puppet`
//! speaks the wire protocol itself, and its client only introduces it to others.
//! Each kind has a file of its own below.

mod buyer;
mod drip;
mod fetcher;
mod flood;
mod forger;
mod freerider;
mod hog;
mod liar;
mod money;
mod noise;
mod pex;
mod poison;
mod seller;
mod signal;
mod tyrant;

use core::time::Duration;
use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};
use headwater_base::{LinkId, PeerId, Rng, Time};
use headwater_client::Input;
use headwater_wire::{Decoder, Handshake, Message, Reserved};

use crate::sample::Sample;
use crate::world::{Coming, World};

pub use buyer::{Bidder, Defaulter, Reorderer, Spoiler, Spoils};
pub use drip::Drip;
pub use fetcher::Fetcher;
pub use flood::Flood;
pub use forger::Forger;
pub use freerider::FreeRider;
pub use hog::Hog;
pub use liar::{Answer, Liar};
pub use noise::Noise;
pub use pex::PexAbuser;
pub use poison::Poisoner;
pub use seller::{Inventor, Staller};
pub use signal::SignalAbuser;
pub use tyrant::Tyrant;

/// Bytes that wait at a link of a puppet; it may say no more then.
const QUEUED_MAX: usize = 1024 * 1024;

/// Changes what a client says.
pub trait Tamper {
    /// What leaves over a link instead of `message`.
    fn leaves(&mut self, link: LinkId, message: Message, rng: &mut Rng) -> Vec<Message>;

    /// Reads along what comes over a link. The client hears it all the same.
    fn hears(&mut self, _link: LinkId, _message: &Message) {}
}

/// Speaks for itself.
pub trait Puppet {
    /// A peer finished its handshake; ours has left.
    fn met(&mut self, hands: &mut Hands<'_>, link: LinkId, peer: PeerId);
    /// A peer said something.
    fn heard(&mut self, hands: &mut Hands<'_>, link: LinkId, message: Message);
    /// A link is gone.
    fn gone(&mut self, link: LinkId);
    /// Time has passed.
    fn tick(&mut self, hands: &mut Hands<'_>);
    /// How often `tick` is called.
    fn every(&self) -> Duration;
}

/// What a puppet does things with.
pub struct Hands<'a> {
    /// When it is.
    pub now: Time,
    /// Chance.
    pub rng: &'a mut Rng,
    /// The torrent, all of whose bytes a puppet knows.
    pub sample: &'a Sample,
    /// Bytes that wait at each open link.
    waiting: &'a BTreeMap<LinkId, usize>,
    said: Vec<(LinkId, Bytes)>,
    closed: Vec<LinkId>,
    done: bool,
}

impl Hands<'_> {
    /// Says that it has the whole torrent.
    pub fn finish(&mut self) {
        self.done = true;
    }

    /// Says something.
    pub fn say(&mut self, link: LinkId, message: &Message) {
        let mut bytes = BytesMut::new();
        message.encode(&mut bytes);
        self.said.push((link, bytes.freeze()));
    }

    /// Says bytes that need not be a message.
    pub fn say_raw(&mut self, link: LinkId, bytes: Bytes) {
        self.said.push((link, bytes));
    }

    /// Closes a link.
    pub fn close(&mut self, link: LinkId) {
        self.closed.push(link);
    }

    /// Bytes that were said on a link and have not left.
    pub fn waiting(&self, link: LinkId) -> usize {
        self.waiting.get(&link).copied().unwrap_or(0)
    }
}

/// What speaks for a host.
pub enum Mode {
    /// Its client.
    Honest,
    /// Its client, changed.
    Tampered(Tampered),
    /// Something that knows the wire.
    Played(Played),
}

/// A client whose messages are changed.
pub struct Tampered {
    tamper: Box<dyn Tamper>,
    decoders: BTreeMap<LinkId, Decoder>,
    heard: BTreeMap<LinkId, Decoder>,
}

/// A puppet and what it hears.
pub struct Played {
    puppet: Box<dyn Puppet>,
    decoders: BTreeMap<LinkId, Decoder>,
}

impl Mode {
    /// A client whose messages `tamper` changes.
    pub fn tampered(tamper: impl Tamper + 'static) -> Self {
        let (decoders, heard) = (BTreeMap::new(), BTreeMap::new());
        Self::Tampered(Tampered { tamper: Box::new(tamper), decoders, heard })
    }

    /// A host that `puppet` speaks for.
    pub fn played(puppet: impl Puppet + 'static) -> Self {
        Self::Played(Played { puppet: Box::new(puppet), decoders: BTreeMap::new() })
    }

    /// How often it acts of itself.
    pub(crate) fn every(&self) -> Option<Duration> {
        match self {
            Self::Played(played) => Some(played.puppet.every()),
            Self::Honest | Self::Tampered(_) => None,
        }
    }

    /// Forgets its links.
    pub(crate) fn forget(&mut self) {
        match self {
            Self::Honest => {}
            Self::Tampered(tampered) => {
                tampered.decoders.clear();
                tampered.heard.clear();
            }
            Self::Played(played) => {
                for link in core::mem::take(&mut played.decoders).into_keys() {
                    played.puppet.gone(link);
                }
            }
        }
    }
}

impl Tampered {
    /// What leaves instead of `bytes`.
    fn change(&mut self, link: LinkId, bytes: Bytes, rng: &mut Rng) -> Bytes {
        let decoder = self.decoders.entry(link).or_default();
        decoder.push(bytes);
        let mut out = BytesMut::new();
        if let Ok(Some(handshake)) = decoder.next_handshake() {
            out.extend_from_slice(&handshake.to_bytes());
        }
        while let Ok(Some(message)) = decoder.next_message() {
            for message in self.tamper.leaves(link, message, rng) {
                message.encode(&mut out);
            }
        }
        out.freeze()
    }

    /// Reads along what comes.
    fn hear(&mut self, link: LinkId, bytes: Bytes) {
        let decoder = self.heard.entry(link).or_default();
        decoder.push(bytes);
        if decoder.next_handshake().is_ok() {
            while let Ok(Some(message)) = decoder.next_message() {
                self.tamper.hears(link, &message);
            }
        }
    }

    fn leave(&mut self, link: LinkId) {
        self.decoders.remove(&link);
        self.heard.remove(&link);
    }
}

impl World {
    /// A client says something on a link.
    pub(crate) fn client_sends(&mut self, at: usize, link: LinkId, bytes: Bytes) {
        match &mut self.hosts[at].mode {
            Mode::Honest => self.send(at, link, bytes),
            Mode::Played(_) => {}
            Mode::Tampered(tampered) => {
                let bytes = tampered.change(link, bytes, &mut self.rng);
                if !bytes.is_empty() {
                    self.send(at, link, bytes);
                }
            }
        }
    }

    /// A client closes a link. That of a puppet knows nothing of what is said on it.
    pub(crate) fn client_closes(&mut self, at: usize, link: LinkId) {
        let open = self.hosts[at].links.contains_key(&link);
        match &mut self.hosts[at].mode {
            Mode::Played(_) if open => return,
            Mode::Honest | Mode::Played(_) => {}
            Mode::Tampered(tampered) => tampered.leave(link),
        }
        self.close_link(at, link);
    }

    /// Lets a puppet hear of its links; answers what its client is to hear.
    pub(crate) fn puppet_hears(&mut self, at: usize, input: Input) -> Option<Input> {
        if let Mode::Tampered(tampered) = &mut self.hosts[at].mode
            && let Input::LinkBytes { link, bytes } = &input
        {
            tampered.hear(*link, bytes.clone());
        }
        if !matches!(self.hosts[at].mode, Mode::Played(_)) {
            return Some(input);
        }
        if let Input::LinkBytes { link, bytes } = input {
            self.play(at, |played, hands| played.hear(hands, link, bytes));
            return None;
        }
        if let Input::LinkOpened { link, .. } | Input::LinkAccepted { link, .. } = &input {
            let (link, torrent) = (*link, self.samples[self.hosts[at].sample.0].torrent.info_hash);
            let reserved = Reserved::default().with_extension().with_fast();
            let peer_id = self.hosts[at].peer;
            let handshake = Handshake { info_hash: torrent, peer_id, reserved };
            self.play(at, |played, hands| {
                played.decoders.insert(link, Decoder::new());
                hands.say_raw(link, Bytes::copy_from_slice(&handshake.to_bytes()));
            });
        } else if let Input::LinkClosed { link, .. } = &input {
            let link = *link;
            self.play(at, |played, _| played.leave(link));
        }
        Some(input)
    }

    /// A puppet acts of itself.
    pub(crate) fn tick(&mut self, at: usize, life: u32) {
        if self.hosts[at].life != life || !self.hosts[at].is_up() {
            return;
        }
        self.play(at, |played, hands| played.puppet.tick(hands));
        if let Some(every) = self.hosts[at].mode.every() {
            self.queue.post(self.now + every, Coming::Tick(at, life));
        }
    }

    fn play(&mut self, at: usize, act: impl FnOnce(&mut Played, &mut Hands<'_>)) {
        let waiting = self.hosts[at].links.iter();
        let queued = |flow| {
            let crate::net::Flow { link, side } = flow;
            self.net.links[link].ends[side].queued
        };
        let waiting = waiting.map(|(link, flow)| (*link, queued(*flow))).collect();
        let host = &mut self.hosts[at];
        let sample = &self.samples[host.sample.0];
        let Mode::Played(played) = &mut host.mode else { return };
        let mut hands = Hands {
            now: self.now,
            rng: &mut self.rng,
            sample,
            waiting: &waiting,
            said: Vec::new(),
            closed: Vec::new(),
            done: false,
        };
        act(played, &mut hands);
        let Hands { said, closed, done, .. } = hands;
        if done {
            self.done(at);
        }
        let clogged = |link: &LinkId| waiting.get(link).is_some_and(|bytes| *bytes > QUEUED_MAX);
        for (link, bytes) in said.into_iter().filter(|(link, _)| !clogged(link)) {
            self.trace.note_bytes(self.now, at, "says", &bytes);
            self.send(at, link, bytes);
        }
        for link in closed {
            self.close_link(at, link);
        }
    }
}

impl Played {
    fn hear(&mut self, hands: &mut Hands<'_>, link: LinkId, bytes: Bytes) {
        let Some(decoder) = self.decoders.get_mut(&link) else { return };
        decoder.push(bytes);
        if let Ok(Some(handshake)) = decoder.next_handshake() {
            self.puppet.met(hands, link, handshake.peer_id);
        }
        while let Some(decoder) = self.decoders.get_mut(&link)
            && let Ok(Some(message)) = decoder.next_message()
        {
            self.puppet.heard(hands, link, message);
        }
    }

    fn leave(&mut self, link: LinkId) {
        if self.decoders.remove(&link).is_some() {
            self.puppet.gone(link);
        }
    }
}
