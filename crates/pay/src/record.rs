//! What must survive a crash: promises made, vouchers taken, keys sold, payers that promised too
//! much. Each record is of one size, written field by field.

use headwater_base::{Address, Amount, Signature, UnixTime, sha256};
use headwater_wire::extended::{ContentId, Grant, Rail};

use crate::Promise;

/// The form of records written here.
const VERSION: u8 = 1;
const RAIL_LEN: usize = 48;
const GRANT_LEN: usize = 96;
const SIG_LEN: usize = 65;
const PROMISE_LEN: usize = RAIL_LEN + GRANT_LEN + 20 + 16;

/// A session: a digest of all terms of a grant and of its vault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct GrantId([u8; 32]);

/// Where a record is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RecordKey(pub [u8; 32]);

/// Something that survives a crash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// All that was promised to a payee.
    Promised(Promise),
    /// The best voucher taken.
    Credit {
        /// The voucher.
        voucher: Promise,
        /// The owner's signature of its grant.
        grant_sig: Signature,
        /// The session key's signature of it.
        sig: Signature,
        /// What of it the chain has paid.
        claimed: Amount,
    },
    /// A payer whose claim paid short.
    Overissuer {
        /// The vault.
        rail: Rail,
        /// The payer.
        owner: Address,
    },
    /// The price of a content's key is promised, and the key did not come yet.
    Purchase {
        /// All that is promised to the payee, the price included.
        promise: Promise,
        /// The content.
        content: ContentId,
        /// Its price.
        price: Amount,
    },
    /// Who bought the key of a content, and gets it again for nothing. It counts once the voucher
    /// is stored too.
    Sold {
        /// The vault.
        rail: Rail,
        /// Who bought.
        owner: Address,
        /// The content.
        content: ContentId,
        /// The session whose voucher paid.
        session: GrantId,
        /// What that voucher promises in all.
        amount: Amount,
        /// When the session ends.
        expiry: UnixTime,
    },
}

/// Why stored bytes are no record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The record is of another form.
    #[error("record of version {found}, only {allowed} is known")]
    Version {
        /// Its version.
        found: u8,
        /// The one known.
        allowed: u8,
    },
    /// There is no such kind.
    #[error("record of kind {found}, at most {allowed} allowed")]
    Kind {
        /// Its kind.
        found: u8,
        /// The last one known.
        allowed: u8,
    },
    /// The record is cut, or something follows it.
    #[error("record of {found} bytes, {needed} needed")]
    Length {
        /// Its size.
        found: usize,
        /// The size of its kind.
        needed: usize,
    },
}

impl GrantId {
    /// The session of `grant` at the vault of `rail`. Another chain or vault makes another one.
    pub fn of(rail: &Rail, grant: &Grant) -> Self {
        let mut out = Vec::with_capacity(RAIL_LEN + GRANT_LEN);
        put_rail(&mut out, rail);
        put_grant(&mut out, grant);
        Self(sha256(&out))
    }
}

impl Record {
    /// Where it belongs: the record of a later voucher takes the place of the one before.
    pub fn key(&self) -> RecordKey {
        let mut out = vec![self.kind()];
        match self {
            Self::Promised(promise) | Self::Credit { voucher: promise, .. } => {
                put_rail(&mut out, &promise.rail);
                put_grant(&mut out, &promise.grant);
                out.extend(promise.payee.0);
            }
            Self::Overissuer { rail, owner } => {
                put_rail(&mut out, rail);
                out.extend(owner.0);
            }
            Self::Purchase { promise, content, .. } => {
                put_rail(&mut out, &promise.rail);
                put_grant(&mut out, &promise.grant);
                out.extend(promise.payee.0);
                out.extend(content.0);
            }
            Self::Sold { rail, owner, content, .. } => {
                put_rail(&mut out, rail);
                out.extend(owner.0);
                out.extend(content.0);
            }
        }
        RecordKey(sha256(&out))
    }

    /// The bytes to store.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![VERSION, self.kind()];
        match self {
            Self::Promised(promise) => put_promise(&mut out, promise),
            Self::Credit { voucher, grant_sig, sig, claimed } => {
                put_promise(&mut out, voucher);
                out.extend(grant_sig.0);
                out.extend(sig.0);
                out.extend(claimed.0.to_be_bytes());
            }
            Self::Overissuer { rail, owner } => {
                put_rail(&mut out, rail);
                out.extend(owner.0);
            }
            Self::Purchase { promise, content, price } => {
                put_promise(&mut out, promise);
                out.extend(content.0);
                out.extend(price.0.to_be_bytes());
            }
            Self::Sold { rail, owner, content, session, amount, expiry } => {
                put_rail(&mut out, rail);
                out.extend(owner.0);
                out.extend(content.0);
                out.extend(session.0);
                out.extend(amount.0.to_be_bytes());
                out.extend(expiry.0.to_be_bytes());
            }
        }
        out
    }

    /// Reads stored bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, RecordError> {
        let head = bytes.first_chunk::<2>();
        let [version, kind] = *head.ok_or(RecordError::Length { found: bytes.len(), needed: 2 })?;
        if version != VERSION {
            return Err(RecordError::Version { found: version, allowed: VERSION });
        }
        let needed = 2 + match kind {
            0 => PROMISE_LEN,
            1 => PROMISE_LEN + 2 * SIG_LEN + 16,
            2 => RAIL_LEN + 20,
            3 => PROMISE_LEN + 32 + 16,
            4 => RAIL_LEN + 20 + 32 + 32 + 16 + 8,
            _ => return Err(RecordError::Kind { found: kind, allowed: 4 }),
        };
        let wrong = RecordError::Length { found: bytes.len(), needed };
        if bytes.len() != needed {
            return Err(wrong);
        }
        Reader(&bytes[2..]).record(kind).ok_or(wrong)
    }

    fn kind(&self) -> u8 {
        match self {
            Self::Promised(_) => 0,
            Self::Credit { .. } => 1,
            Self::Overissuer { .. } => 2,
            Self::Purchase { .. } => 3,
            Self::Sold { .. } => 4,
        }
    }
}

fn put_rail(out: &mut Vec<u8>, rail: &Rail) {
    out.extend(rail.chain.to_be_bytes());
    out.extend(rail.vault.0);
    out.extend(rail.token.0);
}

fn put_grant(out: &mut Vec<u8>, grant: &Grant) {
    out.extend(grant.owner.0);
    out.extend(grant.key.0);
    out.extend(grant.cap.0.to_be_bytes());
    out.extend(grant.expiry.0.to_be_bytes());
    out.extend(grant.salt);
}

fn put_promise(out: &mut Vec<u8>, promise: &Promise) {
    put_rail(out, &promise.rail);
    put_grant(out, &promise.grant);
    out.extend(promise.payee.0);
    out.extend(promise.amount.0.to_be_bytes());
}

/// Takes fields off the front.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*head)
    }

    fn record(mut self, kind: u8) -> Option<Record> {
        Some(match kind {
            0 => Record::Promised(self.promise()?),
            1 => Record::Credit {
                voucher: self.promise()?,
                grant_sig: Signature(self.take()?),
                sig: Signature(self.take()?),
                claimed: Amount(u128::from_be_bytes(self.take()?)),
            },
            2 => Record::Overissuer { rail: self.rail()?, owner: Address(self.take()?) },
            3 => Record::Purchase {
                promise: self.promise()?,
                content: ContentId(self.take()?),
                price: Amount(u128::from_be_bytes(self.take()?)),
            },
            _ => Record::Sold {
                rail: self.rail()?,
                owner: Address(self.take()?),
                content: ContentId(self.take()?),
                session: GrantId(self.take()?),
                amount: Amount(u128::from_be_bytes(self.take()?)),
                expiry: UnixTime(u64::from_be_bytes(self.take()?)),
            },
        })
    }

    fn rail(&mut self) -> Option<Rail> {
        let chain = u64::from_be_bytes(self.take()?);
        Some(Rail { chain, vault: Address(self.take()?), token: Address(self.take()?) })
    }

    fn promise(&mut self) -> Option<Promise> {
        let rail = self.rail()?;
        let grant = Grant {
            owner: Address(self.take()?),
            key: Address(self.take()?),
            cap: Amount(u128::from_be_bytes(self.take()?)),
            expiry: UnixTime(u64::from_be_bytes(self.take()?)),
            salt: self.take()?,
        };
        let payee = Address(self.take()?);
        Some(Promise { rail, grant, payee, amount: Amount(u128::from_be_bytes(self.take()?)) })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn records() -> [Record; 5] {
        let rail = Rail { chain: 1, vault: Address([2; 20]), token: Address([3; 20]) };
        let (owner, key) = (Address([4; 20]), Address([5; 20]));
        let expiry = UnixTime(7);
        let grant = Grant { owner, key, cap: Amount(6), expiry, salt: [8; 32] };
        let voucher = Promise { rail, grant, payee: Address([9; 20]), amount: Amount(u128::MAX) };
        let (grant_sig, sig) = (Signature([10; 65]), Signature([11; 65]));
        [
            Record::Promised(voucher),
            Record::Credit { voucher, grant_sig, sig, claimed: Amount(12) },
            Record::Overissuer { rail, owner },
            Record::Purchase { promise: voucher, content: ContentId([13; 32]), price: Amount(14) },
            Record::Sold {
                rail,
                owner,
                content: ContentId([13; 32]),
                session: GrantId::of(&rail, &grant),
                amount: Amount(15),
                expiry,
            },
        ]
    }

    #[test]
    fn records_are_read_as_they_were_written() {
        for record in records() {
            assert_eq!(Record::decode(&record.encode()), Ok(record));
        }
    }

    #[test]
    fn cut_longer_and_unknown_records_are_refused() {
        for record in records() {
            let bytes = record.encode();
            for end in 0..bytes.len() {
                let cut = Record::decode(&bytes[..end]);
                assert!(matches!(cut, Err(RecordError::Length { .. })), "{end}");
            }
            let long = [bytes, vec![0]].concat();
            assert!(matches!(Record::decode(&long), Err(RecordError::Length { .. })));
        }
        assert_eq!(
            Record::decode(&[2, 0]),
            Err(RecordError::Version { found: 2, allowed: VERSION })
        );
        assert_eq!(Record::decode(&[1, 5]), Err(RecordError::Kind { found: 5, allowed: 4 }));
    }

    #[test]
    fn a_later_voucher_takes_the_place_of_the_one_before_and_another_chain_does_not() {
        let [Record::Promised(promise), ..] = records() else { panic!("no promise") };
        let later = Promise { amount: Amount(1), ..promise };
        assert_eq!(Record::Promised(promise).key(), Record::Promised(later).key());
        let rail = Rail { chain: 2, ..promise.rail };
        let other = Promise { rail, ..promise };
        assert_ne!(Record::Promised(promise).key(), Record::Promised(other).key());
        assert_ne!(GrantId::of(&rail, &promise.grant), GrantId::of(&promise.rail, &promise.grant));
    }

    #[test]
    fn a_purchase_and_a_sale_are_kept_for_each_content() {
        let [promised, .., purchase, sold] = records();
        assert_ne!(promised.key(), purchase.key());
        let other = ContentId([14; 32]);
        if let Record::Purchase { promise, price, .. } = purchase {
            let again = Record::Purchase { promise, content: other, price };
            assert_ne!(again.key(), purchase.key());
        }
        if let Record::Sold { rail, owner, session, amount, expiry, .. } = sold {
            let again = Record::Sold { rail, owner, content: other, session, amount, expiry };
            assert_ne!(again.key(), sold.key());
        }
    }

    proptest! {
        #[test]
        fn arbitrary_records_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            if let Ok(read) = Record::decode(&bytes) {
                prop_assert_eq!(read.encode(), bytes);
            }
        }
    }
}
