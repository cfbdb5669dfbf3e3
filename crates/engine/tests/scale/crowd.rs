//! One engine and a crowd of peers that the test plays: every event can be told by itself, and
//! what the engine asked for is known. All bytes of the torrent are zero.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use headwater_base::{
    BLOCK_LEN, Bitfield, LinkId, Map, PeerId, PieceIndex, Seed, Time, TorrentId, TrackerId, sha1,
};
use headwater_engine::{Action, AddTorrent, Config, Engine, Event, Input, Step, Stored};
use headwater_metainfo::Torrent;
use headwater_wire::extended::Handshake as Extended;
use headwater_wire::tracker::{Description, OfferId, TrackerMessage};
use headwater_wire::{BlockSpan, Decoder, Handshake, Message, Reserved};

pub(crate) const T: TorrentId = TorrentId(0);
const SDP: &str = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n\
    m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\n\
    a=candidate:1 1 udp 2113937151 192.168.0.7 50000 typ host\r\na=ice-ufrag:abcd\r\n\
    a=ice-pwd:abcdefghijklmnopqrstuvwx\r\na=setup:actpass\r\na=mid:0\r\na=sctp-port:5000\r\n";

/// A peer of the crowd.
struct Player {
    decoder: Decoder,
    greeted: bool,
    spoke_at: Time,
    /// What it was asked for and has not sent.
    asked: VecDeque<BlockSpan>,
}

pub(crate) struct Crowd {
    pub(crate) engine: Engine,
    pub(crate) now: Time,
    pub(crate) links: Vec<LinkId>,
    pub(crate) pieces: u32,
    /// Actions that were not done yet.
    actions: Vec<Action>,
    /// Blocks stored pieces have in all.
    pub(crate) stored: u32,
    players: Map<LinkId, Player>,
    torrent: Arc<Torrent>,
    have: Bitfield,
    digest: [u8; 20],
    joined: u64,
}

pub(crate) fn encoded(message: &Message) -> Bytes {
    let mut bytes = Vec::new();
    message.encode(&mut bytes);
    Bytes::from(bytes)
}

/// A torrent of so many pieces of one block each.
pub(crate) fn torrent(pieces: u32) -> Arc<Torrent> {
    let length = u64::from(pieces) * u64::from(BLOCK_LEN);
    let hashes = sha1(&[0; BLOCK_LEN as usize]).repeat(pieces as usize);
    let head = format!("d6:lengthi{length}e4:name5:crowd12:piece lengthi{BLOCK_LEN}e6:pieces");
    let info = [format!("{head}{}:", hashes.len()).as_bytes(), &hashes, b"e"].concat();
    Arc::new(Torrent::from_info(Bytes::from(info)).expect("a valid torrent"))
}

impl Crowd {
    pub(crate) fn new(pieces: u32, peers: usize) -> Self {
        Self::with(torrent(pieces), Bitfield::empty(pieces), peers)
    }

    /// An engine that has `have`, and `peers` peers that have nothing.
    pub(crate) fn with(torrent: Arc<Torrent>, have: Bitfield, peers: usize) -> Self {
        let mut config = Config::new(PeerId([1; 20]));
        config.links_per_torrent_max = peers + 20;
        config.links_max = peers + 100;
        let mut crowd = Self {
            engine: Engine::new(config, &Seed([1; 32])),
            now: Time::from_millis(1),
            links: Vec::new(),
            pieces: torrent.piece_count(),
            actions: Vec::new(),
            stored: 0,
            players: Map::new(),
            digest: sha1(&[0; BLOCK_LEN as usize]),
            torrent,
            have,
            joined: 0,
        };
        let add = AddTorrent {
            info_hash: crowd.torrent.info_hash,
            metainfo: Some(Arc::clone(&crowd.torrent)),
            name: None,
            trackers: vec![vec!["wss://tracker.example".to_owned()]],
            files: None,
            paused: false,
            bridge: false,
            info_hash_v2: None,
            publication: None,
            web_seeds: Vec::new(),
        };
        crowd.tell(Input::TorrentAdded { torrent: T, add: Box::new(add) });
        crowd.settle();
        while crowd.links.len() < peers {
            crowd.join();
        }
        crowd
    }

    /// Tells the engine something and drains it; what is to be done waits for `settle`.
    pub(crate) fn tell(&mut self, input: Input) {
        self.engine.handle(self.now, input);
        self.drain();
    }

    fn drain(&mut self) {
        loop {
            match self.engine.next(self.now) {
                Step::Action(action) => self.actions.push(action),
                Step::Event(event) => {
                    self.stored += u32::from(matches!(event, Event::PieceStored { .. }));
                }
                Step::Sleep(_) => return,
            }
        }
    }

    /// Has a peer say something.
    pub(crate) fn say(&mut self, peer: usize, bytes: Bytes) {
        let link = self.links[peer];
        self.tell(Input::LinkBytes { link, bytes });
    }

    /// Does everything the engine wants done, until it wants nothing.
    pub(crate) fn settle(&mut self) {
        while let Some(job) = self.next_job() {
            self.tell(job);
        }
    }

    /// Does what needs no answer, and gives the answer to the first thing that does.
    pub(crate) fn next_job(&mut self) -> Option<Input> {
        while !self.actions.is_empty() {
            let action = self.actions.remove(0);
            if let Some(input) = self.act(action) {
                return Some(input);
            }
        }
        None
    }

    fn act(&mut self, action: Action) -> Option<Input> {
        Some(match action {
            Action::OpenStore { torrent, .. } => {
                let have = self.have.clone();
                let doubtful = Bitfield::empty(have.len());
                Input::StoreOpened {
                    torrent,
                    result: Ok(Stored { have, doubtful, read_only: false }),
                }
            }
            Action::OpenTracker { tracker, .. } => Input::TrackerOpened(tracker),
            Action::MakeAnswer { link, .. } => {
                self.now += Duration::from_millis(1);
                self.tell(Input::AnswerMade { link, sdp: SDP.to_owned() });
                self.greet(link);
                return None;
            }
            Action::HashPiece { job, .. } => Input::PieceHashed { job, result: Ok(self.digest) },
            Action::WritePiece { job, .. } => Input::PieceWritten { job, result: Ok(()) },
            Action::Send { link, bytes } => {
                self.hear(link, bytes);
                Input::LinkWritable { link, window: 1 << 20 }
            }
            _ => return None,
        })
    }

    fn hear(&mut self, link: LinkId, bytes: Bytes) {
        let Some(player) = self.players.get_mut(&link) else { return };
        player.decoder.push(bytes);
        if !player.greeted {
            player.greeted = player.decoder.next_handshake().expect("a handshake").is_some();
        }
        while let Some(message) = player.decoder.next_message().expect("a message") {
            match message {
                Message::Request(span) => player.asked.push_back(span),
                Message::Cancel(span) => player.asked.retain(|asked| *asked != span),
                _ => {}
            }
        }
    }

    /// Lets a peer come in through the tracker; time passes until the engine takes it.
    pub(crate) fn join(&mut self) {
        let before = self.links.len();
        self.joined += 1;
        let name =
            core::array::from_fn(|at| if at < 8 { self.joined.to_be_bytes()[at] } else { 7 });
        let offer = TrackerMessage::Offer {
            info_hash: self.torrent.info_hash,
            peer_id: PeerId(name),
            offer_id: OfferId(name),
            sdp: Description::new(SDP),
        };
        self.tell(Input::TrackerText { tracker: TrackerId(0), text: offer.encode() });
        self.settle();
        if self.links.len() == before {
            self.pass(Duration::from_secs(10));
        }
    }

    /// Lets time pass; everybody shows signs of life.
    pub(crate) fn pass(&mut self, span: Duration) {
        self.now += span;
        for peer in 0..self.links.len() {
            let now = self.now;
            let player = self.players.get_mut(&self.links[peer]).expect("a player");
            if now.since(player.spoke_at) > Duration::from_secs(60) {
                player.spoke_at = now;
                self.say(peer, encoded(&Message::KeepAlive));
            }
        }
        self.drain();
        self.settle();
    }

    fn greet(&mut self, link: LinkId) {
        let player = Player {
            decoder: Decoder::new(),
            greeted: false,
            spoke_at: self.now,
            asked: VecDeque::new(),
        };
        self.players.insert(link, player);
        self.links.push(link);
        self.tell(Input::LinkOpened { link, window: 1 << 20, from: None });
        let reserved = Reserved::default().with_fast().with_extension();
        let peer_id =
            PeerId(core::array::from_fn(
                |at| {
                    if at < 8 { self.joined.to_be_bytes()[at] } else { 7 }
                },
            ));
        let hello = Handshake { info_hash: self.torrent.info_hash, peer_id, reserved };
        // One block at once, so that every block that comes makes for one pick.
        let says = Extended { requests_max: Some(1), ..Extended::ours() };
        let peer = self.links.len() - 1;
        self.say(peer, Bytes::copy_from_slice(&hello.to_bytes()));
        self.say(peer, encoded(&Message::HaveNone));
        self.say(peer, encoded(&Message::Extended { id: 0, payload: says.encode() }));
    }

    /// The message with the block a peer was asked for first.
    pub(crate) fn block(&mut self, peer: usize) -> Option<Bytes> {
        let span = self.players.get_mut(&self.links[peer])?.asked.pop_front()?;
        let head = Message::piece_head(span);
        Some(Bytes::from([&head[..], &vec![0; span.len as usize]].concat()))
    }

    /// Has a peer claim pieces.
    pub(crate) fn bitfield(&self, pieces: impl IntoIterator<Item = u32>) -> Bytes {
        let mut bits = Bitfield::empty(self.pieces);
        for piece in pieces {
            bits.set(PieceIndex(piece));
        }
        encoded(&Message::Bitfield(Bytes::copy_from_slice(bits.as_bytes())))
    }
}
