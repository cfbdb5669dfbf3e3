//! Reads bencode. Decides how strict to be and where hostile input is cut off.

use super::{Dict, Error, Kind, Value};
use crate::limit;

/// How much is read and how strictly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Most bytes a value may take.
    pub bytes_max: usize,
    /// Most lists and dictionaries inside one another.
    pub depth_max: usize,
    /// Most values, keys included.
    pub values_max: usize,
    /// What is asked of dictionary keys.
    pub key_order: KeyOrder,
}

/// What is asked of dictionary keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyOrder {
    /// Any order; of several entries with one key the first counts, as in libtorrent.
    Any,
    /// Sorted, each once (BEP 3).
    Sorted,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            bytes_max: limit::BENCODE_BYTES_MAX,
            depth_max: limit::BENCODE_DEPTH_MAX,
            values_max: limit::BENCODE_VALUES_MAX,
            key_order: KeyOrder::Any,
        }
    }
}

/// Reads a value that takes all of `bytes`, by the default rules.
pub fn parse(bytes: &[u8]) -> Result<Value<'_>, Error> {
    Rules::default().parse(bytes)
}

/// Reads a value from the start of `bytes`, by the default rules; gives what follows it too.
pub fn parse_prefix(bytes: &[u8]) -> Result<(Value<'_>, &[u8]), Error> {
    Rules::default().parse_prefix(bytes)
}

impl Rules {
    /// Reads a value that takes all of `bytes`.
    pub fn parse<'a>(&self, bytes: &'a [u8]) -> Result<Value<'a>, Error> {
        if bytes.len() > self.bytes_max {
            return Err(Error::TooLong { found: bytes.len(), allowed: self.bytes_max });
        }
        let (value, rest) = self.parse_prefix(bytes)?;
        if !rest.is_empty() {
            return Err(Error::Trailing { at: bytes.len() - rest.len(), found: rest.len() });
        }
        Ok(value)
    }

    /// Reads a value from the start of `bytes` and gives what follows it too.
    /// What follows does not count against `bytes_max`.
    pub fn parse_prefix<'a>(&self, bytes: &'a [u8]) -> Result<(Value<'a>, &'a [u8]), Error> {
        let window = &bytes[..bytes.len().min(self.bytes_max)];
        let mut reader = Reader { bytes: window, at: 0, values: 0, rules: *self };
        match reader.value(0) {
            Ok(value) => Ok((value, &bytes[reader.at..])),
            Err(Error::CutOff { .. } | Error::StringTooLong { .. })
                if window.len() < bytes.len() =>
            {
                Err(Error::TooLong { found: bytes.len(), allowed: self.bytes_max })
            }
            Err(error) => Err(error),
        }
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    values: usize,
    rules: Rules,
}

impl<'a> Reader<'a> {
    /// Recurses at most `depth_max` deep.
    fn value(&mut self, depth: usize) -> Result<Value<'a>, Error> {
        let start = self.at;
        self.count()?;
        let kind = match self.peek()? {
            b'i' => Kind::Int(self.int()?),
            b'0'..=b'9' => Kind::Bytes(self.string()?),
            b'l' => Kind::List(self.list(depth)?),
            b'd' => Kind::Dict(self.dict(depth)?),
            found => return Err(Error::NotAValue { at: start, found }),
        };
        Ok(Value { raw: &self.bytes[start..self.at], kind })
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Value<'a>>, Error> {
        self.open(depth)?;
        let mut items = Vec::new();
        while !self.closes()? {
            reserve_little(&mut items);
            items.push(self.value(depth + 1)?);
        }
        Ok(items)
    }

    fn dict(&mut self, depth: usize) -> Result<Dict<'a>, Error> {
        self.open(depth)?;
        let mut dict = Dict { entries: Vec::new(), ascending: true };
        while !self.closes()? {
            let at = self.at;
            self.count()?;
            if !self.peek()?.is_ascii_digit() {
                return Err(Error::KeyNotString { at });
            }
            let key = self.string()?;
            if dict.entries.last().is_some_and(|(before, _)| *before >= key) {
                if self.rules.key_order == KeyOrder::Sorted {
                    return Err(Error::KeyOrder { at });
                }
                dict.ascending = false;
            }
            reserve_little(&mut dict.entries);
            dict.entries.push((key, self.value(depth + 1)?));
        }
        Ok(dict)
    }

    fn int(&mut self) -> Result<i64, Error> {
        let start = self.at;
        self.at += 1;
        let rest = &self.bytes[self.at..];
        // The longest 64-bit integer has 20 characters: looking further is wasted work.
        let window = &rest[..rest.len().min(limit::INTEGER_CHARS_MAX + 1)];
        let Some(len) = window.iter().position(|byte| *byte == b'e') else {
            return Err(unfinished(window, rest, start));
        };
        let text = &window[..len];
        let digits = text.strip_prefix(b"-").unwrap_or(text);
        let canonical = match digits {
            [] => false,
            [b'0'] => text == b"0",
            [first, ..] => *first != b'0' && digits.iter().all(u8::is_ascii_digit),
        };
        if !canonical {
            return Err(Error::BadInteger { at: start });
        }
        self.at += len + 1;
        let text = core::str::from_utf8(text).map_err(|_| Error::BadInteger { at: start })?;
        text.parse().map_err(|_| Error::IntegerRange { at: start })
    }

    fn string(&mut self) -> Result<&'a [u8], Error> {
        let start = self.at;
        let mut len: u64 = 0;
        loop {
            match self.peek()? {
                b':' => break,
                b'0'..=b'9' if self.at > start && len == 0 => {
                    return Err(Error::BadLength { at: start });
                }
                digit @ b'0'..=b'9' => {
                    len = len.saturating_mul(10).saturating_add(u64::from(digit - b'0'));
                }
                _ => return Err(Error::BadLength { at: start }),
            }
            self.at += 1;
            if self.at - start > limit::INTEGER_CHARS_MAX {
                return Err(Error::BadLength { at: start });
            }
        }
        self.at += 1;
        let left = self.bytes.len() - self.at;
        let too_long = Error::StringTooLong { at: start, found: len, left };
        let len = usize::try_from(len).ok().filter(|len| *len <= left).ok_or(too_long)?;
        let string = &self.bytes[self.at..self.at + len];
        self.at += len;
        Ok(string)
    }

    fn open(&mut self, depth: usize) -> Result<(), Error> {
        if depth >= self.rules.depth_max {
            return Err(Error::TooDeep { at: self.at, allowed: self.rules.depth_max });
        }
        self.at += 1;
        Ok(())
    }

    fn closes(&mut self) -> Result<bool, Error> {
        let closes = self.peek()? == b'e';
        self.at += usize::from(closes);
        Ok(closes)
    }

    fn peek(&self) -> Result<u8, Error> {
        self.bytes.get(self.at).copied().ok_or(Error::CutOff { at: self.bytes.len() })
    }

    fn count(&mut self) -> Result<(), Error> {
        if self.values >= self.rules.values_max {
            return Err(Error::TooManyValues { at: self.at, allowed: self.rules.values_max });
        }
        self.values += 1;
        Ok(())
    }
}

/// Makes room for one more and a fifth of what is there. Doubling would let two bytes of input
/// cost a hundred of memory.
fn reserve_little<T>(items: &mut Vec<T>) {
    if items.len() == items.capacity() {
        items.reserve_exact(1 + items.len() / 5);
    }
}

/// Tells apart an integer without end, a malformed one and one that is too long.
fn unfinished(window: &[u8], rest: &[u8], at: usize) -> Error {
    let digits = window.strip_prefix(b"-").unwrap_or(window);
    if !digits.iter().all(u8::is_ascii_digit) || digits.len() > 1 && digits[0] == b'0' {
        Error::BadInteger { at }
    } else if window.len() == rest.len() && window.len() <= limit::INTEGER_CHARS_MAX {
        Error::CutOff { at: at + 1 + rest.len() }
    } else {
        Error::IntegerRange { at }
    }
}
