//! What rides in extended messages (BEP 10): the extension handshake, metadata
//! exchange, peer exchange, introductions, what is wanted soon, and paid priority.

mod btt_pay;
mod btt_terms;
mod donthave;
mod handshake;
mod metadata;
mod pex;
mod signal;
mod want;

pub use btt_pay::{Award, Bid, Buy, EndCode, Offer, PayMessage, RefuseCode, SEALED_LEN};
pub use btt_terms::{BTT_PAY, BTT_PAY_OWN_ID, ContentId, Grant, PayTerms, Rail};
pub use donthave::DontHave;
pub use handshake::{Extension, Handshake};
pub use metadata::MetadataMessage;
pub use pex::{PexFlags, PexMessage, PexPeer};
pub use signal::{Refusal, SignalMessage, SignalNews, SignalWay};
pub use want::{Want, WantMessage};

use headwater_metainfo::bencode::{KeyOrder, Rules};

use crate::limit;

/// What is read of an extended message's dictionary.
const RULES: Rules = Rules {
    bytes_max: limit::EXTENDED_BYTES_MAX as usize,
    depth_max: limit::EXTENDED_DEPTH_MAX,
    values_max: limit::EXTENDED_VALUES_MAX,
    key_order: KeyOrder::Any,
};
