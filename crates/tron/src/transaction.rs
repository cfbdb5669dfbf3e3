//! Transactions of TRON: what is signed, byte for byte as tronweb and the nodes write it. A
//! transaction's id is the SHA-256 of those bytes, so nothing is read that would be written anew
//! in another way.

mod contract;
mod error;
mod json;
mod proto;

use core::fmt;

use headwater_base::{Address, Amount, Digest256, Signature, hex, sha256};
use prost::Message as _;

pub use contract::{
    Contract, ContractAbi, CreateContract, Transfer, TransferAsset, TriggerContract,
};
pub use error::TransactionError;
pub use json::TransactionJson;

use crate::address;
use crate::digest::keccak256;
use crate::key::{self, SecretKey};
use crate::limit;

/// A date in milliseconds since 1970, as blocks and transactions carry it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixMillis(pub u64);

/// A transaction's id: the SHA-256 of what is signed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransactionId(pub Digest256);

/// A block's id: its number in 8 bytes, then 24 of the hash of its header.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockId(pub Digest256);

/// A recent block that a transaction names, so that it counts on that chain only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BlockReference {
    /// The last two bytes of the block's number.
    pub number: [u8; 2],
    /// Bytes 8 to 16 of the block's id.
    pub hash: [u8; 8],
}

/// What is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raw {
    /// The recent block.
    pub reference: BlockReference,
    /// No block from then on may hold the transaction.
    pub expiration: UnixMillis,
    /// Words for whoever reads the chain; nodes charge for them. Empty as a rule.
    pub memo: Vec<u8>,
    /// What is done.
    pub contract: Contract,
    /// Which of the account's permissions signs: 0 for the owner's.
    pub permission: u32,
    /// When it was made.
    pub timestamp: UnixMillis,
    /// The most sun that a call may burn.
    pub fee_limit: Amount,
}

/// What is signed, and by whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    /// What is signed.
    pub raw: Raw,
    /// The signatures, one as a rule.
    pub signatures: Vec<Signature>,
}

impl BlockId {
    /// The block's number.
    pub fn number(&self) -> u64 {
        u64::from_be_bytes(self.part(0))
    }

    /// What a transaction says to name this block.
    pub fn reference(&self) -> BlockReference {
        let [.., high, low] = self.part(0);
        BlockReference { number: [high, low], hash: self.part(8) }
    }

    fn part(&self, from: usize) -> [u8; 8] {
        let mut part = [0; 8];
        part.copy_from_slice(&self.0[from..from + 8]);
        part
    }
}

impl Raw {
    /// The bytes that are signed.
    pub fn encode(&self) -> Result<Vec<u8>, TransactionError> {
        let bytes = proto::Raw::try_from(self)?.encode_to_vec();
        bounded(bytes.len())?;
        Ok(bytes)
    }

    /// Reads the bytes that are signed. Refuses what would be written in another way.
    pub fn decode(bytes: &[u8]) -> Result<Self, TransactionError> {
        bounded(bytes.len())?;
        let message = proto::Raw::decode(bytes).map_err(|_| TransactionError::Protobuf)?;
        let raw = Self::try_from(message)?;
        if raw.encode()? == bytes { Ok(raw) } else { Err(TransactionError::NotCanonical) }
    }

    /// The transaction's id.
    pub fn id(&self) -> Result<TransactionId, TransactionError> {
        Ok(TransactionId(sha256(&self.encode()?)))
    }

    /// The transaction with one signature.
    pub fn sign(self, key: &SecretKey) -> Result<Transaction, TransactionError> {
        let signature = key.sign(&self.id()?.0);
        Ok(Transaction { raw: self, signatures: vec![signature] })
    }
}

impl Transaction {
    /// The whole transaction, as `broadcasthex` takes it in hex.
    pub fn encode(&self) -> Result<Vec<u8>, TransactionError> {
        let raw = Some(proto::Raw::try_from(&self.raw)?);
        let signature = self.signatures.iter().map(|signature| signature.0.to_vec()).collect();
        let bytes = proto::Transaction { raw, signature }.encode_to_vec();
        bounded(bytes.len())?;
        Ok(bytes)
    }

    /// Reads a whole transaction. Refuses what would be written in another way.
    pub fn decode(bytes: &[u8]) -> Result<Self, TransactionError> {
        bounded(bytes.len())?;
        let message = proto::Transaction::decode(bytes).map_err(|_| TransactionError::Protobuf)?;
        let raw = message.raw.ok_or(TransactionError::Missing { field: "raw_data" })?;
        let signatures = message.signature.iter().map(|bytes| signature(bytes)).collect();
        let signatures = counted(message.signature.len()).and(signatures)?;
        let read = Self { raw: Raw::try_from(raw)?, signatures };
        if read.encode()? == bytes { Ok(read) } else { Err(TransactionError::NotCanonical) }
    }

    /// The transaction's id, which signatures do not change.
    pub fn id(&self) -> Result<TransactionId, TransactionError> {
        self.raw.id()
    }

    /// Whoever signed it, in the order of the signatures.
    pub fn signers(&self) -> Result<Vec<Address>, TransactionError> {
        let id = self.id()?;
        let by = |signature: &Signature| Ok(key::recover(&id.0, signature)?);
        self.signatures.iter().map(by).collect()
    }
}

/// Where the contract lives that a transaction of `owner` creates.
pub fn created_address(id: TransactionId, owner: Address) -> Address {
    let digest = keccak256(&[&id.0, &address::to_raw(owner)]);
    let mut bytes = [0; 20];
    bytes.copy_from_slice(&digest[12..]);
    Address(bytes)
}

fn bounded(found: usize) -> Result<(), TransactionError> {
    let allowed = limit::TRANSACTION_BYTES_MAX;
    if found > allowed { Err(TransactionError::TooLong { found, allowed }) } else { Ok(()) }
}

fn counted(found: usize) -> Result<(), TransactionError> {
    let allowed = limit::SIGNATURES_MAX;
    if found > allowed { Err(TransactionError::Signatures { found, allowed }) } else { Ok(()) }
}

fn signature(bytes: &[u8]) -> Result<Signature, TransactionError> {
    let known = <[u8; 65]>::try_from(bytes);
    let found = bytes.len();
    Ok(Signature(known.map_err(|_| TransactionError::Field { field: "signature", found })?))
}

impl fmt::Debug for TransactionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for BlockId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

#[cfg(test)]
mod tests;
