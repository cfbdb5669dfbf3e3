//! What came of a crowd's visits, told as lines of JSON.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinSet;

/// One visit: a peer comes, fetches, and leaves.
pub(crate) struct Visit {
    /// Until the first piece was there.
    pub(crate) first: Duration,
    /// Until all of it was.
    pub(crate) whole: Duration,
    /// How much that is.
    pub(crate) bytes: u64,
}

#[derive(Default)]
struct Sum {
    live: u64,
    bytes: u64,
    first: Vec<u128>,
    whole: Vec<u128>,
    cut: u64,
    turned_away: u64,
    failed: BTreeMap<String, u64>,
}

/// The sums of all visits.
#[derive(Default)]
pub(crate) struct Tally(Mutex<Sum>);

impl Tally {
    fn sum(&self) -> MutexGuard<'_, Sum> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A peer is linked to somebody, or no longer.
    pub(crate) fn linked(&self, is_linked: bool) {
        let mut sum = self.sum();
        sum.live = if is_linked { sum.live + 1 } else { sum.live.saturating_sub(1) };
    }

    /// A peer was not let in and tries again.
    pub(crate) fn turned_away(&self) {
        self.sum().turned_away += 1;
    }

    /// A visit ended: well, badly, or since the time was over.
    pub(crate) fn ended(&self, visit: Result<Option<Visit>, String>) {
        let mut sum = self.sum();
        match visit {
            Ok(Some(visit)) => {
                sum.bytes += visit.bytes;
                sum.first.push(visit.first.as_millis());
                sum.whole.push(visit.whole.as_millis());
            }
            Ok(None) => sum.cut += 1,
            Err(why) => *sum.failed.entry(why).or_default() += 1,
        }
    }

    /// Says once a second how many peers are linked, until `time` is over.
    pub(crate) async fn tell_for(&self, time: Duration) {
        let end = tokio::time::Instant::now() + time;
        let mut tick = tokio::time::interval(Duration::from_secs(1));
        while tokio::time::Instant::now() < end {
            tick.tick().await;
            let sum = self.sum();
            let failed = sum.failed.values().sum::<u64>();
            tell(&json!({
                "event": "state", "live": sum.live, "visits": sum.whole.len(), "failed": failed,
            }));
        }
    }

    /// Waits until all peers are gone and says what came of it all. One that panicked is a failure.
    pub(crate) async fn tell_end(&self, mut peers: JoinSet<()>) {
        while let Some(ended) = peers.join_next().await {
            if let Err(panic) = ended {
                self.ended(Err(panic.to_string()));
            }
        }
        let sum = self.sum();
        tell(&json!({
            "event": "end", "bytes": sum.bytes, "first": sum.first, "whole": sum.whole,
            "cut": sum.cut, "turned_away": sum.turned_away, "failed": sum.failed,
        }));
    }
}

/// Writes a line for the driver of the test. One that is gone needs none.
pub(crate) fn tell(line: &Value) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}
