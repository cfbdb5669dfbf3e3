//! Writes bencode. Dictionaries come out sorted however they were filled.

use headwater_base::Map;

/// Appends an integer to `out`.
pub fn write_int(out: &mut Vec<u8>, value: i64) {
    out.extend_from_slice(format!("i{value}e").as_bytes());
}

/// Appends a byte string to `out`.
pub fn write_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(format!("{}:", bytes.len()).as_bytes());
    out.extend_from_slice(bytes);
}

/// A dictionary in the making. Filling a key twice keeps the later value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DictBuilder {
    entries: Map<Vec<u8>, Vec<u8>>,
}

impl DictBuilder {
    /// Starts an empty dictionary.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts an integer under `key`.
    #[must_use]
    pub fn int(self, key: impl AsRef<[u8]>, value: i64) -> Self {
        let mut out = Vec::new();
        write_int(&mut out, value);
        self.raw(key, out)
    }

    /// Puts a byte string under `key`.
    #[must_use]
    pub fn bytes(self, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
        let mut out = Vec::new();
        write_bytes(&mut out, value.as_ref());
        self.raw(key, out)
    }

    /// Puts a list under `key`.
    #[must_use]
    pub fn list(self, key: impl AsRef<[u8]>, value: ListBuilder) -> Self {
        self.raw(key, value.finish())
    }

    /// Puts a dictionary under `key`.
    #[must_use]
    pub fn dict(self, key: impl AsRef<[u8]>, value: DictBuilder) -> Self {
        self.raw(key, value.finish())
    }

    /// Puts a value that is already bencode under `key`.
    #[must_use]
    pub fn raw(mut self, key: impl AsRef<[u8]>, value: impl Into<Vec<u8>>) -> Self {
        self.entries.insert(key.as_ref().to_vec(), value.into());
        self
    }

    /// The bytes of the dictionary.
    pub fn finish(self) -> Vec<u8> {
        let mut out = vec![b'd'];
        for (key, value) in self.entries {
            write_bytes(&mut out, &key);
            out.extend_from_slice(&value);
        }
        out.push(b'e');
        out
    }
}

/// A list in the making.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListBuilder {
    items: Vec<u8>,
}

impl ListBuilder {
    /// Starts an empty list.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends an integer.
    #[must_use]
    pub fn int(mut self, value: i64) -> Self {
        write_int(&mut self.items, value);
        self
    }

    /// Appends a byte string.
    #[must_use]
    pub fn bytes(mut self, value: impl AsRef<[u8]>) -> Self {
        write_bytes(&mut self.items, value.as_ref());
        self
    }

    /// Appends a list.
    #[must_use]
    pub fn list(self, value: ListBuilder) -> Self {
        self.raw(value.finish())
    }

    /// Appends a dictionary.
    #[must_use]
    pub fn dict(self, value: DictBuilder) -> Self {
        self.raw(value.finish())
    }

    /// Appends a value that is already bencode.
    #[must_use]
    pub fn raw(mut self, value: impl AsRef<[u8]>) -> Self {
        self.items.extend_from_slice(value.as_ref());
        self
    }

    /// The bytes of the list.
    pub fn finish(self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.items.len() + 2);
        out.push(b'l');
        out.extend_from_slice(&self.items);
        out.push(b'e');
        out
    }
}
