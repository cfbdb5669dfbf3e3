//! Bencode (BEP 3): reads it strictly and without copying, and writes it with sorted keys.
//! Every value keeps the bytes it was read from, so that hashes are over what really came.
//! Knows nothing of torrents or messages.

mod read;
mod write;

pub use read::{KeyOrder, Rules, parse, parse_prefix};
pub use write::{DictBuilder, ListBuilder, write_bytes, write_int};

/// A value and the bytes it was read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value<'a> {
    raw: &'a [u8],
    kind: Kind<'a>,
}

/// What a value is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind<'a> {
    /// `i…e`.
    Int(i64),
    /// `length:…`; text is bytes too.
    Bytes(&'a [u8]),
    /// `l…e`.
    List(Vec<Value<'a>>),
    /// `d…e`.
    Dict(Dict<'a>),
}

impl<'a> Value<'a> {
    /// The bytes this value was read from, brackets included.
    pub fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// What the value is, for a `match`.
    pub fn kind(&self) -> &Kind<'a> {
        &self.kind
    }

    /// The integer, if it is one.
    pub fn int(&self) -> Option<i64> {
        if let Kind::Int(value) = &self.kind { Some(*value) } else { None }
    }

    /// The byte string, if it is one.
    pub fn bytes(&self) -> Option<&'a [u8]> {
        if let Kind::Bytes(value) = &self.kind { Some(value) } else { None }
    }

    /// The byte string, if it is one and UTF-8.
    pub fn text(&self) -> Option<&'a str> {
        core::str::from_utf8(self.bytes()?).ok()
    }

    /// The items, if it is a list.
    pub fn list(&self) -> Option<&[Value<'a>]> {
        if let Kind::List(items) = &self.kind { Some(items) } else { None }
    }

    /// The dictionary, if it is one.
    pub fn dict(&self) -> Option<&Dict<'a>> {
        if let Kind::Dict(dict) = &self.kind { Some(dict) } else { None }
    }

    /// Whether the keys of every dictionary in it are sorted and come once, as BEP 3 demands.
    /// Recurses no deeper than what was read.
    pub fn is_canonical(&self) -> bool {
        match &self.kind {
            Kind::Int(_) | Kind::Bytes(_) => true,
            Kind::List(items) => items.iter().all(Self::is_canonical),
            Kind::Dict(dict) => dict.ascending && dict.iter().all(|(_, item)| item.is_canonical()),
        }
    }

    /// What lies under `key`, if this is a dictionary that has it.
    pub fn lookup(&self, key: impl AsRef<[u8]>) -> Option<&Value<'a>> {
        self.dict()?.lookup(key)
    }
}

/// A dictionary, its entries in the order they came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dict<'a> {
    entries: Vec<(&'a [u8], Value<'a>)>,
    ascending: bool,
}

impl<'a> Dict<'a> {
    /// What lies under `key`. Of several entries with one key the first counts.
    pub fn lookup(&self, key: impl AsRef<[u8]>) -> Option<&Value<'a>> {
        let key = key.as_ref();
        let at = if self.ascending {
            self.entries.binary_search_by_key(&key, |(entry, _)| entry).ok()?
        } else {
            self.entries.iter().position(|(entry, _)| *entry == key)?
        };
        self.entries.get(at).map(|(_, value)| value)
    }

    /// Keys and values in the order they came.
    pub fn iter(&self) -> impl Iterator<Item = (&'a [u8], &Value<'a>)> + '_ {
        self.entries.iter().map(|(key, value)| (*key, value))
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether the keys are sorted and each comes once, as BEP 3 demands.
    pub fn is_canonical(&self) -> bool {
        self.ascending
    }
}

/// Why bytes are not bencode. `at` counts from the first byte given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// More bytes than the rules allow.
    #[error("{found} bytes of bencode, at most {allowed} allowed")]
    TooLong {
        /// Bytes given.
        found: usize,
        /// Bytes allowed.
        allowed: usize,
    },
    /// Lists and dictionaries nest deeper than the rules allow.
    #[error("value at byte {at} lies deeper than the {allowed} levels allowed")]
    TooDeep {
        /// Where.
        at: usize,
        /// Levels allowed.
        allowed: usize,
    },
    /// More values than the rules allow.
    #[error("value at byte {at} is beyond the {allowed} values allowed")]
    TooManyValues {
        /// Where.
        at: usize,
        /// Values allowed.
        allowed: usize,
    },
    /// The bytes end inside a value.
    #[error("input ends at byte {at} inside a value")]
    CutOff {
        /// Where.
        at: usize,
    },
    /// No value starts with this byte.
    #[error("byte {found:#04x} at {at} starts no value")]
    NotAValue {
        /// Where.
        at: usize,
        /// The byte.
        found: u8,
    },
    /// Not a decimal integer without leading zeros, plus sign or negative zero.
    #[error("integer at byte {at} is malformed")]
    BadInteger {
        /// Where.
        at: usize,
    },
    /// An integer that needs more than 64 bits.
    #[error("integer at byte {at} is outside the 64-bit range")]
    IntegerRange {
        /// Where.
        at: usize,
    },
    /// The length before a string is no plain number.
    #[error("string length at byte {at} is malformed")]
    BadLength {
        /// Where.
        at: usize,
    },
    /// A string claims more bytes than are left.
    #[error("string at byte {at} claims {found} bytes where {left} are left")]
    StringTooLong {
        /// Where.
        at: usize,
        /// Bytes claimed.
        found: u64,
        /// Bytes left.
        left: usize,
    },
    /// A dictionary key that is no string.
    #[error("dictionary key at byte {at} is no string")]
    KeyNotString {
        /// Where.
        at: usize,
    },
    /// A dictionary key that is not above the one before it, where the rules demand that.
    #[error("dictionary key at byte {at} is out of order or comes twice")]
    KeyOrder {
        /// Where.
        at: usize,
    },
    /// Bytes after the value.
    #[error("{found} bytes left over after the value that ends at byte {at}")]
    Trailing {
        /// Where.
        at: usize,
        /// Bytes left over.
        found: usize,
    },
}

impl Error {
    /// The stable name of this error.
    pub fn code(&self) -> &'static str {
        "bad-bencode"
    }
}

#[cfg(test)]
mod tests;
