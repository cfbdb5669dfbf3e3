//! WebRTC peer connections with one data channel each, signalled without trickling.
//! Decides settings and how many links there may be; a task a link does the rest.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use headwater_base::LinkId;
use headwater_engine::LinkEnd;
use rtc::ice::mdns::MulticastDnsMode;
use rtc::peer_connection::configuration::setting_engine::SctpMaxMessageSize;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use webrtc::peer_connection::{
    PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCConfigurationBuilder,
    RTCIceServer, SettingEngineBuilder,
};

use super::link::{Command, LINK_WINDOW, LinkTask, Role};
use super::pace::BUDGET_MAX;
use super::socket::{self, WideSockets};
use super::{LinkEvent, Transport};
use crate::filter::IpFilter;

/// How long a first offer waits for the STUN server's name to resolve.
const RESOLVE_WAIT: Duration = Duration::from_millis(800);

/// Silence after which a path counts as interrupted.
const SILENT: Duration = Duration::from_secs(5);

/// Further silence after which the link is over. A tab that is closed says nothing.
const LOST: Duration = Duration::from_secs(10);

/// Time between two signs of life.
const ALIVE_EVERY: Duration = Duration::from_secs(2);

/// Longest wait for links to say goodbye.
const CLOSE_TIME_MAX: Duration = Duration::from_millis(500);

/// Time between two attempts to resolve the STUN server's name.
const RESOLVE_AGAIN: Duration = Duration::from_secs(30);

/// What the user decides about WebRTC.
#[derive(Clone, Debug)]
pub struct RtcConfig {
    /// A STUN server as `stun:host:port`; `None` for host candidates only.
    pub stun: Option<String>,
    /// Addresses of this machine to use; empty for all.
    pub interfaces: Vec<IpAddr>,
    /// Most links and attempts at a time: each has sockets and a task of its own.
    pub links_max: usize,
}

impl Default for RtcConfig {
    fn default() -> Self {
        Self { stun: None, interfaces: Vec::new(), links_max: 60 }
    }
}

/// Makes links over WebRTC.
pub struct RtcTransport {
    factory: Arc<Factory>,
    links: BTreeMap<LinkId, Handle>,
    links_max: usize,
    events: mpsc::Sender<LinkEvent>,
    tasks: JoinSet<()>,
}

struct Handle {
    commands: mpsc::UnboundedSender<Command>,
    queued: Arc<AtomicUsize>,
    /// Dropped with the handle, which ends the link's task.
    _alive: oneshot::Sender<()>,
}

/// Makes peer connections, all alike.
pub(super) struct Factory {
    receive_window: Option<u32>,
    mdns: MulticastDnsMode,
    addresses: Vec<SocketAddr>,
    stun: Option<watch::Receiver<Option<Vec<SocketAddr>>>>,
    pub(super) filter: IpFilter,
}

impl RtcTransport {
    /// Makes a transport that reports to `events`. Must be called inside a Tokio runtime.
    pub fn new(config: &RtcConfig, filter: IpFilter, events: mpsc::Sender<LinkEvent>) -> Self {
        let mdns = match socket::has_multicast() {
            true => MulticastDnsMode::QueryOnly,
            false => MulticastDnsMode::Disabled,
        };
        let factory = Factory {
            receive_window: socket::receive_window(),
            mdns,
            addresses: socket::addresses(&config.interfaces),
            stun: config.stun.as_deref().map(resolve),
            filter,
        };
        Self {
            factory: Arc::new(factory),
            links: BTreeMap::new(),
            links_max: config.links_max,
            events,
            tasks: JoinSet::new(),
        }
    }

    /// Closes every link and waits a little for the other sides to be told.
    pub async fn finish(&mut self) {
        self.links.clear();
        let all = async { while self.tasks.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(CLOSE_TIME_MAX, all).await;
    }

    fn start(&mut self, link: LinkId, role: Role) {
        if self.links.len() >= self.links_max {
            let events = self.events.clone();
            let closed = LinkEvent::Closed { link, end: LinkEnd::Unsupported };
            tokio::spawn(async move { events.send(closed).await });
            return;
        }
        let (commands, to_do) = mpsc::unbounded_channel();
        let (alive, gone) = oneshot::channel();
        let queued = Arc::new(AtomicUsize::new(0));
        let task = LinkTask {
            link,
            factory: Arc::clone(&self.factory),
            events: self.events.clone(),
            commands: to_do,
            queued: Arc::clone(&queued),
        };
        while self.tasks.try_join_next().is_some() {}
        self.tasks.spawn(task.run(role, gone));
        self.links.insert(link, Handle { commands, queued, _alive: alive });
    }

    fn command(&self, link: LinkId, command: Command) {
        if let Some(handle) = self.links.get(&link) {
            // A task that ended reports `Closed`; what comes after it goes nowhere.
            let _ = handle.commands.send(command);
        }
    }
}

impl Transport for RtcTransport {
    fn make_offer(&mut self, link: LinkId) {
        self.start(link, Role::Offer);
    }

    fn make_answer(&mut self, link: LinkId, offer: String) {
        self.start(link, Role::Answer(offer));
    }

    fn take_answer(&mut self, link: LinkId, answer: String) {
        self.command(link, Command::Answer(answer));
    }

    fn send(&mut self, link: LinkId, bytes: Bytes) {
        if let Some(handle) = self.links.get(&link) {
            handle.queued.fetch_add(bytes.len(), Ordering::Relaxed);
            self.command(link, Command::Send(bytes));
        }
    }

    fn close(&mut self, link: LinkId) {
        self.links.remove(&link);
    }

    fn window(&self, link: LinkId) -> usize {
        let queued = self.links.get(&link).map(|handle| handle.queued.load(Ordering::Relaxed));
        queued.map_or(0, |queued| LINK_WINDOW.saturating_sub(queued))
    }

    fn link_count(&self) -> usize {
        self.links.len()
    }
}

impl Factory {
    /// Makes a peer connection that tells `handler` its news.
    pub(super) async fn connection(
        &self,
        handler: Arc<dyn PeerConnectionEventHandler>,
    ) -> webrtc::error::Result<Arc<dyn PeerConnection>> {
        let mut settings = SettingEngineBuilder::new()
            .with_sctp_max_message_size(SctpMaxMessageSize::Unbounded)
            .with_multicast_dns_mode(self.mdns)
            .with_ice_timeouts(Some(SILENT), Some(LOST), Some(ALIVE_EVERY))
            .with_include_loopback_candidate(true);
        if let Some(window) = self.receive_window {
            settings = settings.with_sctp_max_receive_buffer_size(window);
        }
        let servers = self.servers().await;
        let pc = PeerConnectionBuilder::new()
            .with_configuration(RTCConfigurationBuilder::new().with_ice_servers(servers).build())
            .with_setting_engine(settings.build())
            .with_runtime(Arc::new(WideSockets))
            .with_handler(handler)
            .with_udp_addrs(self.addresses.clone())
            .with_data_channel_send_buffer_limit(BUDGET_MAX)
            .build()
            .await?;
        Ok(Arc::new(pc))
    }

    /// The STUN server by address: the stack would resolve a name in the middle of gathering.
    async fn servers(&self) -> Vec<RTCIceServer> {
        let Some(mut stun) = self.stun.clone() else { return Vec::new() };
        let known = stun.wait_for(Option::is_some);
        let Ok(Ok(addresses)) = tokio::time::timeout(RESOLVE_WAIT, known).await else {
            return Vec::new();
        };
        let addresses = addresses.iter().flatten();
        let urls: Vec<_> = addresses.map(|address| format!("stun:{address}")).collect();
        let server = RTCIceServer { urls, ..RTCIceServer::default() };
        if server.urls.is_empty() { Vec::new() } else { vec![server] }
    }
}

/// Resolves a STUN server's name in the background, again and again until it is known.
/// `None` means that nobody knows yet, an empty list that it failed.
fn resolve(url: &str) -> watch::Receiver<Option<Vec<SocketAddr>>> {
    let (known, answer) = watch::channel(None);
    let mut host = url.strip_prefix("stun:").unwrap_or(url).to_owned();
    if !host.rsplit(']').next().is_some_and(|end| end.contains(':')) {
        host.push_str(":3478");
    }
    tokio::spawn(async move {
        loop {
            let found = tokio::net::lookup_host(&host).await.map(Iterator::collect::<Vec<_>>);
            let found = found.unwrap_or_default();
            let v4 = found.iter().find(|address| address.is_ipv4());
            let v6 = found.iter().find(|address| address.is_ipv6());
            let _ = known.send(Some(v4.into_iter().chain(v6).copied().collect()));
            if !found.is_empty() {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(RESOLVE_AGAIN) => {}
                () = known.closed() => return,
            }
        }
    });
    answer
}
