//! The native shell: drives the core over WebRTC, files and WebSocket trackers.
//! It decides nothing a peer could notice; that is the core's part.

pub mod bridge;
pub mod dht;
pub mod filter;
pub mod gateway;
pub mod log;
pub mod lsd;
pub mod proxy;
pub mod router;
pub mod serve;
pub mod shell;
pub mod store;
pub mod transport;
