//! What the processes of a fleet say to each other: JSON, version 1. Whoever may write to the bus
//! may write anything, so what is too long, of another version or malformed is no message.

use core::fmt;
use std::net::SocketAddr;

use headwater_base::{InfoHash, PeerId, hex, unhex};
use headwater_wire::tracker::{Description, Offer, OfferId, is_told};
use serde::de::{Error as _, IgnoredAny};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::pace::Kind;
use crate::limit;

/// The version that is spoken and read.
const VERSION: u32 = 1;

/// One process, for as long as it runs: a restarted one has another name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProcessId(pub [u8; 16]);

impl fmt::Display for ProcessId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for ProcessId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProcessId({self})")
    }
}

/// Bytes, as hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hex<const N: usize>(pub(super) [u8; N]);

impl<const N: usize> Serialize for Hex<N> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&hex(&self.0))
    }
}

impl<'de, const N: usize> Deserialize<'de> for Hex<N> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let bytes = unhex(&text).and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or_else(|| D::Error::custom("hexadecimal digits expected"))
    }
}

/// One message, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Envelope {
    v: u32,
    from: Hex<16>,
    say: Say,
}

/// As much of a message as tells whether it is to be read.
#[derive(Deserialize)]
struct Outside {
    v: u32,
    from: Hex<16>,
    say: Named,
}

/// The name of what is said.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Named {
    Beat(IgnoredAny),
    Swarms(IgnoredAny),
    Ask(IgnoredAny),
    State(IgnoredAny),
    Offers(IgnoredAny),
    Answer(IgnoredAny),
    Sought(IgnoredAny),
    Bye(IgnoredAny),
}

/// What a process says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Say {
    /// To all, every few seconds: it lives.
    Beat {
        /// Whether it bridges.
        bridges: bool,
        /// The peer id of the peer that is part of it.
        peer: Hex<20>,
        /// The number of its last `Swarms`.
        number: u64,
    },
    /// To all: swarms that changed.
    Swarms {
        /// One more than the one before; where one is missing, somebody asks.
        number: u64,
        /// What they are; one without peers is gone.
        swarms: Vec<Size>,
    },
    /// To one: tell everything you have.
    Ask {},
    /// To who asked, a part of everything.
    State {
        /// The number of the last `Swarms` that is counted in.
        number: u64,
        /// Which part, from 0.
        part: u32,
        /// Of how many.
        parts: u32,
        /// Swarms with peers.
        swarms: Vec<Size>,
    },
    /// To one: offers for peers there.
    Offers {
        /// The swarm.
        hash: Hex<20>,
        /// Whose offers.
        peer: Hex<20>,
        /// Whether that one has everything.
        seeder: bool,
        /// The offers.
        offers: Vec<Sdp>,
    },
    /// To the process of whose offer it was: an answer.
    Answer {
        /// The swarm.
        hash: Hex<20>,
        /// Who answers.
        peer: Hex<20>,
        /// Whose offer it was.
        to: Hex<20>,
        /// The answer, under the offer's name.
        answer: Sdp,
    },
    /// To the process that bridges this torrent: a peer seeks it.
    Sought {
        /// The torrent.
        hash: Hex<20>,
        /// The peer.
        peer: Hex<20>,
        /// Its socket, where it is.
        socket: u64,
        /// Where that is, unless at who says this: a bridge without room hands seekers on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        process: Option<Hex<16>>,
        /// HTTP and UDP trackers that it says the torrent has.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        trackers: Vec<String>,
    },
    /// To all: it ends.
    Bye {},
}

/// How many are in a swarm at one process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Size {
    pub(super) hash: Hex<20>,
    pub(super) complete: u32,
    pub(super) incomplete: u32,
    /// Those that take offers.
    pub(super) sockets: u32,
    /// Some that can be dialled, for those that ask over HTTP.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) dialled: Vec<Dialled>,
}

/// A peer that anybody can dial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Dialled {
    pub(super) peer: Hex<20>,
    pub(super) at: SocketAddr,
    pub(super) seeder: bool,
}

/// A session description with the name of its offer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sdp {
    pub(super) id: Hex<20>,
    pub(super) sdp: String,
}

impl Sdp {
    pub(super) fn new(offer_id: OfferId, sdp: &Description) -> Self {
        Self { id: Hex(offer_id.0), sdp: sdp.text() }
    }

    pub(super) fn offer(self) -> Offer {
        Offer { offer_id: OfferId(self.id.0), sdp: Description::new(&self.sdp) }
    }

    fn fits(&self) -> bool {
        self.sdp.len() <= headwater_wire::limit::SDP_BYTES_MAX
    }
}

impl Size {
    /// What it takes of a message and of memory.
    pub(super) fn weight(&self) -> usize {
        1 + self.dialled.len()
    }

    pub(super) fn info_hash(&self) -> InfoHash {
        InfoHash(self.hash.0)
    }

    fn fits(&self) -> bool {
        let peers_max = limit::FLEET_PEERS_TOLD_MAX;
        self.complete.max(self.incomplete).max(self.sockets) <= peers_max
            && self.dialled.len() <= limit::FLEET_DIALLED_MAX
    }
}

impl Dialled {
    pub(super) fn new(peer: PeerId, at: SocketAddr, seeder: bool) -> Self {
        Self { peer: Hex(peer.0), at, seeder }
    }
}

/// The text to send. `None` when nobody would read it.
pub(super) fn encode(from: ProcessId, say: Say) -> Option<String> {
    let envelope = Envelope { v: VERSION, from: Hex(from.0), say };
    let text = serde_json::to_string(&envelope).ok()?;
    (text.len() <= limit::FLEET_TEXT_BYTES_MAX).then_some(text)
}

/// Whose a text is and what about, at a fraction of what it takes to read it.
pub(super) fn look(text: &str) -> Option<(ProcessId, Kind)> {
    if text.len() > limit::FLEET_TEXT_BYTES_MAX {
        return None;
    }
    let Outside { v, from, say } = serde_json::from_str(text).ok()?;
    let kind = match say {
        Named::Beat(_) | Named::Ask(_) => Kind::Process,
        Named::Bye(_) => Kind::End,
        Named::Swarms(_) | Named::State(_) => Kind::Swarms,
        Named::Offers(_) | Named::Answer(_) | Named::Sought(_) => Kind::Peers,
    };
    (v == VERSION).then_some((ProcessId(from.0), kind))
}

/// Reads a text. `None` when it is no message, or none of a fleet that keeps its limits.
pub(super) fn decode(text: &str) -> Option<(ProcessId, Say)> {
    if text.len() > limit::FLEET_TEXT_BYTES_MAX {
        return None;
    }
    let Envelope { v, from, say } = serde_json::from_str(text).ok()?;
    let fits = match &say {
        Say::Swarms { swarms, .. } => are_few(swarms),
        Say::State { part, parts, swarms, .. } => part < parts && are_few(swarms),
        Say::Offers { offers, .. } => {
            offers.len() <= headwater_wire::limit::OFFERS_MAX && offers.iter().all(Sdp::fits)
        }
        Say::Answer { answer, .. } => answer.fits(),
        Say::Sought { trackers, .. } => {
            trackers.len() <= headwater_wire::limit::TRACKERS_TOLD_MAX
                && trackers.iter().all(|url| is_told(url))
        }
        Say::Beat { .. } | Say::Ask {} | Say::Bye {} => true,
    };
    (v == VERSION && fits).then_some((ProcessId(from.0), say))
}

fn are_few(swarms: &[Size]) -> bool {
    let weight: usize = swarms.iter().map(Size::weight).sum();
    weight <= limit::FLEET_WEIGHT_MAX && swarms.iter().all(Size::fits)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const FROM: ProcessId = ProcessId([0xab; 16]);

    fn size(dialled: usize) -> Size {
        let at = "192.0.2.1:6881".parse().expect("an address");
        let dialled = vec![Dialled::new(PeerId([2; 20]), at, true); dialled];
        Size { hash: Hex([1; 20]), complete: 1, incomplete: 2, sockets: 3, dialled }
    }

    fn offers(count: usize, len: usize) -> Say {
        let sdp = Sdp { id: Hex([4; 20]), sdp: "x".repeat(len) };
        let (hash, peer) = (Hex([1; 20]), Hex([3; 20]));
        Say::Offers { hash, peer, seeder: false, offers: vec![sdp; count] }
    }

    fn sought(process: Option<Hex<16>>, trackers: Vec<String>) -> Say {
        Say::Sought { hash: Hex([1; 20]), peer: Hex([3; 20]), socket: 9, process, trackers }
    }

    #[test]
    fn what_is_said_is_read_as_the_same() {
        let (hash, peer) = (Hex([1; 20]), Hex([3; 20]));
        let answer = Sdp { id: Hex([4; 20]), sdp: "v=0\r\n".to_owned() };
        let all = [
            Say::Beat { bridges: true, peer, number: 7 },
            Say::Swarms { number: 8, swarms: vec![size(0), size(2)] },
            Say::Ask {},
            Say::State { number: 8, part: 0, parts: 1, swarms: vec![size(1)] },
            offers(2, 9),
            Say::Answer { hash, peer, to: Hex([5; 20]), answer },
            sought(None, vec!["udp://t:1".to_owned()]),
            sought(Some(Hex([7; 16])), Vec::new()),
            Say::Bye {},
        ];
        for say in all {
            let text = encode(FROM, say.clone()).expect("short enough");
            assert_eq!(look(&text).map(|(from, _)| from), Some(FROM), "{text}");
            assert_eq!(decode(&text), Some((FROM, say)), "{text}");
        }
    }

    #[test]
    fn the_form_of_version_1_stays() {
        let text = encode(FROM, Say::Swarms { number: 8, swarms: vec![size(1)] });
        let text = text.expect("short enough");
        let (from, hash, peer) = ("ab".repeat(16), "01".repeat(20), "02".repeat(20));
        let dialled = json!([{ "peer": peer, "at": "192.0.2.1:6881", "seeder": true }]);
        let swarm = json!({
            "hash": hash, "complete": 1, "incomplete": 2, "sockets": 3, "dialled": dialled,
        });
        let say = json!({ "swarms": { "number": 8, "swarms": [swarm] } });
        let found: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(found, json!({ "v": 1, "from": from, "say": say }));
    }

    #[test]
    fn what_keeps_no_limit_or_no_form_is_no_message() {
        let ask = encode(FROM, Say::Ask {}).expect("short enough");
        let of = |say| encode(FROM, say).unwrap_or_default();
        let seeks = |url: &str, count| sought(None, vec![url.to_owned(); count]);
        let swarms = |swarms| of(Say::Swarms { number: 1, swarms });
        let many = limit::FLEET_WEIGHT_MAX + 1;
        let crowd = Size { complete: u32::MAX, ..size(0) };
        let garbled = [
            String::new(),
            "[".repeat(100_000),
            ask.replace("\"v\":1", "\"v\":2"),
            ask.replace("abab", "zz"),
            ask.replace("abab", ""),
            ask.replace("ask", "other"),
            format!("{ask}{ask}"),
            format!("{ask}{}", " ".repeat(limit::FLEET_TEXT_BYTES_MAX)),
            swarms(vec![size(0); many]),
            swarms(vec![size(limit::FLEET_DIALLED_MAX + 1)]),
            swarms(vec![crowd]),
            of(Say::State { number: 1, part: 1, parts: 1, swarms: Vec::new() }),
            of(seeks("ws://t", 1)),
            of(seeks("udp://t", headwater_wire::limit::TRACKERS_TOLD_MAX + 1)),
            of(offers(headwater_wire::limit::OFFERS_MAX + 1, 1)),
            of(offers(1, headwater_wire::limit::SDP_BYTES_MAX + 1)),
        ];
        assert!(decode(&ask).is_some());
        for text in garbled {
            let start: String = text.chars().take(80).collect();
            assert_eq!(decode(&text), None, "{start}");
        }
        assert!(decode(&swarms(vec![size(0); many - 1])).is_some());
    }
}
