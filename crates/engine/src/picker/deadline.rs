//! Which pieces readers wait for, nearest first. Knows places in the torrent, not peers.

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

/// The pieces of all windows that are not stored, nearest first.
pub(super) fn deadlines(
    windows: &Map<ReaderId, Window>,
    piece_length: u32,
    is_missing: impl Fn(PieceIndex) -> bool,
) -> Vec<Deadline> {
    let mut nearest: Map<PieceIndex, u64> = Map::new();
    for window in windows.values() {
        let end = window.end.min(window.start.saturating_add(limit::READ_AHEAD_BYTES));
        if window.start >= end {
            continue;
        }
        let length = u64::from(piece_length);
        for index in window.start / length..end.div_ceil(length) {
            let piece = PieceIndex(index as u32);
            if is_missing(piece) {
                let distance = (index * length).saturating_sub(window.start);
                let known = nearest.entry(piece).or_insert(distance);
                *known = distance.min(*known);
            }
        }
    }
    let mut list: Vec<_> =
        nearest.into_iter().map(|(piece, distance)| Deadline { piece, distance }).collect();
    list.sort_by_key(|deadline| (deadline.distance, deadline.piece));
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_readers_are_served_by_distance() {
        let windows = Map::from([
            (ReaderId(1), Window { start: 150, end: 400 }),
            (ReaderId(2), Window { start: 900, end: 1000 }),
        ]);
        let list = deadlines(&windows, 100, |piece| piece.0 != 2);
        let pieces: Vec<_> = list.iter().map(|deadline| deadline.piece.0).collect();
        assert_eq!(pieces, [1, 9, 3]);
    }

    #[test]
    fn window_ends_with_the_read_ahead() {
        let windows = Map::from([(ReaderId(1), Window { start: 0, end: u64::MAX })]);
        let list = deadlines(&windows, 1024 * 1024, |_| true);
        assert_eq!(list.len() as u64, limit::READ_AHEAD_BYTES / (1024 * 1024));
        assert!(list[0].is_urgent() && !list[8].is_urgent());
    }
}
