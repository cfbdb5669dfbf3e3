//! A request: its path, and parameters from its JSON body or its query.

use headwater_base::{Address, unhex};
use headwater_tron::address;
use serde_json::{Map, Value};

/// A request that was read.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(super) path: String,
    pub(super) params: Map<String, Value>,
}

impl Ask {
    /// Reads a request. A body that is JSON counts before the query.
    pub(crate) fn read(path: &str, query: &str, body: &[u8]) -> Result<Self, String> {
        let mut params: Map<String, Value> = url::form_urlencoded::parse(query.as_bytes())
            .map(|(key, value)| (key.into_owned(), Value::String(value.into_owned())))
            .collect();
        if !body.is_empty() {
            let value: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
            match value {
                Value::Object(fields) => params.extend(fields),
                Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::String(_)
                | Value::Array(_) => return Err("the body is no JSON object".to_owned()),
            }
        }
        Ok(Self { path: path.trim_matches('/').to_owned(), params })
    }

    /// Whether addresses and text are to be shown for people.
    pub(super) fn visible(&self) -> bool {
        self.flag("visible")
    }

    pub(super) fn flag(&self, key: &str) -> bool {
        match self.params.get(key) {
            Some(Value::Bool(flag)) => *flag,
            Some(Value::String(text)) => text == "true",
            Some(Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_)) | None => {
                false
            }
        }
    }

    pub(super) fn text(&self, key: &str) -> Result<&str, String> {
        self.params.get(key).and_then(Value::as_str).ok_or_else(|| format!("{key} is missing"))
    }

    /// Text that may be left out.
    pub(super) fn text_or_empty(&self, key: &str) -> &str {
        self.params.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    pub(super) fn number(&self, key: &str) -> Result<u64, String> {
        let value = self.params.get(key).ok_or_else(|| format!("{key} is missing"))?;
        let number = value.as_u64().or_else(|| value.as_str().and_then(|text| text.parse().ok()));
        number.ok_or_else(|| format!("{key} is no number"))
    }

    /// A number that is 0 where it is left out.
    pub(super) fn number_or_0(&self, key: &str) -> Result<u64, String> {
        if self.params.contains_key(key) { self.number(key) } else { Ok(0) }
    }

    pub(super) fn address(&self, key: &str) -> Result<Address, String> {
        address::parse(self.text(key)?).map_err(|error| format!("{key}: {error}"))
    }

    pub(super) fn bytes(&self, key: &str) -> Result<Vec<u8>, String> {
        let text = self.text_or_empty(key);
        let digits = text.strip_prefix("0x").unwrap_or(text);
        unhex(digits).ok_or_else(|| format!("{key} is no hex"))
    }

    pub(super) fn digest(&self, key: &str) -> Result<[u8; 32], String> {
        self.bytes(key)?.try_into().map_err(|_| format!("{key} is not 32 bytes"))
    }

    /// An address in the form that was asked for.
    pub(super) fn show(&self, of: Address) -> String {
        if self.visible() { address::to_base58(of) } else { address::to_hex(of) }
    }

    /// Text in the form that was asked for.
    pub(super) fn say(&self, text: &str) -> String {
        if self.visible() { text.to_owned() } else { headwater_base::hex(text.as_bytes()) }
    }
}
