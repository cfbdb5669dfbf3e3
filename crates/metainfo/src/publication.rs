//! What a torrent says of its publisher: whom to tip, what its content costs, and a signature. The
//! dictionary `hw` lies outside `info`, so that it changes no info-hash. Form only: who signed it
//! is for others to find out, and until then it is worth nothing.

use core::fmt;

use bytes::Bytes;
use headwater_base::{Address, Amount, Digest256, Signature};

use crate::bencode::{Dict, DictBuilder, Rules, Value};
use crate::{base64, limit};

/// The only version so far.
const VERSION: i64 = 1;

/// The dictionary as it came, of which only the form is known: bencode, and not too long. Any
/// client may write such a key, so one that is refused is as if it was not there. `Display` writes
/// it as magnet links carry it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawPublication(Bytes);

/// What the dictionary says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Publication {
    /// The chain's id, as in what is signed.
    pub chain: u64,
    /// The vault in which prices are paid; zeros where there are only tips.
    pub vault: Address,
    /// The token of tips and prices; zeros for the chain's own coin.
    pub token: Address,
    /// The account that tips and prices go to.
    pub payee: Address,
    /// The address of the publisher's own key, which signed.
    pub publisher: Address,
    /// A tip that the publisher suggests, in base units of the token.
    pub tip: Option<Amount>,
    /// What the content's key costs, where the content is paid for.
    pub sale: Option<Sale>,
    /// The publisher's signature.
    pub sig: Signature,
}

/// Content that is paid for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sale {
    /// What its key costs, in base units of the token.
    pub price: Amount,
    /// By what its key is known when it comes.
    pub check: Digest256,
}

/// A dictionary that does not say what it must.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key} of the publication is not {needed}")]
pub struct PublicationError {
    key: &'static str,
    needed: &'static str,
}

impl PublicationError {
    /// The stable name of this error.
    pub fn code(&self) -> &'static str {
        "bad-publication"
    }
}

impl RawPublication {
    /// Takes the bytes of a dictionary; nothing where they are none, or too many.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        if bytes.len() > limit::PUBLICATION_BYTES_MAX {
            return None;
        }
        Rules::default().parse(bytes).ok()?.dict()?;
        Some(Self(Bytes::copy_from_slice(bytes)))
    }

    /// Takes what a magnet link carries.
    pub fn from_text(text: &str) -> Option<Self> {
        Self::read(&base64::decode(text)?)
    }

    /// The bytes of the dictionary.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether it names a price. That nobody has to have signed.
    pub fn names_price(&self) -> bool {
        let value = Rules::default().parse(&self.0).ok();
        value.as_ref().and_then(Value::dict).is_some_and(|dict| dict.lookup("price").is_some())
    }

    /// What it says. Keys that are not known here are passed over; nobody signed them.
    pub fn publication(&self) -> Result<Publication, PublicationError> {
        let value = Rules::default().parse(&self.0).ok();
        let dict = value.as_ref().and_then(Value::dict).ok_or(wrong("hw", "a dictionary"))?;
        if dict.lookup("v").and_then(Value::int) != Some(VERSION) {
            return Err(wrong("v", "version 1"));
        }
        let rail =
            dict.lookup("rail").and_then(Value::dict).ok_or(wrong("rail", "a dictionary"))?;
        let chain = required(rail, "c").and_then(amount)?;
        let sale = match (dict.lookup("price"), dict.lookup("check")) {
            (None, None) => None,
            (Some(price), Some(_)) => {
                Some(Sale { price: amount(("price", price))?, check: exact(dict, "check")? })
            }
            (Some(_), None) => return Err(wrong("check", "there beside the price")),
            (None, Some(_)) => return Err(wrong("price", "there beside the check")),
        };
        Ok(Publication {
            chain: u64::try_from(chain.0).map_err(|_| wrong("c", "the id of a chain"))?,
            vault: Address(exact(rail, "a")?),
            token: Address(exact(rail, "t")?),
            payee: Address(exact(dict, "payee")?),
            publisher: Address(exact(dict, "publisher")?),
            tip: dict.lookup("tip").map(|tip| amount(("tip", tip))).transpose()?,
            sale,
            sig: Signature(exact(dict, "sig")?),
        })
    }
}

impl fmt::Display for RawPublication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base64::encode(&self.0))
    }
}

impl From<&Publication> for RawPublication {
    fn from(said: &Publication) -> Self {
        let rail = DictBuilder::new().bytes("a", said.vault.0).bytes("t", said.token.0);
        let rail = put(rail, "c", u128::from(said.chain));
        let mut dict = DictBuilder::new()
            .bytes("payee", said.payee.0)
            .bytes("publisher", said.publisher.0)
            .dict("rail", rail)
            .bytes("sig", said.sig.0)
            .int("v", VERSION);
        if let Some(Sale { price, check }) = said.sale {
            dict = put(dict.bytes("check", check), "price", price.0);
        }
        if let Some(Amount(tip)) = said.tip {
            dict = put(dict, "tip", tip);
        }
        Self(Bytes::from(dict.finish()))
    }
}

/// Writes a number: an integer while it fits one, else 16 bytes.
fn put(dict: DictBuilder, key: &str, number: u128) -> DictBuilder {
    match i64::try_from(number) {
        Ok(int) => dict.int(key, int),
        Err(_) => dict.bytes(key, number.to_be_bytes()),
    }
}

/// Reads a number in either form.
fn amount((key, value): (&'static str, &Value<'_>)) -> Result<Amount, PublicationError> {
    let int = value.int().and_then(|int| u128::try_from(int).ok());
    let bytes = || Some(u128::from_be_bytes(value.bytes()?.try_into().ok()?));
    let number = int.or_else(bytes).map(Amount);
    number.ok_or(wrong(key, "a number of at most 16 bytes and not below 0"))
}

fn required<'v, 'a>(
    dict: &'v Dict<'a>,
    key: &'static str,
) -> Result<(&'static str, &'v Value<'a>), PublicationError> {
    dict.lookup(key).map(|value| (key, value)).ok_or(wrong(key, "there"))
}

fn exact<const N: usize>(dict: &Dict<'_>, key: &'static str) -> Result<[u8; N], PublicationError> {
    let bytes = dict.lookup(key).and_then(Value::bytes).and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or(wrong(key, "bytes of the length it must have"))
}

fn wrong(key: &'static str, needed: &'static str) -> PublicationError {
    PublicationError { key, needed }
}

#[cfg(test)]
mod tests;
