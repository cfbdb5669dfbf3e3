//! Where others see us (`yourip` of BEP 10). One peer may say anything; it counts when several at
//! different addresses say the same. Only the order in which peers are dialled depends on it.

use core::net::IpAddr;
use std::collections::VecDeque;

use super::limit::{VOTES_MAX, VOTES_NEEDED};

/// What peers say of our address.
#[derive(Debug, Default)]
pub(super) struct Outside {
    /// Who said what, the newest last; one vote an address.
    votes: VecDeque<(IpAddr, IpAddr)>,
    v4: Option<IpAddr>,
    v6: Option<IpAddr>,
}

impl Outside {
    /// Takes what somebody at `voter` says; answers whether our address is another now.
    pub(super) fn vote(&mut self, voter: IpAddr, ours: IpAddr) -> bool {
        self.votes.retain(|(by, of)| *by != voter || of.is_ipv4() != ours.is_ipv4());
        if self.votes.len() >= VOTES_MAX {
            self.votes.pop_front();
        }
        self.votes.push_back((voter, ours));
        let votes = |ip: IpAddr| self.votes.iter().filter(|(_, of)| *of == ip).count();
        let known = if ours.is_ipv4() { self.v4 } else { self.v6 };
        let enough = votes(ours) >= VOTES_NEEDED && known.is_none_or(|ip| votes(ours) > votes(ip));
        if !enough || known == Some(ours) {
            return false;
        }
        *(if ours.is_ipv4() { &mut self.v4 } else { &mut self.v6 }) = Some(ours);
        true
    }

    /// Our address of the same kind as another.
    pub(super) fn facing(&self, other: IpAddr) -> Option<IpAddr> {
        if other.is_ipv4() { self.v4 } else { self.v6 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(last: u8) -> IpAddr {
        IpAddr::from([1, 2, 3, last])
    }

    #[test]
    fn our_address_is_what_several_agree_on() {
        let mut outside = Outside::default();
        for _ in 0..9 {
            assert!(!outside.vote(ip(1), ip(99)), "one voice counts once");
        }
        assert!(!outside.vote(ip(2), ip(99)) && outside.facing(ip(0)).is_none());
        assert!(outside.vote(ip(3), ip(99)));
        assert_eq!(outside.facing(ip(0)), Some(ip(99)));
        for by in 4..7 {
            assert!(!outside.vote(ip(by), ip(77)), "as many say otherwise");
        }
        assert!(outside.vote(ip(7), ip(77)));
        assert_eq!(outside.facing("::1".parse().unwrap()), None);
        for by in 8..=255 {
            outside.vote(ip(by), ip(by));
        }
        assert_eq!(outside.votes.len(), VOTES_MAX);
    }
}
