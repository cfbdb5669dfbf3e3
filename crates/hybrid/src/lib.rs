//! The native shell: drives the core over WebRTC, files and WebSocket trackers.
//! It decides nothing a peer could notice; that is the core's part.

pub mod transport;
