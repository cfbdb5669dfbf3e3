//! The HTTP API of a TRON node as values: what is asked, what is answered, and what an answer
//! means. Sends nothing: a shell posts a [`Request`] and hands back the bytes of the answer.
//!
//! A node answers most failures with HTTP 200, leaves zeros out, and writes messages in hex. All
//! of that ends here: an answer is read into an outcome that cannot be mistaken for another.

mod answer;
mod error;
mod form;
mod outcome;
mod request;

pub use answer::{
    AccountAnswer, BlockAnswer, BlockHeader, BlockHeaderRaw, BroadcastAnswer, CallAnswer,
    EnergyAnswer, KeyValue, LogEntry, ParametersAnswer, ReceiptAnswer, ResourceReceipt,
    ResourcesAnswer, ReturnAnswer, message_text,
};
pub use error::{Code, NodeError, Words};
pub use form::{HexAddress, HexBytes, LogAddress};
pub use outcome::{
    Account, Block, Broadcast, Called, Log, Outcome, Prices, Receipt, Resources, account, block,
    broadcast, called, energy, prices, receipt, resources, unsigned,
};
pub use request::{
    AddressRequest, BlockRequest, CallRequest, DeployRequest, HexRequest, Request,
    TransferAssetRequest, TransferRequest, ValueRequest, path,
};

#[cfg(test)]
mod tests;
