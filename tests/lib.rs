//! End-to-end and interop tests of Headwater; the test targets lie in the folders beside this file.
//! The library is what is fuzzed.

#[path = "fuzz/targets.rs"]
pub mod targets;
