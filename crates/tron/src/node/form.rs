//! How a node's JSON writes bytes, addresses and numbers.

use core::fmt;

use headwater_base::{Address, hex, unhex};
use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use crate::address;

/// Bytes as hex.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HexBytes(pub Vec<u8>);

/// An address, written as `41…`; read in any form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HexAddress(pub Address);

/// An address of a log entry, written as its 20 bytes without prefix; read in any form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogAddress(pub Address);

impl Serialize for HexBytes {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&hex(&self.0))
    }
}

impl<'de> Deserialize<'de> for HexBytes {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let bytes = unhex(text.strip_prefix("0x").unwrap_or(&text));
        bytes.map(Self).ok_or_else(|| de::Error::custom("hex needed"))
    }
}

impl Serialize for HexAddress {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&address::to_hex(self.0))
    }
}

impl<'de> Deserialize<'de> for HexAddress {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        address::parse(&String::deserialize(from)?).map(Self).map_err(de::Error::custom)
    }
}

impl Serialize for LogAddress {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&hex(&self.0.0))
    }
}

impl<'de> Deserialize<'de> for LogAddress {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        HexAddress::deserialize(from).map(|known| Self(known.0))
    }
}

/// An address that may be missing, also as an empty string.
pub(super) fn maybe_address<'de, D>(from: D) -> Result<Option<HexAddress>, D::Error>
where
    D: Deserializer<'de>,
{
    match Option::<String>::deserialize(from)?.as_deref() {
        None | Some("") => Ok(None),
        Some(text) => address::parse(text).map(HexAddress).map(Some).map_err(de::Error::custom),
    }
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference, on wasm32 a small one"
)]
pub(super) fn is_zero(value: &u64) -> bool {
    *value == 0
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference, on wasm32 a small one"
)]
pub(super) fn is_false(value: &bool) -> bool {
    !*value
}

/// A whole number, also as decimal digits in a string: nodes write both. What is negative means
/// nothing in the fields we read, and becomes zero.
pub(super) fn number<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    from.deserialize_any(Number)
}

struct Number;

impl Visitor<'_> for Number {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number")
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<u64, E> {
        Ok(value)
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<u64, E> {
        Ok(u64::try_from(value).unwrap_or_default())
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<u64, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_unit<E: de::Error>(self) -> Result<u64, E> {
        Ok(0)
    }
}
