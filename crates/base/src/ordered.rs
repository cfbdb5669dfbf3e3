//! Maps and sets in key order, kept in one sorted vector. They hold what a client has few of:
//! torrents, links, jobs, timers. A tree of the standard library costs 8 KB of wasm for each pair
//! of types, a third of the engine; moving a few hundred entries costs less than its pointers.

mod map;
mod set;

pub use map::{Entry, Map};
pub use set::Set;

#[cfg(test)]
mod tests;
