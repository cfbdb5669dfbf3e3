//! A transaction of the oldest form with a chain's id (EIP-155): every chain takes it.

use alloy_rlp::{Encodable, Header};
use headwater_base::{Address, Amount, Digest256};

use crate::digest::keccak256;
use crate::key::SecretKey;
use crate::transaction::TransactionId;

/// What `v` is for an even `y` on chain 0; two more for each further chain (EIP-155).
const V_EVEN: u64 = 35;

/// What is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    /// The chain on which it counts.
    pub chain_id: u64,
    /// How many transactions its sender had made before.
    pub nonce: u64,
    /// What a unit of gas costs, in base units of the chain's coin.
    pub gas_price: Amount,
    /// The most gas that it may use.
    pub gas: u64,
    /// What is called.
    pub to: Address,
    /// Base units of the coin sent along.
    pub value: Amount,
    /// The call.
    pub data: Vec<u8>,
}

/// A transaction as a node takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// What it is called: the Keccak-256 of its bytes.
    pub id: TransactionId,
}

impl Transaction {
    /// Signs it. The same transaction has the same bytes each time.
    pub fn sign(&self, key: &SecretKey) -> Signed {
        let signature = key.sign(&self.digest()).0;
        let parity = u64::from(signature[64] - crate::key::V_EVEN);
        let v = self.chain_id.saturating_mul(2).saturating_add(V_EVEN + parity);
        let bytes = self.list(v, number(&signature[..32]), number(&signature[32..64]));
        let id = TransactionId(keccak256(&[&bytes]));
        Signed { bytes, id }
    }

    fn digest(&self) -> Digest256 {
        keccak256(&[&self.list(self.chain_id, &[], &[])])
    }

    fn list(&self, v: u64, r: &[u8], s: &[u8]) -> Vec<u8> {
        let fields: [&dyn Encodable; 9] = [
            &self.nonce,
            &self.gas_price.0,
            &self.gas,
            &self.to.0.as_slice(),
            &self.value.0,
            &self.data.as_slice(),
            &v,
            &r,
            &s,
        ];
        let payload_length = fields.iter().map(|field| field.length()).sum();
        let header = Header { list: true, payload_length };
        let mut out = Vec::with_capacity(header.length_with_payload());
        header.encode(&mut out);
        fields.iter().for_each(|field| field.encode(&mut out as &mut dyn alloy_rlp::BufMut));
        out
    }
}

/// A number as RLP has it: without zeros in front.
fn number(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    &bytes[zeros..]
}
