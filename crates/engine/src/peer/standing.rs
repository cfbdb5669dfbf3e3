//! How a peer stands with us: what it took and gave lately, and how often it took for nothing.

use headwater_base::Time;

use crate::limit;

/// What decides whether a peer is served.
#[derive(Debug)]
pub(crate) struct Standing {
    /// What it had given two choke rounds ago, and one.
    tallies: [u64; 2],
    /// When it was last served, or came.
    turned: Time,
    /// What it is served as a gift ends when so much was sent in all.
    gift_end: Option<u64>,
    /// What it had taken and given when its last gift began.
    sent_before: u64,
    given_before: u64,
    /// Gifts in a row for which it gave nothing.
    gifts: u32,
    /// It gets no gift before.
    rests_until: Time,
}

impl Standing {
    pub(crate) fn new(now: Time) -> Self {
        Self {
            tallies: [0; 2],
            turned: now,
            gift_end: None,
            sent_before: 0,
            given_before: 0,
            gifts: 0,
            rests_until: now,
        }
    }

    /// Begins a new round.
    pub(crate) fn turn(&mut self, given: u64) {
        self.tallies = [self.tallies[1], given];
    }

    /// Bytes it gave in the last two rounds and this one.
    pub(crate) fn lately(&self, given: u64) -> u64 {
        given - self.tallies[0]
    }

    /// Begins to serve it: as a gift of so many bytes, or because it gives.
    pub(crate) fn serve(&mut self, now: Time, (sent, given): (u64, u64), gift: Option<u64>) {
        self.turned = now;
        self.gift_end = gift.map(|gift| sent + gift);
        (self.sent_before, self.given_before) = (sent, given);
    }

    /// Takes that it gives: what it is served is no gift any more.
    pub(crate) fn earn(&mut self) {
        self.gift_end = None;
        self.gifts = 0;
        self.rests_until = Time::ZERO;
    }

    /// Ceases to serve it. Who took a gift and gave nothing, though it could, waits twice as long
    /// for each.
    pub(crate) fn stop(&mut self, now: Time, (sent, given): (u64, u64), could: bool) {
        self.turned = now;
        let took = self.gift_end.take().is_some() && sent > self.sent_before;
        if took && could && given == self.given_before {
            let rest = limit::GIFT_REST * (1 << self.gifts.min(limit::GIFT_REST_DOUBLINGS));
            self.gifts += 1;
            self.rests_until = now + rest;
        }
    }

    /// Whether its gift is used up.
    pub(crate) fn has_used(&self, sent: u64) -> bool {
        self.gift_end.is_some_and(|end| sent >= end)
    }

    /// Whether it is served as a gift.
    pub(crate) fn is_gift(&self) -> bool {
        self.gift_end.is_some()
    }

    /// Whether it gets no gift yet.
    pub(crate) fn rests(&self, now: Time) -> bool {
        now < self.rests_until
    }

    /// Gifts in a row for which it gave nothing.
    pub(crate) fn gifts(&self) -> u32 {
        self.gifts
    }

    /// When it began to be served, or to wait.
    pub(crate) fn turned(&self) -> Time {
        self.turned
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> Time {
        Time::from_millis(secs * 1000)
    }

    #[test]
    fn who_gives_nothing_for_gifts_waits_twice_as_long_each_time() {
        let mut standing = Standing::new(at(0));
        let mut now = at(0);
        for gift in 0..3 {
            standing.serve(now, (gift * 100, 0), Some(100));
            assert!(!standing.has_used(gift * 100 + 99) && standing.has_used(gift * 100 + 100));
            standing.stop(now, (gift * 100 + 100, 0), true);
            let rest = limit::GIFT_REST * (1 << gift);
            assert!(standing.rests(now) && !standing.rests(now + rest));
            now += rest;
        }
        assert_eq!(standing.gifts(), 3);
        standing.earn();
        assert!(!standing.rests(now) && standing.gifts() == 0);
    }

    #[test]
    fn gift_that_was_not_taken_could_not_be_returned_or_was_is_not_held_against_a_peer() {
        for (sent, given, could) in [(0, 0, true), (100, 0, false), (100, 1, true)] {
            let mut standing = Standing::new(at(0));
            standing.serve(at(1), (0, 0), Some(100));
            standing.stop(at(2), (sent, given), could);
            assert!(!standing.rests(at(2)), "{sent} {given} {could}");
        }
    }

    #[test]
    fn what_was_given_counts_for_two_rounds() {
        let mut standing = Standing::new(at(0));
        assert_eq!(standing.lately(500), 500);
        standing.turn(500);
        assert_eq!(standing.lately(500), 500);
        standing.turn(500);
        assert_eq!(standing.lately(500), 0);
    }
}
