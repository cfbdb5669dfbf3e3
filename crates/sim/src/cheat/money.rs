//! Reads and writes payment's messages for those that change them.

use headwater_wire::Message;
use headwater_wire::extended::{BTT_PAY_OWN_ID, PayMessage};

/// What a message says of payment. Everybody in the world has the same id for it.
pub(super) fn said(message: &Message) -> Option<PayMessage> {
    let Message::Extended { id: BTT_PAY_OWN_ID, payload } = message else { return None };
    PayMessage::decode(payload).ok().flatten()
}

/// A message that says this.
pub(super) fn saying(message: &PayMessage) -> Message {
    Message::Extended { id: BTT_PAY_OWN_ID, payload: message.encode() }
}
