//! Store jobs of a torrent whose bytes lie in an object store: read without blocking a thread,
//! never written. Jobs that wait for a store out of reach end when the torrent is closed.

use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use headwater_base::{JobId, PieceIndex, TorrentId};
use headwater_engine::{Input, StoreError, Stored};
use headwater_objects::{Source, Trouble};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::{CancellationToken, DropGuard};

/// The open source of one torrent.
pub(super) struct Objects {
    source: Arc<Source>,
    answers: mpsc::Sender<Input>,
    closed: CancellationToken,
    _open: DropGuard,
}

impl Objects {
    /// Opens a source; `StoreOpened` follows.
    pub(super) fn open(
        torrent: TorrentId,
        source: Arc<Source>,
        answers: mpsc::Sender<Input>,
    ) -> Self {
        let closed = CancellationToken::new();
        let (have, doubtful) = source.known();
        let stored = Stored { have, doubtful, read_only: true };
        let open = Self { source, answers, _open: closed.clone().drop_guard(), closed };
        open.job(async move { Input::StoreOpened { torrent, result: Ok(stored) } });
        open
    }

    /// Reads part of a piece; `BlockRead` follows.
    pub(super) fn read(&self, job: JobId, (piece, begin, len): (PieceIndex, u32, u32)) {
        let source = Arc::clone(&self.source);
        self.job(async move {
            let result = source.read(piece, begin, len).await.map_err(failed);
            Input::BlockRead { job, result }
        });
    }

    /// Reads part of a piece for somebody other than the client.
    pub(super) fn read_for(
        &self,
        (piece, begin, len): (PieceIndex, u32, u32),
        answer: oneshot::Sender<Result<Bytes, StoreError>>,
    ) {
        let source = Arc::clone(&self.source);
        tokio::spawn(async move {
            let read = source.read(piece, begin, len).await.map_err(failed);
            // Whoever asked may be gone.
            let _ = answer.send(read);
        });
    }

    /// Hashes a stored piece; `PieceHashed` follows.
    pub(super) fn hash_stored(&self, job: JobId, piece: PieceIndex) {
        let source = Arc::clone(&self.source);
        self.job(
            async move { Input::PieceHashed { job, result: Ok(source.hash_piece(piece).await) } },
        );
    }

    /// Hashes the blocks of a stored piece; `BlocksHashed` follows.
    pub(super) fn hash_leaves(&self, job: JobId, piece: PieceIndex) {
        let source = Arc::clone(&self.source);
        self.job(async move {
            Input::BlocksHashed { job, result: Ok(source.hash_leaves(piece).await) }
        });
    }

    /// Works until it is done or the source is closed.
    fn job(&self, work: impl Future<Output = Input> + Send + 'static) {
        let (answers, closed) = (self.answers.clone(), self.closed.clone());
        tokio::spawn(async move {
            if let Some(input) = closed.run_until_cancelled(work).await {
                let _ = answers.send(input).await;
            }
        });
    }
}

fn failed(trouble: Trouble) -> StoreError {
    StoreError::Io(trouble.to_string())
}
