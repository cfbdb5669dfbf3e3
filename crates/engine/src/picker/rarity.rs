//! Pieces that may be started, in order of class and rarity. Every change costs no more than the
//! number of buckets it crosses. Knows nothing of peers or blocks.

use headwater_base::{PieceIndex, Rng};

use crate::limit;

/// Which pieces come first, whatever their rarity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    High,
    Normal,
}

const PER_CLASS: usize = limit::RARITY_MAX as usize + 1;
const ABSENT: u32 = u32::MAX;

/// Pieces sorted by bucket; inside a bucket their order means nothing.
#[derive(Debug)]
pub(super) struct Rarity {
    order: Vec<PieceIndex>,
    /// Where each piece is in `order`, or `ABSENT`.
    place: Vec<u32>,
    /// One past the last place of each bucket.
    ends: [u32; 2 * PER_CLASS],
}

impl Rarity {
    pub(super) fn new(pieces: u32) -> Self {
        Self { order: Vec::new(), place: vec![ABSENT; pieces as usize], ends: [0; 2 * PER_CLASS] }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    fn bucket(class: Class, copies: u32) -> usize {
        let rank = copies.min(limit::RARITY_MAX) as usize;
        match class {
            Class::High => rank,
            Class::Normal => PER_CLASS + rank,
        }
    }

    fn bucket_at(&self, place: u32) -> usize {
        self.ends.partition_point(|end| *end <= place)
    }

    fn start(&self, bucket: usize) -> u32 {
        bucket.checked_sub(1).map_or(0, |before| self.ends[before])
    }

    fn put(&mut self, place: u32, piece: PieceIndex) {
        self.order[place as usize] = piece;
        self.place[piece.idx()] = place;
    }

    /// Adds a piece that is not in it.
    pub(super) fn insert(&mut self, piece: PieceIndex, class: Class, copies: u32) {
        assert!(self.place[piece.idx()] == ABSENT, "piece {piece} is listed already");
        let bucket = Self::bucket(class, copies);
        let mut hole = self.order.len() as u32;
        self.order.push(piece);
        // The hole moves down past each higher bucket, whose first piece becomes its last.
        for above in (bucket + 1..self.ends.len()).rev() {
            let first = self.start(above);
            if first != hole {
                let moved = self.order[first as usize];
                self.put(hole, moved);
                hole = first;
            }
            self.ends[above] += 1;
        }
        self.ends[bucket] += 1;
        self.put(hole, piece);
    }

    /// Takes a piece out, if it is in.
    pub(super) fn remove(&mut self, piece: PieceIndex) {
        let place = self.place[piece.idx()];
        if place == ABSENT {
            return;
        }
        let mut hole = place;
        for bucket in self.bucket_at(place)..self.ends.len() {
            self.ends[bucket] -= 1;
            let last = self.ends[bucket];
            if last != hole {
                let moved = self.order[last as usize];
                self.put(hole, moved);
                hole = last;
            }
        }
        self.order.pop();
        self.place[piece.idx()] = ABSENT;
    }

    /// Moves a listed piece to where its class and copies put it.
    pub(super) fn update(&mut self, piece: PieceIndex, class: Class, copies: u32) {
        let place = self.place[piece.idx()];
        if place == ABSENT {
            return;
        }
        let (from, to) = (self.bucket_at(place), Self::bucket(class, copies));
        for bucket in from..to {
            // Leaves by the end of a bucket and is the first of the next.
            self.ends[bucket] -= 1;
            self.swap(piece, self.ends[bucket]);
        }
        for bucket in (to..from).rev() {
            let first = self.ends[bucket];
            self.swap(piece, first);
            self.ends[bucket] += 1;
        }
    }

    fn swap(&mut self, piece: PieceIndex, place: u32) {
        let (old, other) = (self.place[piece.idx()], self.order[place as usize]);
        self.put(old, other);
        self.put(place, piece);
    }

    /// The first fit piece in order of class and rarity, at random among equals.
    pub(super) fn rarest(
        &self,
        rng: &mut Rng,
        fit: impl Fn(PieceIndex) -> bool,
    ) -> Option<PieceIndex> {
        let mut start = 0;
        for end in self.ends {
            let bucket = &self.order[start as usize..end as usize];
            if let Some(found) = first_fit(bucket, rng, &fit) {
                return Some(found);
            }
            start = end;
        }
        None
    }

    /// Any fit piece of the highest class that has one, whatever its rarity.
    pub(super) fn random(
        &self,
        rng: &mut Rng,
        fit: impl Fn(PieceIndex) -> bool,
    ) -> Option<PieceIndex> {
        let (high, normal) = self.order.split_at(self.ends[PER_CLASS - 1] as usize);
        first_fit(high, rng, &fit).or_else(|| first_fit(normal, rng, &fit))
    }
}

fn first_fit(
    pieces: &[PieceIndex],
    rng: &mut Rng,
    fit: &impl Fn(PieceIndex) -> bool,
) -> Option<PieceIndex> {
    let (before, after) = pieces.split_at(rng.pick(pieces.len())?);
    after.iter().chain(before).copied().find(|piece| fit(*piece))
}

#[cfg(test)]
mod tests {
    use headwater_base::Seed;

    use super::*;

    fn check(rarity: &Rarity, expect: &[(u32, usize)]) {
        let listed: Vec<_> = rarity.order.iter().map(|piece| piece.0).collect();
        assert_eq!(listed.len(), expect.len());
        for &(piece, bucket) in expect {
            let place = rarity.place[piece as usize];
            assert_eq!(rarity.order[place as usize], PieceIndex(piece));
            assert_eq!(rarity.bucket_at(place), bucket, "piece {piece}");
        }
    }

    #[test]
    fn pieces_keep_their_buckets_through_random_changes() {
        let mut rng = Seed([3; 32]).split("rarity");
        let mut rarity = Rarity::new(50);
        let mut model = std::collections::BTreeMap::new();
        for _ in 0..5000 {
            let piece = PieceIndex(rng.below(50) as u32);
            let class = if rng.below(4) == 0 { Class::High } else { Class::Normal };
            let copies = rng.below(80) as u32;
            let bucket = Rarity::bucket(class, copies);
            if rng.below(3) == 0 {
                rarity.remove(piece);
                model.remove(&piece.0);
            } else if let Some(known) = model.get_mut(&piece.0) {
                rarity.update(piece, class, copies);
                *known = bucket;
            } else {
                rarity.insert(piece, class, copies);
                model.insert(piece.0, bucket);
            }
            check(
                &rarity,
                &model.iter().map(|(piece, bucket)| (*piece, *bucket)).collect::<Vec<_>>(),
            );
        }
    }

    #[test]
    fn rarest_fit_piece_wins_and_high_class_outranks_it() {
        let mut rng = Seed([4; 32]).split("rarity");
        let mut rarity = Rarity::new(5);
        for (piece, copies) in [(0, 3), (1, 1), (2, 2), (3, 1)] {
            rarity.insert(PieceIndex(piece), Class::Normal, copies);
        }
        let fit = |piece: PieceIndex| piece.0 != 1;
        assert_eq!(rarity.rarest(&mut rng, fit), Some(PieceIndex(3)));
        rarity.insert(PieceIndex(4), Class::High, 60);
        assert_eq!(rarity.rarest(&mut rng, fit), Some(PieceIndex(4)));
        assert_eq!(rarity.random(&mut rng, |_| true), Some(PieceIndex(4)));
        assert_eq!(rarity.rarest(&mut rng, |_| false), None);
    }
}
