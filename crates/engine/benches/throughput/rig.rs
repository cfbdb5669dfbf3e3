//! A seed and a leech joined in memory. Every block holds the same bytes, so that neither side
//! needs a store, and digests are known without hashing.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use headwater_base::{
    BLOCK_LEN, Bitfield, ByteCount, Digest1, Digest256, LinkId, PeerId, Seed, Time, TorrentId,
    TrackerId, sha1, sha256, sha256_many,
};
use headwater_engine::{Action, AddTorrent, Config, Engine, Event, Input, Step, Stored};
use headwater_metainfo::create::{Draft, Options};
use headwater_metainfo::{Torrent, Version};
use headwater_wire::tracker::{ClientMessage, TrackerMessage};

/// Bytes of a piece.
pub(crate) const PIECE: usize = 262_144;

const SEED: usize = 0;
const LEECH: usize = 1;
const WINDOW: usize = 256 * 1024;

/// Both engines and what flies between them.
struct Rig {
    engines: [Engine; 2],
    sockets: [TrackerId; 2],
    links: [LinkId; 2],
    torrent: Arc<Torrent>,
    piece: Bytes,
    digest: Digest1,
    leaf: Digest256,
    hashing: bool,
    queue: VecDeque<(usize, Input)>,
}

/// Bytes that look random.
pub(crate) fn noise(len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    Seed([1; 32]).split("noise").fill(&mut bytes);
    bytes
}

/// A torrent of so many MiB.
pub(crate) fn torrent(mib: usize, version: Version) -> Arc<Torrent> {
    let length = ByteCount((mib as u64) << 20);
    let options = Options { version, piece_length: Some(PIECE as u32), ..Options::default() };
    let mut draft = Draft::single("bulk", length, options).expect("a good draft");
    let piece = piece();
    for _ in 0..(mib << 20) / PIECE {
        draft.feed(&piece).expect("as many bytes as said");
    }
    Arc::new(draft.finish().expect("a valid torrent"))
}

fn piece() -> Vec<u8> {
    noise(BLOCK_LEN as usize).repeat(PIECE / BLOCK_LEN as usize)
}

/// Moves a torrent from one engine to the other.
pub(crate) fn transfer(torrent: &Arc<Torrent>, hashing: bool) {
    let piece = Bytes::from(piece());
    let mut rig = Rig {
        engines: [SEED, LEECH].map(|at| engine(at, torrent)),
        sockets: [TrackerId(0); 2],
        links: [LinkId(0); 2],
        torrent: Arc::clone(torrent),
        digest: sha1(&piece),
        leaf: sha256(&piece[..BLOCK_LEN as usize]),
        piece,
        hashing,
        queue: VecDeque::new(),
    };
    let mut now = Time::from_millis(1);
    while !rig.drain(now) {
        match rig.queue.pop_front() {
            Some((at, input)) => rig.engines[at].handle(now, input),
            None => now += core::time::Duration::from_millis(10),
        }
        now += core::time::Duration::from_micros(20);
    }
}

fn engine(at: usize, torrent: &Arc<Torrent>) -> Engine {
    let mut engine = Engine::new(Config::new(PeerId([at as u8 + 1; 20])), &Seed([at as u8; 32]));
    let add = AddTorrent {
        info_hash: torrent.info_hash,
        info_hash_v2: None,
        metainfo: Some(Arc::clone(torrent)),
        name: None,
        trackers: vec![vec!["wss://tracker.example".to_owned()]],
        publication: None,
        web_seeds: Vec::new(),
        files: None,
        paused: false,
        bridge: false,
    };
    engine.handle(Time::ZERO, Input::TorrentAdded { torrent: TorrentId(0), add: Box::new(add) });
    engine
}

impl Rig {
    /// Does everything both engines say; answers whether the leech has it all.
    fn drain(&mut self, now: Time) -> bool {
        let mut done = false;
        for at in [SEED, LEECH] {
            loop {
                match self.engines[at].next(now) {
                    Step::Action(action) => self.act(at, action),
                    Step::Event(Event::TorrentDone(_)) => done |= at == LEECH,
                    Step::Event(_) => {}
                    Step::Sleep(_) => break,
                }
            }
        }
        done
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "what is not named needs no answer")]
    fn act(&mut self, at: usize, action: Action) {
        let other = 1 - at;
        let answer = match action {
            Action::OpenStore { torrent, metainfo } => {
                let count = metainfo.piece_count();
                let is_full = at == SEED;
                let have = if is_full { Bitfield::full(count) } else { Bitfield::empty(count) };
                let result =
                    Ok(Stored { have, doubtful: Bitfield::empty(count), read_only: false });
                Input::StoreOpened { torrent, result }
            }
            Action::ReadBlock { job, begin, len, .. } => {
                let begin = begin as usize;
                let bytes = self.piece.slice(begin..begin + len as usize);
                Input::BlockRead { job, result: Ok(bytes) }
            }
            Action::HashPiece { job, data } => {
                let digest = if self.hashing { sha1(&data) } else { self.digest };
                Input::PieceHashed { job, result: Ok(digest) }
            }
            Action::HashBlocks { job, blocks } => {
                let blocks: Vec<&[u8]> = blocks.iter().map(|block| &block[..]).collect();
                let leaves =
                    if self.hashing { sha256_many(&blocks) } else { vec![self.leaf; blocks.len()] };
                Input::BlocksHashed { job, result: Ok(leaves) }
            }
            Action::HashLeaves { job, piece, .. } => {
                let blocks = self.torrent.piece_len(piece).div_ceil(BLOCK_LEN) as usize;
                Input::BlocksHashed { job, result: Ok(vec![self.leaf; blocks]) }
            }
            Action::WritePiece { job, .. } => Input::PieceWritten { job, result: Ok(()) },
            Action::Send { bytes, .. } => {
                let (link, theirs) = (self.links[at], self.links[other]);
                self.queue.push_back((other, Input::LinkBytes { link: theirs, bytes }));
                Input::LinkWritable { link, window: WINDOW }
            }
            Action::OpenTracker { tracker, .. } => {
                self.sockets[at] = tracker;
                Input::TrackerOpened(tracker)
            }
            Action::MakeOffer(link) => Input::OfferMade { link, sdp: sdp(&link.to_string()) },
            Action::MakeAnswer { link, .. } => {
                self.links[at] = link;
                Input::AnswerMade { link, sdp: sdp("1") }
            }
            Action::TakeAnswer { link, .. } => {
                self.links[at] = link;
                let theirs = self.links[other];
                let opened = Input::LinkOpened { link: theirs, window: WINDOW, from: None };
                self.queue.push_back((other, opened));
                Input::LinkOpened { link, window: WINDOW, from: None }
            }
            Action::SendTracker { text, .. } => return self.relay(at, &text),
            _ => return,
        };
        self.queue.push_back((at, answer));
    }

    /// What a tracker does: the leech's first offer goes to the seed, whose answer comes back.
    fn relay(&mut self, at: usize, text: &str) {
        let other = 1 - at;
        let relayed = match ClientMessage::decode(text) {
            Ok(ClientMessage::Announce(announce)) if at == LEECH => {
                let Some(offer) = announce.offers.into_iter().next() else { return };
                TrackerMessage::Offer {
                    info_hash: announce.info_hash,
                    peer_id: announce.peer_id,
                    offer_id: offer.offer_id,
                    sdp: offer.sdp,
                }
            }
            Ok(ClientMessage::Answer(answer)) => TrackerMessage::Answer {
                info_hash: answer.info_hash,
                peer_id: answer.peer_id,
                offer_id: answer.offer_id,
                sdp: answer.sdp,
            },
            Ok(ClientMessage::Announce(_) | ClientMessage::Scrape(_)) | Err(_) => return,
        };
        let (tracker, text) = (self.sockets[other], relayed.encode());
        self.queue.push_back((other, Input::TrackerText { tracker, text }));
    }
}

/// A session description that carries only a name.
fn sdp(name: &str) -> String {
    let fingerprint = vec!["AB"; 32].join(":");
    format!(
        "v=0\r\no=- {name} 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
         m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\n\
         a=candidate:1 1 udp 2113937151 192.168.0.7 50000 typ host\r\na=ice-ufrag:abcd\r\n\
         a=ice-pwd:abcdefghijklmnopqrstuvwx\r\na=fingerprint:sha-256 {fingerprint}\r\n\
         a=setup:actpass\r\na=mid:0\r\na=sctp-port:5000\r\na=max-message-size:262144\r\n"
    )
}
