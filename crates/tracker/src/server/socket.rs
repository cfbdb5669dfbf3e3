//! One client's socket: text in, orders out, pings. Ends when either side is gone or slow.

use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use futures_util::{SinkExt, StreamExt, stream};
use tokio::sync::mpsc;
use tokio::time::{Interval, MissedTickBehavior, interval, timeout};

use super::hub::{Goodbye, News, Order};
use crate::{CloseReason, Heard, SocketId, limit};

type Sink = stream::SplitSink<WebSocket, Message>;
type Stream = stream::SplitStream<WebSocket>;

/// Runs a socket to its end and reports that.
pub(super) async fn run(id: SocketId, socket: WebSocket, news: mpsc::Sender<News>) {
    let (orders, inbox) = mpsc::channel(limit::QUEUE_MESSAGES_MAX);
    if news.send(News::Opened(id, orders)).await.is_err() {
        return;
    }
    let (sink, mut stream) = socket.split();
    let said_goodbye = tokio::select! {
        () = read(id, &mut stream, &news) => false,
        said_goodbye = write(sink, inbox) => said_goodbye,
    };
    // The table's task may have ended before.
    let _ = news.send(News::Closed(id)).await;
    if said_goodbye {
        // A socket closed with bytes unread is reset, and the client would not hear why.
        let drain = async { while let Some(Ok(_)) = stream.next().await {} };
        let _ = timeout(limit::SEND_TIME_MAX, drain).await;
    }
}

/// Hands on what comes, until the socket ends or is deaf.
async fn read(id: SocketId, stream: &mut Stream, news: &mpsc::Sender<News>) {
    loop {
        let heard = match timeout(limit::DEAF_MAX, stream.next()).await {
            Ok(Some(Ok(Message::Text(text)))) => Heard::read(&text),
            Ok(Some(Ok(Message::Binary(bytes)))) => Heard::read(&String::from_utf8_lossy(&bytes)),
            Ok(Some(Ok(Message::Ping(_) | Message::Pong(_)))) => continue,
            Ok(Some(Ok(Message::Close(_)) | Err(_)) | None) | Err(_) => return,
        };
        if news.send(News::Heard(id, heard)).await.is_err() {
            return;
        }
    }
}

/// Does what is ordered and pings. Answers true when told to close, false when it is of no use.
async fn write(mut sink: Sink, mut orders: mpsc::Receiver<Order>) -> bool {
    let mut pings = pings();
    loop {
        let message = tokio::select! {
            order = orders.recv() => match order {
                Some(order) => message(order),
                None => return false,
            },
            _ = pings.tick() => Message::Ping(Default::default()),
        };
        match timeout(limit::SEND_TIME_MAX, send(&mut sink, message, &mut orders)).await {
            Ok(Ok(false)) => {}
            Ok(Ok(true)) => return true,
            Ok(Err(_)) | Err(_) => return false,
        }
    }
}

/// Sends a message and all that wait behind it, in as few packets as will do. Answers true when
/// the last of them closes the socket.
async fn send(
    sink: &mut Sink,
    mut next: Message,
    orders: &mut mpsc::Receiver<Order>,
) -> Result<bool, axum::Error> {
    loop {
        let last = matches!(next, Message::Close(_));
        sink.feed(next).await?;
        match orders.try_recv() {
            Ok(order) if !last => next = message(order),
            Ok(_) | Err(_) => {
                sink.flush().await?;
                return Ok(last);
            }
        }
    }
}

fn message(order: Order) -> Message {
    match order {
        Order::Send(message) => Message::Text(message.encode().into()),
        Order::Close(goodbye) => Message::Close(Some(frame(goodbye))),
    }
}

fn pings() -> Interval {
    let mut pings = interval(limit::PING_EVERY);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    pings.reset();
    pings
}

fn frame(goodbye: Goodbye) -> CloseFrame {
    let (code, reason) = match goodbye {
        Goodbye::Refused(reason) => {
            let code = match reason {
                CloseReason::TooLong { .. } => close_code::SIZE,
                CloseReason::TooFast { .. } => close_code::POLICY,
                CloseReason::Silent { .. } => close_code::AWAY,
                CloseReason::Full { .. } => close_code::AGAIN,
            };
            (code, reason.to_string())
        }
        Goodbye::Ended => (close_code::AWAY, "tracker ends".to_owned()),
    };
    CloseFrame { code, reason: reason.into() }
}
