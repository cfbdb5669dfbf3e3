//! JSON fields as these messages use them: byte strings of one character a byte, numbers of any
//! shape. What has the wrong type counts as absent; who needs it says so.

use headwater_base::{InfoHash, PeerId};
use serde_json::{Map, Value};

use super::{Action, Offer, OfferId};
use crate::{Error, limit};

/// One message's fields.
pub(super) type Fields = Map<String, Value>;

const BYTES: &str = "string of 20 characters up to U+00FF";

/// Reads a message of at most the allowed size.
pub(super) fn read(text: &str) -> Result<Fields, Error> {
    let allowed = limit::TRACKER_TEXT_BYTES_MAX;
    if text.len() > allowed {
        return Err(Error::Text { what: "message", found: text.len(), allowed });
    }
    let malformed = |e: serde_json::Error| Error::Json { line: e.line(), column: e.column() };
    match serde_json::from_str(text).map_err(malformed)? {
        Value::Object(fields) => Ok(fields),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Err(Error::Field { key: "message", needed: "object" })
        }
    }
}

/// One character for each byte.
pub(super) fn from_bytes(bytes: &[u8; 20]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
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

fn bytes(fields: &Fields, key: &'static str) -> Result<[u8; 20], Error> {
    let text = fields.get(key).and_then(Value::as_str);
    text.and_then(to_bytes).ok_or(Error::Field { key, needed: BYTES })
}

pub(super) fn info_hash(fields: &Fields) -> Result<InfoHash, Error> {
    bytes(fields, "info_hash").map(InfoHash)
}

pub(super) fn peer_id(fields: &Fields, key: &'static str) -> Result<PeerId, Error> {
    bytes(fields, key).map(PeerId)
}

pub(super) fn offer_id(fields: &Fields) -> Result<OfferId, Error> {
    bytes(fields, "offer_id").map(OfferId)
}

/// A number of whatever shape, cut to what fits; negative ones are absent.
pub(super) fn number(fields: &Fields, key: &str) -> Option<u64> {
    let value = fields.get(key)?;
    let float = || value.as_f64().filter(|number| *number >= 0.0).map(|number| number as u64);
    value.as_u64().or_else(float)
}

/// A smaller number, cut to what fits.
pub(super) fn count(fields: &Fields, key: &str) -> Option<u32> {
    number(fields, key).map(|number| u32::try_from(number).unwrap_or(u32::MAX))
}

/// The session description under `key`, which is an object with its type and text.
pub(super) fn sdp(fields: &Fields, key: &'static str) -> Result<String, Error> {
    let text = fields.get(key).and_then(|value| value.get("sdp")).and_then(Value::as_str);
    let text = text.ok_or(Error::Field { key, needed: "object with an sdp text" })?;
    let allowed = limit::SDP_BYTES_MAX;
    if text.len() > allowed {
        return Err(Error::Text { what: "session description", found: text.len(), allowed });
    }
    Ok(text.to_owned())
}

pub(super) fn put_sdp(fields: &mut Fields, key: &'static str, sdp: &str) {
    fields.insert(key.to_owned(), serde_json::json!({ "type": key, "sdp": sdp }));
}

pub(super) fn put_bytes(fields: &mut Fields, key: &str, bytes: &[u8; 20]) {
    put(fields, key, from_bytes(bytes));
}

pub(super) fn put(fields: &mut Fields, key: &str, value: impl Into<Value>) {
    fields.insert(key.to_owned(), value.into());
}

pub(super) fn put_some(fields: &mut Fields, key: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        put(fields, key, value);
    }
}

/// A message's first fields.
pub(super) fn start(action: Action, info_hash: Option<InfoHash>) -> Fields {
    let mut fields = Fields::new();
    put(&mut fields, "action", action.name());
    if let Some(InfoHash(bytes)) = info_hash {
        put_bytes(&mut fields, "info_hash", &bytes);
    }
    fields
}

pub(super) fn write(fields: Fields) -> String {
    Value::Object(fields).to_string()
}

/// The offers of an announce. Those that cannot be read are left out: the others are good.
pub(super) fn offers(fields: &Fields) -> Vec<Offer> {
    let read = |value: &Value| {
        let fields = value.as_object()?;
        Some(Offer { offer_id: offer_id(fields).ok()?, sdp: sdp(fields, "offer").ok()? })
    };
    let items = fields.get("offers").and_then(Value::as_array).map(Vec::as_slice);
    items.unwrap_or_default().iter().filter_map(read).take(limit::OFFERS_MAX).collect()
}
