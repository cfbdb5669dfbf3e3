//! What wallets and other keys sign for payments (TIP-712, which for our types is EIP-712): the
//! grant, the voucher, the reserve, the publication, each bound to one vault on one chain.

mod json;

use headwater_base::{Address, Amount, Digest256, UnixTime};

pub use json::{Form, grant_json};

use crate::digest::keccak256;

/// The name that wallets show above what is signed.
pub const NAME: &str = "Headwater";
/// The version of what is signed. Another one would be another contract.
pub const VERSION: &str = "1";

const DOMAIN: &str =
    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)";
const GRANT: &str = "Grant(address owner,address key,uint128 cap,uint64 expiry,bytes32 salt)";
const VOUCHER: &str = "Voucher(bytes32 session,address payee,uint128 amount)";
const PUBLICATION: &str = "Publication(bytes20 v1,bytes32 v2,address payee,address token,\
     uint128 tip,uint128 price,bytes32 check)";
const RESERVE: &str = "Reserve(bytes32 session,address payee,uint128 amount)";

/// Where signatures count: one vault on one chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Domain {
    /// The chain's id; on TRON the last four bytes of its first block's id.
    pub chain_id: u64,
    /// The contract that pays.
    pub vault: Address,
}

/// What a wallet signs once per session: how much a session's key may promise, and until when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Whose deposit pays.
    pub owner: Address,
    /// The session's key, which signs vouchers.
    pub key: Address,
    /// The most that all vouchers of the session are worth together.
    pub cap: Amount,
    /// When the session ends.
    pub expiry: UnixTime,
    /// What makes two grants of the same terms two sessions.
    pub salt: [u8; 32],
}

/// What a session's key signs: the payee may have so much of this session, all in all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Voucher {
    /// The session, by the hash of its grant.
    pub session: Digest256,
    /// Who is paid.
    pub payee: Address,
    /// All that was promised so far, not what is added.
    pub amount: Amount,
}

/// What a session's key signs so that a part of the deposit is kept for one payee.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reserve {
    /// The session, by the hash of its grant.
    pub session: Digest256,
    /// For whom it is kept.
    pub payee: Address,
    /// How much is kept, all in all.
    pub amount: Amount,
}

/// What a publisher's key signs of a torrent. It is bound to the torrent by both info-hashes, so
/// that it is worth nothing beside another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Publication {
    /// The v1 info-hash; zeros where the torrent has none.
    pub v1: [u8; 20],
    /// The v2 info-hash; zeros where the torrent has none.
    pub v2: Digest256,
    /// The account that tips and prices go to.
    pub payee: Address,
    /// The token of both; zeros for the chain's own coin.
    pub token: Address,
    /// The tip that is suggested; nothing where none is.
    pub tip: Amount,
    /// What the content's key costs; nothing where it is free.
    pub price: Amount,
    /// By what that key is known; zeros where the content is free.
    pub check: Digest256,
}

impl Domain {
    /// The hash of the domain, which a vault shows as `domainSeparator`.
    pub fn separator(&self) -> Digest256 {
        keccak256(&[
            &keccak256(&[DOMAIN.as_bytes()]),
            &keccak256(&[NAME.as_bytes()]),
            &keccak256(&[VERSION.as_bytes()]),
            &number(self.chain_id.into()),
            &word(self.vault),
        ])
    }

    /// The digest that is signed, of the hash of what it is about.
    fn digest(&self, content: &Digest256) -> Digest256 {
        keccak256(&[&[0x19, 0x01], &self.separator(), content])
    }
}

impl Grant {
    /// The session's name: the hash of all of its terms.
    pub fn session(&self) -> Digest256 {
        keccak256(&[
            &keccak256(&[GRANT.as_bytes()]),
            &word(self.owner),
            &word(self.key),
            &number(self.cap.0),
            &number(self.expiry.0.into()),
            &self.salt,
        ])
    }

    /// What the owner's wallet signs.
    pub fn digest(&self, domain: &Domain) -> Digest256 {
        domain.digest(&self.session())
    }
}

impl Voucher {
    /// What the session's key signs.
    pub fn digest(&self, domain: &Domain) -> Digest256 {
        domain.digest(&promise(VOUCHER, &self.session, self.payee, self.amount))
    }
}

impl Reserve {
    /// What the session's key signs.
    pub fn digest(&self, domain: &Domain) -> Digest256 {
        domain.digest(&promise(RESERVE, &self.session, self.payee, self.amount))
    }
}

impl Publication {
    /// What the publisher's key signs.
    pub fn digest(&self, domain: &Domain) -> Digest256 {
        // Bytes that are short of a word stand at its start, numbers and addresses at its end.
        let mut v1 = [0; 32];
        v1[..20].copy_from_slice(&self.v1);
        domain.digest(&keccak256(&[
            &keccak256(&[PUBLICATION.as_bytes()]),
            &v1,
            &self.v2,
            &word(self.payee),
            &word(self.token),
            &number(self.tip.0),
            &number(self.price.0),
            &self.check,
        ]))
    }
}

fn promise(kind: &str, session: &Digest256, payee: Address, amount: Amount) -> Digest256 {
    let kind = keccak256(&[kind.as_bytes()]);
    keccak256(&[&kind, session, &word(payee), &number(amount.0)])
}

/// An address in a word of 32 bytes: at its end, without TRON's prefix.
fn word(address: Address) -> [u8; 32] {
    let mut word = [0; 32];
    word[12..].copy_from_slice(&address.0);
    word
}

/// A number in a word of 32 bytes.
fn number(value: u128) -> [u8; 32] {
    let mut word = [0; 32];
    word[16..].copy_from_slice(&value.to_be_bytes());
    word
}

#[cfg(test)]
mod tests;
