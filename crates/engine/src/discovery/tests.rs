//! Tests of discovery under virtual time. The rig here drives one machine by hand; `world`
//! joins several through a small tracker.

mod announces;
mod asking;
mod dials;
mod elsewhere;
mod hybrids;
mod introductions;
mod links;
mod mapped;
mod seeks;
mod trackers;
mod world;

use core::net::SocketAddr;
use core::time::Duration;

use headwater_base::{InfoHash, LinkId, PeerId, Seed, Time, TorrentId, TrackerId};
use serde_json::{Value, json};

use super::{Discovery, DiscoveryInput, Expected, Out, Totals};
use crate::{Action, Ask, Config, Event, LinkEnd, TrackerTrouble, Warning};

const T: TorrentId = TorrentId(1);
const HASH: InfoHash = InfoHash([0xe1; 20]);
const SELF: PeerId = PeerId([0x41; 20]);
const PEER: PeerId = PeerId([0xfe; 20]);
const URL: &str = "ws://tracker.example/announce";

/// One machine, driven by hand.
struct Rig {
    machine: Discovery,
    now: Time,
}

impl Rig {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::new(SELF);
        change(&mut config);
        let machine = Discovery::new(&config, &Seed([3; 32]));
        Self { machine, now: Time::from_millis(1000) }
    }

    /// A rig whose torrent wants ten links and has an open tracker, at which it announced
    /// with five offers.
    fn announced() -> (Self, TrackerId) {
        let mut rig = Self::new();
        let (tracker, outs) = rig.opened();
        rig.make_offers(&outs);
        assert_eq!(rig.sent().len(), 1);
        (rig, tracker)
    }

    /// A rig whose torrent wants ten links and has an open tracker; and what it does then.
    fn opened_rig() -> (Self, TrackerId, Vec<Out>) {
        let mut rig = Self::new();
        let (tracker, outs) = rig.opened();
        (rig, tracker, outs)
    }

    fn opened(&mut self) -> (TrackerId, Vec<Out>) {
        self.start(T, HASH, &[URL]);
        self.progress(T, Some(1000));
        self.want(T, 10);
        let mut outs = self.take();
        let tracker = opens(&outs)[0].0;
        self.put(DiscoveryInput::TrackerOpened(tracker));
        outs.extend(self.take());
        (tracker, outs)
    }

    fn start(&mut self, torrent: TorrentId, hash: InfoHash, urls: &[&str]) {
        let tiers = vec![urls.iter().map(|url| (*url).to_owned()).collect()];
        self.machine.start(self.now, (torrent, false), &[hash], &tiers, Some(false));
    }

    fn want(&mut self, torrent: TorrentId, links: usize) {
        self.machine.want(self.now, torrent, links);
    }

    fn progress(&mut self, torrent: TorrentId, left: Option<u64>) {
        let totals = Totals { uploaded: 5, downloaded: 7, left };
        self.machine.progress(self.now, torrent, totals);
    }

    fn meet(&mut self, seeds: bool) {
        self.machine.meet(self.now, seeds);
    }

    fn put(&mut self, input: DiscoveryInput) {
        self.machine.handle(self.now, input);
    }

    fn text(&mut self, tracker: TrackerId, value: &Value) {
        self.put(DiscoveryInput::TrackerText { tracker, text: value.to_string() });
    }

    fn lose(&mut self, tracker: TrackerId) {
        self.put(DiscoveryInput::TrackerClosed { tracker, why: "gone".to_owned() });
    }

    /// Everything it does at this moment.
    fn take(&mut self) -> Vec<Out> {
        std::iter::from_fn(|| self.machine.next(self.now)).collect()
    }

    /// The messages it sends at this moment.
    fn sent(&mut self) -> Vec<Value> {
        sends(&self.take())
    }

    /// Everything it does while time passes, with the time it does it.
    fn pass(&mut self, span: Duration) -> Vec<(Time, Out)> {
        let end = self.now + span;
        let mut outs = Vec::new();
        loop {
            outs.extend(self.take().into_iter().map(|out| (self.now, out)));
            match self.machine.wake() {
                Some(wake) if wake.at <= end => self.now = self.now.max(wake.at),
                Some(_) | None => break,
            }
        }
        self.now = end;
        outs
    }

    /// Answers every `MakeOffer` among `outs`.
    fn make_offers(&mut self, outs: &[Out]) -> Vec<LinkId> {
        let links = offers(outs);
        for link in &links {
            self.put(DiscoveryInput::OfferMade { link: *link, sdp: sdp(link.0) });
        }
        links
    }
}

/// A session description that says which link it is of.
fn sdp(link: u64) -> String {
    let fingerprint = vec!["AB"; 32].join(":");
    format!(
        "v=0\r\no=- {link} 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
         m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\n\
         a=candidate:1 1 udp 2113937151 192.168.0.7 50000 typ host\r\na=ice-ufrag:abcd\r\n\
         a=ice-pwd:abcdefghijklmnopqrstuvwx\r\na=fingerprint:sha-256 {fingerprint}\r\n\
         a=setup:actpass\r\na=mid:0\r\na=sctp-port:5000\r\na=max-message-size:262144\r\n"
    )
}

/// Bytes as trackers' JSON has them: one character a byte.
fn latin(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

/// What a tracker answers to an announce.
fn counted(complete: u32, incomplete: u32) -> Value {
    json!({
        "action": "announce", "info_hash": latin(&HASH.0), "interval": 120,
        "complete": complete, "incomplete": incomplete,
    })
}

/// An offer as a tracker relays it.
fn offered(peer: PeerId, offer: u8) -> Value {
    json!({
        "action": "announce", "info_hash": latin(&HASH.0), "peer_id": latin(&peer.0),
        "offer_id": latin(&[offer; 20]), "offer": { "type": "offer", "sdp": sdp(900) },
    })
}

/// An answer to the offer of that id, as a tracker relays it.
fn answered(peer: PeerId, offer: &Value) -> Value {
    json!({
        "action": "announce", "info_hash": latin(&HASH.0), "peer_id": latin(&peer.0),
        "offer_id": offer, "answer": { "type": "answer", "sdp": sdp(901) },
    })
}

fn opens(outs: &[Out]) -> Vec<(TrackerId, String)> {
    let open = |out: &Out| {
        let Out::Action(Action::OpenTracker { tracker, url }) = out else { return None };
        Some((*tracker, url.clone()))
    };
    outs.iter().filter_map(open).collect()
}

fn sends(outs: &[Out]) -> Vec<Value> {
    let send = |out: &Out| {
        let Out::Action(Action::SendTracker { text, .. }) = out else { return None };
        serde_json::from_str(text).ok()
    };
    outs.iter().filter_map(send).collect()
}

fn offers(outs: &[Out]) -> Vec<LinkId> {
    let offer = |out: &Out| {
        let Out::Action(Action::MakeOffer(link)) = out else { return None };
        Some(*link)
    };
    outs.iter().filter_map(offer).collect()
}

fn answers(outs: &[Out]) -> Vec<LinkId> {
    let answer = |out: &Out| {
        let Out::Action(Action::MakeAnswer { link, .. }) = out else { return None };
        Some(*link)
    };
    outs.iter().filter_map(answer).collect()
}

fn takes(outs: &[Out]) -> Vec<LinkId> {
    let take = |out: &Out| {
        let Out::Action(Action::TakeAnswer { link, .. }) = out else { return None };
        Some(*link)
    };
    outs.iter().filter_map(take).collect()
}

fn closes(outs: &[Out]) -> Vec<LinkId> {
    let close = |out: &Out| {
        let Out::Action(Action::CloseLink(link)) = out else { return None };
        Some(*link)
    };
    outs.iter().filter_map(close).collect()
}

fn dials(outs: &[Out]) -> Vec<(LinkId, SocketAddr)> {
    let dial = |out: &Out| {
        let Out::Action(Action::Dial { link, address }) = out else { return None };
        Some((*link, *address))
    };
    outs.iter().filter_map(dial).collect()
}

fn opened(link: LinkId) -> DiscoveryInput {
    DiscoveryInput::LinkOpened { link, window: 1, from: None }
}

/// The questions to trackers that are asked.
fn asks(outs: &[Out]) -> Vec<Ask> {
    let asked = outs.iter().filter_map(|out| match out {
        Out::Action(Action::Ask(ask)) => Some((**ask).clone()),
        Out::Action(_) | Out::Event(_) | Out::Linked { .. } | Out::Say { .. } => None,
    });
    asked.collect()
}

fn troubles(outs: &[Out]) -> Vec<TrackerTrouble> {
    let trouble = |out: &Out| {
        let Out::Event(Event::Warned { warning: Warning::Tracker { trouble, .. }, .. }) = out
        else {
            return None;
        };
        Some(trouble.clone())
    };
    outs.iter().filter_map(trouble).collect()
}

/// Outs without their times.
fn plain(outs: &[(Time, Out)]) -> Vec<Out> {
    outs.iter().map(|(_, out)| out.clone()).collect()
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

const FAILED: LinkEnd = LinkEnd::Failed;
