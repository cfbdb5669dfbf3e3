//! Takes in streams that others dial, few at a time until they have said something sensible.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use headwater_base::LinkId;
use headwater_engine::LinkEnd;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::dial::{Boxed, tune};
use super::{Ends, LinkEvent, Shared, greet, pump};
use crate::transport::Kind;
use crate::transport::link::LINK_WINDOW;

/// Fewest streams that may have said nothing sensible yet; further ones are closed at once.
const SILENT_MIN: usize = 100;

/// Part of all links that such streams may be: who serves thousands is dialled by hundreds at once
/// when it starts, or when a network comes back.
const SILENT_PART: usize = 5;

/// Pause after the system refused to accept, which it does when files run out.
const REFUSED_PAUSE: Duration = Duration::from_secs(1);

/// Accepts on every socket from here on.
pub(super) fn start(shared: &Arc<Shared>, tasks: &mut JoinSet<()>) {
    let silent = SILENT_MIN.max(shared.config.links_max / SILENT_PART);
    let silent = Arc::new(Semaphore::new(silent));
    for listener in &shared.bound.tcp {
        let (listener, shared) = (Arc::clone(listener), Arc::downgrade(shared));
        let silent = Arc::clone(&silent);
        tasks.spawn(async move {
            loop {
                let accepted = listener.accept().await;
                let Some(shared) = shared.upgrade() else { return };
                match accepted {
                    Ok((stream, from)) => {
                        tune(&stream);
                        take(&shared, (Box::new(stream), Kind::Tcp), from, &silent);
                    }
                    Err(_) => sleep(REFUSED_PAUSE).await,
                }
            }
        });
    }
    for socket in &shared.bound.utp {
        let (socket, shared) = (Arc::clone(socket), Arc::downgrade(shared));
        let silent = Arc::clone(&silent);
        tasks.spawn(async move {
            // It fails only once the socket is closed.
            while let Ok(stream) = socket.accept().await {
                let Some(shared) = shared.upgrade() else { return };
                let from = stream.remote_addr();
                take(&shared, (Box::new(stream), Kind::Utp), from, &silent);
            }
        });
    }
}

fn take(shared: &Arc<Shared>, stream: (Boxed, Kind), from: SocketAddr, silent: &Arc<Semaphore>) {
    let from = SocketAddr::new(from.ip().to_canonical(), from.port());
    if shared.filter.refuses(from.ip()) {
        return;
    }
    let Ok(permit) = Arc::clone(silent).try_acquire_owned() else { return };
    tokio::spawn(run(Arc::clone(shared), stream, from, permit));
}

/// Lives until an accepted link ends or its handle is dropped.
async fn run(
    shared: Arc<Shared>,
    (stream, kind): (Boxed, Kind),
    from: SocketAddr,
    silent: OwnedSemaphorePermit,
) {
    let Ok(greeted) = greet::accepted(&shared, stream).await else { return };
    drop(silent);
    let link = LinkId(shared.next_accepted.fetch_add(1, Ordering::Relaxed));
    let Some(Ends { link, commands, queued, gone }) = shared.handle(link) else { return };
    let accepted = LinkEvent::Accepted { link, kind, window: LINK_WINDOW, from };
    let _ = shared.events.send(accepted).await;
    tokio::select! {
        () = pump::run(greeted, link, &shared.events, (commands, &queued)) => {}
        _ = gone => {}
    }
    let _ = shared.events.send(LinkEvent::Closed { link, end: LinkEnd::Closed }).await;
}
