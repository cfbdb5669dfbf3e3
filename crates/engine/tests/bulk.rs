//! Two engines joined without any delay: counts what they do for each block, so that waste shows.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use headwater_base::{
    Bitfield, LinkId, PeerId, PieceIndex, Seed, Time, TorrentId, TrackerId, sha1,
};
use headwater_engine::{Action, AddTorrent, Config, Engine, Event, Input, Step, Stored};
use headwater_metainfo::Torrent;
use headwater_wire::tracker::{ClientMessage, TrackerMessage};

const T: TorrentId = TorrentId(0);
const SEED: usize = 0;
const LEECH: usize = 1;

struct Host {
    engine: Engine,
    bytes: Vec<u8>,
    full: bool,
    socket: TrackerId,
    link: LinkId,
    done: bool,
    sends: usize,
    reads: usize,
}

fn host(at: usize, data: Vec<u8>, full: bool, torrent: &Arc<Torrent>) -> Host {
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
    engine.handle(Time::ZERO, Input::TorrentAdded { torrent: T, add: Box::new(add) });
    let (socket, link) = (TrackerId(0), LinkId(0));
    Host { engine, bytes: data, full, socket, link, done: false, sends: 0, reads: 0 }
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

fn act(hosts: &mut [Host; 2], at: usize, action: Action, queue: &mut VecDeque<(usize, Input)>) {
    let length = 262_144;
    let other = 1 - at;
    let answer = match action {
        Action::OpenStore { torrent, metainfo } => {
            let count = metainfo.piece_count();
            let full = hosts[at].full;
            let have = if full { Bitfield::full(count) } else { Bitfield::empty(count) };
            let result = Ok(Stored { have, doubtful: Bitfield::empty(count), read_only: false });
            Input::StoreOpened { torrent, result }
        }
        Action::ReadBlock { job, piece, begin, len, .. } => {
            hosts[at].reads += 1;
            let start = piece.idx() * length + begin as usize;
            let bytes = Bytes::copy_from_slice(&hosts[at].bytes[start..start + len as usize]);
            Input::BlockRead { job, result: Ok(bytes) }
        }
        Action::HashPiece { job, data } => Input::PieceHashed { job, result: Ok(sha1(&data)) },
        Action::WritePiece { job, piece, data, .. } => {
            let start = piece.idx() * length;
            hosts[at].bytes[start..start + data.len()].copy_from_slice(&data);
            Input::PieceWritten { job, result: Ok(()) }
        }
        Action::Send { bytes, .. } => {
            hosts[at].sends += 1;
            let (link, theirs) = (hosts[at].link, hosts[other].link);
            queue.push_back((other, Input::LinkBytes { link: theirs, bytes }));
            Input::LinkWritable { link, window: 256 * 1024 }
        }
        Action::OpenTracker { tracker, .. } => {
            hosts[at].socket = tracker;
            Input::TrackerOpened(tracker)
        }
        Action::MakeOffer(link) => Input::OfferMade { link, sdp: sdp(&link.to_string()) },
        Action::MakeAnswer { link, .. } => {
            hosts[at].link = link;
            Input::AnswerMade { link, sdp: sdp("1") }
        }
        Action::TakeAnswer { link, .. } => {
            hosts[at].link = link;
            let theirs = hosts[other].link;
            queue.push_back((
                other,
                Input::LinkOpened { link: theirs, window: 256 * 1024, from: None },
            ));
            Input::LinkOpened { link, window: 256 * 1024, from: None }
        }
        Action::SendTracker { text, .. } => match ClientMessage::decode(&text) {
            Ok(ClientMessage::Announce(announce)) => {
                let Some(offer) = announce.offers.into_iter().next() else { return };
                if at != LEECH {
                    return;
                }
                let relayed = TrackerMessage::Offer {
                    info_hash: announce.info_hash,
                    peer_id: announce.peer_id,
                    offer_id: offer.offer_id,
                    sdp: offer.sdp,
                };
                let (tracker, text) = (hosts[other].socket, relayed.encode());
                queue.push_back((other, Input::TrackerText { tracker, text }));
                return;
            }
            Ok(ClientMessage::Answer(answer)) => {
                let relayed = TrackerMessage::Answer {
                    info_hash: answer.info_hash,
                    peer_id: answer.peer_id,
                    offer_id: answer.offer_id,
                    sdp: answer.sdp,
                };
                let (tracker, text) = (hosts[other].socket, relayed.encode());
                queue.push_back((other, Input::TrackerText { tracker, text }));
                return;
            }
            Ok(ClientMessage::Scrape(_)) | Err(_) => return,
        },
        Action::CloseStore { .. }
        | Action::HashStored { .. }
        | Action::FetchRange(_)
        | Action::CancelFetch(_)
        | Action::Dial { .. }
        | Action::Ask(_)
        | Action::Seek { .. }
        | Action::HashBlocks { .. }
        | Action::HashLeaves { .. }
        | Action::CloseTracker(_)
        | Action::CloseLink(_) => return,
    };
    queue.push_back((at, answer));
}

#[test]
fn few_actions_are_spent_on_a_block() {
    let megabytes = 32;
    let mut data = vec![0; megabytes << 20];
    Seed([1; 32]).split("bulk").fill(&mut data);
    let hashes: Vec<u8> = data.chunks(262_144).flat_map(sha1).collect();
    let mut info = format!("d6:lengthi{}e4:name4:bulk12:piece lengthi262144e", data.len());
    info.push_str(&format!("6:pieces{}:", hashes.len()));
    let info = [info.as_bytes(), &hashes, b"e"].concat();
    let torrent = Arc::new(Torrent::from_info(Bytes::from(info)).expect("a valid torrent"));
    let empty = vec![0; data.len()];
    let mut hosts = [host(SEED, data, true, &torrent), host(LEECH, empty, false, &torrent)];
    let mut queue = VecDeque::new();
    let mut now = Time::from_millis(1);
    while !hosts[LEECH].done {
        for at in [SEED, LEECH] {
            loop {
                match hosts[at].engine.next(now) {
                    Step::Action(action) => act(&mut hosts, at, action, &mut queue),
                    Step::Event(event) => hosts[at].done |= matches!(event, Event::TorrentDone(_)),
                    Step::Sleep(_) => break,
                }
            }
        }
        hosts[SEED].done = false;
        match queue.pop_front() {
            Some((at, input)) => hosts[at].engine.handle(now, input),
            None => now += core::time::Duration::from_millis(10),
        }
        now += core::time::Duration::from_micros(20);
    }
    assert_eq!(hosts[SEED].bytes, hosts[LEECH].bytes);
    let blocks = megabytes * 64;
    assert!(hosts[SEED].sends <= blocks * 9 / 4, "{} sends", hosts[SEED].sends);
    assert!(hosts[SEED].reads <= blocks, "{} reads", hosts[SEED].reads);
    assert!(hosts[LEECH].sends <= blocks * 9 / 4, "{} sends", hosts[LEECH].sends);
    assert_eq!(torrent.piece_len(PieceIndex(0)), 262_144);
}
