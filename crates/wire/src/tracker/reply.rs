//! What a tracker sends a client.

use headwater_base::{InfoHash, PeerId};
use serde_json::Value;

use super::{Action, OfferId, check_sdp, json};
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
        sdp: String,
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
        sdp: String,
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
}

impl TrackerMessage {
    /// The text to send.
    pub fn encode(&self) -> String {
        json::write(match self {
            Self::Announce(reply) => announce_fields(reply),
            Self::Offer { info_hash, peer_id, offer_id, sdp } => {
                relay_fields("offer", *info_hash, (peer_id, offer_id), sdp)
            }
            Self::Answer { info_hash, peer_id, offer_id, sdp } => {
                relay_fields("answer", *info_hash, (peer_id, offer_id), sdp)
            }
            Self::Failure { info_hash, action, reason } => {
                let mut fields = json::start(*action, *info_hash);
                json::put(&mut fields, "failure reason", reason.as_str());
                fields
            }
            Self::Scrape(entries) => scrape_fields(entries),
        })
    }

    /// Reads a tracker's text. Session descriptions in it have passed `check_sdp`.
    pub fn decode(text: &str) -> Result<Self, Error> {
        let fields = json::read(text)?;
        let scrape = fields.get("action").and_then(Value::as_str) == Some("scrape");
        let action = if scrape { Action::Scrape } else { Action::Announce };
        if let Some(reason) = words(&fields, "failure reason") {
            return Ok(Self::Failure { info_hash: json::info_hash(&fields).ok(), action, reason });
        }
        match action {
            Action::Scrape => read_scrape(&fields),
            Action::Announce if fields.contains_key("offer") => {
                let (peer_id, offer_id, sdp) = read_relay(&fields, "offer")?;
                let info_hash = json::info_hash(&fields)?;
                Ok(Self::Offer { info_hash, peer_id, offer_id, sdp })
            }
            Action::Announce if fields.contains_key("answer") => {
                let (peer_id, offer_id, sdp) = read_relay(&fields, "answer")?;
                let info_hash = json::info_hash(&fields)?;
                Ok(Self::Answer { info_hash, peer_id, offer_id, sdp })
            }
            Action::Announce => read_announce(&fields),
        }
    }
}

fn announce_fields(reply: &AnnounceReply) -> json::Fields {
    let mut fields = json::start(Action::Announce, Some(reply.info_hash));
    json::put_some(&mut fields, "interval", reply.interval);
    json::put_some(&mut fields, "min interval", reply.interval_min);
    json::put_some(&mut fields, "complete", reply.complete);
    json::put_some(&mut fields, "incomplete", reply.incomplete);
    json::put_some(&mut fields, "tracker id", reply.tracker_id.as_deref());
    json::put_some(&mut fields, "warning message", reply.warning.as_deref());
    json::put_some(&mut fields, "hw_bridge", reply.bridge.then_some(1));
    fields
}

fn relay_fields(
    key: &'static str,
    info_hash: InfoHash,
    (peer_id, offer_id): (&PeerId, &OfferId),
    sdp: &str,
) -> json::Fields {
    let mut fields = json::start(Action::Announce, Some(info_hash));
    json::put_bytes(&mut fields, "peer_id", &peer_id.0);
    json::put_bytes(&mut fields, "offer_id", &offer_id.0);
    json::put_sdp(&mut fields, key, sdp);
    fields
}

fn scrape_fields(entries: &[ScrapeEntry]) -> json::Fields {
    let mut files = json::Fields::new();
    for entry in entries {
        let mut file = json::Fields::new();
        json::put(&mut file, "complete", entry.complete);
        json::put(&mut file, "incomplete", entry.incomplete);
        json::put(&mut file, "downloaded", entry.downloaded);
        json::put(&mut files, &json::from_bytes(&entry.info_hash.0), file);
    }
    let mut fields = json::start(Action::Scrape, None);
    json::put(&mut fields, "files", files);
    fields
}

fn read_announce(fields: &json::Fields) -> Result<TrackerMessage, Error> {
    let tracker_id = fields.get("tracker id").and_then(Value::as_str);
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
    fields: &json::Fields,
    key: &'static str,
) -> Result<(PeerId, OfferId, String), Error> {
    let sdp = json::sdp(fields, key)?;
    check_sdp(&sdp)?;
    Ok((json::peer_id(fields, "peer_id")?, json::offer_id(fields)?, sdp))
}

fn read_scrape(fields: &json::Fields) -> Result<TrackerMessage, Error> {
    let files = fields.get("files").and_then(Value::as_object);
    let files = files.ok_or(Error::Field { key: "files", needed: "object" })?;
    let read = |(hash, file): (&String, &Value)| {
        let (info_hash, file) = (InfoHash(json::to_bytes(hash)?), file.as_object()?);
        let count = |key| json::count(file, key).unwrap_or(0);
        let (complete, incomplete) = (count("complete"), count("incomplete"));
        Some(ScrapeEntry { info_hash, complete, incomplete, downloaded: count("downloaded") })
    };
    let entries = files.iter().filter_map(read).take(limit::SCRAPE_MAX).collect();
    Ok(TrackerMessage::Scrape(entries))
}

fn words(fields: &json::Fields, key: &str) -> Option<String> {
    let words = fields.get(key).and_then(Value::as_str)?;
    Some(text::clean(words, limit::REASON_CHARS_MAX))
}
