//! Hashes what the engine asked for, all of a drain together: in wasm, where inputs of equal length
//! share its lanes, or by WebCrypto where the worker's self-test found that faster.

use headwater_base::{Digest1, JobId, Map, sha1_many, sha256_many};
use headwater_client::PieceData;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::Host;

/// From so many inputs on, hashing is judged as that of many.
const MANY: usize = 3;

/// Pieces that wait for their digest. The engine bounds the bytes it keeps open, and so these.
#[derive(Default)]
pub(crate) struct Hashing {
    waiting: Vec<(JobId, PieceData)>,
    /// Batches that WebCrypto has, kept until it answered.
    away: Map<u32, Vec<(JobId, PieceData)>>,
    batches: u32,
    /// WebCrypto is the faster for one piece, for many.
    outside: [bool; 2],
}

impl Hashing {
    /// Says for what WebCrypto is the faster.
    pub(crate) fn choose(&mut self, one: bool, many: bool) {
        self.outside = [one, many];
    }

    /// Takes a piece to hash.
    pub(crate) fn piece(&mut self, job: JobId, data: PieceData) {
        self.waiting.push((job, data));
    }

    /// Hashes everything that waits, or gives it to WebCrypto; answers what is known at once.
    pub(crate) fn work(&mut self, host: &Host) -> Vec<(JobId, Digest1)> {
        let batch = core::mem::take(&mut self.waiting);
        let Some(last) = batch.len().checked_sub(1) else { return Vec::new() };
        if !self.outside[usize::from(batch.len() >= MANY)] {
            return hash(batch);
        }
        self.batches = self.batches.wrapping_add(1);
        for (at, (_, data)) in batch.iter().enumerate() {
            host.digest(self.batches, "SHA-1", data, at == last);
        }
        self.away.insert(self.batches, batch);
        Vec::new()
    }

    /// Takes WebCrypto's digests of a batch, one after another. Where it failed, the wasm does it.
    pub(crate) fn hashed(&mut self, batch: u32, digests: &[u8]) -> Vec<(JobId, Digest1)> {
        let Some(batch) = self.away.remove(&batch) else { return Vec::new() };
        let digests = digests.as_chunks().0;
        if digests.len() != batch.len() {
            return hash(batch);
        }
        batch.into_iter().zip(digests).map(|((job, _), digest)| (job, *digest)).collect()
    }
}

fn hash(batch: Vec<(JobId, PieceData)>) -> Vec<(JobId, Digest1)> {
    let inputs: Vec<&[u8]> = batch.iter().map(|(_, data)| data.as_slice()).collect();
    let digests = sha1_many(&inputs);
    batch.into_iter().zip(digests).map(|((job, _), digest)| (job, digest)).collect()
}

/// Digests of equal parts of `bytes`, one after another: what the worker measures.
#[wasm_bindgen(js_name = hashParts)]
pub fn hash_parts(algorithm: &str, bytes: &[u8], part_len: usize) -> Vec<u8> {
    let parts: Vec<&[u8]> = bytes.chunks(part_len.max(1)).collect();
    match algorithm {
        "SHA-256" => sha256_many(&parts).concat(),
        _ => sha1_many(&parts).concat(),
    }
}
