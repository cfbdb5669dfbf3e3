//! What a tracker sends a client.

use std::collections::BTreeMap;

use headwater_base::{InfoHash, PeerId};
use serde::Serialize;

use super::value::{Fields, Value};
use super::writer::{Session, Writer, from_bytes};
use super::{Action, Description, OfferId, check_sdp, json};
use crate::{Error, limit, text};

/// A message from a tracker to a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrackerMessage {
    /// Answers an announce.
    Announce(AnnounceReply),
    /// Another peer's offer; it waits for an answer.
    Offer {
        /// Which swarm.
        info_hash: InfoHash,
        /// Who made it.
        peer_id: PeerId,
        /// Its name.
        offer_id: OfferId,
        /// The session description, checked when it was read.
        sdp: Description,
    },
    /// The answer to an offer of ours.
    Answer {
        /// Which swarm.
        info_hash: InfoHash,
        /// Who answers.
        peer_id: PeerId,
        /// The offer.
        offer_id: OfferId,
        /// The session description, checked when it was read.
        sdp: Description,
    },
    /// The tracker refuses something.
    Failure {
        /// The swarm it was about, if the tracker says so.
        info_hash: Option<InfoHash>,
        /// What kind of message it answers.
        action: Action,
        /// The tracker's words, cut and without control characters.
        reason: String,
    },
    /// Answers a scrape.
    Scrape(Vec<ScrapeEntry>),
}

/// The answer to an announce. Trackers leave out what they like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnnounceReply {
    /// Which swarm.
    pub info_hash: InfoHash,
    /// Seconds until the next announce is due.
    pub interval: Option<u32>,
    /// Seconds before which none is welcome.
    pub interval_min: Option<u32>,
    /// Seeders in the swarm.
    pub complete: Option<u32>,
    /// Leechers in the swarm.
    pub incomplete: Option<u32>,
    /// What the tracker wants given back.
    pub tracker_id: Option<String>,
    /// The tracker's words, cut and without control characters.
    pub warning: Option<String>,
    /// Whether a bridge is behind the tracker, which asks other trackers for browsers
    /// (`hw_bridge`).
    pub bridge: bool,
}

/// The size of one swarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScrapeEntry {
    /// Which swarm.
    pub info_hash: InfoHash,
    /// Seeders in it.
    pub complete: u32,
    /// Leechers in it.
    pub incomplete: u32,
    /// How often it was downloaded.
    pub downloaded: u32,
}

impl AnnounceReply {
    /// Makes a reply that says nothing yet.
    pub fn new(info_hash: InfoHash) -> Self {
        Self {
            info_hash,
            interval: None,
            interval_min: None,
            complete: None,
            incomplete: None,
            tracker_id: None,
            warning: None,
            bridge: false,
        }
    }

    fn encode(&self) -> String {
        let mut out = Writer::start(Action::Announce, Some(self.info_hash));
        out.put_some("interval", self.interval);
        out.put_some("min interval", self.interval_min);
        out.put_some("complete", self.complete);
        out.put_some("incomplete", self.incomplete);
        out.put_some("tracker id", self.tracker_id.as_deref());
        out.put_some("warning message", self.warning.as_deref());
        out.put_some("hw_bridge", self.bridge.then_some(1));
        out.finish()
    }
}

impl TrackerMessage {
    /// The text to send.
    pub fn encode(&self) -> String {
        match self {
            Self::Announce(reply) => reply.encode(),
            Self::Offer { info_hash, peer_id, offer_id, sdp } => {
                let mut out = relay(*info_hash, (peer_id, offer_id), sdp);
                out.put("offer", Session::offer(sdp));
                out.finish()
            }
            Self::Answer { info_hash, peer_id, offer_id, sdp } => {
                let mut out = relay(*info_hash, (peer_id, offer_id), sdp);
                out.put("answer", Session::answer(sdp));
                out.finish()
            }
            Self::Failure { info_hash, action, reason } => {
                let mut out = Writer::start(*action, *info_hash);
                out.put("failure reason", reason);
                out.finish()
            }
            Self::Scrape(entries) => {
                let mut out = Writer::start(Action::Scrape, None);
                let hash = |entry: &ScrapeEntry| from_bytes(&entry.info_hash.0);
                let files = entries.iter().map(|entry| (hash(entry), Sizes::from(entry)));
                out.put("files", files.collect::<BTreeMap<_, _>>());
                out.finish()
            }
        }
    }

    /// Reads a tracker's text. Session descriptions in it have passed `check_sdp`.
    pub fn decode(text: &str) -> Result<Self, Error> {
        let fields = json::read(text)?;
        let scrape = fields.text("action") == Some("scrape");
        let action = if scrape { Action::Scrape } else { Action::Announce };
        if let Some(reason) = words(&fields, "failure reason") {
            return Ok(Self::Failure { info_hash: json::info_hash(&fields).ok(), action, reason });
        }
        match action {
            Action::Scrape => read_scrape(&fields),
            Action::Announce if fields.has("offer") => {
                let (peer_id, offer_id, sdp) = read_relay(&fields, "offer")?;
                let info_hash = json::info_hash(&fields)?;
                Ok(Self::Offer { info_hash, peer_id, offer_id, sdp })
            }
            Action::Announce if fields.has("answer") => {
                let (peer_id, offer_id, sdp) = read_relay(&fields, "answer")?;
                let info_hash = json::info_hash(&fields)?;
                Ok(Self::Answer { info_hash, peer_id, offer_id, sdp })
            }
            Action::Announce => read_announce(&fields),
        }
    }
}

/// A swarm's size as it is written.
#[derive(Serialize)]
struct Sizes {
    complete: u32,
    incomplete: u32,
    downloaded: u32,
}

impl From<&ScrapeEntry> for Sizes {
    fn from(entry: &ScrapeEntry) -> Self {
        let ScrapeEntry { complete, incomplete, downloaded, .. } = *entry;
        Self { complete, incomplete, downloaded }
    }
}

/// What an offer and an answer begin with.
fn relay(
    info_hash: InfoHash,
    (peer_id, offer_id): (&PeerId, &OfferId),
    sdp: &Description,
) -> Writer {
    let mut out = Writer::start_session(info_hash, sdp);
    out.put_bytes("peer_id", &peer_id.0);
    out.put_bytes("offer_id", &offer_id.0);
    out
}

fn read_announce(fields: &Fields<'_>) -> Result<TrackerMessage, Error> {
    let tracker_id = fields.text("tracker id");
    let fits = |id: &&str| id.len() <= limit::TRACKER_ID_BYTES_MAX;
    Ok(TrackerMessage::Announce(AnnounceReply {
        info_hash: json::info_hash(fields)?,
        interval: json::count(fields, "interval"),
        interval_min: json::count(fields, "min interval"),
        complete: json::count(fields, "complete"),
        incomplete: json::count(fields, "incomplete"),
        tracker_id: tracker_id.filter(fits).map(str::to_owned),
        warning: words(fields, "warning message"),
        bridge: json::number(fields, "hw_bridge").is_some_and(|number| number > 0),
    }))
}

fn read_relay(
    fields: &Fields<'_>,
    key: &'static str,
) -> Result<(PeerId, OfferId, Description), Error> {
    let sdp = json::sdp(fields, key)?;
    check_sdp(&sdp.text())?;
    Ok((json::peer_id(fields, "peer_id")?, json::offer_id(fields)?, sdp))
}

fn read_scrape(fields: &Fields<'_>) -> Result<TrackerMessage, Error> {
    let files = fields.get("files").and_then(Value::as_fields);
    let files = files.ok_or(Error::Field { key: "files", needed: "object" })?;
    let read = |(hash, file): (&str, &Value<'_>)| {
        let (info_hash, file) = (InfoHash(json::to_bytes(hash)?), file.as_fields()?);
        let count = |key| json::count(file, key).unwrap_or(0);
        let (complete, incomplete) = (count("complete"), count("incomplete"));
        Some(ScrapeEntry { info_hash, complete, incomplete, downloaded: count("downloaded") })
    };
    let entries = files.iter().filter_map(read).take(limit::SCRAPE_MAX).collect();
    Ok(TrackerMessage::Scrape(entries))
}

fn words(fields: &Fields<'_>, key: &str) -> Option<String> {
    let words = fields.text(key)?;
    Some(text::clean(words, limit::REASON_CHARS_MAX))
}
