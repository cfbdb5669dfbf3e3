//! A WebTorrent tracker: `Swarms` decides, a thin WebSocket server carries it out.
//! Keeps nothing on disk and passes no torrent data: only offers and answers between peers.
#![forbid(unsafe_code)]

mod config;
pub mod limit;
#[cfg(feature = "server")]
pub mod server;
mod stats;
mod swarms;

pub use config::Config;
pub use stats::{Figure, Stats};
pub use swarms::{CloseReason, Input, SocketId, Sought, Step, Swarms};
