//! A JSON value that borrows from its text: most of a message is session descriptions, which are
//! copied once, into what is made of them.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::Description;
use super::description::Raw;

/// The name under which session descriptions stand, in objects of their own.
pub(super) const SDP: &str = "sdp";

/// A value, as far as trackers' messages have it.
#[derive(Debug)]
pub(super) enum Value<'a> {
    Text(Cow<'a, str>),
    /// What stands under [`SDP`], as it stands there.
    Raw(Raw<'a>),
    /// Cut to what fits.
    Number(u64),
    List(Vec<Value<'a>>),
    Object(Fields<'a>),
    /// Nothing, a truth value or a negative number.
    Other,
}

/// One object's fields, as they came. Of those with one name the last is found.
#[derive(Debug, Default)]
pub(super) struct Fields<'a>(Vec<(Cow<'a, str>, Value<'a>)>);

impl<'a> Fields<'a> {
    pub(super) fn get(&self, key: &str) -> Option<&Value<'a>> {
        self.0.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.get(key).and_then(Value::as_text)
    }

    /// The items under a name; none where there is no list.
    pub(super) fn list(&self, key: &str) -> &[Value<'a>] {
        match self.get(key) {
            Some(Value::List(items)) => items,
            Some(
                Value::Text(_) | Value::Raw(_) | Value::Number(_) | Value::Object(_) | Value::Other,
            )
            | None => &[],
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Value<'a>)> {
        self.0.iter().map(|(name, value)| (name.as_ref(), value))
    }
}

impl<'a> Value<'a> {
    pub(super) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Raw(_) | Self::Number(_) | Self::List(_) | Self::Object(_) | Self::Other => None,
        }
    }

    pub(super) fn as_number(&self) -> Option<u64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(_) | Self::Raw(_) | Self::List(_) | Self::Object(_) | Self::Other => None,
        }
    }

    pub(super) fn as_fields(&self) -> Option<&Fields<'a>> {
        match self {
            Self::Object(fields) => Some(fields),
            Self::Text(_) | Self::Raw(_) | Self::Number(_) | Self::List(_) | Self::Other => None,
        }
    }

    pub(super) fn as_description(&self) -> Option<Description> {
        match self {
            Self::Raw(raw) => Description::of(raw),
            Self::Text(_) | Self::Number(_) | Self::List(_) | Self::Object(_) | Self::Other => None,
        }
    }
}

impl<'de> Deserialize<'de> for Value<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Value<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Value<'de>, E> {
        Ok(Value::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value<'de>, E> {
        Ok(Value::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Value<'de>, E> {
        Ok(Value::Number(number))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Value<'de>, E> {
        Ok(u64::try_from(number).map_or(Value::Other, Value::Number))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Value<'de>, E> {
        Ok(if number >= 0.0 { Value::Number(number as u64) } else { Value::Other })
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Value<'de>, E> {
        Ok(Value::Other)
    }

    fn visit_unit<E: Error>(self) -> Result<Value<'de>, E> {
        Ok(Value::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Value<'de>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = from.next_element()? {
            items.push(item);
        }
        Ok(Value::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Value<'de>, A::Error> {
        let mut fields = Vec::new();
        while let Some(name) = from.next_key()? {
            let Value::Text(name) = name else { return Err(A::Error::custom("no name")) };
            let value =
                if name == SDP { Value::Raw(from.next_value()?) } else { from.next_value()? };
            fields.push((name, value));
        }
        Ok(Value::Object(Fields(fields)))
    }
}
