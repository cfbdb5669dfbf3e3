//! `headwater serve`: tracker, web app and peer in one process.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use headwater_base::Seed;
use headwater_hybrid::bridge::Bridge;
use headwater_hybrid::serve::{Site, reached_at};
use headwater_hybrid::shell::{Shell, Stopped};
use headwater_tracker::server::Tracker;
use serde_json::json;
use tokio::net::TcpListener;

use super::args::Serve;
use super::failure::Failure;
use super::peer::Started;
use super::{bridge, peer, print, print_line, seed};

/// Runs the command.
pub(crate) async fn run(args: Serve, json: bool) -> Result<(), Failure> {
    peer::check_trackers(&args.peer.tracker)?;
    let entries = args.dir.as_deref().map_or(Ok(Vec::new()), entries)?;
    let listener = TcpListener::bind(args.listen)
        .await
        .map_err(|e| Failure::failed("listen", format!("{}: {e}", args.listen)))?;
    let listen = listener.local_addr().map_err(|e| Failure::failed("listen", e))?;
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(|e| Failure::failed("random", e))?;
    let config = headwater_tracker::Config::default();
    let (tracker, sought) = Tracker::start_watched(config, &Seed(random));
    let mut trackers = vec![format!("ws://{}/tracker", reached_at(listen))];
    trackers.extend(args.peer.tracker.iter().cloned());
    let Started { shell, port, peer_id } = peer::start(&args.peer, trackers).await?;
    let mut logging = tokio::spawn(seed::log(shell.news()));
    let bridge = bridge::config(&args, peer_id)?;
    let bridge = bridge.map(|config| Bridge::start(config, shell.clone(), sought));
    let site =
        Site::new(shell.clone(), tracker.clone(), listen, args.host, args.peer.tracker.clone());
    let site = Arc::new(site.with_bridge(bridge));
    announce(listen, port, json);
    let serving = tokio::spawn(Arc::clone(&site).serve(listener));
    tokio::spawn(share_all(entries, shell.clone(), site));
    let ended = tokio::select! {
        ended = serving => ended,
        _ = &mut logging => return Err(Stopped.into()),
        () = peer::until_told() => Ok(Ok(())),
    };
    shell.stop().await;
    let _ = logging.await;
    tracker.close().await;
    ended.map_err(|e| Failure::failed("serve", e))?.map_err(|e| Failure::failed("serve", e))
}

/// Says where it is reached, on the first line.
fn announce(listen: SocketAddr, port: Option<u16>, json: bool) {
    let url = format!("http://{}/", reached_at(listen));
    if json {
        print(&json!({ "event": "listening", "url": url, "port": port }));
    } else {
        print_line(&url);
    }
}

/// What lies in the folder, by name without regard to case.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let unreadable = |e| Failure::input("unreadable", format!("{}: {e}", folder.display()));
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        let link = entry.file_type().map_err(unreadable)?.is_symlink();
        if !hidden && !link {
            entries.push(entry.path());
        }
    }
    entries.sort_by_key(|path| path.to_string_lossy().to_lowercase());
    Ok(entries)
}

/// Shares one entry after the other; one that cannot be shared is named and left out.
async fn share_all(entries: Vec<PathBuf>, shell: Shell, site: Arc<Site>) {
    for path in entries {
        let shown = path.display().to_string();
        let made = tokio::task::spawn_blocking(move || seed::make(&path, None)).await;
        let shared = match made {
            Ok(Ok(made)) => seed::share(&shell, &made).await.map(|_| made),
            Ok(Err(failure)) => Err(failure),
            Err(e) => Err(Failure::failed("hash", e)),
        };
        match shared {
            Ok(made) => {
                eprintln!("sharing {} as {}", made.torrent.name, made.torrent.info_hash);
                site.share(made.torrent);
            }
            Err(failure) => eprintln!("warning [{}]: {shown}: {}", failure.code, failure.message),
        }
    }
}
