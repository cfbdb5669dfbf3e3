//! Engine and policy in one: what every shell drives. Reads sources, names torrents, keeps readers.
#![forbid(unsafe_code)]
