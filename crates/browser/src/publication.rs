//! What a torrent says of its publisher, told to the page once it is proven.

use headwater_client::publication::verified;
use headwater_metainfo::{Magnet, Publication};
use headwater_tron::address::to_evm;
use serde::Serialize;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::worker::json;

/// `Told` of `www/src/payment.ts`.
#[derive(Serialize)]
struct Told {
    chain: u64,
    vault: String,
    token: String,
    payee: String,
    publisher: String,
    tip: Option<String>,
    price: Option<String>,
}

/// What the link of a torrent says of its publisher, if the publisher signed it for this torrent.
/// A hybrid's link must name both hashes.
pub(crate) fn said(magnet: &str) -> Option<Publication> {
    let magnet = Magnet::parse(magnet).ok()?;
    verified(magnet.publication.as_ref()?, &(&magnet).into()).ok()
}

/// The same as JSON; nothing where nothing is said, or not proven.
#[wasm_bindgen(js_name = publicationOf)]
pub fn publication_of(magnet: &str) -> Option<String> {
    let Publication { chain, vault, token, payee, publisher, tip, sale, .. } = said(magnet)?;
    Some(json(&Told {
        chain,
        vault: to_evm(vault),
        token: to_evm(token),
        payee: to_evm(payee),
        publisher: to_evm(publisher),
        tip: tip.map(|tip| tip.0.to_string()),
        price: sale.map(|sale| sale.price.0.to_string()),
    }))
}
