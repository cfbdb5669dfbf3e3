//! What a client sends a tracker.

use headwater_base::{InfoHash, PeerId};
use serde::Serialize;

use super::value::{Fields, Value};
use super::writer::{Session, Writer, from_bytes};
use super::{Action, Description, Offer, OfferId, json};
use crate::{Error, limit};

/// A message from a client to a tracker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientMessage {
    /// The client is in a swarm, or leaves it.
    Announce(Announce),
    /// The client answers another's offer.
    Answer(Answer),
    /// The client asks how large these swarms are.
    Scrape(Vec<InfoHash>),
}

/// A client's place in a swarm, and offers to peers of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announce {
    /// Which swarm.
    pub info_hash: InfoHash,
    /// What the client calls itself.
    pub peer_id: PeerId,
    /// Why it announces, if not only because it is time to.
    pub happening: Option<Happening>,
    /// Bytes sent to peers.
    pub uploaded: u64,
    /// Bytes got from peers.
    pub downloaded: u64,
    /// Bytes it lacks; `None` while it has no metadata to tell.
    pub left: Option<u64>,
    /// How many peers it wants to hear of. Strict trackers relay no offers without it.
    pub wanted: Option<u32>,
    /// Offers, one for each peer it wants to reach.
    pub offers: Vec<Offer>,
    /// What the tracker asked to be given back.
    pub tracker_id: Option<String>,
    /// HTTP and UDP trackers of the torrent, which a browser cannot ask: said to a tracker that has
    /// a bridge, which can (`hw_trackers`).
    pub trackers: Vec<String>,
}

/// Why a client announces: the `event` of the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happening {
    /// It joins the swarm.
    Started,
    /// It has the last piece.
    Completed,
    /// It leaves the swarm.
    Stopped,
}

/// A client's answer to an offer that the tracker relayed to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Which swarm.
    pub info_hash: InfoHash,
    /// Who answers.
    pub peer_id: PeerId,
    /// Who made the offer.
    pub to_peer_id: PeerId,
    /// The offer.
    pub offer_id: OfferId,
    /// The session description, candidates included.
    pub sdp: Description,
    /// Bytes the sender lacks. Some trackers take a seeder for a leecher when it is absent.
    pub left: Option<u64>,
    /// What the tracker asked to be given back.
    pub tracker_id: Option<String>,
}

/// A client's message that cannot be read, and as much of it as the reply needs. A reply
/// without them makes WebTorrent close the socket.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct BadMessage {
    /// The swarm it was about.
    pub info_hash: Option<InfoHash>,
    /// What kind of message it was.
    pub action: Action,
    /// What is wrong with it.
    pub error: Error,
}

impl Happening {
    /// Its name in the message.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Completed => "completed",
            Self::Stopped => "stopped",
        }
    }

    /// Other names, such as libtorrent's `paused`, mean an announce at its usual time.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        let all = [Self::Started, Self::Completed, Self::Stopped];
        all.into_iter().find(|happening| happening.name() == name)
    }
}

impl ClientMessage {
    /// The text to send.
    pub fn encode(&self) -> String {
        match self {
            Self::Announce(announce) => announce.encode(),
            Self::Answer(answer) => answer.encode(),
            Self::Scrape(hashes) => {
                let mut out = Writer::start(Action::Scrape, None);
                let hashes: Vec<_> = hashes.iter().map(|hash| from_bytes(&hash.0)).collect();
                out.put("info_hash", hashes);
                out.finish()
            }
        }
    }

    /// Reads a client's text.
    pub fn decode(text: &str) -> Result<Self, BadMessage> {
        let action = Action::Announce;
        let fields =
            json::read(text).map_err(|error| BadMessage { info_hash: None, action, error })?;
        let info_hash = json::info_hash(&fields).ok();
        let (action, result) = match fields.text("action") {
            Some("announce") if fields.has("answer") => (action, read_answer(&fields)),
            Some("announce") => (action, read_announce(&fields)),
            Some("scrape") => (Action::Scrape, read_scrape(&fields)),
            Some(_) | None => {
                (action, Err(Error::Field { key: "action", needed: "announce or scrape" }))
            }
        };
        result.map_err(|error| BadMessage { info_hash, action, error })
    }
}

/// An offer as it is written.
#[derive(Serialize)]
struct Offered<'a> {
    offer: Session<'a>,
    offer_id: String,
}

impl Announce {
    fn encode(&self) -> String {
        let mut out = Writer::start(Action::Announce, Some(self.info_hash));
        out.put_bytes("peer_id", &self.peer_id.0);
        out.put_some("event", self.happening.map(Happening::name));
        out.put("uploaded", self.uploaded);
        out.put("downloaded", self.downloaded);
        out.put("left", self.left);
        out.put_some("numwant", self.wanted);
        if !self.offers.is_empty() {
            out.put("offers", self.offers.iter().map(Offered::from).collect::<Vec<_>>());
        }
        out.put_some("trackerid", self.tracker_id.as_deref());
        if !self.trackers.is_empty() {
            out.put("hw_trackers", &self.trackers);
        }
        out.finish()
    }
}

impl Answer {
    fn encode(&self) -> String {
        let mut out = Writer::start_session(self.info_hash, &self.sdp);
        out.put_bytes("peer_id", &self.peer_id.0);
        out.put_bytes("to_peer_id", &self.to_peer_id.0);
        out.put_bytes("offer_id", &self.offer_id.0);
        out.put("answer", Session::answer(&self.sdp));
        out.put("left", self.left);
        out.put_some("trackerid", self.tracker_id.as_deref());
        out.finish()
    }
}

impl<'a> From<&'a Offer> for Offered<'a> {
    fn from(offer: &'a Offer) -> Self {
        Self { offer: Session::offer(&offer.sdp), offer_id: from_bytes(&offer.offer_id.0) }
    }
}

fn read_announce(fields: &Fields<'_>) -> Result<ClientMessage, Error> {
    Ok(ClientMessage::Announce(Announce {
        info_hash: json::info_hash(fields)?,
        peer_id: json::peer_id(fields, "peer_id")?,
        happening: fields.text("event").and_then(Happening::from_name),
        uploaded: json::number(fields, "uploaded").unwrap_or(0),
        downloaded: json::number(fields, "downloaded").unwrap_or(0),
        left: json::number(fields, "left"),
        wanted: json::count(fields, "numwant"),
        offers: json::offers(fields),
        tracker_id: tracker_id(fields),
        trackers: trackers(fields),
    }))
}

/// Those that are too long or of another kind are left out.
fn trackers(fields: &Fields<'_>) -> Vec<String> {
    let told = fields.list("hw_trackers").iter().filter_map(Value::as_text);
    told.filter(|url| is_told(url)).map(str::to_owned).take(limit::TRACKERS_TOLD_MAX).collect()
}

/// Whether a tracker is one that browsers cannot ask, and is told to a bridge.
pub fn is_told(url: &str) -> bool {
    let schemes = ["http://", "https://", "udp://"];
    let plain = !url.chars().any(|c| c.is_control() || c.is_whitespace());
    plain
        && url.len() <= limit::TRACKER_TOLD_BYTES_MAX
        && schemes.iter().any(|scheme| url.starts_with(scheme))
}

fn read_answer(fields: &Fields<'_>) -> Result<ClientMessage, Error> {
    Ok(ClientMessage::Answer(Answer {
        info_hash: json::info_hash(fields)?,
        peer_id: json::peer_id(fields, "peer_id")?,
        to_peer_id: json::peer_id(fields, "to_peer_id")?,
        offer_id: json::offer_id(fields)?,
        sdp: json::sdp(fields, "answer")?,
        left: json::number(fields, "left"),
        tracker_id: tracker_id(fields),
    }))
}

/// One info-hash or a list of them. A scrape of everything is not offered.
fn read_scrape(fields: &Fields<'_>) -> Result<ClientMessage, Error> {
    let wrong = || Error::Field { key: "info_hash", needed: "one or more byte strings" };
    if let Ok(hash) = json::info_hash(fields) {
        return Ok(ClientMessage::Scrape(vec![hash]));
    }
    let read = |item: &Value<'_>| item.as_text().and_then(json::to_bytes).map(InfoHash);
    let items = fields.list("info_hash").iter();
    let hashes: Vec<_> = items.filter_map(read).take(limit::SCRAPE_MAX).collect();
    if hashes.is_empty() { Err(wrong()) } else { Ok(ClientMessage::Scrape(hashes)) }
}

fn tracker_id(fields: &Fields<'_>) -> Option<String> {
    let text = fields.text("trackerid")?;
    (text.len() <= limit::TRACKER_ID_BYTES_MAX).then(|| text.to_owned())
}
