//! A torrent's bytes as they are read from objects. Blocks come from longer runs, which are kept
//! a while; whole pieces are read to be hashed, however long a store is out of reach.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use bytes::{Bytes, BytesMut};
use futures_util::stream::{self, BoxStream, StreamExt as _, TryStreamExt as _};
use headwater_base::{Bitfield, Digest1, Digest256, PieceIndex, sha1};
use headwater_metainfo::{Torrent, Version, merkle};
use object_store::path::Path;
use object_store::{GetOptions, GetRange, ObjectMeta, ObjectStoreExt as _};
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};
use tracing::{info, warn};

use crate::content::Object;
use crate::kept::Kept;
use crate::location::Location;
use crate::{Trouble, limit};

/// Requests to all stores together, in the order they were asked for.
static REQUESTS: Semaphore = Semaphore::const_new(limit::REQUESTS_MAX);

/// Runs of all torrents together.
static RUNS: LazyLock<Cache<Run, Bytes, ByLength>> = LazyLock::new(|| {
    let count = limit::CACHE_BYTES_MAX / u64::from(limit::RUN_BYTES);
    Cache::with_weighter(count as usize, limit::CACHE_BYTES_MAX, ByLength)
});

/// Names sources for the runs.
static SOURCES: AtomicU64 = AtomicU64::new(0);

/// Blocks side by side in a piece, by their number in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Run {
    source: u64,
    piece: PieceIndex,
    number: u32,
}

#[derive(Clone)]
struct ByLength;

impl Weighter<Run, Bytes> for ByLength {
    fn weight(&self, _: &Run, bytes: &Bytes) -> u64 {
        bytes.len() as u64
    }
}

/// Where a torrent's bytes are read from. It takes none.
#[derive(Debug)]
pub struct Source {
    id: u64,
    location: Location,
    torrent: Arc<Torrent>,
    /// What holds each file; pad files have none.
    objects: Vec<Option<Object>>,
    books: Mutex<Books>,
    /// Whether the last request found nobody.
    down: AtomicBool,
}

#[derive(Debug)]
struct Books {
    kept: Kept,
    /// Pieces that were not hashed since they may have changed.
    doubtful: Bitfield,
    /// Pieces that were hashed and not recorded yet.
    notes: usize,
}

impl Source {
    /// A source of `torrent`, whose files are these objects in the order of `kept`.
    pub fn new(location: Location, torrent: Arc<Torrent>, kept: Kept) -> Self {
        let mut objects = kept.objects().to_vec().into_iter();
        let of = |pad: bool| if pad { None } else { objects.next() };
        let objects = torrent.files.iter().map(|file| file.pad).map(of).collect();
        let count = torrent.piece_count();
        let mut doubtful = Bitfield::full(count);
        kept.have().ones().for_each(|piece| {
            doubtful.clear(piece);
        });
        Self {
            id: SOURCES.fetch_add(1, Ordering::Relaxed),
            location,
            torrent,
            objects,
            books: Mutex::new(Books { kept, doubtful, notes: 0 }),
            down: AtomicBool::new(false),
        }
    }

    /// The torrent whose bytes these are.
    pub fn torrent(&self) -> &Arc<Torrent> {
        &self.torrent
    }

    /// Pieces that were right when they were hashed last, and those that nobody hashed yet.
    pub fn known(&self) -> (Bitfield, Bitfield) {
        let books = self.books();
        (books.kept.have().clone(), books.doubtful.clone())
    }

    /// Reads `len` bytes from `begin` of a piece.
    pub async fn read(&self, piece: PieceIndex, begin: u32, len: u32) -> Result<Bytes, Trouble> {
        let read = timeout(limit::READ_TIME_MAX, self.read_runs(piece, begin, len)).await;
        self.heard(read.unwrap_or_else(|e| Err(Trouble::unreachable(self.location.url(), e))))
    }

    async fn read_runs(&self, piece: PieceIndex, begin: u32, len: u32) -> Result<Bytes, Trouble> {
        let mut parts = Vec::new();
        let (mut at, end) = (begin, begin.saturating_add(len));
        while at < end {
            let (number, from) = (at / limit::RUN_BYTES, at % limit::RUN_BYTES);
            let run = self.run(piece, number).await?;
            let to = run.len().min((end - number * limit::RUN_BYTES) as usize);
            if to <= from as usize {
                let url = self.location.url();
                return Err(Trouble::Mismatch(format!("{url}: piece {piece} ends at {at}")));
            }
            at += to as u32 - from;
            parts.push(run.slice(from as usize..to));
        }
        Ok(match &parts[..] {
            [only] => only.clone(),
            _ => parts.concat().into(),
        })
    }

    async fn run(&self, piece: PieceIndex, number: u32) -> Result<Bytes, Trouble> {
        let key = Run { source: self.id, piece, number };
        let begin = number * limit::RUN_BYTES;
        let len = self.torrent.piece_len(piece).saturating_sub(begin).min(limit::RUN_BYTES);
        RUNS.get_or_insert_async(&key, self.fetch(piece, begin, len)).await
    }

    /// Asks for part of a piece.
    async fn fetch(&self, piece: PieceIndex, begin: u32, len: u32) -> Result<Bytes, Trouble> {
        let mut out = BytesMut::with_capacity(len as usize);
        for span in self.torrent.spans(piece, begin, len) {
            if span.pad {
                out.resize(out.len() + span.len as usize, 0);
                continue;
            }
            let object = self.objects.get(span.file).and_then(Option::as_ref);
            let object = object.ok_or_else(|| Trouble::Gone(self.location.url().to_owned()))?;
            let range = span.offset.0..span.offset.0 + u64::from(span.len);
            let mut bytes = stream(Fetch { location: &self.location, object, range }).await?;
            while let Some(part) = bytes.try_next().await? {
                out.extend_from_slice(&part);
            }
        }
        Ok(out.freeze())
    }

    /// A whole piece; `None` where some of it is gone. Waits for a store that is out of reach.
    async fn read_piece(&self, piece: PieceIndex) -> Option<Bytes> {
        let mut wait = limit::AGAIN_MIN;
        loop {
            match self.heard(self.fetch(piece, 0, self.torrent.piece_len(piece)).await) {
                Ok(bytes) => return Some(bytes),
                Err(Trouble::Unreachable { .. }) => {}
                Err(_) => return None,
            }
            sleep(wait).await;
            wait = (wait * 2).min(limit::AGAIN_MAX);
        }
    }

    /// Hashes a piece as it is stored; what is gone has a digest that no piece has.
    pub async fn hash_piece(self: &Arc<Self>, piece: PieceIndex) -> Digest1 {
        let bytes = self.read_piece(piece).await;
        let source = Arc::clone(self);
        let hashed = spawn_blocking(move || {
            let digest = bytes.map_or([0; 20], |bytes| sha1(&bytes));
            source.note(piece, source.torrent.pieces.get(piece.idx()) == Some(&digest));
            digest
        });
        hashed.await.unwrap_or_default()
    }

    /// SHA-256 of each block of a piece as it is stored (BEP 52), none where it is gone.
    pub async fn hash_leaves(self: &Arc<Self>, piece: PieceIndex) -> Vec<Digest256> {
        let bytes = self.read_piece(piece).await;
        let source = Arc::clone(self);
        let hashed = spawn_blocking(move || {
            let torrent = &source.torrent;
            let leaves = bytes.map(|bytes| torrent.piece_leaves(piece, &bytes));
            if let (Version::V2, Some(node)) = (torrent.version(), torrent.piece_node(piece)) {
                let height = torrent.piece_height(piece);
                let root = leaves.as_ref().map(|leaves| merkle::root(leaves, 0, height));
                source.note(piece, root == Some(node));
            }
            leaves.unwrap_or_default()
        });
        hashed.await.unwrap_or_default()
    }

    /// Takes note of what a piece turned out to be. Blocks now and then.
    fn note(&self, piece: PieceIndex, right: bool) {
        let mut books = self.books();
        books.kept.note(piece, right);
        books.notes += 1;
        let last = books.doubtful.clear(piece) && books.doubtful.is_empty();
        if last || books.notes >= limit::NOTES_MAX {
            books.notes = 0;
            // Without a record it is hashed again next time.
            let _ = books.kept.save();
        }
    }

    /// Says once when a store cannot be reached, and once when it can again.
    fn heard<T>(&self, answer: Result<T, Trouble>) -> Result<T, Trouble> {
        match &answer {
            Err(Trouble::Unreachable { url, why }) if !self.down.swap(true, Ordering::Relaxed) => {
                warn!(url, why, "object store out of reach; it is asked again and again");
            }
            Ok(_) if self.down.swap(false, Ordering::Relaxed) => {
                info!(url = self.location.url(), "object store reached again");
            }
            Ok(_) | Err(_) => {}
        }
        answer
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        let mut books = self.books();
        if std::mem::take(&mut books.notes) > 0 {
            // As in `note`.
            let _ = books.kept.save();
        }
    }
}

/// Part of an object.
pub(crate) struct Fetch<'a> {
    pub(crate) location: &'a Location,
    pub(crate) object: &'a Object,
    pub(crate) range: Range<u64>,
}

/// The bytes of part of an object, exactly as many, if it is the one that was looked at.
pub(crate) async fn stream(
    Fetch { location, object, range }: Fetch<'_>,
) -> Result<BoxStream<'static, Result<Bytes, Trouble>>, Trouble> {
    let url = format!("{} ({})", location.url(), object.path);
    let path = Path::parse(&object.key).map_err(|e| Trouble::unreachable(&url, e))?;
    let permit = REQUESTS.acquire().await.map_err(|e| Trouble::unreachable(&url, e))?;
    let options = GetOptions { range: Some(GetRange::Bounded(range.clone())), ..<_>::default() };
    let asked = timeout(limit::SILENCE_MAX, location.store.get_opts(&path, options)).await;
    let answer = match asked.map_err(|e| Trouble::unreachable(&url, e))? {
        Ok(answer) if is_same(&answer.meta, object) => answer,
        Ok(_) | Err(object_store::Error::NotFound { .. }) => return Err(Trouble::Gone(url)),
        Err(e) => {
            // One that became shorter refuses the range, each store in words of its own.
            let head = timeout(limit::SILENCE_MAX, location.store.head(&path)).await;
            return Err(match head {
                Ok(Ok(meta)) if !is_same(&meta, object) => Trouble::Gone(url),
                Ok(_) | Err(_) => Trouble::unreachable(&url, e),
            });
        }
    };
    if answer.range != range {
        let (start, end) = (answer.range.start, answer.range.end);
        let why =
            format!("bytes {start} to {end} came instead of {} to {}", range.start, range.end);
        return Err(Trouble::unreachable(&url, why));
    }
    let state = (answer.into_stream(), range.end - range.start, permit);
    Ok(stream::try_unfold(state, move |(mut bytes, left, permit)| {
        let url = url.clone();
        async move {
            let next = timeout(limit::SILENCE_MAX, bytes.try_next()).await;
            let next = next.map_err(|e| Trouble::unreachable(&url, e))?;
            let next = next.map_err(|e| Trouble::unreachable(&url, e))?;
            let left = match &next {
                Some(part) => left.checked_sub(part.len() as u64),
                None if left == 0 => return Ok(None),
                None => None,
            };
            match (next, left) {
                (Some(part), Some(left)) => Ok(Some((part, (bytes, left, permit)))),
                _ => Err(Trouble::unreachable(&url, "an answer of another length than asked for")),
            }
        }
    })
    .boxed())
}

/// Whether what answers is the object that was looked at. Lists quote e-tags otherwise than
/// answers do, and tell times more exactly.
fn is_same(meta: &ObjectMeta, object: &Object) -> bool {
    let bare = |e_tag: &str| e_tag.trim_start_matches("W/").trim_matches('"').to_owned();
    let (theirs, ours) = (meta.e_tag.as_deref(), object.e_tag.as_deref());
    meta.size == object.length
        && match (theirs, ours) {
            (Some(theirs), Some(ours)) => bare(theirs) == bare(ours),
            _ => meta.last_modified.timestamp() == object.changed.div_euclid(1000),
        }
}
