//! Engine and policy in one: what every shell drives. Reads sources, names torrents, keeps readers.
#![forbid(unsafe_code)]

#[cfg(feature = "pay")]
pub mod chain;
mod client;
#[cfg(feature = "pay")]
pub mod content;
#[cfg(feature = "pay")]
mod payment;
#[cfg(feature = "pay")]
pub mod publication;
mod source;

pub use client::{AddOptions, Added, Client};
pub use headwater_engine::{
    ACCEPTED_FROM, Action, AddTorrent, Attempts, CloseReason, Config, EngineView, Event,
    FetchError, FetchRange, Finder, Input, LinkEnd, PayNews, PayOrder, PeerView, PieceData,
    PieceState, Priority, RangeHead, Step, StoreError, Stored, TorrentState, TorrentView,
    TrackerTrouble, TrackerView, Wake, Warning, WebSeed, WebSeedTrouble, WebSeedView,
};
#[cfg(feature = "pay")]
pub use headwater_pay as pay;
#[cfg(feature = "pay")]
pub use payment::{PayStep, Payment, PaymentStep};
pub use source::{AddError, Source};
