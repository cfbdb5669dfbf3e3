//! The wasm shell: drives the client inside a worker. It decides nothing about torrents; it carries
//! out actions and reports what happened. Its surface is private to `www/src/worker.ts`.

mod hashing;
mod host;
mod links;
mod make;
mod shell;
mod show;
mod store;

pub use hashing::hash_parts;
pub use host::Host;
pub use make::Maker;
pub use shell::Shell;
pub use store::Store;
