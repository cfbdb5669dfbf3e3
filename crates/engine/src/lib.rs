//! The BitTorrent state machine, without IO: a pure function of inputs, time and a seed.
//! `Engine::handle` takes what happened; `Engine::next` says what to do until it answers `Sleep`.
#![forbid(unsafe_code)]

mod action;
mod ask;
mod bucket;
mod config;
mod desk;
mod discovery;
mod engine;
mod event;
mod input;
mod kicks;
pub mod limit;
mod meter;
mod peer;
mod picker;
mod queue;
mod timer;
mod transfer;
mod view;
mod web;

pub use action::{Action, PieceData, Step, Wake};
pub use ask::{Ask, Asked, AskedFailure};
pub use config::{Attempts, Config};
pub use engine::Engine;
pub use event::{CloseReason, Event, PayNews, TrackerTrouble, Warning};
pub use input::{
    ACCEPTED_FROM, AddTorrent, Finder, Input, LinkEnd, PayOrder, Priority, StoreError, Stored,
};
pub use view::{
    EngineView, PeerView, PieceState, TorrentState, TorrentView, TrackerView, WebSeedView,
};
pub use web::{FetchError, FetchRange, RangeHead, WebSeed, WebSeedTrouble};
