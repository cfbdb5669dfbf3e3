//! Engine and policy in one: what every shell drives. Reads sources, names torrents, keeps readers.
#![forbid(unsafe_code)]

mod client;
mod source;

pub use client::{AddOptions, Added, Client};
pub use headwater_engine::{
    Action, AddTorrent, CloseReason, Config, EngineView, Event, Input, LinkEnd, PeerView,
    PieceData, PieceState, Priority, Step, StoreError, Stored, TorrentState, TorrentView,
    TrackerTrouble, TrackerView, Wake, Warning,
};
pub use source::{AddError, Source};
