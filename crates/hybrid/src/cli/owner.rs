//! What `serve` is told of its owner: where the state is, and whether and how it is controlled.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use headwater_hybrid::serve::{Control, Library, Limits, Shelf, Token, reached_at};
use tracing::{error, info, warn};

use super::args::{Controls, Serve};
use super::failure::Failure;
use super::peer::Started;
use super::{folders, objects};

/// The file that holds the token.
pub(crate) const TOKEN: &str = "control-token";

/// The file that says where the server that runs is controlled.
pub(crate) const URL: &str = "control-url";

/// The file that holds what was chosen.
const STATE: &str = "state.json";

/// The control of a server that listens there, if it is to have one.
pub(crate) fn control(
    args: &Serve,
    listen: SocketAddr,
    started: &Started,
) -> Result<Option<Control>, Failure> {
    let wanted = match args.control {
        Controls::Off => false,
        Controls::On => true,
        Controls::Auto => listen.ip().is_loopback(),
    };
    if !wanted {
        return Ok(None);
    }
    match make(args, listen, started) {
        Ok(control) => Ok(Some(control)),
        Err(failure) if args.control == Controls::Auto => {
            warn!(why = failure.message, "control is off");
            Ok(None)
        }
        Err(failure) => Err(failure),
    }
}

fn make(args: &Serve, listen: SocketAddr, started: &Started) -> Result<Control, Failure> {
    let Started { shell, port, .. } = started;
    let folder = state_folder(args)?;
    fs::create_dir_all(&folder).map_err(|e| Failure::file(&folder, &e))?;
    let (token, state) = (folder.join(TOKEN), folder.join(STATE));
    let secret = Token::kept_in(&token).map_err(|e| Failure::file(&token, &e))?;
    let finished = args.disk.finished.clone();
    let shelf = Shelf { folder: args.dir.clone(), finished, opening: args.disk.opening() };
    let library = Library::open(shell.clone(), shelf, state.clone());
    let (library, aside) = library.map_err(|e| Failure::file(&state, &e))?;
    if let Some(aside) = aside {
        let aside = aside.display().to_string();
        warn!(aside, "the state could not be read and was set aside; starting without it");
    }
    let (url, scheme) = (folder.join(URL), if args.tls_cert.is_some() { "https" } else { "http" });
    let reached = format!("{scheme}://{}/\n", reached_at(listen));
    fs::write(&url, reached).map_err(|e| Failure::file(&url, &e))?;
    info!(token = token.display().to_string(), "control is on, for whoever has the token");
    Ok(Control::new(Arc::new(library), secret, *port))
}

/// Where the state of a server is kept that was told so.
pub(crate) fn state_folder(args: &Serve) -> Result<PathBuf, Failure> {
    state_in(args.state.as_deref(), args.dir.as_deref())
}

/// Where the state is kept: as said, or in the shared folder, or where this user's programs do.
pub(crate) fn state_in(state: Option<&Path>, dir: Option<&Path>) -> Result<PathBuf, Failure> {
    if let Some(folder) = state {
        return Ok(folder.to_owned());
    }
    if let Some(folder) = dir {
        return Ok(folder.join(".headwater"));
    }
    folders::state().ok_or_else(|| {
        Failure::input("state-dir", "no home folder is known: name one with --state DIR")
    })
}

/// Where it is remembered what objects are, if anywhere.
pub(crate) fn records(args: &Serve) -> Option<PathBuf> {
    state_folder(args).ok().map(|folder| folder.join(objects::RECORDS))
}

/// The limits to start with: those said go before those of the last run.
pub(crate) fn limits(args: &Serve, library: Option<&Arc<Library>>) -> Limits {
    let kept = library.map(|library| library.limits()).unwrap_or_default();
    Limits {
        upload: args.peer.upload_limit.or(kept.upload),
        download: args.peer.download_limit.or(kept.download),
    }
}

/// Goes on with what earlier runs were told to add.
pub(crate) async fn restore(library: &Arc<Library>) -> Result<(), Failure> {
    tokio::spawn(Arc::clone(library).watch());
    for (torrent, why) in library.restore().await? {
        error!(torrent, %why, "torrent not added again");
    }
    Ok(())
}

/// Shows the owner at a terminal the link that lets into the page's server view. The token is in
/// its fragment, which browsers send to nobody.
pub(crate) fn show_link(url: &str, token: &str) {
    use std::io::IsTerminal as _;
    if std::io::stderr().is_terminal() {
        eprintln!("control this server at {url}#server={token}");
    }
}
