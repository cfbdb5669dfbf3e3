//! A peer that the test plays word for word.

use headwater_base::{LinkId, PeerId, PieceIndex};
use headwater_engine::{AddTorrent, CloseReason, Event};
use headwater_wire::extended::{Extension, Handshake as Extensions};
use headwater_wire::{BlockSpan, Decoder, Handshake, Message, Reserved};

use crate::Sample;
use crate::net::Net;

/// Where a puppet sits.
#[derive(Clone, Copy)]
pub(crate) struct Puppet {
    pub(crate) host: usize,
    pub(crate) link: LinkId,
    pieces: u32,
}

impl Puppet {
    /// Joins and shakes hands, with every extension or with none.
    pub(crate) fn join(net: &mut Net, sample: &Sample, fast: bool) -> Self {
        let host = net.join_puppet(sample.magnet());
        let link = net.puppet_link(host);
        Self { host, link, pieces: sample.torrent.piece_count() }.greet(net, sample, fast)
    }

    /// Dials a host and shakes hands.
    pub(crate) fn dial(net: &mut Net, sample: &Sample, to: usize) -> Self {
        let host = net.join_puppet(AddTorrent { paused: true, ..sample.magnet() });
        let link = net.dial_in(host, to);
        Self { host, link, pieces: sample.torrent.piece_count() }.greet(net, sample, true)
    }

    fn greet(self, net: &mut Net, sample: &Sample, fast: bool) -> Self {
        let plain = Reserved::default().with_extension().with_dht();
        let reserved = if fast { plain.with_fast() } else { plain };
        let peer_id = PeerId([self.host as u8 + 100; 20]);
        let greeting = Handshake { info_hash: sample.hash(), peer_id, reserved };
        net.say(self.host, self.link, greeting.to_bytes().to_vec());
        self
    }

    pub(crate) fn say(self, net: &mut Net, message: &Message) {
        let mut bytes = Vec::new();
        message.encode(&mut bytes);
        net.say(self.host, self.link, bytes);
    }

    /// Says its extensions: our own ids, so that the test can read what it is told.
    pub(crate) fn say_extensions(self, net: &mut Net, upload_only: bool) {
        let said = Extensions { upload_only: Some(upload_only), ..Extensions::ours() };
        self.say_handshake(net, &said);
    }

    pub(crate) fn say_handshake(self, net: &mut Net, said: &Extensions) {
        self.say(net, &Message::Extended { id: 0, payload: said.encode() });
    }

    pub(crate) fn extended(self, net: &mut Net, extension: Extension, payload: &[u8]) {
        let payload = payload.to_vec().into();
        self.say(net, &Message::Extended { id: extension.own_id(), payload });
    }

    /// Everything it heard, the handshake left out.
    pub(crate) fn heard(self, net: &Net) -> Vec<Message> {
        let mut decoder = Decoder::new();
        decoder.set_pieces(self.pieces);
        decoder.push(net.hosts[self.host].heard[&self.link].clone().into());
        decoder.next_handshake().unwrap().unwrap();
        std::iter::from_fn(|| decoder.next_message().unwrap()).collect()
    }

    /// The pieces it was told of one by one.
    pub(crate) fn told(self, net: &Net) -> Vec<u32> {
        let piece = |message| match message {
            Message::Have(piece) => Some(piece.0),
            _ => None,
        };
        self.heard(net).into_iter().filter_map(piece).collect()
    }

    /// The blocks it was asked for.
    pub(crate) fn asked(self, net: &Net) -> Vec<BlockSpan> {
        let span = |message| match message {
            Message::Request(span) => Some(span),
            _ => None,
        };
        self.heard(net).into_iter().filter_map(span).collect()
    }

    /// The payloads of one extension that it heard.
    pub(crate) fn heard_extended(self, net: &Net, id: u8) -> Vec<Vec<u8>> {
        let payload = |message| match message {
            Message::Extended { id: of, payload } if of == id => Some(payload.to_vec()),
            _ => None,
        };
        self.heard(net).into_iter().filter_map(payload).collect()
    }
}

/// The first block of a piece.
pub(crate) fn first_block(piece: u32) -> BlockSpan {
    BlockSpan { piece: PieceIndex(piece), begin: 0, len: 16384 }
}

/// Why a host closed a link, if it did.
pub(crate) fn left(net: &Net, host: usize) -> Option<CloseReason> {
    net.hosts[host].events.iter().find_map(|(_, event)| match event {
        Event::PeerLeft { reason, .. } => Some(reason.clone()),
        _ => None,
    })
}
