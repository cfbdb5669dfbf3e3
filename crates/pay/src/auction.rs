//! Who gets the paid slots, and at what price: a pure function of bids and slots. Free peers lose
//! nothing they have by right: one optimistic slot, half of all, and those that reciprocate.

use core::cmp::Reverse;

use headwater_base::{Amount, LinkId, Rng, Time};

/// The slots there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slots {
    /// All upload slots.
    pub all: usize,
    /// The most that the user sells.
    pub paid_max: usize,
    /// Peers without a bid that are interested and give us as much as they take.
    pub reciprocating: usize,
}

/// A bid that may win: backed, solvent, paid up and interested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Whose.
    pub link: LinkId,
    /// The most it pays for a MiB.
    pub bid: Amount,
    /// Since when it holds a slot, if it does.
    pub since: Option<Time>,
    /// What it paid ahead is not served yet: it keeps its slot this time.
    pub keeps: bool,
}

/// How slots were sold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sale {
    /// Who won, the highest bid first.
    pub winners: Vec<LinkId>,
    /// What all of them pay for a MiB; one that keeps its slot below this pays its own bid.
    pub price: Amount,
}

impl Slots {
    /// Slots that may be sold: at most half of all, and none that the optimistic slot or a
    /// reciprocating peer has by right. What nobody buys goes back to the ordinary choker.
    pub fn paid(&self) -> usize {
        let free = self.all.saturating_sub(1).saturating_sub(self.reciprocating);
        self.paid_max.min(self.all / 2).min(free)
    }
}

/// Sells slots. The price is the highest bid that lost, or the reserve price: who bids what it is
/// worth to it never pays more than that, and gains nothing by bidding less.
pub fn sell(slots: Slots, reserve: Amount, bids: &[Candidate], rng: &mut Rng) -> Sale {
    let mut bids: Vec<_> = bids.iter().filter(|bid| bid.bid >= reserve).copied().collect();
    // Shuffled first: a stable sort then leaves equals in random order.
    rng.shuffle(&mut bids);
    bids.sort_by_key(|bid| {
        let standing = (bid.since.is_none(), bid.since);
        (Reverse(bid.keeps), Reverse(bid.bid), standing)
    });
    let losers = bids.split_off(slots.paid().min(bids.len()));
    let lost = losers.iter().map(|bid| bid.bid).max().unwrap_or_default();
    bids.sort_by_key(|bid| Reverse(bid.bid));
    Sale { winners: bids.iter().map(|bid| bid.link).collect(), price: reserve.max(lost) }
}

#[cfg(test)]
mod tests {
    use headwater_base::Seed;
    use proptest::prelude::*;

    use super::*;

    fn slots(all: usize, paid_max: usize, reciprocating: usize) -> Slots {
        Slots { all, paid_max, reciprocating }
    }

    fn bid(link: u64, bid: u128) -> Candidate {
        Candidate { link: LinkId(link), bid: Amount(bid), since: None, keeps: false }
    }

    fn sold(slots: Slots, bids: &[Candidate]) -> (Vec<u64>, u128) {
        let sale = sell(slots, Amount(10), bids, &mut Seed([3; 32]).split("auction"));
        (sale.winners.iter().map(|link| link.0).collect(), sale.price.0)
    }

    #[test]
    fn at_most_half_the_slots_are_sold_and_the_optimistic_one_never_is() {
        assert_eq!(slots(4, 9, 0).paid(), 2);
        assert_eq!(slots(5, 9, 0).paid(), 2);
        assert_eq!(slots(1, 9, 0).paid(), 0);
        assert_eq!(slots(0, 9, 0).paid(), 0);
        assert_eq!(slots(8, 1, 0).paid(), 1);
        assert_eq!(slots(8, 0, 0).paid(), 0);
    }

    #[test]
    fn a_reciprocating_peer_never_loses_its_slot_to_money() {
        assert_eq!(slots(4, 2, 2).paid(), 1);
        assert_eq!(slots(4, 2, 3).paid(), 0);
        assert_eq!(slots(4, 2, 9).paid(), 0);
    }

    #[test]
    fn price_is_the_highest_losing_bid_or_the_reserve() {
        assert_eq!(sold(slots(4, 2, 0), &[bid(1, 50), bid(2, 40)]), (vec![1, 2], 10));
        assert_eq!(sold(slots(4, 1, 0), &[bid(1, 50), bid(2, 40)]), (vec![1], 40));
        assert_eq!(sold(slots(4, 1, 0), &[bid(1, 9)]), (vec![], 10));
        assert_eq!(sold(slots(4, 0, 0), &[bid(1, 50)]), (vec![], 50));
    }

    #[test]
    fn among_equal_bids_the_longer_standing_wins_then_chance() {
        let mut old = bid(2, 20);
        old.since = Some(Time::from_millis(1));
        let mut new = bid(1, 20);
        new.since = Some(Time::from_millis(2));
        assert_eq!(sold(slots(2, 1, 0), &[new, bid(3, 20), old]).0, vec![2]);
        let bids: Vec<_> = (0..8).map(|link| bid(link, 20)).collect();
        let won =
            |seed| sell(slots(2, 1, 0), Amount(1), &bids, &mut Seed([seed; 32]).split("a")).winners;
        assert_eq!(won(1), won(1));
        assert!((0..20).any(|seed| won(seed) != won(1)));
    }

    #[test]
    fn what_was_paid_ahead_keeps_its_slot_against_a_higher_bid() {
        let mut paid = bid(1, 20);
        paid.keeps = true;
        assert_eq!(sold(slots(2, 1, 0), &[paid, bid(2, 90)]), (vec![1], 90));
    }

    proptest! {
        #[test]
        fn no_winner_pays_more_than_its_bid_and_no_loser_bid_more(
            all in 0..12_usize, paid in 0..12_usize, free in 0..4_usize,
            bids in prop::collection::vec(0..100_u128, 0..20),
        ) {
            let slots = slots(all, paid, free);
            let bids: Vec<_> = (0..).zip(bids).map(|(at, sum)| bid(at, sum)).collect();
            let (winners, price) = sold(slots, &bids);
            prop_assert!(winners.len() <= slots.paid() && winners.len() <= all / 2);
            for candidate in bids {
                let won = winners.contains(&candidate.link.0);
                prop_assert!(!won || candidate.bid.0 >= price);
                prop_assert!(won || candidate.bid.0 <= price || candidate.bid.0 < 10);
            }
        }
    }
}
