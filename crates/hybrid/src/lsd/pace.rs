//! How much is heard of whom on the local network.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use tokio::time::Instant;

/// Datagrams heard of one address in one span: a client with a thousand torrents sends fifty.
const HEARD_MAX: u32 = 64;
const SPAN: Duration = Duration::from_secs(60);

/// Addresses remembered within one span; beyond it nobody new is heard.
const ADDRESSES_MAX: usize = 1024;

/// Who spoke how often in this span.
#[derive(Debug, Default)]
pub(super) struct Pace {
    began: Option<Instant>,
    heard: BTreeMap<IpAddr, u32>,
}

impl Pace {
    /// Whether a datagram from there is heard; counts it.
    pub(super) fn may_speak(&mut self, from: IpAddr) -> bool {
        let now = Instant::now();
        if self.began.is_none_or(|began| began + SPAN <= now) {
            self.began = Some(now);
            self.heard.clear();
        }
        if self.heard.len() >= ADDRESSES_MAX && !self.heard.contains_key(&from) {
            return false;
        }
        let heard = self.heard.entry(from).or_default();
        *heard = heard.saturating_add(1);
        *heard <= HEARD_MAX
    }
}
