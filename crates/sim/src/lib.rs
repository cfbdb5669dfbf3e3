//! Whole swarms in virtual time: the real client of every host, and around it a network, disks,
//! trackers, clocks, faults and cheaters, all of it from one seed. One seed is one run, byte for
//! byte, natively and on wasm32.
//!
//! **A scenario** is a file in `scenario/` and an entry in the table of `scenario.rs`: a name, what
//! it shows, and a function that puts hosts into a `World`, plans `Fault`s and says how long
//! everybody may take. The checkers of `check.rs` hold in all of them.
//! **A cheater** is a file in `cheat/`: a `Tamper` changes what a real client says, a `Puppet`
//! speaks the wire itself. Give it to a host by `Spec::cheats`. Those that cheat for money are in
//! `cheat/buyer.rs` and `cheat/seller.rs`; `money/check.rs` judges what they cost others.
//! **A new `Action`** gets its arm in `shell.rs`; a new `Input` needs nothing.
//! **A new fault** is a variant of `Fault`, or `Fault::Do` where one scenario needs it.
#![forbid(unsafe_code)]

mod cheat;
mod check;
mod dial;
mod disk;
mod fault;
mod host;
mod kept;
mod line;
mod money;
mod net;
mod queue;
mod referee;
mod run;
mod sample;
mod scenario;
mod shell;
mod trace;
mod tracker;
mod world;

pub use cheat::{
    Answer, Bidder, Defaulter, Drip, Fetcher, Flood, Forger, FreeRider, Hands, Hog, Inventor, Liar,
    Mode, Noise, PexAbuser, Poisoner, Puppet, Reorderer, SignalAbuser, Spoiler, Spoils, Staller,
    Tamper, Tyrant,
};
pub use disk::{Disk, Manners};
pub use fault::Fault;
pub use host::{Have, Host, HostId, Spec};
pub use kept::kept_seeds;
pub use money::{Account, Crash};
pub use net::{Nat, Path};
pub use run::{Figure, Gate, Outcome, Run, play};
pub use sample::{Sample, SampleId, Shape};
pub use scenario::{Kind, SCENARIOS, Scenario};
pub use trace::{Log, Trace};
pub use tracker::TrackerMood;
pub use world::World;
