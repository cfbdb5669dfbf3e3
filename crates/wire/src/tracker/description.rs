//! A session description as it stands in a message. A tracker hands on thousands of them a second
//! and reads none, so with the feature `relay` they are not taken out of their JSON form and put
//! back into it; who reads every one is spared the code for that.

#[cfg(feature = "relay")]
mod form {
    use serde_json::value::RawValue;

    /// The JSON form, quotes included.
    pub(super) type Form = Box<RawValue>;
    /// Whatever stands where one should be.
    pub(in super::super) type Raw<'a> = &'a RawValue;

    pub(super) fn take(raw: &Raw<'_>) -> Option<Form> {
        raw.get().starts_with('"').then(|| (*raw).to_owned())
    }

    pub(super) fn write(text: &str) -> Form {
        let quoted = serde_json::value::to_raw_value(text);
        quoted.unwrap_or_else(|_| RawValue::NULL.to_owned())
    }

    /// Half a surrogate pair, which JSON lets pass, makes the text empty.
    pub(super) fn read(form: &Form) -> String {
        serde_json::from_str(form.get()).unwrap_or_default()
    }

    pub(super) fn bytes(form: &Form) -> usize {
        form.get().len()
    }
}

#[cfg(not(feature = "relay"))]
mod form {
    use super::super::value::Value;

    /// The text.
    pub(super) type Form = String;
    /// Whatever stands where one should be.
    pub(in super::super) type Raw<'a> = Box<Value<'a>>;

    pub(super) fn take(raw: &Raw<'_>) -> Option<Form> {
        raw.as_text().map(str::to_owned)
    }

    pub(super) fn write(text: &str) -> Form {
        text.to_owned()
    }

    pub(super) fn read(form: &Form) -> String {
        form.clone()
    }

    pub(super) fn bytes(form: &Form) -> usize {
        form.len()
    }
}

use std::fmt;

pub(super) use form::Raw;
use serde::{Serialize, Serializer};

/// A session description on its way.
#[derive(Clone)]
pub struct Description(form::Form);

impl Description {
    /// Takes a text.
    pub fn new(text: &str) -> Self {
        Self(form::write(text))
    }

    /// Takes what stands in a message, if it is a text.
    pub(super) fn of(raw: &Raw<'_>) -> Option<Self> {
        form::take(raw).map(Self)
    }

    /// The text.
    pub fn text(&self) -> String {
        form::read(&self.0)
    }

    /// Bytes that it takes here: at least those of the text.
    pub fn form_bytes(&self) -> usize {
        form::bytes(&self.0)
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
        write!(f, "{:?}", self.text())
    }
}
