//! A run of blocks that a web seed is asked for: which parts of which files it lies in, and how
//! the bytes that come become blocks again. Knows nothing of servers.

use std::collections::VecDeque;

use bytes::Bytes;
use headwater_base::{JobId, Time};
use headwater_metainfo::Torrent;

use crate::picker::BlockAt;

/// Bytes of one file that are asked for at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// Which file; `None` for padding, which is zeros that nobody asks for.
    pub(super) file: Option<usize>,
    pub(super) start: u64,
    pub(super) end: u64,
}

/// Blocks side by side that are asked for together.
#[derive(Debug)]
pub(super) struct Run {
    /// Blocks that have not come, with their lengths; `None` where nobody waits any more.
    blocks: VecDeque<(Option<BlockAt>, usize)>,
    /// The beginning of the first of them.
    begun: Vec<u8>,
    parts: VecDeque<Part>,
    /// The fetch of the first part.
    pub(super) job: Option<JobId>,
    /// Its answer was good: bytes may come.
    pub(super) answered: bool,
    pub(super) asked: Time,
    /// When anything came last.
    pub(super) heard: Time,
}

impl Run {
    /// A run of these blocks, each with its length.
    pub(super) fn new(torrent: &Torrent, blocks: &[(BlockAt, u32)], now: Time) -> Self {
        let mut parts: VecDeque<Part> = VecDeque::new();
        for (at, len) in blocks {
            for span in torrent.spans(at.piece, at.begin(), *len) {
                let (start, end) = (span.offset.0, span.offset.0 + u64::from(span.len));
                let file = (!span.pad).then_some(span.file);
                match parts.back_mut() {
                    Some(last) if last.file == file && (file.is_none() || last.end == start) => {
                        last.end += end - start;
                    }
                    Some(_) | None => parts.push_back(Part { file, start, end }),
                }
            }
        }
        Self {
            blocks: blocks.iter().map(|(at, len)| (Some(*at), *len as usize)).collect(),
            begun: Vec::new(),
            parts,
            job: None,
            answered: false,
            asked: now,
            heard: now,
        }
    }

    /// What is to come next; bytes that came are taken off.
    pub(super) fn part(&self) -> Option<Part> {
        self.parts.front().copied()
    }

    /// Says that the first part is over.
    pub(super) fn next_part(&mut self) {
        self.parts.pop_front();
        self.job = None;
        self.answered = false;
    }

    /// Bytes that the first part still owes.
    pub(super) fn owed(&self) -> u64 {
        self.parts.front().map_or(0, |part| part.end - part.start)
    }

    /// Blocks that somebody waits for.
    pub(super) fn wanted(&self) -> impl Iterator<Item = BlockAt> + '_ {
        self.blocks.iter().filter_map(|(at, _)| *at)
    }

    /// Says that nobody waits for a block any more. True when it was one of these.
    pub(super) fn forget(&mut self, at: BlockAt) -> bool {
        let found = self.blocks.iter_mut().find(|(block, _)| *block == Some(at));
        found.is_some_and(|block| block.0.take().is_some())
    }

    /// Takes bytes of the first part, no more than it owes. Answers the blocks that they complete.
    pub(super) fn feed(&mut self, mut bytes: Bytes) -> Vec<(BlockAt, Bytes)> {
        if let Some(part) = self.parts.front_mut() {
            part.start += bytes.len() as u64;
        }
        let mut done = Vec::new();
        while !bytes.is_empty()
            && let Some(&(at, len)) = self.blocks.front()
        {
            let lacks = len - self.begun.len();
            let next = bytes.split_to(lacks.min(bytes.len()));
            if self.begun.is_empty() && next.len() == len {
                done.extend(at.map(|at| (at, next)));
                self.blocks.pop_front();
                continue;
            }
            self.begun.extend_from_slice(&next);
            if self.begun.len() == len {
                let block = Bytes::from(core::mem::take(&mut self.begun));
                done.extend(at.map(|at| (at, block)));
                self.blocks.pop_front();
            }
        }
        done
    }
}

#[cfg(test)]
mod tests {
    use headwater_base::{BlockIndex, PieceIndex};

    use super::*;

    /// Three files of 20,000 bytes, padding and 30,000 bytes in pieces of 32 KiB.
    fn torrent() -> Torrent {
        let mut info = b"d5:filesld6:lengthi20000e4:pathl1:aeed4:attr1:p6:lengthi12768e4:pathl1:p\
            eed6:lengthi30000e4:pathl1:beee4:name1:n12:piece lengthi32768e6:pieces40:"
            .to_vec();
        info.extend_from_slice(&[7; 40]);
        info.push(b'e');
        Torrent::from_info(Bytes::from(info)).unwrap()
    }

    fn block(piece: u32, block: u32) -> BlockAt {
        BlockAt { piece: PieceIndex(piece), block: BlockIndex(block) }
    }

    fn run() -> Run {
        let blocks = [
            (block(0, 0), 16384),
            (block(0, 1), 16384),
            (block(1, 0), 16384),
            (block(1, 1), 13616),
        ];
        Run::new(&torrent(), &blocks, Time::ZERO)
    }

    #[test]
    fn one_part_a_file_and_padding_between() {
        let parts: Vec<_> = run().parts.into();
        let expect = |file, start, end| Part { file, start, end };
        assert_eq!(
            parts,
            [expect(Some(0), 0, 20000), expect(None, 0, 12768), expect(Some(2), 0, 30000)]
        );
    }

    #[test]
    fn bytes_cut_anywhere_become_blocks_again() {
        let whole: Vec<u8> = (0..62768_u32).map(|at| at as u8 ^ (at >> 8) as u8).collect();
        for step in [1, 1000, 16384, 16385, 70000] {
            let mut run = run();
            let mut at = 0;
            let mut blocks = Vec::new();
            while run.part().is_some() {
                let len = run.owed().min(step) as usize;
                blocks.extend(run.feed(Bytes::copy_from_slice(&whole[at..at + len])));
                at += len;
                if run.owed() == 0 {
                    run.next_part();
                }
            }
            let joined: Vec<u8> = blocks.iter().flat_map(|(_, bytes)| bytes.to_vec()).collect();
            assert_eq!((blocks.len(), joined == whole), (4, true), "{step}");
            assert_eq!(blocks[3].0, block(1, 1));
        }
    }

    #[test]
    fn forgotten_blocks_are_passed_over() {
        let mut run = run();
        assert!(run.forget(block(0, 0)) && !run.forget(block(0, 0)));
        assert_eq!(run.wanted().count(), 3);
        assert!(run.feed(Bytes::from(vec![1; 16384])).is_empty());
        assert_eq!(run.owed(), 20000 - 16384);
    }
}
