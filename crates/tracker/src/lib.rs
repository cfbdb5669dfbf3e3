//! A tracker for WebTorrent's peers, over WebSocket, and for all others, over HTTP: `Swarms`
//! decides, a thin server carries it out.
//! Keeps nothing on disk and passes no torrent data: only offers, answers and addresses of peers.
#![forbid(unsafe_code)]

mod config;
pub mod limit;
#[cfg(feature = "server")]
pub mod server;
mod stats;
mod swarms;

pub use config::Config;
pub use stats::{Figure, FleetStats, Stats};
pub use swarms::{
    CloseReason, Fellows, FleetInput, Heard, Input, Member, ProcessId, SocketId, Sought, Step,
    Swarms, To,
};
