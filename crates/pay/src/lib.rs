//! The payment state machine, sans-IO, for both sides: bids, awards, vouchers, credit, and the keys
//! of contents, which it sells and buys unseen. It knows amounts and counts of bytes, never pieces
//! or blocks, and is off until switched on.
//!
//! [`Pay::handle`] takes what happened; [`Pay::next`] says what to do until it answers `Sleep`.
//! Signing, checking signatures, storing and asking the chain are jobs of the shell, answered by
//! inputs. What is promised or taken is stored before it is acted on, so that a crash between the
//! two loses nothing: [`Pay::restore`] takes the stored records back.
#![forbid(unsafe_code)]
#![cfg_attr(not(test), warn(clippy::as_conversions))]

mod auction;
mod buyer;
mod desk;
mod input;
pub mod limit;
mod pay;
mod price;
mod record;
mod seller;
mod step;
mod timer;
mod view;

pub use auction::{Candidate, Sale, Slots, sell};
pub use input::{AccountView, Answer, Buying, Input, JobFailure, Selling, Wanted};
pub use pay::Pay;
pub use price::{affordable, owed};
pub use record::{GrantId, Record, RecordError, RecordKey};
pub use step::{Action, Event, Promise, Signed, Step, Wake, Why, WhyNot};
pub use view::{BuyerView, PayView, SellerView};
