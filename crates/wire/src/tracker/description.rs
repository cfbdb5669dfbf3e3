//! A session description as it stands in a message: a tracker hands on thousands of them a second
//! and reads none, so they are not taken out of their JSON form and put back into it.

use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// A session description in its JSON form.
#[derive(Clone)]
pub struct Description(Box<RawValue>);

impl Description {
    /// Puts a text into its JSON form.
    pub fn new(text: &str) -> Self {
        let quoted = serde_json::value::to_raw_value(text);
        Self(quoted.unwrap_or_else(|_| RawValue::NULL.to_owned()))
    }

    /// Takes what stands in a message, if it is a text.
    pub(super) fn of(raw: &RawValue) -> Option<Self> {
        raw.get().starts_with('"').then(|| Self(raw.to_owned()))
    }

    /// The text. Half a surrogate pair, which JSON lets pass, makes it empty.
    pub fn text(&self) -> String {
        serde_json::from_str(self.0.get()).unwrap_or_default()
    }

    /// Bytes of the JSON form: at least those of the text.
    pub fn form_bytes(&self) -> usize {
        self.0.get().len()
    }
}

impl Serialize for Description {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(to)
    }
}

impl PartialEq for Description {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text()
    }
}

impl Eq for Description {}

impl fmt::Debug for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.get())
    }
}
