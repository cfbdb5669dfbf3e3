//! A client with one link to somebody hostile: whatever comes over it, the client answers or hangs
//! up, and comes to rest.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use headwater_base::{Bitfield, ByteCount, LinkId, PeerId, Seed, Time, TrackerId, sha1};
use headwater_client::{Action, AddOptions, Client, Config, Input, Source, Step, Stored};
use headwater_metainfo::create::{Draft, Options};
use headwater_metainfo::{Torrent, Version};
use headwater_wire::tracker::{Description, OfferId, TrackerMessage};
use headwater_wire::{Handshake, Reserved};

const STRANGER: PeerId = PeerId([9; 20]);
const SDP: &str = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n\
    m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\n\
    a=candidate:1 1 udp 2113937151 192.168.0.7 50000 typ host\r\na=ice-ufrag:abcd\r\n\
    a=ice-pwd:abcdefghijklmnopqrstuvwx\r\na=setup:actpass\r\na=mid:0\r\na=sctp-port:5000\r\n";
/// Bytes of the torrent: zeros, so that a stranger can guess them.
const LEN: usize = 100_000;
/// Things a client may do for one message; more would be a loop.
const STEPS_MAX: usize = 10_000;

/// Shell of a client whose store works.
struct Host {
    client: Client,
    link: Option<LinkId>,
    is_seed: bool,
}

/// The first byte says what the client is and what it is told of the stranger; each part after it
/// has its length in front.
pub(super) fn link(bytes: &[u8]) {
    let [first, rest @ ..] = bytes else { return };
    let torrent = torrent();
    let config = Config::new(PeerId([1; 20]));
    let mut host = Host {
        client: Client::new(Config { dials: true, ..config }, Seed([1; 32])),
        link: None,
        is_seed: first & 1 == 0,
    };
    let mut now = Time::from_millis(1);
    let source = match first & 2 {
        0 => Source::Torrent(Arc::clone(torrent)),
        _ => Source::Magnet(magnet()),
    };
    host.client.add(now, &source, AddOptions::default()).expect("a good source");
    host.drain(now);
    let offer = TrackerMessage::Offer {
        info_hash: torrent.info_hash,
        peer_id: STRANGER,
        offer_id: OfferId([7; 20]),
        sdp: Description::new(SDP),
    };
    host.handle(now, Input::TrackerText { tracker: TrackerId(0), text: offer.encode() });
    let link = host.link.expect("the offer is answered");
    host.handle(now, Input::LinkOpened { link, window: 1 << 20, from: Some([9, 9, 9, 9].into()) });
    if first & 4 == 0 {
        let plain = Reserved::default();
        let reserved = if first & 8 == 0 { plain.with_fast().with_extension() } else { plain };
        let hello = Handshake { info_hash: torrent.info_hash, peer_id: STRANGER, reserved };
        let bytes = Bytes::copy_from_slice(&hello.to_bytes());
        host.handle(now, Input::LinkBytes { link, bytes });
    }
    let mut rest = rest;
    while let [len, more @ ..] = rest {
        let (part, later) = more.split_at(usize::from(*len).min(more.len()));
        rest = later;
        now += Duration::from_millis(u64::from(*len) * 20);
        host.handle(now, Input::LinkBytes { link, bytes: Bytes::copy_from_slice(part) });
    }
}

fn torrent() -> &'static Arc<Torrent> {
    static TORRENT: OnceLock<Arc<Torrent>> = OnceLock::new();
    TORRENT.get_or_init(|| {
        let options = Options {
            version: Version::Hybrid,
            trackers: vec![vec!["wss://tracker.example".to_owned()]],
            piece_length: Some(32768),
            ..Options::default()
        };
        let mut draft = Draft::single("zeros", ByteCount(LEN as u64), options).expect("a draft");
        draft.feed(&[0; LEN]).expect("as many bytes as said");
        Arc::new(draft.finish().expect("a torrent"))
    })
}

fn magnet() -> &'static str {
    static MAGNET: OnceLock<String> = OnceLock::new();
    MAGNET.get_or_init(|| torrent().magnet().to_string())
}

impl Host {
    fn handle(&mut self, now: Time, input: Input) {
        self.client.handle(now, input);
        self.drain(now);
    }

    fn drain(&mut self, now: Time) {
        for _ in 0..STEPS_MAX {
            match self.client.next(now) {
                Step::Action(action) => {
                    if let Some(input) = self.act(action) {
                        self.client.handle(now, input);
                    }
                }
                Step::Event(_) => {}
                Step::Sleep(_) => return,
            }
        }
        panic!("{STEPS_MAX} steps and no rest");
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "what is not done here is never answered")]
    fn act(&mut self, action: Action) -> Option<Input> {
        Some(match action {
            Action::OpenStore { torrent, metainfo } => {
                let count = metainfo.piece_count();
                let have =
                    if self.is_seed { Bitfield::full(count) } else { Bitfield::empty(count) };
                let stored = Stored { have, doubtful: Bitfield::empty(count), read_only: false };
                Input::StoreOpened { torrent, result: Ok(stored) }
            }
            Action::OpenTracker { tracker, .. } => Input::TrackerOpened(tracker),
            Action::MakeAnswer { link, .. } => {
                self.link = Some(link);
                Input::AnswerMade { link, sdp: SDP.to_owned() }
            }
            Action::ReadBlock { job, len, .. } => {
                Input::BlockRead { job, result: Ok(Bytes::from(vec![0; len as usize])) }
            }
            Action::HashPiece { job, data } => Input::PieceHashed { job, result: Ok(sha1(&data)) },
            Action::HashStored { job, .. } => Input::PieceHashed { job, result: Ok([0; 20]) },
            Action::WritePiece { job, .. } => Input::PieceWritten { job, result: Ok(()) },
            _ => return None,
        })
    }
}
