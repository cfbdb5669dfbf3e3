//! Hashes what the engine asked for, all pieces of a drain together: in wasm, where inputs of equal
//! length share its lanes, or by WebCrypto where the worker's self-test found that faster.

use bytes::Bytes;
use headwater_base::{JobId, Map, sha1_many, sha256_many};
use headwater_client::{Input, PieceData};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::Host;

/// From so many inputs on, hashing is judged as that of many.
const MANY: usize = 3;

/// One answer that is owed: a piece of v1, or blocks of v2.
enum Batch {
    Pieces(Vec<(JobId, PieceData)>),
    Blocks(JobId, Vec<Bytes>),
}

/// What waits for its digest. The engine bounds the bytes it keeps open, and so these.
#[derive(Default)]
pub(crate) struct Hashing {
    pieces: Vec<(JobId, PieceData)>,
    blocks: Vec<Batch>,
    /// Batches that WebCrypto has, kept until it answered.
    away: Map<u32, Batch>,
    batches: u32,
    /// WebCrypto is the faster: for one piece, for many; for one block, for many.
    outside: [bool; 4],
}

impl Hashing {
    /// Says for what WebCrypto is the faster.
    pub(crate) fn choose(&mut self, outside: [bool; 4]) {
        self.outside = outside;
    }

    /// Takes a piece to hash.
    pub(crate) fn piece(&mut self, job: JobId, data: PieceData) {
        self.pieces.push((job, data));
    }

    /// Takes blocks to hash.
    pub(crate) fn blocks(&mut self, job: JobId, blocks: Vec<Bytes>) {
        self.blocks.push(Batch::Blocks(job, blocks));
    }

    /// Hashes everything that waits, or gives it to WebCrypto; answers what is known at once.
    pub(crate) fn work(&mut self, host: &Host) -> Vec<Input> {
        let mut done = Vec::new();
        let mut due = core::mem::take(&mut self.blocks);
        if !self.pieces.is_empty() {
            due.push(Batch::Pieces(core::mem::take(&mut self.pieces)));
        }
        for batch in due {
            let (kind, inputs) = (batch.kind(), batch.inputs());
            let Some(last) = inputs.len().checked_sub(1) else { continue };
            if !self.outside[kind * 2 + usize::from(inputs.len() >= MANY)] {
                batch.hash(&mut done);
                continue;
            }
            self.batches = self.batches.wrapping_add(1);
            let algorithm = if kind == 0 { "SHA-1" } else { "SHA-256" };
            for (at, input) in inputs.iter().enumerate() {
                host.digest(self.batches, algorithm, input, at == last);
            }
            self.away.insert(self.batches, batch);
        }
        done
    }

    /// Takes WebCrypto's digests of a batch, one after another. Where it failed, the wasm does it.
    pub(crate) fn hashed(&mut self, batch: u32, digests: &[u8]) -> Vec<Input> {
        let mut done = Vec::new();
        match self.away.remove(&batch) {
            Some(Batch::Pieces(jobs)) if digests.len() == jobs.len() * 20 => {
                let digests = digests.as_chunks().0;
                let answers = jobs.into_iter().zip(digests);
                done.extend(answers.map(|((job, _), digest)| piece_hashed(job, *digest)));
            }
            Some(Batch::Blocks(job, blocks)) if digests.len() == blocks.len() * 32 => {
                let result = Ok(digests.as_chunks().0.to_vec());
                done.push(Input::BlocksHashed { job, result });
            }
            Some(failed) => failed.hash(&mut done),
            None => {}
        }
        done
    }
}

impl Batch {
    /// 0 for SHA-1, 1 for SHA-256.
    fn kind(&self) -> usize {
        match self {
            Self::Pieces(_) => 0,
            Self::Blocks(..) => 1,
        }
    }

    fn inputs(&self) -> Vec<&[u8]> {
        match self {
            Self::Pieces(jobs) => jobs.iter().map(|(_, data)| data.as_slice()).collect(),
            Self::Blocks(_, blocks) => blocks.iter().map(|block| &block[..]).collect(),
        }
    }

    /// Hashes in wasm.
    fn hash(&self, done: &mut Vec<Input>) {
        let inputs = self.inputs();
        match self {
            Self::Pieces(jobs) => {
                let answers = jobs.iter().zip(sha1_many(&inputs));
                done.extend(answers.map(|((job, _), digest)| piece_hashed(*job, digest)));
            }
            Self::Blocks(job, _) => {
                done.push(Input::BlocksHashed { job: *job, result: Ok(sha256_many(&inputs)) });
            }
        }
    }
}

fn piece_hashed(job: JobId, digest: headwater_base::Digest1) -> Input {
    Input::PieceHashed { job, result: Ok(digest) }
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
