//! The BitTorrent state machine, without IO: a pure function of inputs, time and a seed.
//! `Engine::handle` takes what happened; `Engine::next` says what to do until it answers `Sleep`.
#![forbid(unsafe_code)]

mod action;
mod config;
#[cfg_attr(not(test), expect(dead_code, reason = "the engine does not drive it yet"))]
mod discovery;
mod engine;
mod event;
mod input;
pub mod limit;
mod view;

pub use action::{Action, PieceData, Step, Wake};
pub use config::Config;
pub use engine::Engine;
pub use event::{CloseReason, Event, TrackerTrouble, Warning};
pub use input::{AddTorrent, Input, LinkEnd, Priority, StoreError, Stored};
pub use view::{EngineView, PeerView, PieceState, TorrentState, TorrentView, TrackerView};
