//! What changes, told as it happens: server-sent events. First everything, then what differs, at
//! most once in each interval. Nothing is queued: who reads slowly is told less often, and who
//! comes back gets everything anew.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde_json::{Value, json};
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::super::Site;
use super::{Denied, views};
use crate::shell::Stopped;

/// Time between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Time between two signs of life when nothing changes.
const ALIVE_EVERY: Duration = Duration::from_secs(15);

/// Streams at a time: the owner's tabs and some programs.
const STREAMS_MAX: usize = 16;

/// `GET /events`.
pub(super) async fn stream(State(site): State<Arc<Site>>) -> Result<Response, Denied> {
    let watch = Watch::start(site)?;
    let events = stream::unfold(watch, |mut watch| async move {
        let event = watch.next().await?;
        Some((Ok::<_, Infallible>(event), watch))
    });
    let sse = Sse::new(events).keep_alive(KeepAlive::new().interval(ALIVE_EVERY));
    let fixed = [(header::CACHE_CONTROL, "no-store"), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")];
    Ok((fixed, sse).into_response())
}

/// One stream, and what was told on it.
struct Watch {
    site: Arc<Site>,
    look: Interval,
    told: Option<Seen>,
}

/// Everything at one moment.
struct Seen {
    server: Value,
    torrents: BTreeMap<String, Value>,
}

impl Watch {
    fn start(site: Arc<Site>) -> Result<Self, Denied> {
        let control = site.control.as_ref().ok_or_else(Denied::unknown)?;
        if control.streams.fetch_add(1, Ordering::Relaxed) >= STREAMS_MAX {
            control.streams.fetch_sub(1, Ordering::Relaxed);
            let why = format!("{STREAMS_MAX} event streams are open, which is all there may be");
            return Err(Denied::new(StatusCode::TOO_MANY_REQUESTS, "busy", why));
        }
        let mut look = interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Ok(Self { site, look, told: None })
    }

    /// The next event; `None` when the server ends.
    async fn next(&mut self) -> Option<Event> {
        let mut closing = self.site.closing();
        loop {
            tokio::select! {
                _ = self.look.tick() => {}
                _ = closing.wait_for(|closing| *closing) => return None,
            }
            let now = self.see().await.ok()?;
            let event = match &self.told {
                None => Some(("snapshot", now.whole())),
                Some(told) => now.since(told).map(|change| ("change", change)),
            };
            self.told = Some(now);
            if let Some((name, data)) = event {
                return Some(Event::default().event(name).data(data.to_string()));
            }
        }
    }

    async fn see(&self) -> Result<Seen, Stopped> {
        let mut server = views::state(&self.site).await?;
        if let Some(fields) = server.as_object_mut() {
            // It would be a change every second.
            fields.remove("uptime_seconds");
        }
        let torrents = views::all(&self.site).await?;
        let torrents = torrents.into_iter().map(|(hash, view)| (hash.to_string(), view)).collect();
        Ok(Seen { server, torrents })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(control) = &self.site.control {
            control.streams.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Seen {
    fn whole(&self) -> Value {
        let torrents: Vec<_> = self.torrents.values().collect();
        json!({ "server": self.server, "torrents": torrents, "removed": [] })
    }

    /// What differs from what was told.
    fn since(&self, told: &Self) -> Option<Value> {
        let torrents = self.torrents.iter();
        let changed: Vec<_> = torrents
            .filter(|(hash, view)| told.torrents.get(*hash) != Some(view))
            .map(|(_, view)| view)
            .collect();
        let removed = told.torrents.keys();
        let removed: Vec<_> = removed.filter(|hash| !self.torrents.contains_key(*hash)).collect();
        let server = (self.server != told.server).then_some(&self.server);
        let same = server.is_none() && changed.is_empty() && removed.is_empty();
        (!same).then(|| json!({ "server": server, "torrents": changed, "removed": removed }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(torrents: &[(&str, u32)]) -> Seen {
        let torrents = torrents.iter().map(|(hash, is)| ((*hash).to_owned(), json!(is)));
        Seen { server: json!(1), torrents: torrents.collect() }
    }

    #[test]
    fn only_what_differs_is_told() {
        let before = seen(&[("a", 1), ("b", 1), ("c", 1)]);
        assert_eq!(before.since(&seen(&[("a", 1), ("b", 1), ("c", 1)])), None);
        let change = seen(&[("a", 1), ("b", 2), ("d", 1)]).since(&before);
        let expect = json!({ "server": null, "torrents": [2, 1], "removed": ["c"] });
        assert_eq!(change, Some(expect));
    }
}
