//! The wasm shell, in two modules: the engine's drives the client inside a worker, and payment's is
//! loaded beside it once the user pays. Neither decides anything about torrents or money; they
//! carry out actions and report what happened. Their surface is private to `www/src`.

#[cfg(any(feature = "engine", feature = "pay"))]
mod crossing;
#[cfg(feature = "engine")]
mod hashing;
#[cfg(feature = "engine")]
mod host;
#[cfg(feature = "engine")]
mod links;
#[cfg(feature = "engine")]
mod make;
#[cfg(any(feature = "pay", test))]
mod payer;
#[cfg(any(feature = "pay", test))]
mod publication;
#[cfg(any(feature = "pay", test))]
mod rate;
#[cfg(feature = "engine")]
mod shell;
#[cfg(feature = "engine")]
mod show;
#[cfg(feature = "engine")]
mod store;
#[cfg(any(feature = "engine", feature = "pay"))]
mod worker;

#[cfg(feature = "engine")]
pub use hashing::hash_parts;
#[cfg(feature = "engine")]
pub use host::Host;
#[cfg(feature = "engine")]
pub use make::Maker;
#[cfg(any(feature = "pay", test))]
pub use payer::{OpenContent, PayHost, Payer, content_of};
#[cfg(any(feature = "pay", test))]
pub use publication::publication_of;
#[cfg(feature = "engine")]
pub use shell::Shell;
#[cfg(feature = "engine")]
pub use store::Store;
