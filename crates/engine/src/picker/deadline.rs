//! Which pieces readers wait for, nearest first. Knows places in the torrent, not peers.

use core::ops::Range;

use headwater_base::{Map, PieceIndex, ReaderId};

use crate::limit;

/// A reader's place: it lacks the bytes from `start` and will want those up to `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) start: u64,
    pub(crate) end: u64,
}

/// A piece somebody waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Deadline {
    pub(super) piece: PieceIndex,
    /// Bytes between the reader's place and the piece.
    pub(super) distance: u64,
}

impl Deadline {
    pub(super) fn is_urgent(self) -> bool {
        self.distance < limit::URGENT_BYTES
    }
}

/// The places of all readers.
#[derive(Debug)]
pub(super) struct Windows {
    of: Map<ReaderId, Window>,
    piece_length: u64,
    count: u32,
}

impl Windows {
    pub(super) fn new(piece_length: u32, count: u32) -> Self {
        Self { of: Map::new(), piece_length: u64::from(piece_length), count }
    }

    /// Sets or ends a reader's window. Answers the pieces it held before.
    pub(super) fn set(&mut self, reader: ReaderId, window: Option<Window>) -> Range<u32> {
        let before = match window {
            Some(window) => self.of.insert(reader, window),
            None => self.of.remove(&reader),
        };
        before.map_or(0..0, |before| self.pieces(before))
    }

    /// The pieces of a window that count, whatever is stored of them.
    pub(super) fn pieces(&self, Window { start, end }: Window) -> Range<u32> {
        let end = end.min(start.saturating_add(limit::READ_AHEAD_BYTES));
        if start >= end {
            return 0..0;
        }
        let last = end.div_ceil(self.piece_length).min(u64::from(self.count)) as u32;
        let first = (start / self.piece_length).min(u64::from(last)) as u32;
        first..last
    }

    /// Every piece of every window, those of several windows once.
    pub(super) fn all(&self) -> impl Iterator<Item = PieceIndex> + '_ {
        let ranges = || self.of.values().map(|window| self.pieces(*window));
        ranges().enumerate().flat_map(move |(at, range)| {
            range
                .filter(move |piece| !ranges().take(at).any(|before| before.contains(piece)))
                .map(PieceIndex)
        })
    }

    /// Bytes between the nearest reader and `piece`; `None` when it is in no window.
    pub(super) fn distance(&self, piece: PieceIndex) -> Option<u64> {
        let holding = self.of.values().filter(|window| self.pieces(**window).contains(&piece.0));
        holding.map(|window| self.distance_in(window.start, piece.0)).min()
    }

    fn distance_in(&self, start: u64, piece: u32) -> u64 {
        (u64::from(piece) * self.piece_length).saturating_sub(start)
    }

    /// The pieces of all windows, nearest first; one that is in several comes several times.
    pub(super) fn nearest(&self) -> impl Iterator<Item = Deadline> + use<> {
        let windows = self.of.values();
        let mut rest: Vec<(u64, Range<u32>)> =
            windows.map(|window| (window.start, self.pieces(*window))).collect();
        let piece_length = self.piece_length;
        core::iter::from_fn(move || {
            let heads = rest.iter_mut().filter(|(_, range)| !range.is_empty());
            let near = heads.map(|(start, range)| {
                let at = u64::from(range.start) * piece_length;
                (at.saturating_sub(*start), range)
            });
            let (distance, range) = near.min_by_key(|(distance, _)| *distance)?;
            Some(Deadline { piece: PieceIndex(range.next()?), distance })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_readers_are_served_by_distance() {
        let mut windows = Windows::new(100, 20);
        assert_eq!(windows.set(ReaderId(1), Some(Window { start: 150, end: 400 })), 0..0);
        windows.set(ReaderId(2), Some(Window { start: 900, end: 1000 }));
        windows.set(ReaderId(3), Some(Window { start: 350, end: 350 }));
        let pieces: Vec<_> = windows.nearest().map(|deadline| deadline.piece.0).collect();
        assert_eq!(pieces, [1, 9, 2, 3]);
        assert_eq!(windows.all().map(|piece| piece.0).collect::<Vec<_>>(), [1, 2, 3, 9]);
        assert_eq!(windows.distance(PieceIndex(3)), Some(150));
        assert_eq!(windows.distance(PieceIndex(4)), None);
        assert_eq!(windows.set(ReaderId(1), None), 1..4);
    }

    #[test]
    fn window_ends_with_the_read_ahead_and_with_the_torrent() {
        let mut windows = Windows::new(1024 * 1024, 100);
        windows.set(ReaderId(1), Some(Window { start: 0, end: u64::MAX }));
        let list: Vec<_> = windows.nearest().collect();
        assert_eq!(list.len() as u64, limit::READ_AHEAD_BYTES / (1024 * 1024));
        assert!(list[0].is_urgent() && !list[8].is_urgent());
        windows.set(ReaderId(1), Some(Window { start: 98 << 20, end: u64::MAX }));
        assert_eq!(windows.all().count(), 2);
        windows.set(ReaderId(1), Some(Window { start: 200 << 20, end: u64::MAX }));
        assert_eq!(windows.nearest().count(), 0);
    }
}
