//! Where a host keeps one torrent. Writes take time, fail, tear and run out of room; a crash
//! keeps what was flushed and nothing else.

use core::time::Duration;

use bytes::Bytes;
use headwater_base::{Bitfield, PieceIndex, Rng, Time};
use headwater_client::{StoreError, Stored};

use crate::sample::Sample;

/// How a disk behaves.
#[derive(Clone, Copy, Debug)]
pub struct Manners {
    /// Time one write takes, flush included. Writes wait for each other.
    pub write: Duration,
    /// Time one read takes.
    pub read: Duration,
    /// Writes of a thousand that fail.
    pub write_fails: u64,
    /// Reads of a thousand that fail.
    pub read_fails: u64,
    /// Pieces it takes before it is full.
    pub room: Option<u32>,
}

impl Default for Manners {
    fn default() -> Self {
        let (write, read) = (Duration::from_millis(4), Duration::from_micros(300));
        Self { write, read, write_fails: 0, read_fails: 0, room: None }
    }
}

/// What lies at the place of one piece.
#[derive(Clone, Debug)]
enum Slot {
    Empty,
    /// A write is under way.
    Writing,
    /// The right bytes and the record that says so.
    Stored,
    /// Bytes without a record: right ones, or what a crash left of them.
    Doubtful(Bytes),
}

/// One torrent's bytes at one host.
#[derive(Debug)]
pub struct Disk {
    /// How it behaves; a fault may change it at any time.
    pub manners: Manners,
    sample: Sample,
    slots: Vec<Slot>,
    /// When each piece came to be what it is.
    since: Vec<Time>,
    stored: u32,
    busy_until: Time,
    rng: Rng,
}

impl Disk {
    /// A disk that holds the pieces of `have`.
    pub(crate) fn new(sample: Sample, have: &Bitfield, manners: Manners, rng: Rng) -> Self {
        let count = sample.piece_count();
        let slot = |at| if have.has(PieceIndex(at)) { Slot::Stored } else { Slot::Empty };
        let slots: Vec<Slot> = (0..count).map(slot).collect();
        let stored = slots.iter().filter(|slot| matches!(slot, Slot::Stored)).count() as u32;
        let (since, busy_until) = (vec![Time::ZERO; slots.len()], Time::ZERO);
        Self { manners, sample, slots, since, stored, busy_until, rng }
    }

    /// The torrent it is for.
    pub fn sample(&self) -> &Sample {
        &self.sample
    }

    /// How many pieces are stored, record included.
    pub fn stored(&self) -> u32 {
        self.stored
    }

    /// Whether every piece is stored.
    pub fn is_full(&self) -> bool {
        self.stored == self.sample.piece_count()
    }

    /// Whether a piece is stored, record included.
    pub fn has(&self, piece: PieceIndex) -> bool {
        matches!(self.slots.get(piece.idx()), Some(Slot::Stored))
    }

    /// Since when a piece is stored.
    pub(crate) fn stored_since(&self, piece: PieceIndex) -> Option<Time> {
        self.has(piece).then(|| self.since[piece.idx()])
    }

    /// Whether a piece is being written.
    pub(crate) fn is_written(&self, piece: PieceIndex) -> bool {
        matches!(self.slots.get(piece.idx()), Some(Slot::Writing))
    }

    fn set(&mut self, piece: PieceIndex, slot: Slot) {
        self.stored -= u32::from(self.has(piece));
        self.slots[piece.idx()] = slot;
        self.stored += u32::from(self.has(piece));
    }

    /// What a shell that opens it finds.
    pub(crate) fn open(&self) -> Stored {
        let count = self.sample.piece_count();
        let mut found = Stored {
            have: Bitfield::empty(count),
            doubtful: Bitfield::empty(count),
            read_only: false,
        };
        for (at, slot) in (0..).map(PieceIndex).zip(&self.slots) {
            match slot {
                Slot::Stored => found.have.set(at),
                Slot::Doubtful(_) => found.doubtful.set(at),
                Slot::Empty | Slot::Writing => continue,
            };
        }
        found
    }

    /// Reads part of a piece. Asking for what was never stored is the engine's mistake.
    pub(crate) fn read(
        &mut self,
        (piece, begin, len): (PieceIndex, u32, u32),
    ) -> Result<Bytes, StoreError> {
        assert!(self.has(piece), "piece {piece} is read to be served, and is not stored");
        if self.rng.below(1000) < self.manners.read_fails {
            return Err(StoreError::Io("read failed".to_owned()));
        }
        let part = self.sample.part(piece, begin, len);
        Ok(part.unwrap_or_else(|| panic!("read of {len} at {begin} in piece {piece}")))
    }

    /// The bytes at the place of a piece, to be hashed.
    pub(crate) fn raw(&self, piece: PieceIndex) -> Bytes {
        match &self.slots[piece.idx()] {
            Slot::Stored => self.sample.piece(piece),
            Slot::Doubtful(bytes) => bytes.clone(),
            Slot::Empty | Slot::Writing => {
                Bytes::from(vec![0; self.sample.torrent.piece_len(piece) as usize])
            }
        }
    }

    /// Says that a doubtful piece turned out right or wrong, as the shell's record would.
    pub(crate) fn judged(&mut self, now: Time, piece: PieceIndex, right: bool) {
        if matches!(self.slots[piece.idx()], Slot::Doubtful(_)) {
            self.since[piece.idx()] = now;
            self.set(piece, if right { Slot::Stored } else { Slot::Empty });
        }
    }

    /// Begins to write a piece; answers when that ends.
    pub(crate) fn write(&mut self, now: Time, piece: PieceIndex) -> Time {
        if !self.has(piece) {
            self.set(piece, Slot::Writing);
        }
        self.busy_until = self.busy_until.max(now) + self.manners.write;
        self.busy_until
    }

    /// When the last write that was begun ends.
    pub(crate) fn busy_until(&self) -> Time {
        self.busy_until
    }

    /// Ends a write.
    pub(crate) fn written(&mut self, now: Time, piece: PieceIndex) -> Result<(), StoreError> {
        if self.has(piece) {
            return Ok(());
        }
        if self.manners.room == Some(0) {
            self.set(piece, Slot::Empty);
            return Err(StoreError::Full("no room".to_owned()));
        }
        if self.rng.below(1000) < self.manners.write_fails {
            self.tear(piece);
            return Err(StoreError::Io("write failed".to_owned()));
        }
        self.manners.room = self.manners.room.map(|room| room - 1);
        self.set(piece, Slot::Stored);
        self.since[piece.idx()] = now;
        Ok(())
    }

    /// Leaves what a write that never ended leaves: nothing, part of the bytes, or all of them,
    /// and never the record.
    fn tear(&mut self, piece: PieceIndex) {
        let right = self.sample.piece(piece);
        let slot = match self.rng.below(3) {
            0 => Slot::Empty,
            1 => Slot::Doubtful(right),
            _ => {
                let mut torn = vec![0; right.len()];
                let kept = self.rng.below(right.len() as u64) as usize;
                torn[..kept].copy_from_slice(&right[..kept]);
                Slot::Doubtful(Bytes::from(torn))
            }
        };
        self.set(piece, slot);
    }

    /// Loses whatever was not flushed.
    pub(crate) fn crash(&mut self) {
        for at in (0..self.sample.piece_count()).map(PieceIndex) {
            if matches!(self.slots[at.idx()], Slot::Writing) {
                self.tear(at);
            }
        }
    }

    /// Loses everything, as a private window does.
    pub(crate) fn wipe(&mut self) {
        self.slots.fill(Slot::Empty);
        self.stored = 0;
    }
}

#[cfg(test)]
mod tests {
    use headwater_base::Seed;

    use super::*;

    fn disk() -> Disk {
        let shape = crate::Shape::v1(40 * 16384, 16384);
        let sample = Sample::new(&Seed([3; 32]), shape, Vec::new());
        let rng = Seed([4; 32]).split("disk");
        Disk::new(sample, &Bitfield::empty(40), Manners::default(), rng)
    }

    #[test]
    fn a_crash_keeps_what_was_flushed_and_doubts_the_rest() {
        let mut disk = disk();
        for at in 0..40 {
            disk.write(Time::ZERO, PieceIndex(at));
        }
        disk.written(Time::ZERO, PieceIndex(7)).unwrap();
        disk.crash();
        let found = disk.open();
        assert_eq!(found.have.ones().collect::<Vec<_>>(), [PieceIndex(7)]);
        let right = |piece: &PieceIndex| disk.raw(*piece) == disk.sample.piece(*piece);
        let doubtful: Vec<_> = found.doubtful.ones().collect();
        assert!(doubtful.iter().any(right) && !doubtful.iter().all(right));
    }

    #[test]
    fn a_full_disk_takes_nothing_more() {
        let mut disk = disk();
        disk.manners.room = Some(1);
        disk.write(Time::ZERO, PieceIndex(0));
        disk.write(Time::ZERO, PieceIndex(1));
        assert!(
            disk.written(Time::ZERO, PieceIndex(0)).is_ok()
                && disk.written(Time::ZERO, PieceIndex(1)).is_err()
        );
        assert_eq!(disk.stored(), 1);
    }
}
