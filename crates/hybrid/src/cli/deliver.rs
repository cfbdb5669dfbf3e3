//! What `get` does with bytes while they come: writes a file to stdout in order, or serves files
//! over HTTP to players.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::Arc;

use headwater_base::TorrentId;
use headwater_client::Event;
use headwater_hybrid::gateway::Gateway;
use headwater_hybrid::serve::reached_at;
use headwater_hybrid::shell::{News, Reader, Shell, Stopped};
use headwater_metainfo::Torrent;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::broadcast::error::RecvError;

use super::args::FileList;
use super::failure::Failure;
use super::{print, print_line};

/// Waits until a torrent's metadata is known.
pub(crate) async fn metainfo(shell: &Shell, torrent: TorrentId) -> Result<Arc<Torrent>, Failure> {
    let mut news = shell.news();
    loop {
        if let Some(known) = shell.client(move |client, _| client.metainfo(torrent)).await? {
            return Ok(known);
        }
        loop {
            match news.recv().await {
                Ok(News::Client(Event::MetadataKnown(of))) if of == torrent => break,
                Err(RecvError::Lagged(_)) => break,
                Ok(News::Stopped) | Err(RecvError::Closed) => return Err(Stopped.into()),
                Ok(_) => {}
            }
        }
    }
}

/// The only file there is to write.
pub(crate) fn only_file(torrent: &Torrent, chosen: Option<&FileList>) -> Result<usize, Failure> {
    let is_chosen = |index: &usize| {
        chosen.is_none_or(|files| files.iter().any(|file| *file as usize == *index))
    };
    let files = (0..torrent.files.len()).filter(|index| !torrent.files[*index].pad);
    let files: Vec<usize> = files.filter(is_chosen).collect();
    match files[..] {
        [file] => Ok(file),
        _ => {
            let count = files.len();
            let message = format!(
                "stdout takes one file and {count} are chosen: name one with --files N, by the \
                 numbers of headwater show"
            );
            Err(Failure::input("several-files", message))
        }
    }
}

/// Writes a file to stdout as it comes.
pub(crate) async fn to_stdout(
    shell: &Shell,
    torrent: TorrentId,
    metainfo: Arc<Torrent>,
    file: usize,
) -> Result<(), Failure> {
    let start = metainfo.files[file].offset.0;
    let end = start + metainfo.files[file].length.0;
    let mut reader = Reader::open(shell, (torrent, metainfo), start..end).await?;
    while let Some(bytes) = reader.next().await.map_err(|e| Failure::failed("read", e))? {
        let written = tokio::task::spawn_blocking(move || io::stdout().lock().write_all(&bytes));
        written
            .await
            .map_err(|e| Failure::failed("stdout", e))?
            .map_err(|e| Failure::failed("stdout", e))?;
    }
    io::stdout().flush().map_err(|e| Failure::failed("stdout", e))
}

/// Serves a torrent's files over HTTP, and says where, until told to end.
pub(crate) async fn over_http(
    shell: &Shell,
    torrent: TorrentId,
    listen: SocketAddr,
    json: bool,
) -> Result<(), Failure> {
    let failed = |e: io::Error| Failure::failed("listen", format!("{listen}: {e}"));
    let listener = TcpListener::bind(listen).await.map_err(failed)?;
    let address = reached_at(listener.local_addr().map_err(failed)?);
    let metainfo = metainfo(shell, torrent).await?;
    let gateway = Gateway::new(shell.clone(), (torrent, Arc::clone(&metainfo)), address);
    for (index, url) in gateway.urls() {
        if json {
            print(&json!({ "event": "stream", "file": index, "url": url }));
        } else {
            print_line(&url);
        }
    }
    gateway.serve(listener).await.map_err(failed)
}
