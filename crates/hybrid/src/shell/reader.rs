//! Reads part of a torrent while it downloads: what is read comes first, and is read from the store
//! or, in v2, from pieces that are not whole yet.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use headwater_base::{ByteCount, PieceIndex, ReaderId, TorrentId};
use headwater_client::{Event, StoreError};
use headwater_metainfo::Torrent;
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::sync::oneshot;

use super::{News, Shell, Stopped};

/// Most bytes of one answer.
const PART_BYTES_MAX: u64 = 256 * 1024;

/// Why reading ended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The client is gone, or the torrent is.
    #[error("the torrent is no longer read: it failed or was removed")]
    Gone,
    /// The store cannot give what it has.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Stopped> for ReadError {
    fn from(_: Stopped) -> Self {
        Self::Gone
    }
}

/// Somebody who reads. Dropped, it waits for nothing any more.
pub struct Reader {
    shell: Shell,
    news: broadcast::Receiver<News>,
    torrent: TorrentId,
    metainfo: Arc<Torrent>,
    id: ReaderId,
    at: u64,
    end: u64,
    /// Bytes from `at` up to here can be read.
    ready: u64,
}

impl Reader {
    /// Reads a range of the torrent's bytes from now on.
    pub async fn open(
        shell: &Shell,
        (torrent, metainfo): (TorrentId, Arc<Torrent>),
        range: Range<u64>,
    ) -> Result<Self, Stopped> {
        let news = shell.news();
        let (at, end) = (range.start, range.end.min(metainfo.length.0));
        let id = shell
            .client(move |client, now| {
                let id = client.open_reader(torrent);
                client.move_reader(now, id, ByteCount(at), ByteCount(end));
                id
            })
            .await?;
        let shell = shell.clone();
        Ok(Self { shell, news, torrent, metainfo, id, at, end, ready: at })
    }

    /// The next bytes, in order; `None` after the last.
    pub async fn next(&mut self) -> Result<Option<Bytes>, ReadError> {
        if self.at >= self.end {
            return Ok(None);
        }
        while self.ready <= self.at {
            self.wait().await?;
        }
        let length = u64::from(self.metainfo.piece_length);
        let (piece, begin) = (self.at / length, self.at % length);
        let most = self.ready.min(self.end) - self.at;
        let len = most.min(length - begin).min(PART_BYTES_MAX);
        let span = (PieceIndex(piece as u32), begin as u32, len as u32);
        let bytes = self.shell.read(self.torrent, span).await??;
        self.at += bytes.len() as u64;
        self.go_on().await?;
        Ok(Some(bytes))
    }

    /// Waits for news of how far it can read.
    async fn wait(&mut self) -> Result<(), ReadError> {
        match self.news.recv().await {
            Ok(News::Client(Event::ReaderReady { reader, end })) if reader == self.id => {
                self.ready = self.ready.max(end.0);
            }
            Ok(News::Client(Event::ReaderFailed(reader))) if reader == self.id => {
                return Err(ReadError::Gone);
            }
            Ok(News::Stopped) | Err(RecvError::Closed) => return Err(ReadError::Gone),
            // It is told again once it says where it is.
            Err(RecvError::Lagged(_)) => self.go_on().await?,
            Ok(
                News::Client(_)
                | News::LinkOpened { .. }
                | News::LinkClosed { .. }
                | News::Moved { .. }
                | News::Router(_)
                | News::Pay(_),
            ) => {}
        }
        Ok(())
    }

    async fn go_on(&mut self) -> Result<(), Stopped> {
        let (id, at, end) = (self.id, ByteCount(self.at), ByteCount(self.end));
        self.shell.client(move |client, now| client.move_reader(now, id, at, end)).await
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let (shell, id) = (self.shell.clone(), self.id);
        // Outside a runtime everything ends anyway.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                let _ = shell.client(move |client, now| client.close_reader(now, id)).await;
            });
        }
    }
}

impl Shell {
    /// Reads verified bytes of one piece: where, and how many.
    async fn read(
        &self,
        torrent: TorrentId,
        span: (PieceIndex, u32, u32),
    ) -> Result<Result<Bytes, StoreError>, Stopped> {
        let (answer, answered) = oneshot::channel();
        self.order(move |driver| driver.read(torrent, span, answer)).await?;
        answered.await.map_err(|_| Stopped)
    }
}
