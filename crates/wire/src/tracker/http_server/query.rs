//! Reads queries: bytes escaped with `%`, of which the first of a name counts.

use headwater_base::{InfoHash, PeerId};

use super::{Announce, Form, Question};
use crate::tracker::Happening;
use crate::{Error, limit};

impl Question {
    /// Reads the query of an announce, all that stands behind the `?`.
    pub fn announce(query: &str) -> Result<Self, Error> {
        check_len(query)?;
        let port = text(query, "port")
            .and_then(|port| port.parse().ok())
            .ok_or(Error::Field { key: "port", needed: "port" })?;
        Ok(Self::Announce(Announce {
            info_hash: InfoHash(twenty(query, "info_hash")?),
            peer_id: PeerId(twenty(query, "peer_id")?),
            port,
            uploaded: number(query, "uploaded").unwrap_or(0),
            downloaded: number(query, "downloaded").unwrap_or(0),
            left: number(query, "left"),
            happening: text(query, "event").and_then(Happening::from_name),
            // Some clients say -1 for as many as the tracker likes.
            wanted: text(query, "numwant").and_then(|wanted| wanted.parse().ok()),
            form: form(query),
        }))
    }

    /// Reads the query of a scrape. What is no info-hash is passed over; a scrape of everything is
    /// not offered.
    pub fn scrape(query: &str) -> Result<Self, Error> {
        check_len(query)?;
        let hashes: Vec<_> = fields(query)
            .filter(|(name, _)| *name == "info_hash")
            .filter_map(|(_, value)| unescape(value).map(InfoHash))
            .take(limit::SCRAPE_MAX)
            .collect();
        if hashes.is_empty() {
            return Err(Error::Field { key: "info_hash", needed: "string of 20 bytes" });
        }
        Ok(Self::Scrape(hashes))
    }
}

fn check_len(query: &str) -> Result<(), Error> {
    let (found, allowed) = (query.len(), limit::TRACKER_QUERY_BYTES_MAX);
    if found > allowed {
        return Err(Error::Text { what: "tracker query", found, allowed });
    }
    Ok(())
}

/// Names and values as they stand, escaped.
fn fields(query: &str) -> impl Iterator<Item = (&str, &str)> {
    query.split('&').filter_map(|field| field.split_once('='))
}

fn text<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    fields(query).find(|(found, _)| *found == name).map(|(_, value)| value)
}

fn number(query: &str, name: &str) -> Option<u64> {
    text(query, name)?.parse().ok()
}

fn twenty(query: &str, key: &'static str) -> Result<[u8; 20], Error> {
    let wrong = Error::Field { key, needed: "string of 20 bytes" };
    text(query, key).and_then(unescape).ok_or(wrong)
}

fn form(query: &str) -> Form {
    match (text(query, "compact"), text(query, "no_peer_id")) {
        (Some("0"), Some("1")) => Form::Unnamed,
        (Some("0"), _) => Form::Named,
        _ => Form::Compact,
    }
}

/// Exactly `N` bytes, each as it is or as two hex digits after `%`. A `+` is a space, as forms
/// have it; clients that mean a plus escape it.
fn unescape<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = text.bytes();
    let mut out = [0; N];
    for byte in &mut out {
        *byte = match bytes.next()? {
            b'%' => digit(bytes.next()?)? << 4 | digit(bytes.next()?)?,
            b'+' => b' ',
            plain => plain,
        };
    }
    bytes.next().is_none().then_some(out)
}

fn digit(byte: u8) -> Option<u8> {
    let value = char::from(byte).to_digit(16)?;
    u8::try_from(value).ok()
}
