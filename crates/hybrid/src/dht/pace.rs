//! How many questions of others a node answers. An answer may be several times as long as the
//! question, whose sender may be false: who is drowned by our answers gets few of them.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use mainline::{RequestFilter, RequestSpecific};
use tokio::time::Instant;

/// Answers to one address in a window. A lookup asks a node once, an announce once more.
const PER_HOST: u32 = 20;

/// Answers to everybody in a window.
const ALL: u32 = 2000;

/// The length of a window.
const WINDOW: Duration = Duration::from_secs(10);

/// Counts what was answered to whom in this window.
#[derive(Clone, Debug, Default)]
pub(super) struct Pace(Arc<Mutex<Window>>);

#[derive(Debug, Default)]
struct Window {
    since: Option<Instant>,
    /// No more hosts than `ALL`.
    answered: BTreeMap<Ipv4Addr, u32>,
    all: u32,
}

impl Window {
    fn allows(&mut self, now: Instant, host: Ipv4Addr) -> bool {
        if self.since.is_none_or(|since| now.duration_since(since) >= WINDOW) {
            *self = Self { since: Some(now), ..Self::default() };
        }
        if self.all >= ALL {
            return false;
        }
        let answered = self.answered.entry(host).or_default();
        let allowed = *answered < PER_HOST;
        *answered += u32::from(allowed);
        self.all += u32::from(allowed);
        allowed
    }
}

impl RequestFilter for Pace {
    fn allow_request(&self, _: &RequestSpecific, from: SocketAddrV4) -> bool {
        let mut window = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        window.allows(Instant::now(), *from.ip())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_host_is_answered_twenty_times_in_ten_seconds_and_all_two_thousand_times() {
        let (mut window, now) = (Window::default(), Instant::now());
        let host = |n: u32| Ipv4Addr::from(n);
        let count =
            |window: &mut Window, now, n| (0..50).filter(|_| window.allows(now, host(n))).count();
        assert_eq!(count(&mut window, now, 1), 20);
        let all: usize = (2..300).map(|n| count(&mut window, now, n)).sum();
        assert_eq!(all, 1980);
        assert_eq!(count(&mut window, now + WINDOW, 1), 20);
        assert!(window.answered.len() <= ALL as usize);
    }
}
