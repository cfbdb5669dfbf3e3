//! Blocks: a number, a date, the transactions inside, and an id made of all that.

use headwater_base::sha256;
use headwater_tron::transaction::{BlockId, TransactionId, UnixMillis};

/// A block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Its id, which begins with its number.
    pub id: BlockId,
    /// The id of the block before it.
    pub parent: BlockId,
    /// When it was made.
    pub millis: UnixMillis,
    /// What it holds, in order.
    pub transactions: Vec<TransactionId>,
}

impl Block {
    /// The first block. The last four bytes of its id are the chain's id, as on TRON.
    pub(super) fn first(chain_id: u64, millis: UnixMillis) -> Self {
        let mut id = sha256(b"Headwater test ledger: worthless tokens");
        id[..8].fill(0);
        id[28..].copy_from_slice(&chain_id.to_be_bytes()[4..]);
        let parent = BlockId([0; 32]);
        Self { id: BlockId(id), parent, millis, transactions: Vec::new() }
    }

    /// The block after this one.
    pub(super) fn next(&self, millis: UnixMillis, transactions: Vec<TransactionId>) -> Self {
        let mut header = self.id.0.to_vec();
        header.extend_from_slice(&millis.0.to_be_bytes());
        for transaction in &transactions {
            header.extend_from_slice(&transaction.0);
        }
        let mut id = sha256(&header);
        id[..8].copy_from_slice(&(self.number() + 1).to_be_bytes());
        Self { id: BlockId(id), parent: self.id, millis, transactions }
    }

    /// Its number.
    pub fn number(&self) -> u64 {
        self.id.number()
    }
}
