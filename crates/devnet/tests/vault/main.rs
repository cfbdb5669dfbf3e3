//! The vault on a chain of its own: every path, every way it fails, and everybody who attacks it.

mod batch;
mod claims;
mod deposits;
mod exits;
mod faces;
mod gas;
mod random;
mod reserves;
mod signatures;
mod tokens;
mod world;
