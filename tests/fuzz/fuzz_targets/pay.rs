//! Fuzzes `pay` of `tests/fuzz/targets.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| headwater_tests::targets::run("pay", bytes));
