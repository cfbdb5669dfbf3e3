//! Bare TCP peers: a handshake, interest, then a piece at a time at some pace, each checked and
//! dropped. Who has some of the pieces leaves and comes again under another name.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use headwater_base::{PeerId, PieceIndex, Sha1};
use headwater_metainfo::Torrent;
use headwater_wire::{BlockSpan, Decoder, Handshake, Message, Reserved};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::tally::{Tally, Visit};
use crate::{Failure, Many, peer_id, seed, torrents};

/// Time in which all peers of a crowd come.
const COME_WITHIN: Duration = Duration::from_secs(10);

/// Time between two attempts to be let in.
const DIAL_AGAIN: Duration = Duration::from_secs(3);

/// Longest wait for a piece, from the request on, being choked included.
const PATIENCE: Duration = Duration::from_secs(120);

/// Pieces that a visit takes.
const PIECES: usize = 16;

/// Most bytes asked for at once.
const BLOCK: u32 = 16 * 1024;

/// What all peers of a process share.
struct Site {
    address: SocketAddr,
    every: Duration,
    end: Instant,
    tally: Tally,
}

pub(crate) async fn run(address: SocketAddr, every: Duration, crowd: &Many) -> Result<(), Failure> {
    let torrents = torrents(&crowd.torrents)?;
    let end = Instant::now() + crowd.time();
    let site = Arc::new(Site { address, every, end, tally: Tally::default() });
    let mut peers = tokio::task::JoinSet::new();
    for at in 0..crowd.count {
        let torrent = Arc::clone(&torrents[(crowd.first + at) % torrents.len()]);
        let wait = COME_WITHIN * at as u32 / crowd.count as u32;
        let site = Arc::clone(&site);
        peers.spawn(async move {
            sleep(wait).await;
            site.visit_again_and_again(home(at), &torrent).await;
        });
    }
    site.tally.tell_for(crowd.time()).await;
    site.tally.tell_end(peers).await;
    Ok(())
}

impl Site {
    async fn visit_again_and_again(&self, home: Ipv4Addr, torrent: &Torrent) {
        while Instant::now() < self.end {
            let visit = tokio::select! {
                visit = self.visit(home, torrent) => visit.map(Some).map_err(|e| e.to_string()),
                () = sleep_until(self.end) => Ok(None),
            };
            self.tally.ended(visit);
            sleep(self.every).await;
        }
    }

    async fn visit(&self, home: Ipv4Addr, torrent: &Torrent) -> Result<Visit, Failure> {
        let from = Instant::now();
        let seed = seed()?;
        let mut link = timeout(PATIENCE, self.enter(home, torrent, peer_id(&seed)))
            .await
            .map_err(|_| "no handshake in time")?;
        let _linked = Linked::new(&self.tally);
        let mut order: Vec<u32> = (0..torrent.piece_count()).collect();
        seed.split("order").shuffle(&mut order);
        let (mut first, mut bytes) = (None, 0);
        for piece in order.into_iter().take(PIECES) {
            let piece = PieceIndex(piece);
            timeout(PATIENCE, link.fetch(torrent, piece))
                .await
                .map_err(|_| "no piece in time")??;
            first.get_or_insert_with(|| from.elapsed());
            bytes += u64::from(torrent.piece_len(piece));
            // Who shows nothing of what it took is served last.
            link.say(&Message::Have(piece)).await?;
            link.rest(self.every).await?;
        }
        let whole = from.elapsed();
        Ok(Visit { first: first.unwrap_or(whole), whole, bytes })
    }

    /// Dials until it is let in, as every client does.
    async fn enter(&self, home: Ipv4Addr, torrent: &Torrent, peer_id: PeerId) -> Link {
        loop {
            match Link::open((home, self.address), torrent, peer_id).await {
                Ok(link) => return link,
                Err(_) => self.tally.turned_away(),
            }
            sleep(DIAL_AGAIN).await;
        }
    }
}

/// An address of this machine for each peer: few strangers of one address are let in at once.
fn home(at: usize) -> Ipv4Addr {
    let [.., high, low] = (at as u32 + 1).to_be_bytes();
    Ipv4Addr::new(127, 1, high, low)
}

/// Counted for as long as it lives.
struct Linked<'a>(&'a Tally);

impl<'a> Linked<'a> {
    fn new(tally: &'a Tally) -> Self {
        tally.linked(true);
        Self(tally)
    }
}

impl Drop for Linked<'_> {
    fn drop(&mut self) {
        self.0.linked(false);
    }
}

/// One TCP link that has shaken hands.
struct Link {
    stream: TcpStream,
    decoder: Decoder,
    is_choked: bool,
}

impl Link {
    async fn open(
        (home, address): (Ipv4Addr, SocketAddr),
        torrent: &Torrent,
        peer_id: PeerId,
    ) -> Result<Self, Failure> {
        let info_hash = torrent.info_hash;
        let ours = Handshake { info_hash, peer_id, reserved: Reserved::default() };
        let socket = TcpSocket::new_v4()?;
        socket.bind((home, 0).into())?;
        let mut stream = socket.connect(address).await?;
        stream.write_all(&ours.to_bytes()).await?;
        let mut link = Self { stream, decoder: Decoder::new(), is_choked: true };
        let theirs = loop {
            match link.decoder.next_handshake()? {
                Some(theirs) => break theirs,
                None => link.read().await?,
            }
        };
        if theirs.info_hash != info_hash {
            return Err("another torrent's handshake".into());
        }
        link.decoder.set_pieces(torrent.piece_count());
        link.say(&Message::Interested).await?;
        Ok(link)
    }

    async fn read(&mut self) -> Result<(), Failure> {
        let mut bytes = BytesMut::with_capacity(BLOCK as usize);
        if self.stream.read_buf(&mut bytes).await? == 0 {
            return Err("the server hung up".into());
        }
        self.decoder.push(bytes.freeze());
        Ok(())
    }

    async fn say(&mut self, message: &Message) -> Result<(), Failure> {
        let mut bytes = BytesMut::new();
        message.encode(&mut bytes);
        Ok(self.stream.write_all(&bytes).await?)
    }

    async fn hear(&mut self) -> Result<Message, Failure> {
        loop {
            match self.decoder.next_message()? {
                Some(message) => return Ok(message),
                None => self.read().await?,
            }
        }
    }

    /// Wants nothing and only listens for so long: a link that nobody reads fills up.
    async fn rest(&mut self, time: Duration) -> Result<(), Failure> {
        self.say(&Message::NotInterested).await?;
        let end = Instant::now() + time;
        loop {
            match tokio::time::timeout_at(end, self.hear()).await {
                Err(_) => return self.say(&Message::Interested).await,
                Ok(message) => self.note(&message?),
            }
        }
    }

    fn note(&mut self, message: &Message) {
        match message {
            Message::Choke => self.is_choked = true,
            Message::Unchoke => self.is_choked = false,
            _ => {}
        }
    }

    /// Asks for a piece, again after each choke, and checks it.
    async fn fetch(&mut self, torrent: &Torrent, piece: PieceIndex) -> Result<(), Failure> {
        let len = torrent.piece_len(piece);
        let mut blocks: Vec<Option<Bytes>> = vec![None; len.div_ceil(BLOCK) as usize];
        let mut is_asked = false;
        while blocks.iter().any(Option::is_none) {
            if self.is_choked {
                is_asked = false;
            } else if !is_asked {
                is_asked = true;
                for at in (0..blocks.len()).filter(|at| blocks[*at].is_none()) {
                    let begin = at as u32 * BLOCK;
                    let span = BlockSpan { piece, begin, len: BLOCK.min(len - begin) };
                    self.say(&Message::Request(span)).await?;
                }
            }
            match self.hear().await? {
                Message::Piece { piece: of, begin, data } if of == piece => {
                    let at = (begin / BLOCK) as usize;
                    *blocks.get_mut(at).ok_or("a block beyond the piece")? = Some(data);
                }
                message => self.note(&message),
            }
        }
        let mut hash = Sha1::default();
        blocks.iter().flatten().for_each(|block| hash.update(block));
        if hash.finish() != torrent.pieces[piece.0 as usize] {
            return Err("a piece with another hash".into());
        }
        Ok(())
    }
}
