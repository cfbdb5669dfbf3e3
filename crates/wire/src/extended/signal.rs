//! The messages by which two peers that share a third exchange WebRTC offers and answers through
//! it (`hw_signal`). What carries `to` asks its receiver to forward it; what carries `from` was
//! forwarded, and goes no further.

use bytes::Bytes;
use headwater_base::PeerId;
use headwater_metainfo::bencode::{DictBuilder, Value};

use super::RULES;
use crate::tracker::{OfferId, check_sdp};
use crate::{Error, limit};

/// The only version so far. Messages of another are not understood.
const VERSION: i64 = 1;
/// Kinds of messages, as `t` has them.
const NEWS: i64 = 0;
const OFFER: i64 = 1;
const ANSWER: i64 = 2;
const REFUSE: i64 = 3;
/// The flag in `added.f` of a peer that has everything.
const SEED: u8 = 0x01;

/// One message of `hw_signal`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignalMessage {
    /// How the sender stands, and whom it can introduce.
    News(SignalNews),
    /// An offer for one peer.
    Offer {
        /// For whom or of whom.
        way: SignalWay,
        /// Its name, chosen at random by its maker.
        id: OfferId,
        /// The session description, checked when it was read.
        sdp: String,
    },
    /// The answer to an offer.
    Answer {
        /// For whom or of whom.
        way: SignalWay,
        /// The offer's name.
        id: OfferId,
        /// The session description, checked when it was read.
        sdp: String,
    },
    /// No answer will come to an offer.
    Refuse {
        /// For whom or of whom.
        way: SignalWay,
        /// The offer's name.
        id: OfferId,
        /// Why.
        why: Refusal,
    },
}

/// How a peer stands, and what changed in whom it can introduce.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SignalNews {
    /// Whether the sender wants to be introduced to others.
    pub open: bool,
    /// Whether the sender has everything.
    pub seed: bool,
    /// Peers it can introduce from here on, and whether they have everything.
    pub added: Vec<(PeerId, bool)>,
    /// Peers it can introduce no longer.
    pub dropped: Vec<PeerId>,
}

/// Where a message goes, or where it comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignalWay {
    /// The receiver is asked to forward it to this neighbour of its.
    To(PeerId),
    /// The receiver is meant; this neighbour of the sender said it.
    From(PeerId),
}

/// Why an offer is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The peer is gone, or does not want to be introduced.
    Absent,
    /// Not at the moment: too many want the same.
    Busy,
    /// The two are linked, or about to be.
    Known,
}

impl Refusal {
    const fn number(self) -> i64 {
        match self {
            Self::Absent => 0,
            Self::Busy => 1,
            Self::Known => 2,
        }
    }
}

impl SignalMessage {
    /// The payload of the extended message.
    pub fn encode(&self) -> Bytes {
        let relayed = |kind, way: &SignalWay, id: &OfferId| {
            let (key, peer) = match way {
                SignalWay::To(peer) => ("to", peer),
                SignalWay::From(peer) => ("from", peer),
            };
            start(kind).bytes(key, peer.0).bytes("id", id.0)
        };
        let dict = match self {
            Self::News(news) => news.encode(),
            Self::Offer { way, id, sdp } => relayed(OFFER, way, id).bytes("sdp", sdp),
            Self::Answer { way, id, sdp } => relayed(ANSWER, way, id).bytes("sdp", sdp),
            Self::Refuse { way, id, why } => relayed(REFUSE, way, id).int("why", why.number()),
        };
        Bytes::from(dict.finish())
    }

    /// Reads the payload of an extended message; `None` for versions and kinds not known here.
    /// Session descriptions in it have passed `check_sdp`.
    pub fn decode(payload: &[u8]) -> Result<Option<Self>, Error> {
        let (found, allowed) = (payload.len(), limit::SIGNAL_BYTES_MAX);
        if found > allowed {
            return Err(Error::Text { what: "introduction", found, allowed });
        }
        let (dict, _) = RULES.parse_prefix(payload)?;
        let int = |key| dict.lookup(key).and_then(Value::int);
        let kind = int("t").ok_or(Error::Field { key: "t", needed: "integer" })?;
        if int("v") != Some(VERSION) || !(NEWS..=REFUSE).contains(&kind) {
            return Ok(None);
        }
        if kind == NEWS {
            return SignalNews::decode(&dict).map(|news| Some(Self::News(news)));
        }
        let way = match (peer(&dict, "to")?, peer(&dict, "from")?) {
            (Some(to), None) => SignalWay::To(PeerId(to)),
            (None, Some(from)) => SignalWay::From(PeerId(from)),
            (Some(_), Some(_)) | (None, None) => {
                return Err(Error::Field { key: "to", needed: "only way" });
            }
        };
        let id = peer(&dict, "id")?.ok_or(Error::Field { key: "id", needed: "offer id" })?;
        let id = OfferId(id);
        if kind == REFUSE {
            let why = match int("why") {
                Some(0) => Refusal::Absent,
                Some(2) => Refusal::Known,
                // A reason not known here is taken for the one that passes.
                Some(_) | None => Refusal::Busy,
            };
            return Ok(Some(Self::Refuse { way, id, why }));
        }
        let sdp = dict.lookup("sdp").and_then(Value::text);
        let sdp = sdp.ok_or(Error::Field { key: "sdp", needed: "text" })?;
        check_sdp(sdp)?;
        let sdp = sdp.to_owned();
        Ok(Some(if kind == OFFER {
            Self::Offer { way, id, sdp }
        } else {
            Self::Answer { way, id, sdp }
        }))
    }
}

impl SignalNews {
    fn encode(&self) -> DictBuilder {
        let mut dict = start(NEWS).int("open", self.open.into()).int("seed", self.seed.into());
        if !self.added.is_empty() {
            let flags: Vec<u8> = self.added.iter().map(|(_, seed)| u8::from(*seed)).collect();
            dict = dict.bytes("added", joined(self.added.iter().map(|(peer, _)| peer)));
            dict = dict.bytes("added.f", flags);
        }
        if !self.dropped.is_empty() {
            dict = dict.bytes("dropped", joined(self.dropped.iter()));
        }
        dict
    }

    fn decode(dict: &Value<'_>) -> Result<Self, Error> {
        let flag = |key| dict.lookup(key).and_then(Value::int) == Some(1);
        let flags = dict.lookup("added.f").and_then(Value::bytes).unwrap_or_default();
        let seed = |at: usize| flags.get(at).is_some_and(|flags| flags & SEED != 0);
        let added = peers(dict, "added")?.enumerate();
        Ok(Self {
            open: flag("open"),
            seed: flag("seed"),
            added: added.map(|(at, peer)| (peer, seed(at))).collect(),
            dropped: peers(dict, "dropped")?.collect(),
        })
    }
}

fn start(kind: i64) -> DictBuilder {
    DictBuilder::new().int("t", kind).int("v", VERSION)
}

fn joined<'a>(peers: impl Iterator<Item = &'a PeerId>) -> Vec<u8> {
    peers.flat_map(|peer| peer.0).collect()
}

/// Twenty bytes under `key`; nothing when there is no such key.
fn peer(dict: &Value<'_>, key: &'static str) -> Result<Option<[u8; 20]>, Error> {
    let Some(value) = dict.lookup(key) else { return Ok(None) };
    let bytes = value.bytes().and_then(|bytes| bytes.try_into().ok());
    bytes.map(Some).ok_or(Error::Field { key, needed: "20 bytes" })
}

/// A list of peer ids under `key`; empty when there is no such key.
fn peers<'a>(
    dict: &Value<'a>,
    key: &'static str,
) -> Result<impl Iterator<Item = PeerId> + use<'a>, Error> {
    let bytes = dict.lookup(key).and_then(Value::bytes).unwrap_or_default();
    let (ids, rest) = bytes.as_chunks::<20>();
    let (found, allowed) = (bytes.len(), limit::SIGNAL_PEERS_MAX * 20);
    if found > allowed {
        return Err(Error::Text { what: "list of peers", found, allowed });
    }
    if !rest.is_empty() {
        return Err(Error::Field { key, needed: "list of peer ids" });
    }
    Ok(ids.iter().copied().map(PeerId))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const A: PeerId = PeerId([b'a'; 20]);
    const B: PeerId = PeerId([b'b'; 20]);
    const SDP: &str = "v=0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n";

    fn check(message: &SignalMessage, expect: &str) {
        assert_eq!(core::str::from_utf8(&message.encode()), Ok(expect));
        assert_eq!(SignalMessage::decode(expect.as_bytes()), Ok(Some(message.clone())));
    }

    fn field(payload: &[u8]) -> &'static str {
        match SignalMessage::decode(payload) {
            Err(Error::Field { key, .. }) => key,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn wire_forms_are_those_of_the_readme() {
        let added = vec![(A, false), (B, true)];
        let news = SignalNews { open: true, seed: false, added, dropped: vec![A] };
        check(
            &SignalMessage::News(news),
            "d5:added40:aaaaaaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbbbbb7:added.f2:\0\x01\
             7:dropped20:aaaaaaaaaaaaaaaaaaaa4:openi1e4:seedi0e1:ti0e1:vi1ee",
        );
        let id = OfferId([b'i'; 20]);
        check(
            &SignalMessage::Offer { way: SignalWay::To(A), id, sdp: SDP.to_owned() },
            &format!(
                "d2:id20:iiiiiiiiiiiiiiiiiiii3:sdp55:{SDP}1:ti1e2:to20:aaaaaaaaaaaaaaaaaaaa1:vi1ee"
            ),
        );
        check(
            &SignalMessage::Answer { way: SignalWay::From(B), id, sdp: SDP.to_owned() },
            &format!(
                "d4:from20:bbbbbbbbbbbbbbbbbbbb2:id20:iiiiiiiiiiiiiiiiiiii3:sdp55:{SDP}\
                 1:ti2e1:vi1ee"
            ),
        );
        for (number, why) in [(0, Refusal::Absent), (1, Refusal::Busy), (2, Refusal::Known)] {
            check(
                &SignalMessage::Refuse { way: SignalWay::From(B), id, why },
                &format!(
                    "d4:from20:bbbbbbbbbbbbbbbbbbbb2:id20:iiiiiiiiiiiiiiiiiiii\
                     1:ti3e1:vi1e3:whyi{number}ee"
                ),
            );
        }
    }

    #[test]
    fn other_versions_and_kinds_are_not_understood() {
        assert_eq!(SignalMessage::decode(b"d1:ti0e1:vi2ee"), Ok(None));
        assert_eq!(SignalMessage::decode(b"d1:ti0ee"), Ok(None));
        assert_eq!(SignalMessage::decode(b"d1:ti4e1:vi1ee"), Ok(None));
        assert_eq!(field(b"d1:vi1ee"), "t");
    }

    #[test]
    fn lists_and_messages_have_a_limit() {
        let news = |count: usize| {
            let ids = joined(vec![A; count].iter());
            start(NEWS).bytes("added", ids).finish()
        };
        assert!(SignalMessage::decode(&news(limit::SIGNAL_PEERS_MAX)).is_ok());
        let over = SignalMessage::decode(&news(limit::SIGNAL_PEERS_MAX + 1));
        assert!(matches!(over, Err(Error::Text { what: "list of peers", .. })));
        let huge = start(NEWS).bytes("x", vec![0; limit::SIGNAL_BYTES_MAX]).finish();
        let huge = SignalMessage::decode(&huge);
        assert!(matches!(huge, Err(Error::Text { what: "introduction", .. })));
        assert_eq!(field(&start(NEWS).bytes("dropped", [0; 21]).finish()), "dropped");
    }

    #[test]
    fn a_relayed_message_has_one_way_and_a_sound_description() {
        let relayed = || start(OFFER).bytes("id", [1; 20]).bytes("sdp", SDP);
        assert_eq!(field(&relayed().finish()), "to");
        assert_eq!(field(&relayed().bytes("to", A.0).bytes("from", B.0).finish()), "to");
        assert_eq!(field(&relayed().bytes("to", [1; 19]).finish()), "to");
        assert_eq!(field(&start(REFUSE).bytes("to", A.0).finish()), "id");
        assert_eq!(field(&start(OFFER).bytes("to", A.0).bytes("id", [1; 20]).finish()), "sdp");
        let audio = relayed().bytes("to", A.0).bytes("sdp", "v=0\r\nm=audio 9 SCTP x\r\n");
        assert!(matches!(SignalMessage::decode(&audio.finish()), Err(Error::Sdp { .. })));
    }

    proptest! {
        #[test]
        fn arbitrary_payloads_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = SignalMessage::decode(&bytes);
        }

        #[test]
        fn damaged_messages_never_panic(at in 0..150_usize, byte in any::<u8>()) {
            let (way, id) = (SignalWay::To(A), OfferId([7; 20]));
            let message = SignalMessage::Offer { way, id, sdp: SDP.to_owned() };
            let mut bytes = message.encode().to_vec();
            if let Some(place) = bytes.get_mut(at) {
                *place = byte;
            }
            if let Ok(Some(read)) = SignalMessage::decode(&bytes) {
                prop_assert_eq!(SignalMessage::decode(&read.encode()), Ok(Some(read)));
            }
        }
    }
}
