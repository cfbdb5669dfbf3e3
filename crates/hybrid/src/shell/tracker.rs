//! WebSockets to trackers: opened, fed, pinged, closed. One task each.
//! Knows nothing of what the messages say.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use headwater_base::TrackerId;
use headwater_engine::Input;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, client_async_tls_with_config, connect_async_with_config,
};
use url::Url;

use crate::proxy::Proxy;

/// Largest message taken from a tracker.
const MESSAGE_BYTES_MAX: usize = 1 << 20;

/// Bytes read from a tracker at once. The library clears so many before each read.
const READ_BYTES: usize = 8 * 1024;

/// Longest wait for a socket to open.
const OPEN_TIME_MAX: Duration = Duration::from_secs(15);

/// Time between pings, which keep middle boxes from forgetting the socket.
const PING_EVERY: Duration = Duration::from_secs(30);

/// Longest silence, pongs included, before a socket counts as dead.
const SILENCE_MAX: Duration = Duration::from_secs(75);

/// Longest wait for the last messages to leave.
const CLOSE_TIME_MAX: Duration = Duration::from_secs(2);

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// All tracker sockets of a shell.
pub(super) struct Trackers {
    answers: mpsc::Sender<Input>,
    proxy: Option<Proxy>,
    open: BTreeMap<TrackerId, mpsc::UnboundedSender<String>>,
    tasks: JoinSet<()>,
}

impl Trackers {
    pub(super) fn new(answers: mpsc::Sender<Input>, proxy: Option<Proxy>) -> Self {
        Self { answers, proxy, open: BTreeMap::new(), tasks: JoinSet::new() }
    }

    /// Opens a socket; `TrackerOpened` or `TrackerClosed` follows.
    pub(super) fn open(&mut self, tracker: TrackerId, url: String) {
        while self.tasks.try_join_next().is_some() {}
        let (texts, to_send) = mpsc::unbounded_channel();
        let (answers, proxy) = (self.answers.clone(), self.proxy.clone());
        self.tasks.spawn(async move {
            let opening = timeout(OPEN_TIME_MAX, connect(&url, proxy.as_ref())).await;
            let late = || format!("no answer within {} s", OPEN_TIME_MAX.as_secs());
            let why = match opening.unwrap_or_else(|_| Err(late())) {
                Ok(socket) => live(tracker, socket, to_send, &answers).await,
                Err(why) => why,
            };
            let _ = answers.send(Input::TrackerClosed { tracker, why }).await;
        });
        self.open.insert(tracker, texts);
    }

    /// Sends a message on an open socket.
    pub(super) fn send(&self, tracker: TrackerId, text: String) {
        if let Some(texts) = self.open.get(&tracker) {
            // A socket that closed reports so; what comes after it goes nowhere.
            let _ = texts.send(text);
        }
    }

    /// Closes a socket once what was sent has left.
    pub(super) fn close(&mut self, tracker: TrackerId) {
        self.open.remove(&tracker);
    }

    /// Closes every socket and waits a little for what was sent to leave.
    pub(super) async fn finish(&mut self) {
        self.open.clear();
        let all = async { while self.tasks.join_next().await.is_some() {} };
        let _ = timeout(CLOSE_TIME_MAX, all).await;
    }
}

async fn connect(url: &str, proxy: Option<&Proxy>) -> Result<Socket, String> {
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BYTES)
        .max_message_size(Some(MESSAGE_BYTES_MAX))
        .max_frame_size(Some(MESSAGE_BYTES_MAX));
    let at = Url::parse(url).map_err(|e| e.to_string())?;
    let (host, port) = (at.host_str().unwrap_or_default(), at.port_or_known_default());
    let opened = match proxy.filter(|proxy| proxy.carries(host)) {
        Some(proxy) => {
            let stream = proxy.connect(host, port.unwrap_or_default()).await;
            let stream = stream.map_err(|e| e.to_string())?;
            client_async_tls_with_config(url, stream, Some(config), None).await
        }
        None => connect_async_with_config(url, Some(config), true).await,
    };
    opened.map(|(socket, _)| socket).map_err(|e| why(&e))
}

/// Lives as long as the socket and says why it ended.
async fn live(
    tracker: TrackerId,
    mut socket: Socket,
    mut to_send: mpsc::UnboundedReceiver<String>,
    answers: &mpsc::Sender<Input>,
) -> String {
    let _ = answers.send(Input::TrackerOpened(tracker)).await;
    let end = pump(tracker, &mut socket, &mut to_send, answers).await;
    let _ = timeout(CLOSE_TIME_MAX, socket.close(None)).await;
    end
}

async fn pump(
    tracker: TrackerId,
    socket: &mut Socket,
    to_send: &mut mpsc::UnboundedReceiver<String>,
    answers: &mpsc::Sender<Input>,
) -> String {
    let mut ping = tokio::time::interval_at(Instant::now() + PING_EVERY, PING_EVERY);
    let mut heard = Instant::now();
    loop {
        let sent = tokio::select! {
            text = to_send.recv() => match text {
                Some(text) => socket.send(Message::text(text)).await,
                None => return "closed".to_owned(),
            },
            _ = ping.tick() => {
                if heard.elapsed() > SILENCE_MAX {
                    return format!("silent for {} s", heard.elapsed().as_secs());
                }
                socket.send(Message::Ping(Default::default())).await
            }
            message = socket.next() => {
                heard = Instant::now();
                match message {
                    Some(Ok(message)) => match text(message) {
                        Some(text) => {
                            let _ = answers.send(Input::TrackerText { tracker, text }).await;
                            Ok(())
                        }
                        None => Ok(()),
                    },
                    Some(Err(e)) => Err(e),
                    None => return "the tracker closed the socket".to_owned(),
                }
            }
        };
        if let Err(e) = sent {
            return why(&e);
        }
    }
}

/// The text of a message. Some trackers send it in binary frames.
fn text(message: Message) -> Option<String> {
    match message {
        Message::Text(text) => Some(text.as_str().to_owned()),
        Message::Binary(bytes) => String::from_utf8(bytes.into()).ok(),
        Message::Ping(_) | Message::Pong(_) | Message::Close(_) | Message::Frame(_) => None,
    }
}

/// What went wrong, in a few words for a person.
#[expect(clippy::wildcard_enum_match_arm, reason = "a foreign enum that grows")]
fn why(error: &Error) -> String {
    match error {
        Error::ConnectionClosed | Error::AlreadyClosed => "the tracker closed the socket".into(),
        Error::Http(answer) => format!("it answered HTTP {}", answer.status()),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;
    use tokio::time::timeout;

    use super::*;

    const TRACKER: TrackerId = TrackerId(1);

    async fn end_of(url: String) -> String {
        let (answer, mut answers) = mpsc::channel(8);
        let mut trackers = Trackers::new(answer, None);
        trackers.open(TRACKER, url);
        match timeout(Duration::from_secs(10), answers.recv()).await {
            Ok(Some(Input::TrackerClosed { tracker: TRACKER, why })) => why,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn a_tracker_out_of_reach_is_reported_with_a_reason() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        drop(listener);
        assert!(end_of(format!("ws://{address}/")).await.contains("refused"));
        assert!(!end_of("ws://".to_owned()).await.is_empty());
    }

    #[tokio::test]
    async fn a_tracker_that_speaks_something_else_is_reported() {
        for scheme in ["ws", "wss"] {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            let address = listener.local_addr().expect("an address");
            tokio::spawn(async move {
                while let Ok((mut socket, _)) = listener.accept().await {
                    let garbage = b"SSH-2.0-OpenSSH_9.2\r\n\r\n";
                    let _ = tokio::io::AsyncWriteExt::write_all(&mut socket, garbage).await;
                }
            });
            assert!(!end_of(format!("{scheme}://{address}/")).await.is_empty());
        }
    }

    #[tokio::test]
    async fn what_was_sent_leaves_before_the_socket_closes() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let server = tokio::spawn(async move {
            let (socket, _) = listener.accept().await.expect("a client");
            let mut socket = tokio_tungstenite::accept_async(socket).await.expect("a handshake");
            let mut texts = Vec::new();
            while let Some(Ok(message)) = socket.next().await {
                texts.extend(text(message));
            }
            texts
        });
        let (answer, mut answers) = mpsc::channel(8);
        let mut trackers = Trackers::new(answer, None);
        trackers.open(TRACKER, format!("ws://{address}/"));
        assert!(matches!(answers.recv().await, Some(Input::TrackerOpened(TRACKER))));
        trackers.send(TRACKER, "started".to_owned());
        trackers.send(TRACKER, "stopped".to_owned());
        trackers.finish().await;
        assert_eq!(server.await.expect("it ends"), ["started", "stopped"]);
    }
}
