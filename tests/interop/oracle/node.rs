//! Bencode as a tree that may be changed into what nobody should write: keys unsorted or twice,
//! numbers out of range.

/// A value.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    Int(i128),
    Bytes(Vec<u8>),
    List(Vec<Node>),
    Dict(Vec<(Vec<u8>, Node)>),
}

impl Node {
    pub(crate) fn bytes(bytes: impl AsRef<[u8]>) -> Self {
        Self::Bytes(bytes.as_ref().to_vec())
    }

    /// A dictionary in the order given.
    pub(crate) fn dict<const N: usize>(entries: [(&str, Self); N]) -> Self {
        Self::Dict(entries.map(|(key, value)| (key.as_bytes().to_vec(), value)).into())
    }

    /// Puts `value` under `key` at the end, when this is a dictionary.
    pub(crate) fn push(&mut self, key: impl AsRef<[u8]>, value: Self) {
        if let Self::Dict(entries) = self {
            entries.push((key.as_ref().to_vec(), value));
        }
    }

    /// The bytes of the value, as it stands.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Int(number) => out.extend(format!("i{number}e").into_bytes()),
            Self::Bytes(bytes) => write_bytes(bytes, out),
            Self::List(items) => {
                out.push(b'l');
                items.iter().for_each(|item| item.write(out));
                out.push(b'e');
            }
            Self::Dict(entries) => {
                out.push(b'd');
                for (key, value) in entries {
                    write_bytes(key, out);
                    value.write(out);
                }
                out.push(b'e');
            }
        }
    }
}

fn write_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    out.extend(format!("{}:", bytes.len()).into_bytes());
    out.extend_from_slice(bytes);
}
