//! How much is read of what other processes say: each kind by itself, so that a flood of one keeps
//! nobody from hearing another, for each process and for all of them.

use headwater_base::Time;

use crate::limit;
use crate::swarms::budget::Budget;

/// What a message is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The process itself: that it lives or asks.
    Process,
    /// That it ends.
    End,
    /// Its swarms.
    Swarms,
    /// Peers of both: what is carried for them.
    Peers,
}

/// What one process has left to say.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    process: Budget,
    swarms: Budget,
    peers: Budget,
}

impl Pace {
    pub(super) fn new(now: Time) -> Self {
        let budget = Budget::new(now);
        Self { process: budget, swarms: budget, peers: budget }
    }

    /// Counts a message of a process; false when it is one too many.
    pub(super) fn take(&mut self, now: Time, kind: Kind) -> bool {
        let (budget, (per_second, at_once)) = match kind {
            Kind::Process | Kind::End => (&mut self.process, limit::FLEET_PROCESS_MESSAGES),
            Kind::Swarms => (&mut self.swarms, limit::FLEET_SWARMS_MESSAGES),
            Kind::Peers => (&mut self.peers, limit::FLEET_PEERS_MESSAGES),
        };
        budget.take(now, per_second, at_once)
    }
}

/// What all processes together have left to say. Signs of life are not among it, so that no process
/// is taken for gone since others say too much.
#[derive(Clone, Copy, Debug)]
pub(super) struct PaceOfAll {
    swarms: Budget,
    peers: Budget,
}

impl PaceOfAll {
    pub(super) fn new(now: Time) -> Self {
        let budget = Budget::new(now);
        Self { swarms: budget, peers: budget }
    }

    pub(super) fn take(&mut self, now: Time, kind: Kind) -> bool {
        let (budget, (per_second, at_once)) = match kind {
            Kind::Process | Kind::End => return true,
            Kind::Swarms => (&mut self.swarms, limit::FLEET_SWARMS_MESSAGES_OF_ALL),
            Kind::Peers => (&mut self.peers, limit::FLEET_PEERS_MESSAGES_OF_ALL),
        };
        budget.take(now, per_second, at_once)
    }
}
