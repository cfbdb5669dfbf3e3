//! Carries bytes both ways on an open stream. A full queue of events stops the reading, so that a
//! flood waits in the sender's buffers.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::{Buf, Bytes, BytesMut};
use headwater_base::LinkId;
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf, split};
use tokio::sync::mpsc;

use super::LinkEvent;
use super::dial::Boxed;
use super::greet::Greeted;
use crate::transport::link::LINK_WINDOW;
use crate::transport::mse::Keystream;

/// Bytes read at once: from a quiet stream, and from one that is always full.
const READ_LEAST: usize = 2 * 1024;
const READ_MOST: usize = 128 * 1024;

/// Pieces of memory given to the system at once.
const SLICES_MAX: usize = 64;

/// Carries bytes until either direction ends.
pub(super) async fn run(
    greeted: Greeted,
    link: LinkId,
    events: &mpsc::Sender<LinkEvent>,
    (mut commands, queued): (mpsc::UnboundedReceiver<Bytes>, &AtomicUsize),
) {
    let (reading, writing) = split(greeted.stream);
    let (incoming, outgoing) = match greeted.secured.keys {
        Some(keys) => (Some(keys.incoming), Some(keys.outgoing)),
        None => (None, None),
    };
    let first = greeted.secured.first;
    if !first.is_empty() && events.send(LinkEvent::Bytes { link, bytes: first }).await.is_err() {
        return;
    }
    let writer = Writer { stream: writing, keys: outgoing, queued, link, events };
    tokio::select! {
        () = read(reading, incoming, link, events) => {}
        _ = writer.run(&mut commands) => {}
    }
}

/// Reads into ever larger pieces of memory while they come out full, so that 2,000 idle streams
/// hold little and a busy one costs few calls.
async fn read(
    mut stream: ReadHalf<Boxed>,
    mut keys: Option<Keystream>,
    link: LinkId,
    events: &mpsc::Sender<LinkEvent>,
) {
    let mut size = READ_LEAST;
    loop {
        let mut buffer = BytesMut::with_capacity(size);
        match stream.read_buf(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        if buffer.len() == buffer.capacity() {
            size = (size * 4).min(READ_MOST);
        } else if buffer.len() < size / 8 {
            size = (size / 2).max(READ_LEAST);
        }
        if let Some(keys) = &mut keys {
            keys.apply(&mut buffer);
        }
        if events.send(LinkEvent::Bytes { link, bytes: buffer.freeze() }).await.is_err() {
            return;
        }
    }
}

/// The sending side.
struct Writer<'a> {
    stream: WriteHalf<Boxed>,
    keys: Option<Keystream>,
    queued: &'a AtomicUsize,
    link: LinkId,
    events: &'a mpsc::Sender<LinkEvent>,
}

impl Writer<'_> {
    /// Sends what is queued and reports room by halves of the window: rarer would let the engine
    /// run dry, more often would only cost.
    async fn run(mut self, commands: &mut mpsc::UnboundedReceiver<Bytes>) -> io::Result<()> {
        let (mut waiting, mut unreported) = (VecDeque::new(), 0);
        while let Some(bytes) = commands.recv().await {
            if !bytes.is_empty() {
                waiting.push_back(self.encrypted(bytes));
            }
            while !waiting.is_empty() {
                while waiting.len() < SLICES_MAX
                    && let Ok(bytes) = commands.try_recv()
                {
                    waiting.push_back(self.encrypted(bytes));
                }
                let sent = self.write(&mut waiting).await?;
                self.queued.fetch_sub(sent, Ordering::Relaxed);
                unreported += sent;
                if unreported >= LINK_WINDOW / 2 {
                    unreported = 0;
                    let _ = self.events.send(LinkEvent::Drained(self.link)).await;
                }
            }
        }
        Ok(())
    }

    fn encrypted(&mut self, bytes: Bytes) -> Bytes {
        let Some(keys) = &mut self.keys else { return bytes };
        let mut bytes = BytesMut::from(bytes);
        keys.apply(&mut bytes);
        bytes.freeze()
    }

    /// Gives the system what it takes of the first pieces.
    async fn write(&mut self, waiting: &mut VecDeque<Bytes>) -> io::Result<usize> {
        let mut slices = [IoSlice::new(&[]); SLICES_MAX];
        let mut used = 0;
        for (slice, bytes) in slices.iter_mut().zip(waiting.iter()) {
            *slice = IoSlice::new(bytes);
            used += 1;
        }
        let sent = self.stream.write_vectored(&slices[..used]).await?;
        let mut left = sent;
        while let Some(first) = waiting.front_mut() {
            if left < first.len() {
                first.advance(left);
                break;
            }
            left -= first.len();
            waiting.pop_front();
        }
        match sent {
            0 => Err(io::ErrorKind::WriteZero.into()),
            sent => Ok(sent),
        }
    }
}
