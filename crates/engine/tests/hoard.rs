//! A seed whose store never answers, and a stranger who asks and cancels: what is read at once for
//! one link stays within its limit.

use std::sync::Arc;

use bytes::Bytes;
use headwater_base::{
    Bitfield, LinkId, PeerId, PieceIndex, Seed, Time, TorrentId, TrackerId, sha1,
};
use headwater_engine::{Action, AddTorrent, Config, Engine, Input, Step, Stored, limit};
use headwater_metainfo::Torrent;
use headwater_wire::tracker::{Description, OfferId, TrackerMessage};
use headwater_wire::{BlockSpan, Handshake, Message, Reserved};

const T: TorrentId = TorrentId(0);
const STRANGER: PeerId = PeerId([9; 20]);
const SDP: &str = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n\
    m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\n\
    a=candidate:1 1 udp 2113937151 192.168.0.7 50000 typ host\r\na=ice-ufrag:abcd\r\n\
    a=ice-pwd:abcdefghijklmnopqrstuvwx\r\na=setup:actpass\r\na=mid:0\r\na=sctp-port:5000\r\n";

struct Seeder {
    engine: Engine,
    link: Option<LinkId>,
    read: u64,
}

impl Seeder {
    /// Drains the engine; reads are counted and stay unanswered.
    fn drain(&mut self, now: Time) {
        while let Some(input) = self.next(now) {
            if let Some(input) = input {
                self.engine.handle(now, input);
            }
        }
    }

    fn next(&mut self, now: Time) -> Option<Option<Input>> {
        let action = match self.engine.next(now) {
            Step::Action(action) => action,
            Step::Event(_) => return Some(None),
            Step::Sleep(_) => return None,
        };
        Some(match action {
            Action::OpenStore { torrent, metainfo } => {
                let count = metainfo.piece_count();
                let stored = Stored {
                    have: Bitfield::full(count),
                    doubtful: Bitfield::empty(count),
                    read_only: false,
                };
                Some(Input::StoreOpened { torrent, result: Ok(stored) })
            }
            Action::OpenTracker { tracker, .. } => Some(Input::TrackerOpened(tracker)),
            Action::MakeAnswer { link, .. } => {
                self.link = Some(link);
                Some(Input::AnswerMade { link, sdp: SDP.to_owned() })
            }
            Action::ReadBlock { len, .. } => {
                self.read += u64::from(len);
                None
            }
            Action::CloseStore { .. }
            | Action::HashPiece { .. }
            | Action::HashStored { .. }
            | Action::HashBlocks { .. }
            | Action::HashLeaves { .. }
            | Action::WritePiece { .. }
            | Action::FetchRange(_)
            | Action::CancelFetch(_)
            | Action::Dial { .. }
            | Action::Ask(_)
            | Action::Seek { .. }
            | Action::SendTracker { .. }
            | Action::CloseTracker(_)
            | Action::MakeOffer(_)
            | Action::TakeAnswer { .. }
            | Action::Send { .. }
            | Action::CloseLink(_) => None,
        })
    }

    fn say(&mut self, now: Time, bytes: Vec<u8>) {
        let link = self.link.expect("a link");
        self.engine.handle(now, Input::LinkBytes { link, bytes: Bytes::from(bytes) });
        self.drain(now);
    }
}

fn torrent() -> Arc<Torrent> {
    let hashes = sha1(&[0; 262_144]).repeat(4);
    let head = "d6:lengthi1048576e4:name5:hoard12:piece lengthi262144e6:pieces80:";
    let info = [head.as_bytes(), &hashes, b"e"].concat();
    Arc::new(Torrent::from_info(Bytes::from(info)).expect("a valid torrent"))
}

fn seeder(torrent: &Arc<Torrent>, now: Time) -> Seeder {
    let engine = Engine::new(Config::new(PeerId([1; 20])), &Seed([1; 32]));
    let mut seeder = Seeder { engine, link: None, read: 0 };
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
    seeder.engine.handle(now, Input::TorrentAdded { torrent: T, add: Box::new(add) });
    seeder.drain(now);
    let offer = TrackerMessage::Offer {
        info_hash: torrent.info_hash,
        peer_id: STRANGER,
        offer_id: OfferId([7; 20]),
        sdp: Description::new(SDP),
    };
    let text = offer.encode();
    seeder.engine.handle(now, Input::TrackerText { tracker: TrackerId(0), text });
    seeder.drain(now);
    let link = seeder.link.expect("an answer");
    seeder.engine.handle(now, Input::LinkOpened { link, window: 1 << 20, from: None });
    seeder.drain(now);
    seeder
}

fn encoded(message: &Message) -> Vec<u8> {
    let mut bytes = Vec::new();
    message.encode(&mut bytes);
    bytes
}

#[test]
fn asking_and_cancelling_has_no_more_read_at_once() {
    let torrent = torrent();
    let now = Time::from_millis(1);
    let mut seeder = seeder(&torrent, now);
    let reserved = Reserved::default().with_fast();
    let hello = Handshake { info_hash: torrent.info_hash, peer_id: STRANGER, reserved };
    seeder.say(now, hello.to_bytes().to_vec());
    seeder.say(now, encoded(&Message::HaveNone));
    seeder.say(now, encoded(&Message::Interested));
    for turn in 0..200_u32 {
        let begin = (turn % 2) * limit::REQUEST_BYTES_MAX;
        let span = BlockSpan { piece: PieceIndex(turn % 4), begin, len: limit::REQUEST_BYTES_MAX };
        seeder.say(now, encoded(&Message::Request(span)));
        seeder.say(now, encoded(&Message::Cancel(span)));
    }
    let most = u64::from(limit::READ_AHEAD_PER_LINK + limit::REQUEST_BYTES_MAX);
    assert!(seeder.read > 0 && seeder.read <= most, "{} bytes read", seeder.read);
}
