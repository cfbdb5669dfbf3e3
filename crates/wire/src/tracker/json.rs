//! JSON fields as these messages use them: byte strings of one character a byte, numbers of any
//! shape. What has the wrong type counts as absent; who needs it says so.

use headwater_base::{InfoHash, PeerId};

use super::value::{Fields, SDP, Value};
use super::{Description, Offer, OfferId};
use crate::{Error, limit};

const BYTES: &str = "string of 20 characters up to U+00FF";

/// Reads a message of at most the allowed size.
pub(super) fn read(text: &str) -> Result<Fields<'_>, Error> {
    let allowed = limit::TRACKER_TEXT_BYTES_MAX;
    if text.len() > allowed {
        return Err(Error::Text { what: "message", found: text.len(), allowed });
    }
    let malformed = |e: serde_json::Error| Error::Json { line: e.line(), column: e.column() };
    match serde_json::from_str(text).map_err(malformed)? {
        Value::Object(fields) => Ok(fields),
        Value::Text(_) | Value::Raw(_) | Value::Number(_) | Value::List(_) | Value::Other => {
            Err(Error::Field { key: "message", needed: "object" })
        }
    }
}

/// Twenty bytes of twenty characters.
pub(super) fn to_bytes(text: &str) -> Option<[u8; 20]> {
    let mut bytes = [0; 20];
    let mut chars = text.chars();
    for byte in &mut bytes {
        *byte = u8::try_from(chars.next()?).ok()?;
    }
    chars.next().is_none().then_some(bytes)
}

fn bytes(fields: &Fields<'_>, key: &'static str) -> Result<[u8; 20], Error> {
    let text = fields.get(key).and_then(Value::as_text);
    text.and_then(to_bytes).ok_or(Error::Field { key, needed: BYTES })
}

pub(super) fn info_hash(fields: &Fields<'_>) -> Result<InfoHash, Error> {
    bytes(fields, "info_hash").map(InfoHash)
}

pub(super) fn peer_id(fields: &Fields<'_>, key: &'static str) -> Result<PeerId, Error> {
    bytes(fields, key).map(PeerId)
}

pub(super) fn offer_id(fields: &Fields<'_>) -> Result<OfferId, Error> {
    bytes(fields, "offer_id").map(OfferId)
}

/// A number of whatever shape, cut to what fits; negative ones are absent.
pub(super) fn number(fields: &Fields<'_>, key: &str) -> Option<u64> {
    fields.get(key)?.as_number()
}

/// A smaller number, cut to what fits.
pub(super) fn count(fields: &Fields<'_>, key: &str) -> Option<u32> {
    number(fields, key).map(|number| u32::try_from(number).unwrap_or(u32::MAX))
}

/// The session description under `key`, which is an object with its type and text. What is allowed
/// is measured in its JSON form.
pub(super) fn sdp(fields: &Fields<'_>, key: &'static str) -> Result<Description, Error> {
    let sdp = fields
        .get(key)
        .and_then(Value::as_fields)
        .and_then(|it| it.get(SDP))
        .and_then(Value::as_description);
    let sdp = sdp.ok_or(Error::Field { key, needed: "object with an sdp text" })?;
    let (found, allowed) = (sdp.form_bytes(), limit::SDP_BYTES_MAX);
    if found > allowed {
        return Err(Error::Text { what: "session description", found, allowed });
    }
    Ok(sdp)
}

/// The offers of an announce. Those that cannot be read are left out: the others are good.
pub(super) fn offers(fields: &Fields<'_>) -> Vec<Offer> {
    let read = |value: &Value<'_>| {
        let fields = value.as_fields()?;
        Some(Offer { offer_id: offer_id(fields).ok()?, sdp: sdp(fields, "offer").ok()? })
    };
    fields.list("offers").iter().filter_map(read).take(limit::OFFERS_MAX).collect()
}
