//! Sockets that announce as fast as a tracker answers: each waits for the answer to its announce
//! before the next one. Every announce carries five offers, as WebTorrent's do.

use std::iter;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _, TryStreamExt as _, stream};
use headwater_base::{InfoHash, PeerId, Seed};
use headwater_wire::tracker::{Announce, ClientMessage, Description, Happening, Offer, OfferId};
use serde_json::json;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

use crate::tally::tell;
use crate::{Failure, peer_id, seed};

/// Sockets that are in one swarm.
const PEERS_PER_SWARM: usize = 10;

/// Sockets that are opened at once.
const DIALS: usize = 32;

/// Offers in an announce.
const OFFERS: u8 = 5;

/// The part of an offer's name that is another one in each announce.
const NUMBER: &str = "~~~~~~~~";

/// Bytes read at once: the library clears so many before each read, which is what this crowd
/// would else do most of the time.
const READ_BYTES: usize = 4 * 1024;

/// A session description of the size that browsers send, which no stack ever reads.
const SDP: &str = "v=0\r\no=- 0 0 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n\
    m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\n\
    a=ice-ufrag:0123\r\na=ice-pwd:0123456789012345678901\r\na=setup:actpass\r\n\
    a=fingerprint:sha-256 00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:\
    00:00:00:00:00:00:00:00:00\r\na=sctp-port:5000\r\na=max-message-size:262144\r\n\
    a=candidate:1 1 udp 2122260223 192.0.2.1 50000 typ host generation 0\r\n";

#[derive(Default)]
struct Counts {
    answered: AtomicU64,
    refused: AtomicU64,
    offers: AtomicU64,
    hung_up: AtomicU64,
    is_over: AtomicBool,
}

pub(crate) async fn run(tracker: &str, count: usize, time: Duration) -> Result<(), Failure> {
    let counts = Arc::new(Counts::default());
    let config = WebSocketConfig::default().read_buffer_size(READ_BYTES);
    let dials = (0..count).map(|_| connect_async_with_config(tracker, Some(config), true));
    let dialled = stream::iter(dials).buffer_unordered(DIALS);
    let sockets: Vec<_> = dialled.map_ok(|(socket, _)| socket).try_collect().await?;
    let seed = seed()?;
    let mut running = JoinSet::new();
    let from = Instant::now();
    for (at, socket) in sockets.into_iter().enumerate() {
        let mut own = [0; 32];
        seed.split(&at.to_string()).fill(&mut own);
        let swarm = swarm(&seed, at / PEERS_PER_SWARM);
        let counts = Arc::clone(&counts);
        running.spawn(async move {
            if announce(socket, swarm, Seed(own), &counts).await.is_err() {
                counts.hung_up.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    sleep(time).await;
    counts.is_over.store(true, Ordering::Relaxed);
    let count = |of: &AtomicU64| of.load(Ordering::Relaxed);
    let (answered, seconds) = (count(&counts.answered), from.elapsed().as_secs_f64());
    running.shutdown().await;
    tell(&json!({
        "event": "end", "announces": answered, "seconds": seconds,
        "offers": count(&counts.offers), "refused": count(&counts.refused),
        "hung_up": count(&counts.hung_up),
    }));
    Ok(())
}

fn swarm(seed: &Seed, number: usize) -> InfoHash {
    let mut hash = [0; 20];
    seed.split(&format!("swarm {number}")).fill(&mut hash);
    InfoHash(hash)
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn announce(
    mut socket: Socket,
    info_hash: InfoHash,
    seed: Seed,
    counts: &Counts,
) -> Result<(), Failure> {
    let peer_id = peer_id(&seed);
    let first = announce_text(info_hash, peer_id, Some(Happening::Started));
    let usual = announce_text(info_hash, peer_id, None);
    // Made once and numbered each time: what is measured is the tracker.
    let first: Vec<&str> = first.split(NUMBER).collect();
    let usual: Vec<&str> = usual.split(NUMBER).collect();
    for (number, parts) in iter::once(&first).chain(iter::repeat(&usual)).enumerate() {
        if counts.is_over.load(Ordering::Relaxed) {
            break;
        }
        let text = parts.join(format!("{number:08}").as_str());
        socket.send(Message::text(text)).await?;
        answered(&mut socket, counts).await?;
    }
    Ok(())
}

/// An announce whose offers are yet to be numbered.
fn announce_text(info_hash: InfoHash, peer_id: PeerId, happening: Option<Happening>) -> String {
    let offer = |at| {
        let mut id = [b'.'; 20];
        id[0] = b'0' + at;
        id[12..].copy_from_slice(NUMBER.as_bytes());
        Offer { offer_id: OfferId(id), sdp: Description::new(SDP) }
    };
    let announce = Announce {
        info_hash,
        peer_id,
        happening,
        uploaded: 0,
        downloaded: 0,
        left: Some(1),
        wanted: Some(OFFERS.into()),
        offers: (0..OFFERS).map(offer).collect(),
        tracker_id: None,
        trackers: Vec::new(),
    };
    ClientMessage::Announce(announce).encode()
}

/// Reads up to the answer; offers of others come in between.
async fn answered(socket: &mut Socket, counts: &Counts) -> Result<(), Failure> {
    while let Some(message) = socket.next().await {
        let text = message?.into_text()?;
        let text = text.as_str();
        let counter = if text.len() > SDP.len() {
            // The only long message is another's offer; nothing in it need be looked for.
            &counts.offers
        } else if text.contains("\"failure reason\"") {
            &counts.refused
        } else if text.contains("\"interval\"") {
            &counts.answered
        } else {
            continue;
        };
        counter.fetch_add(1, Ordering::Relaxed);
        if !core::ptr::eq(counter, &counts.offers) {
            return Ok(());
        }
    }
    Err("the tracker hung up".into())
}
