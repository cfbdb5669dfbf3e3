//! Ports of the router that leads to the internet, mapped to ours: by PCP (RFC 6887), NAT-PMP
//! (RFC 6886) or UPnP (WANIPConnection), in that order. Nobody waits for it, and what a router says
//! changes nothing but the port that others are told.

mod asker;
mod datagrams;
mod plan;
mod sieve;
mod upnp;
mod way;

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use headwater_engine::Input;
use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use crate::shell::News;
use asker::Asker;
use plan::{Plan, Task};
use way::Search;

/// How long a mapping is asked for. A router that forgot it, as at its own restart, is asked again
/// after half of it, and one that is not given back stays no longer.
const LEASE_ASKED: Duration = Duration::from_secs(1800);

/// Longest wait for a router to take mappings back at the end.
const UNMAP_TIME_MAX: Duration = Duration::from_secs(2);

/// What is to be reached from outside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouterConfig {
    /// Addresses of this machine that the router may know us by; all when empty.
    pub interfaces: Vec<IpAddr>,
    /// The port that TCP is listened on.
    pub tcp: Option<u16>,
    /// The port of uTP, which is the same where both are spoken.
    pub utp: Option<u16>,
    /// The UDP port of the DHT node.
    pub dht: Option<u16>,
}

/// What a router was asked by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// The Port Control Protocol (RFC 6887).
    Pcp,
    /// The NAT Port Mapping Protocol (RFC 6886).
    NatPmp,
    /// UPnP's Internet Gateway Device.
    Upnp,
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pcp => "PCP",
            Self::NatPmp => "NAT-PMP",
            Self::Upnp => "UPnP",
        })
    }
}

/// Ports that lead to ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// How they were asked for.
    pub by: Protocol,
    /// The router's port for links.
    pub listens: u16,
    /// The router's port for the DHT node.
    pub dht: Option<u16>,
    /// Ports mapped.
    pub ports: usize,
    /// What the router says its address is outside. It is shown, and nothing is made of it.
    pub address: Option<IpAddr>,
}

/// Why no port is mapped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// There is none in a private network that knows us by an address we listen on.
    #[error("no router is there to be asked; at a public address none is needed")]
    NoRouter,
    /// It speaks none of the protocols, or has them off.
    #[error("the router does not answer: allow PCP, NAT-PMP or UPnP there, or forward the port")]
    Silent,
    /// It answered otherwise than hoped.
    #[error("the router refuses: {0}; see its settings, or forward the port there")]
    Refused(String),
    /// It was not renewed in time, or we moved to another network.
    #[error("what the router mapped has ended, and is asked for anew")]
    Lost,
}

/// How it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// The router is being asked for the first time.
    Asking,
    /// It maps.
    Mapped(Mapping),
    /// It does not, and is asked again later.
    Unmapped(Trouble),
}

/// A task that keeps ports mapped.
#[derive(Debug)]
pub(crate) struct Router {
    status: watch::Receiver<Status>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Router {
    /// Tells `found` at which ports others reach us, and `news` how it stands. Must be called
    /// inside a Tokio runtime.
    pub(crate) fn start(
        config: &RouterConfig,
        found: mpsc::Sender<Input>,
        news: broadcast::Sender<News>,
    ) -> Self {
        let asker = Asker::new(config, Search::new(config.interfaces.clone()));
        Self::keep(asker, found, news)
    }

    fn keep(asker: Asker, found: mpsc::Sender<Input>, news: broadcast::Sender<News>) -> Self {
        let (tell, status) = watch::channel(Status::Asking);
        let stop = CancellationToken::new();
        let keeper = Keeper { asker, tell, found, news };
        let task = tokio::spawn(keeper.run(stop.clone()));
        Self { status, stop, task }
    }

    /// How it stands.
    pub(crate) fn status(&self) -> Status {
        self.status.borrow().clone()
    }

    /// Gives the ports back, within a bounded time, and ends.
    pub(crate) async fn finish(&mut self) {
        self.stop.cancel();
        if timeout(UNMAP_TIME_MAX * 2, &mut self.task).await.is_err() {
            self.task.abort();
        }
    }
}

/// Does what the plan says.
struct Keeper {
    asker: Asker,
    tell: watch::Sender<Status>,
    found: mpsc::Sender<Input>,
    news: broadcast::Sender<News>,
}

impl Keeper {
    async fn run(mut self, stop: CancellationToken) {
        let mut plan = Plan::new(Instant::now());
        while stop.run_until_cancelled(self.step(&mut plan)).await.is_some() {}
        // A router that is gone must not hold up the end: its mappings end by themselves.
        let _ = timeout(UNMAP_TIME_MAX, self.asker.unmap()).await;
    }

    /// Waits for what is due and does it.
    async fn step(&mut self, plan: &mut Plan) {
        let (at, task) = plan.next();
        sleep_until(at).await;
        match task {
            Task::Map => match self.asker.map().await {
                Ok(lease) => {
                    plan.mapped(Instant::now(), lease.lasts);
                    self.tell(Status::Mapped(lease.mapping)).await;
                }
                Err(why) => {
                    plan.failed(Instant::now(), &why);
                    self.tell(Status::Unmapped(why)).await;
                }
            },
            Task::Renew => match self.asker.renew().await {
                Ok(lease) => {
                    plan.mapped(Instant::now(), lease.lasts);
                    self.tell(Status::Mapped(lease.mapping)).await;
                }
                Err(why) => plan.failed(Instant::now(), &why),
            },
            Task::Lose => {
                self.asker.forget();
                plan.lost(Instant::now());
                self.tell(Status::Unmapped(Trouble::Lost)).await;
            }
        }
    }

    /// Tells what is news.
    async fn tell(&self, status: Status) {
        let mut told = status.clone();
        if !self.tell.send_if_modified(|known| {
            let is_news = *known != told;
            std::mem::swap(known, &mut told);
            is_news
        }) {
            return;
        }
        let (listens, dht) = match &status {
            Status::Mapped(mapping) => (Some(mapping.listens), mapping.dht),
            Status::Asking | Status::Unmapped(_) => (None, None),
        };
        let _ = self.found.send(Input::PortsMapped { listens, dht }).await;
        // Nobody has to listen.
        let _ = self.news.send(News::Router(status));
    }
}

#[cfg(test)]
mod tests;
