//! Pieces that may be started, in order of class and rarity. Every change costs no more than the
//! number of buckets it crosses. Knows nothing of peers or blocks.

use headwater_base::{Bitfield, PieceIndex, Rng};

use crate::limit;

/// Which pieces come first, whatever their rarity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    High,
    Normal,
}

const ABSENT: u32 = u32::MAX;
/// Empty buckets kept at either end, so that the next copies need no new ones.
const SLACK: i32 = 8;

/// Pieces sorted by bucket; inside a bucket their order means nothing.
#[derive(Debug, Default)]
pub(super) struct Rarity {
    order: Vec<PieceIndex>,
    /// Where each piece is in `order`, or `ABSENT`.
    place: Vec<u32>,
    /// The pieces in `order`.
    listed: Bitfield,
    /// The copies that the first bucket of each class stands for.
    floor: i32,
    /// One past the last place of each bucket: all of `Class::High`, then as many of `Normal`.
    /// There are as many as peers can differ by, which the links of a torrent bound.
    ends: Vec<u32>,
}

impl Rarity {
    pub(super) fn new(pieces: u32) -> Self {
        Self {
            order: Vec::new(),
            place: vec![ABSENT; pieces as usize],
            listed: Bitfield::empty(pieces),
            floor: -SLACK,
            ends: vec![0; 4 * SLACK as usize],
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    pub(super) fn has(&self, piece: PieceIndex) -> bool {
        self.listed.has(piece)
    }

    /// Fewest copies of any piece in it.
    pub(super) fn fewest(&self) -> Option<i32> {
        self.spread().map(|(fewest, _)| fewest)
    }

    /// Buckets of one class.
    fn span(&self) -> usize {
        self.ends.len() / 2
    }

    fn bucket(&self, class: Class, copies: i32) -> usize {
        let rank = (copies - self.floor) as usize;
        match class {
            Class::High => rank,
            Class::Normal => self.span() + rank,
        }
    }

    fn bucket_at(&self, place: u32) -> usize {
        self.ends.partition_point(|end| *end <= place)
    }

    fn start(&self, bucket: usize) -> u32 {
        bucket.checked_sub(1).map_or(0, |before| self.ends[before])
    }

    /// Fewest and most copies of any piece in it.
    fn spread(&self) -> Option<(i32, i32)> {
        let full = |bucket: &usize| self.start(*bucket) < self.ends[*bucket];
        let mut ranks = (0..self.ends.len()).filter(full).map(|bucket| bucket % self.span());
        let first = ranks.next()?;
        let (low, high) = ranks.fold((first, first), |(a, b), at| (a.min(at), b.max(at)));
        Some((self.floor + low as i32, self.floor + high as i32))
    }

    /// Has buckets for all copies from `low` to `high`.
    fn fit(&mut self, low: i32, high: i32) {
        if low >= self.floor && high < self.floor + self.span() as i32 {
            return;
        }
        let (least, most) = self.spread().unwrap_or((low, high));
        let floor = low.min(least) - SLACK;
        let span = (high.max(most) + SLACK - floor + 1) as usize;
        let mut ends = Vec::with_capacity(2 * span);
        for class in [Class::High, Class::Normal] {
            for rank in 0..span as i32 {
                let old = (floor + rank).clamp(self.floor - 1, self.floor + self.span() as i32 - 1);
                let at = self.bucket(class, self.floor) as i32 + old - self.floor;
                ends.push(usize::try_from(at).map_or(0, |at| self.ends[at]));
            }
        }
        (self.floor, self.ends) = (floor, ends);
    }

    fn put(&mut self, place: u32, piece: PieceIndex) {
        self.order[place as usize] = piece;
        self.place[piece.idx()] = place;
    }

    /// Adds a piece that is not in it.
    pub(super) fn insert(&mut self, piece: PieceIndex, class: Class, copies: i32) {
        assert!(self.listed.set(piece), "piece {piece} is listed already");
        self.fit(copies, copies);
        let bucket = self.bucket(class, copies);
        let mut hole = self.order.len() as u32;
        self.order.push(piece);
        // The hole moves down past each higher bucket, whose first piece becomes its last.
        for above in (bucket + 1..self.ends.len()).rev() {
            let first = self.ends[above - 1];
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
        if !self.listed.clear(piece) {
            return;
        }
        let mut hole = self.place[piece.idx()];
        for bucket in self.bucket_at(hole)..self.ends.len() {
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
    pub(super) fn update(&mut self, piece: PieceIndex, class: Class, copies: i32) {
        let place = self.place[piece.idx()];
        if place == ABSENT {
            return;
        }
        self.fit(copies, copies);
        let (from, to) = (self.bucket_at(place), self.bucket(class, copies));
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

    /// Sorts everything anew: what `of` gives a class and copies is listed. Costs all pieces, and
    /// less than moving many of them one by one.
    pub(super) fn sort(&mut self, of: impl Fn(PieceIndex) -> Option<(Class, i32)>) {
        let all = (0..self.place.len() as u32).map(PieceIndex);
        let ranked = || all.clone().filter_map(|piece| Some((piece, of(piece)?)));
        self.ends.fill(0);
        let copies = ranked().map(|(_, (_, copies))| copies);
        if let Some((low, high)) = copies.fold(None, |range: Option<(i32, i32)>, copies| {
            Some(range.map_or((copies, copies), |(a, b)| (a.min(copies), b.max(copies))))
        }) {
            self.fit(low, high);
        }
        let mut starts = vec![0; self.ends.len() + 1];
        for (_, (class, copies)) in ranked() {
            starts[self.bucket(class, copies) + 1] += 1;
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        self.ends.copy_from_slice(&starts[1..]);
        self.order.resize(starts[self.ends.len()] as usize, PieceIndex(0));
        self.place.fill(ABSENT);
        self.listed = Bitfield::empty(self.place.len() as u32);
        for (piece, (class, copies)) in ranked() {
            let next = &mut starts[self.bucket(class, copies)];
            let place = *next;
            *next += 1;
            self.put(place, piece);
            self.listed.set(piece);
        }
    }

    /// One of the rarest pieces in `has` of the highest class, at random among equals. Exact as
    /// long as few rarer pieces are missing from `has`; else the rarest of a sample.
    pub(super) fn rarest(&self, rng: &mut Rng, has: &Bitfield) -> Option<PieceIndex> {
        self.pick(rng, has, &self.ends)
    }

    /// Any piece in `has` of the highest class that has one, whatever its rarity.
    pub(super) fn random(&self, rng: &mut Rng, has: &Bitfield) -> Option<PieceIndex> {
        let (high, normal) = (self.span() - 1, self.ends.len() - 1);
        self.pick(rng, has, &[self.ends[high], self.ends[normal]])
    }

    /// The first piece in `has` of the highest class, in the order of the torrent.
    pub(super) fn first(&self, has: &Bitfield) -> Option<PieceIndex> {
        let mut both = self.listed.both(has, PieceIndex(0)).peekable();
        let first = both.peek().copied();
        let normal = self.ends[self.span() - 1];
        if normal == 0 {
            return first;
        }
        both.find(|piece| self.place[piece.idx()] < normal).or(first)
    }

    fn pick(&self, rng: &mut Rng, has: &Bitfield, ends: &[u32]) -> Option<PieceIndex> {
        let mut left = limit::PROBES_MAX;
        let mut start = 0;
        for &end in ends {
            let group = &self.order[start..end as usize];
            start = end as usize;
            let Some(from) = rng.pick(group.len()) else { continue };
            let (before, after) = group.split_at(from);
            for &piece in after.iter().chain(before) {
                if has.has(piece) {
                    return Some(piece);
                }
                left -= 1;
                if left == 0 {
                    return self.sample(rng, has);
                }
            }
        }
        None
    }

    /// The rarest of some pieces in `has`, for who has few of the rare ones.
    fn sample(&self, rng: &mut Rng, has: &Bitfield) -> Option<PieceIndex> {
        let from = PieceIndex(rng.below(self.place.len() as u64) as u32);
        let after = self.listed.both(has, from);
        let before = self.listed.both(has, PieceIndex(0)).take_while(|piece| *piece < from);
        let some = after.chain(before).take(limit::SAMPLE_MAX);
        some.min_by_key(|piece| self.bucket_at(self.place[piece.idx()]))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use headwater_base::Seed;

    use super::*;

    type Model = BTreeMap<u32, (Class, i32)>;

    fn check(rarity: &Rarity, model: &Model) {
        assert_eq!(rarity.order.len(), model.len());
        for (&piece, &(class, copies)) in model {
            let place = rarity.place[piece as usize];
            assert_eq!(rarity.order[place as usize], PieceIndex(piece));
            assert_eq!(rarity.bucket_at(place), rarity.bucket(class, copies), "piece {piece}");
            assert!(rarity.has(PieceIndex(piece)));
        }
        assert_eq!(rarity.fewest(), model.values().map(|(_, copies)| *copies).min());
    }

    #[test]
    fn pieces_keep_their_buckets_through_random_changes() {
        let mut rng = Seed([3; 32]).split("rarity");
        let mut rarity = Rarity::new(50);
        let mut model = Model::new();
        for step in 0..5000 {
            let piece = PieceIndex(rng.below(50) as u32);
            let class = if rng.below(4) == 0 { Class::High } else { Class::Normal };
            let copies = rng.below(80) as i32 - step / 25;
            if rng.below(3) == 0 {
                rarity.remove(piece);
                model.remove(&piece.0);
            } else if let Some(known) = model.get_mut(&piece.0) {
                rarity.update(piece, class, copies);
                *known = (class, copies);
            } else {
                rarity.insert(piece, class, copies);
                model.insert(piece.0, (class, copies));
            }
            check(&rarity, &model);
            if step % 100 == 0 {
                rarity.sort(|piece| model.get(&piece.0).copied());
                check(&rarity, &model);
            }
        }
        assert!(rarity.ends.len() < 600, "{} buckets", rarity.ends.len());
    }

    fn bits(len: u32, pieces: impl IntoIterator<Item = u32>) -> Bitfield {
        let mut bits = Bitfield::empty(len);
        pieces.into_iter().for_each(|piece| {
            bits.set(PieceIndex(piece));
        });
        bits
    }

    #[test]
    fn rarest_fit_piece_wins_and_high_class_outranks_it() {
        let mut rng = Seed([4; 32]).split("rarity");
        let mut rarity = Rarity::new(5);
        for (piece, copies) in [(0, 3), (1, 1), (2, 2), (3, 1)] {
            rarity.insert(PieceIndex(piece), Class::Normal, copies);
        }
        let has = bits(5, [0, 2, 3, 4]);
        assert_eq!(rarity.rarest(&mut rng, &has), Some(PieceIndex(3)));
        assert_eq!(rarity.first(&has), Some(PieceIndex(0)));
        rarity.insert(PieceIndex(4), Class::High, 60);
        assert_eq!(rarity.rarest(&mut rng, &has), Some(PieceIndex(4)));
        assert_eq!(rarity.random(&mut rng, &has), Some(PieceIndex(4)));
        assert_eq!(rarity.first(&has), Some(PieceIndex(4)));
        assert_eq!(rarity.rarest(&mut rng, &Bitfield::empty(5)), None);
    }

    #[test]
    fn peer_with_few_pieces_gives_the_rarest_of_them() {
        let mut rng = Seed([4; 32]).split("rarity");
        let mut rarity = Rarity::new(10_000);
        rarity.sort(|piece| Some((Class::Normal, (piece.0 % 10) as i32)));
        let has = bits(10_000, [1009, 5008, 9007]);
        for _ in 0..20 {
            assert_eq!(rarity.rarest(&mut rng, &has), Some(PieceIndex(9007)));
        }
    }
}
