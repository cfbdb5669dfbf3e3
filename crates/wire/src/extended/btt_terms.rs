//! What paid priority is made of on the wire: rails, the terms in the extension handshake, grants.
//! Sums that do not fit a bencoded integer are 16 bytes, big-endian.

use bytes::Bytes;
use headwater_base::{Address, Amount, Signature, UnixTime};
use headwater_metainfo::bencode::{Dict, DictBuilder, ListBuilder, Value};

use super::RULES;
use crate::{Error, limit};

/// The name of paid priority in the handshake's `m`, and the key of its terms. It is no
/// `Extension`, because nothing of it is said before the user has opted in.
pub const BTT_PAY: &str = "btt_pay";
/// The id by which peers send it to us.
pub const BTT_PAY_OWN_ID: u8 = 7;

/// The only version so far. Terms of another are not understood.
const VERSION: i64 = 1;

/// How money moves: a chain, the vault on it that holds deposits, and the vault's token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rail {
    /// The chain's id, as in the domain of typed data.
    pub chain: u64,
    /// The vault contract.
    pub vault: Address,
    /// Its token; all zeros for the chain's own coin.
    pub token: Address,
}

/// What a peer that takes part in paid priority says in its extension handshake.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PayTerms {
    /// The rails it takes part on, the liked ones first.
    pub rails: Vec<Rail>,
    /// Whom to pay; only sellers say it.
    pub payee: Option<Address>,
    /// The least a seller takes for a MiB.
    pub price: Option<Amount>,
    /// Bytes a seller gives before it is first paid.
    pub credit: Option<u64>,
}

/// What a wallet signs once per session: a key may promise up to `cap` of the owner's deposit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Grant {
    /// The account with the deposit.
    pub owner: Address,
    /// The session key that signs vouchers.
    pub key: Address,
    /// The most that all vouchers of the session come to.
    pub cap: Amount,
    /// The session's end.
    pub expiry: UnixTime,
    /// Makes two grants of equal terms differ.
    pub salt: [u8; 32],
}

/// Names an encrypted content: a digest of the key that opens it, by which a key is tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ContentId(pub [u8; 32]);

impl PayTerms {
    /// The bencoded dictionary for the handshake's top level.
    pub fn encode(&self) -> Bytes {
        let add = |list: ListBuilder, rail: &Rail| list.dict(rail.dict());
        let rails = self.rails.iter().fold(ListBuilder::new(), add);
        let mut dict = DictBuilder::new().int("v", VERSION).list("r", rails);
        if let Some(payee) = self.payee {
            dict = dict.bytes("p", payee.0);
        }
        if let Some(price) = self.price {
            dict = put(dict, "q", price.0);
        }
        if let Some(credit) = self.credit {
            dict = put(dict, "w", u128::from(credit));
        }
        Bytes::from(dict.finish())
    }

    /// Reads that dictionary; `None` for versions not known here.
    pub fn decode(bytes: &[u8]) -> Result<Option<Self>, Error> {
        fits("payment terms", bytes.len(), limit::PAY_TERMS_BYTES_MAX)?;
        let value = RULES.parse(bytes)?;
        let dict = value.dict().ok_or(Error::Field { key: BTT_PAY, needed: "dictionary" })?;
        if dict.lookup("v").and_then(Value::int) != Some(VERSION) {
            return Ok(None);
        }
        let list = dict.lookup("r").and_then(Value::list);
        let list = list.ok_or(Error::Field { key: "r", needed: "list of rails" })?;
        fits("list of rails", list.len(), limit::PAY_RAILS_MAX)?;
        let rails = list.iter().map(Rail::read).collect::<Result<_, _>>()?;
        let given = |key| dict.lookup(key).is_some();
        Ok(Some(Self {
            rails,
            payee: given("p").then(|| address(dict, "p")).transpose()?,
            price: given("q").then(|| sum(dict, "q")).transpose()?,
            credit: given("w").then(|| number(dict, "w")).transpose()?,
        }))
    }
}

impl Rail {
    pub(super) fn dict(&self) -> DictBuilder {
        let dict = DictBuilder::new().bytes("a", self.vault.0).bytes("t", self.token.0);
        put(dict, "c", u128::from(self.chain))
    }

    pub(super) fn read(value: &Value<'_>) -> Result<Self, Error> {
        let dict = value.dict().ok_or(Error::Field { key: "r", needed: "rail" })?;
        let (vault, token) = (address(dict, "a")?, address(dict, "t")?);
        Ok(Self { chain: number(dict, "c")?, vault, token })
    }
}

impl Grant {
    pub(super) fn dict(&self) -> DictBuilder {
        let dict = DictBuilder::new().bytes("o", self.owner.0).bytes("k", self.key.0);
        let dict = put(dict, "c", self.cap.0).bytes("s", self.salt);
        put(dict, "e", u128::from(self.expiry.0))
    }

    pub(super) fn read(value: &Value<'_>) -> Result<Self, Error> {
        let dict = value.dict().ok_or(Error::Field { key: "g", needed: "grant" })?;
        Ok(Self {
            owner: address(dict, "o")?,
            key: address(dict, "k")?,
            cap: sum(dict, "c")?,
            expiry: UnixTime(number(dict, "e")?),
            salt: exact(dict, "s", "32 bytes")?,
        })
    }
}

impl ContentId {
    pub(super) fn read(dict: &Dict<'_>) -> Result<Self, Error> {
        exact(dict, "h", "32 bytes").map(Self)
    }
}

/// Refuses more than `allowed`.
fn fits(what: &'static str, found: usize, allowed: usize) -> Result<(), Error> {
    if found > allowed { Err(Error::Text { what, found, allowed }) } else { Ok(()) }
}

/// Writes a number: an integer while it fits one, else 16 bytes.
pub(super) fn put(dict: DictBuilder, key: &str, number: u128) -> DictBuilder {
    match i64::try_from(number) {
        Ok(int) => dict.int(key, int),
        Err(_) => dict.bytes(key, number.to_be_bytes()),
    }
}

/// Reads a number in either form.
fn wide(dict: &Dict<'_>, key: &'static str) -> Result<u128, Error> {
    let wrong = Error::Field { key, needed: "number of at most 16 bytes and not below 0" };
    let value = dict.lookup(key).ok_or(wrong.clone())?;
    let int = value.int().and_then(|int| u128::try_from(int).ok());
    let bytes = || Some(u128::from_be_bytes(value.bytes()?.try_into().ok()?));
    int.or_else(bytes).ok_or(wrong)
}

pub(super) fn sum(dict: &Dict<'_>, key: &'static str) -> Result<Amount, Error> {
    wide(dict, key).map(Amount)
}

pub(super) fn number(dict: &Dict<'_>, key: &'static str) -> Result<u64, Error> {
    let wrong = Error::Field { key, needed: "number of at most 8 bytes" };
    u64::try_from(wide(dict, key)?).map_err(|_| wrong)
}

pub(super) fn small(dict: &Dict<'_>, key: &'static str) -> Result<u32, Error> {
    let wrong = Error::Field { key, needed: "number of at most 4 bytes" };
    u32::try_from(wide(dict, key)?).map_err(|_| wrong)
}

pub(super) fn address(dict: &Dict<'_>, key: &'static str) -> Result<Address, Error> {
    exact(dict, key, "20 bytes").map(Address)
}

pub(super) fn signature(dict: &Dict<'_>, key: &'static str) -> Result<Signature, Error> {
    exact(dict, key, "65 bytes").map(Signature)
}

pub(super) fn exact<const N: usize>(
    dict: &Dict<'_>,
    key: &'static str,
    needed: &'static str,
) -> Result<[u8; N], Error> {
    let bytes = dict.lookup(key).and_then(Value::bytes).and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or(Error::Field { key, needed })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rail() -> Rail {
        Rail { chain: 199, vault: Address([b'v'; 20]), token: Address([b't'; 20]) }
    }

    #[test]
    fn terms_have_the_form_of_the_readme() {
        let terms = PayTerms {
            rails: vec![rail()],
            payee: Some(Address([b'p'; 20])),
            price: Some(Amount(1 << 64)),
            credit: Some(262_144),
        };
        let expect = b"d1:p20:pppppppppppppppppppp1:q16:\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0\
            1:rld1:a20:vvvvvvvvvvvvvvvvvvvv1:ci199e1:t20:ttttttttttttttttttttee\
            1:vi1e1:wi262144ee";
        assert_eq!(terms.encode(), expect.as_slice());
        assert_eq!(PayTerms::decode(expect), Ok(Some(terms)));
    }

    #[test]
    fn a_buyer_says_neither_payee_nor_price() {
        let terms = PayTerms { rails: vec![rail()], ..PayTerms::default() };
        assert_eq!(PayTerms::decode(&terms.encode()), Ok(Some(terms)));
    }

    #[test]
    fn other_versions_and_too_much_are_not_taken() {
        assert_eq!(PayTerms::decode(b"d1:rle1:vi2ee"), Ok(None));
        assert!(matches!(PayTerms::decode(b"d1:vi1ee"), Err(Error::Field { key: "r", .. })));
        let many = |count| PayTerms { rails: vec![rail(); count], ..PayTerms::default() }.encode();
        assert!(PayTerms::decode(&many(limit::PAY_RAILS_MAX)).is_ok());
        let over = PayTerms::decode(&many(limit::PAY_RAILS_MAX + 1));
        assert!(matches!(over, Err(Error::Text { .. })));
        let long = DictBuilder::new().bytes("x", [0; limit::PAY_TERMS_BYTES_MAX]).finish();
        assert!(matches!(PayTerms::decode(&long), Err(Error::Text { .. })));
        let negative = b"d1:qi-1e1:rle1:vi1ee";
        assert!(matches!(PayTerms::decode(negative), Err(Error::Field { key: "q", .. })));
    }

    proptest! {
        #[test]
        fn arbitrary_terms_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(Some(read)) = PayTerms::decode(&bytes) {
                prop_assert_eq!(PayTerms::decode(&read.encode()), Ok(Some(read)));
            }
        }
    }
}
