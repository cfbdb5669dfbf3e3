//! Store jobs on threads that may block; answers come back as inputs.
//! Pieces of one torrent are written in order, as many at once as have piled up.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use headwater_base::{JobId, PieceIndex, TorrentId, sha1, sha256_many};
use headwater_engine::{Input, PieceData, StoreError};
use headwater_metainfo::Torrent;
use headwater_objects::Source;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::timeout;

use super::objects::Objects;
use crate::store::{self, Opening, PieceToWrite, Store};

/// Most pieces written under one flush. Of large ones the engine's memory holds fewer.
const BATCH_MAX: usize = 1024;

/// Longest wait for verified pieces to be written when the program ends. A disk that takes longer
/// costs them to be fetched again, no more.
const FINISH_TIME_MAX: Duration = Duration::from_secs(10);

/// Where a torrent's bytes lie.
#[derive(Clone, Debug, Default)]
pub struct Place {
    /// The folder that holds its file or folder.
    pub root: PathBuf,
    /// The folder it is moved to when everything wanted is there.
    pub finished: Option<PathBuf>,
    /// How it is opened there for the first time.
    pub opening: Opening,
    /// What its bytes are read from instead. Nothing is written then.
    pub source: Option<Arc<Source>>,
}

/// What becomes of a move: the folder where the torrent lies by it; `None` where it lay there.
pub(super) type Moved = Result<Option<PathBuf>, StoreError>;

/// The stores of all torrents.
pub(super) struct Disk {
    answers: mpsc::Sender<Input>,
    open: BTreeMap<TorrentId, Open>,
    /// Those whose bytes lie elsewhere.
    objects: BTreeMap<TorrentId, Objects>,
    writers: JoinSet<()>,
}

struct Open {
    store: Arc<OnceLock<Store>>,
    orders: mpsc::UnboundedSender<Order>,
}

enum Order {
    Write { job: JobId, piece: PieceIndex, data: PieceData },
    Move { to: PathBuf, answer: oneshot::Sender<Moved> },
    Delete,
}

impl Disk {
    pub(super) fn new(answers: mpsc::Sender<Input>) -> Self {
        let (open, objects) = (BTreeMap::new(), BTreeMap::new());
        Self { answers, open, objects, writers: JoinSet::new() }
    }

    /// Opens a torrent's store; `StoreOpened` follows.
    pub(super) fn open(&mut self, torrent: TorrentId, metainfo: Arc<Torrent>, place: Place) {
        if let Some(source) = place.source {
            let opened = Objects::open(torrent, source, self.answers.clone());
            self.objects.insert(torrent, opened);
            return;
        }
        let store = Arc::new(OnceLock::new());
        let (orders, to_do) = mpsc::unbounded_channel();
        while self.writers.try_join_next().is_some() {}
        self.writers.spawn(write(Arc::clone(&store), to_do, self.answers.clone()));
        let slot = Arc::clone(&store);
        self.job(move || {
            let home = store::home(&place.root, place.finished.as_deref(), &metainfo);
            let opened = Store::open(home, Arc::clone(&metainfo), &place.opening);
            let result = opened.map(|(store, stored)| {
                // Without it a magnet link asks its peers again, no more.
                let _ = store::save_torrent(home, &metainfo);
                let _ = slot.set(store);
                stored
            });
            Input::StoreOpened { torrent, result }
        });
        self.open.insert(torrent, Open { store, orders });
    }

    /// Closes a torrent's store; what it was told to write is written first. Objects are never
    /// deleted.
    pub(super) fn close(&mut self, torrent: TorrentId, delete: bool) {
        self.objects.remove(&torrent);
        if let Some(open) = self.open.remove(&torrent)
            && delete
        {
            let _ = open.orders.send(Order::Delete);
        }
    }

    /// Moves a torrent's files after what it was told to write is written. Objects stay.
    pub(super) fn move_to(&self, torrent: TorrentId, to: PathBuf, answer: oneshot::Sender<Moved>) {
        if self.objects.contains_key(&torrent) {
            let _ = answer.send(Ok(None));
            return;
        }
        match self.open.get(&torrent) {
            Some(open) => {
                let _ = open.orders.send(Order::Move { to, answer });
            }
            None => {
                let _ = answer.send(Err(closed()));
            }
        }
    }

    /// Closes every store and waits until what was told to be written is.
    pub(super) async fn finish(&mut self) {
        self.open.clear();
        self.objects.clear();
        let all = async { while self.writers.join_next().await.is_some() {} };
        let _ = timeout(FINISH_TIME_MAX, all).await;
    }

    /// Reads part of a piece; `BlockRead` follows.
    pub(super) fn read(&self, job: JobId, torrent: TorrentId, at: (PieceIndex, u32, u32)) {
        if let Some(objects) = self.objects.get(&torrent) {
            return objects.read(job, at);
        }
        let store = self.store(torrent);
        let (piece, begin, len) = at;
        self.job(move || {
            let result = opened(&store).and_then(|store| store.read_block(piece, begin, len));
            Input::BlockRead { job, result }
        });
    }

    /// Reads part of a piece for somebody other than the client.
    pub(super) fn read_for(
        &self,
        torrent: TorrentId,
        at: (PieceIndex, u32, u32),
        answer: oneshot::Sender<Result<Bytes, StoreError>>,
    ) {
        if let Some(objects) = self.objects.get(&torrent) {
            return objects.read_for(at, answer);
        }
        let (piece, begin, len) = at;
        let store = self.store(torrent);
        spawn_blocking(move || {
            let read = opened(&store).and_then(|store| store.read_block(piece, begin, len));
            // Whoever asked may be gone.
            let _ = answer.send(read);
        });
    }

    /// Hashes bytes; `PieceHashed` follows.
    pub(super) fn hash(&self, job: JobId, data: PieceData) {
        self.job(move || Input::PieceHashed { job, result: Ok(sha1(&data)) });
    }

    /// Hashes a stored piece; `PieceHashed` follows.
    pub(super) fn hash_stored(&self, job: JobId, torrent: TorrentId, piece: PieceIndex) {
        if let Some(objects) = self.objects.get(&torrent) {
            return objects.hash_stored(job, piece);
        }
        let store = self.store(torrent);
        self.job(move || {
            let result = opened(&store).and_then(|store| store.hash_piece(piece));
            Input::PieceHashed { job, result }
        });
    }

    /// Hashes blocks one by one; `BlocksHashed` follows.
    pub(super) fn hash_blocks(&self, job: JobId, blocks: Vec<Bytes>) {
        self.job(move || {
            let blocks: Vec<&[u8]> = blocks.iter().map(|block| &block[..]).collect();
            Input::BlocksHashed { job, result: Ok(sha256_many(&blocks)) }
        });
    }

    /// Hashes the blocks of a stored piece; `BlocksHashed` follows.
    pub(super) fn hash_leaves(&self, job: JobId, torrent: TorrentId, piece: PieceIndex) {
        if let Some(objects) = self.objects.get(&torrent) {
            return objects.hash_leaves(job, piece);
        }
        let store = self.store(torrent);
        self.job(move || {
            let result = opened(&store).and_then(|store| store.hash_leaves(piece));
            Input::BlocksHashed { job, result }
        });
    }

    /// Stores a piece; `PieceWritten` follows.
    pub(super) fn write(&self, job: JobId, torrent: TorrentId, piece: PieceIndex, data: PieceData) {
        match self.open.get(&torrent) {
            Some(open) => {
                let _ = open.orders.send(Order::Write { job, piece, data });
            }
            None => self.job(move || Input::PieceWritten { job, result: Err(closed()) }),
        }
    }

    fn store(&self, torrent: TorrentId) -> Option<Arc<OnceLock<Store>>> {
        self.open.get(&torrent).map(|open| Arc::clone(&open.store))
    }

    fn job(&self, work: impl FnOnce() -> Input + Send + 'static) {
        let answers = self.answers.clone();
        tokio::spawn(async move {
            if let Ok(input) = spawn_blocking(work).await {
                let _ = answers.send(input).await;
            }
        });
    }
}

fn opened(store: &Option<Arc<OnceLock<Store>>>) -> Result<&Store, StoreError> {
    store.as_ref().and_then(|store| store.get()).ok_or_else(closed)
}

fn closed() -> StoreError {
    StoreError::Io("the store is closed".to_owned())
}

/// Does a torrent's orders until its store closes.
async fn write(
    store: Arc<OnceLock<Store>>,
    mut orders: mpsc::UnboundedReceiver<Order>,
    answers: mpsc::Sender<Input>,
) {
    let mut batch = Vec::new();
    while orders.recv_many(&mut batch, BATCH_MAX).await > 0 {
        let (work, held) = (std::mem::take(&mut batch), Arc::clone(&store));
        let Ok(done) = spawn_blocking(move || carry_out(&held, work)).await else { return };
        for input in done {
            let _ = answers.send(input).await;
        }
        if orders.is_empty() {
            // Nobody waits for it, and a failure costs a look at the files.
            let store = Arc::clone(&store);
            let _ = spawn_blocking(move || store.get().map(Store::settle)).await;
        }
    }
    // Closing it may write.
    let _ = spawn_blocking(move || drop(store)).await;
}

fn carry_out(store: &OnceLock<Store>, work: Vec<Order>) -> Vec<Input> {
    let store = store.get().ok_or_else(closed);
    let (mut pieces, mut moves, mut delete) = (Vec::new(), Vec::new(), false);
    for order in work {
        match order {
            Order::Write { job, piece, data } => pieces.push((job, piece, data)),
            Order::Move { to, answer } => moves.push((to, answer)),
            Order::Delete => delete = true,
        }
    }
    let written: Vec<_> =
        pieces.iter().map(|(_, piece, data)| PieceToWrite { piece: *piece, data }).collect();
    let result = match &store {
        Ok(store) if !written.is_empty() => store.write_pieces(&written),
        Ok(_) => Ok(()),
        Err(e) => Err(e.clone()),
    };
    for (to, answer) in moves {
        let moved = store.clone().and_then(|store| store.move_to(&to));
        let moved = moved.map(|new| new.then_some(to));
        // Whoever asked may be gone.
        let _ = answer.send(moved);
    }
    if let (true, Ok(store)) = (delete, &store) {
        // What cannot be deleted is left over.
        let _ = store.delete();
    }
    pieces
        .iter()
        .map(|(job, ..)| Input::PieceWritten { job: *job, result: result.clone() })
        .collect()
}
