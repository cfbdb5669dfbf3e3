//! Engine and policy in one: what every shell drives. Reads sources, names torrents, keeps readers.
#![forbid(unsafe_code)]

mod client;
mod payment;
mod source;

pub use client::{AddOptions, Added, Client, Step};
pub use headwater_engine::{
    ACCEPTED_FROM, Action, AddTorrent, Attempts, CloseReason, Config, EngineView, Event,
    FetchError, FetchRange, Finder, Input, LinkEnd, PeerView, PieceData, PieceState, Priority,
    RangeHead, StoreError, Stored, TorrentState, TorrentView, TrackerTrouble, TrackerView, Wake,
    Warning, WebSeed, WebSeedTrouble, WebSeedView,
};
pub use payment::PayStep;
pub use source::{AddError, Source};
