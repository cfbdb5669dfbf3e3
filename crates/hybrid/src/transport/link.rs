//! One link's life: signalled, opened, pumped both ways, closed. One task each.
//! A full queue of events stops the reading, so that a flood waits in the sender's buffers.

use std::future::pending;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use headwater_base::LinkId;
use headwater_engine::LinkEnd;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::{Instant, timeout, timeout_at};
use webrtc::data_channel::{DataChannel, DataChannelEvent};
use webrtc::error::Result;
use webrtc::peer_connection::{
    PeerConnection, PeerConnectionEventHandler, RTCIceCandidateType, RTCIceGatheringState,
    RTCPeerConnectionIceEvent, RTCPeerConnectionState, RTCSessionDescription, StatsSelector,
};

use super::pace::Pace;
use super::rtc::Factory;
use super::{Kind, LinkEvent, sdp};

/// Bytes a link queues ahead of SCTP before it counts as full.
pub(super) const LINK_WINDOW: usize = 256 * 1024;

/// Time between two looks at a link that is full, should nobody say that it is not.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// Time between two looks at how long packets take.
const MEASURE_AGAIN: Duration = Duration::from_secs(2);

/// Longest wait for candidates: host candidates are there at once, a STUN server may be dead.
const GATHER_TIME_MAX: Duration = Duration::from_millis(1500);

/// Wait for further candidates once a server-reflexive one is there.
const GATHER_TIME_MORE: Duration = Duration::from_millis(300);

/// What a link is told to do.
pub(super) enum Command {
    /// Take the answer to the offer.
    Answer(String),
    /// Send these bytes.
    Send(Bytes),
}

/// Which side of the signalling a link is.
pub(super) enum Role {
    /// It offers.
    Offer,
    /// It answers this offer.
    Answer(String),
}

/// What the stack tells a link's task.
enum Notice {
    Gathered,
    Reflexive,
    Channel(Arc<dyn DataChannel>),
    Down,
}

struct Handler(mpsc::UnboundedSender<Notice>);

#[async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_ice_candidate(&self, event: RTCPeerConnectionIceEvent) {
        if event.candidate.typ == RTCIceCandidateType::Srflx {
            let _ = self.0.send(Notice::Reflexive);
        }
    }

    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        if state == RTCIceGatheringState::Complete {
            let _ = self.0.send(Notice::Gathered);
        }
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        if matches!(state, RTCPeerConnectionState::Failed | RTCPeerConnectionState::Closed) {
            let _ = self.0.send(Notice::Down);
        }
    }

    async fn on_data_channel(&self, channel: Arc<dyn DataChannel>) {
        let _ = self.0.send(Notice::Channel(channel));
    }
}

/// Everything one link needs.
pub(super) struct LinkTask {
    pub(super) link: LinkId,
    pub(super) factory: Arc<Factory>,
    pub(super) events: mpsc::Sender<LinkEvent>,
    pub(super) commands: mpsc::UnboundedReceiver<Command>,
    pub(super) queued: Arc<AtomicUsize>,
}

impl LinkTask {
    /// Lives until the link ends or its handle is dropped.
    pub(super) async fn run(self, role: Role, gone: oneshot::Receiver<()>) {
        let (link, events) = (self.link, self.events.clone());
        // A task of its own, so that a panic on a hostile description is one link's end.
        let end = tokio::spawn(self.live(role, gone)).await.unwrap_or(LinkEnd::Failed);
        let _ = events.send(LinkEvent::Closed { link, end }).await;
    }

    async fn live(mut self, role: Role, gone: oneshot::Receiver<()>) -> LinkEnd {
        let (tell, mut notices) = mpsc::unbounded_channel();
        let Ok(pc) = self.factory.connection(Arc::new(Handler(tell))).await else {
            return LinkEnd::Unsupported;
        };
        let end = tokio::select! {
            end = self.open_and_pump(&*pc, role, &mut notices) => end,
            _ = gone => LinkEnd::Closed,
        };
        let _ = pc.close().await;
        end
    }

    async fn open_and_pump(
        &mut self,
        pc: &dyn PeerConnection,
        role: Role,
        notices: &mut mpsc::UnboundedReceiver<Notice>,
    ) -> LinkEnd {
        let opened = match role {
            Role::Offer => self.offer(pc, notices).await,
            Role::Answer(offer) => self.answer(pc, &offer, notices).await,
        };
        let Ok(Some((channel, message_bytes_max))) = opened else { return LinkEnd::Failed };
        if !until_open(&*channel, notices).await {
            return LinkEnd::Failed;
        }
        let from = address_of_other(pc).await;
        // It may come from an address that its description did not hold.
        if from.is_some_and(|from| self.factory.filter.refuses(from)) {
            return LinkEnd::Failed;
        }
        let _ =
            self.events.send(LinkEvent::Opened { link: self.link, kind: Kind::WebRtc, from }).await;
        let (link, events, queued) = (self.link, &self.events, &self.queued);
        let room = &Notify::new();
        let writer =
            Writer { pc, channel: &*channel, message_bytes_max, queued, link, events, room };
        tokio::select! {
            () = read(&*channel, link, events, room) => {}
            () = writer.run(&mut self.commands) => {}
            () = until_down(notices) => {}
        }
        LinkEnd::Closed
    }

    async fn offer(
        &mut self,
        pc: &dyn PeerConnection,
        notices: &mut mpsc::UnboundedReceiver<Notice>,
    ) -> Result<Option<(Arc<dyn DataChannel>, usize)>> {
        let channel = pc.create_data_channel("headwater", None).await?;
        let offer = pc.create_offer(None).await?;
        pc.set_local_description(offer).await?;
        let Some(sdp) = gathered(pc, notices).await else { return Ok(None) };
        let _ = self.events.send(LinkEvent::OfferMade { link: self.link, sdp }).await;
        let answer = loop {
            match self.commands.recv().await {
                Some(Command::Answer(answer)) => break answer,
                Some(Command::Send(_)) => {}
                None => return Ok(None),
            }
        };
        let Some(answer) = sdp::tame(&answer, &self.factory.filter) else { return Ok(None) };
        let message_bytes_max = sdp::message_bytes_max(&answer);
        pc.set_remote_description(RTCSessionDescription::answer(answer)?).await?;
        Ok(Some((channel, message_bytes_max)))
    }

    async fn answer(
        &mut self,
        pc: &dyn PeerConnection,
        offer: &str,
        notices: &mut mpsc::UnboundedReceiver<Notice>,
    ) -> Result<Option<(Arc<dyn DataChannel>, usize)>> {
        let Some(offer) = sdp::tame(offer, &self.factory.filter) else { return Ok(None) };
        let message_bytes_max = sdp::message_bytes_max(&offer);
        pc.set_remote_description(RTCSessionDescription::offer(offer)?).await?;
        let answer = pc.create_answer(None).await?;
        pc.set_local_description(answer).await?;
        let Some(sdp) = gathered(pc, notices).await else { return Ok(None) };
        let _ = self.events.send(LinkEvent::AnswerMade { link: self.link, sdp }).await;
        loop {
            match notices.recv().await {
                Some(Notice::Channel(channel)) => return Ok(Some((channel, message_bytes_max))),
                Some(Notice::Gathered | Notice::Reflexive) => {}
                Some(Notice::Down) | None => return Ok(None),
            }
        }
    }
}

/// Waits for candidates and takes the description that holds them.
async fn gathered(
    pc: &dyn PeerConnection,
    notices: &mut mpsc::UnboundedReceiver<Notice>,
) -> Option<String> {
    let mut deadline = Instant::now() + GATHER_TIME_MAX;
    loop {
        match timeout_at(deadline, notices.recv()).await {
            Ok(Some(Notice::Gathered)) | Err(_) => break,
            Ok(Some(Notice::Reflexive)) => {
                deadline = deadline.min(Instant::now() + GATHER_TIME_MORE);
            }
            Ok(Some(Notice::Channel(_))) => {}
            Ok(Some(Notice::Down) | None) => return None,
        }
    }
    pc.local_description().await.map(|description| sdp::complete(&description.sdp))
}

/// The IP address at the other end of the path that was chosen, unless that is a relay's.
async fn address_of_other(pc: &dyn PeerConnection) -> Option<IpAddr> {
    let ice = pc.sctp().await?.transport().ice_transport();
    let pair = ice.get_selected_candidate_pair().await.ok()??;
    let other = Some(pair.remote()).filter(|other| other.typ != RTCIceCandidateType::Relay)?;
    other.address.parse().ok()
}

async fn until_open(
    channel: &dyn DataChannel,
    notices: &mut mpsc::UnboundedReceiver<Notice>,
) -> bool {
    let opened = async {
        while let Some(event) = channel.poll().await {
            if matches!(event, DataChannelEvent::OnOpen) {
                return true;
            }
        }
        false
    };
    tokio::select! {
        opened = opened => opened,
        () = until_down(notices) => false,
    }
}

/// Waits for the end of the peer connection. A second data channel is let go at once.
async fn until_down(notices: &mut mpsc::UnboundedReceiver<Notice>) {
    while let Some(notice) = notices.recv().await {
        if matches!(notice, Notice::Down) {
            return;
        }
    }
    pending::<()>().await;
}

async fn read(
    channel: &dyn DataChannel,
    link: LinkId,
    events: &mpsc::Sender<LinkEvent>,
    room: &Notify,
) {
    while let Some(event) = channel.poll().await {
        match event {
            DataChannelEvent::OnMessage(message) => {
                let bytes = message.data.freeze();
                if events.send(LinkEvent::Bytes { link, bytes }).await.is_err() {
                    return;
                }
            }
            DataChannelEvent::OnBufferedAmountLow => room.notify_one(),
            DataChannelEvent::OnClosing | DataChannelEvent::OnClose => return,
            DataChannelEvent::OnOpen | DataChannelEvent::OnError | _ => {}
        }
    }
}

/// The sending side of an open link.
struct Writer<'a> {
    pc: &'a dyn PeerConnection,
    channel: &'a dyn DataChannel,
    message_bytes_max: usize,
    queued: &'a AtomicUsize,
    link: LinkId,
    events: &'a mpsc::Sender<LinkEvent>,
    /// Told when SCTP holds little.
    room: &'a Notify,
}

impl Writer<'_> {
    /// Sends what is queued, as few and as large messages as the peer takes, and reports room by
    /// halves of the window: rarer would let the engine run dry, more often would only cost.
    async fn run(self, commands: &mut mpsc::UnboundedReceiver<Command>) {
        let (start, mut pace, mut unreported) = (Instant::now(), Pace::new(), 0);
        let mut measured = None;
        while let Some(command) = commands.recv().await {
            if measured.is_none_or(|at: Instant| at.elapsed() >= MEASURE_AGAIN) {
                measured = Some(Instant::now());
                round_trip(self.pc).await.into_iter().for_each(|rtt| pace.measured(rtt));
            }
            let mut message = BytesMut::new();
            append(&mut message, &command);
            while message.len() < self.message_bytes_max
                && let Ok(command) = commands.try_recv()
            {
                append(&mut message, &command);
            }
            while !message.is_empty() {
                let most = self.message_bytes_max.min(pace.message_bytes());
                let part = message.split_to(message.len().min(most));
                let len = part.len();
                if self.send(part, start, &mut pace).await.is_err() {
                    return;
                }
                self.queued.fetch_sub(len, Ordering::Relaxed);
                unreported += len;
            }
            if unreported >= LINK_WINDOW / 2 {
                unreported = 0;
                let _ = self.events.send(LinkEvent::Drained(self.link)).await;
            }
        }
    }

    async fn send(&self, part: BytesMut, start: Instant, pace: &mut Pace) -> Result<()> {
        while !pace.allows(start.elapsed(), self.channel.outstanding_bytes().await?) {
            let low = u32::try_from(pace.low()).unwrap_or(u32::MAX);
            if self.channel.buffered_amount_low_threshold().await? != low {
                self.channel.set_buffered_amount_low_threshold(low).await?;
            }
            // It says so once, perhaps just before it was asked to.
            let _ = timeout(LOOK_AGAIN, self.room.notified()).await;
        }
        pace.sent(part.len());
        self.channel.send(part).await
    }
}

/// How long the last packet took there and back, by ICE's own checks.
async fn round_trip(pc: &dyn PeerConnection) -> Option<Duration> {
    let report = pc.get_stats(Instant::now().into_std(), StatsSelector::None).await;
    let used = report.candidate_pairs().max_by_key(|pair| pair.bytes_sent)?;
    let seconds = used.current_round_trip_time;
    (seconds > 0.0).then(|| Duration::try_from_secs_f64(seconds).ok()).flatten()
}

fn append(message: &mut BytesMut, command: &Command) {
    if let Command::Send(bytes) = command {
        message.extend_from_slice(bytes);
    }
}
