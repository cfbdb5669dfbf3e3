//! What is written down of money. Accounts are on a public chain and no peers' addresses, so that
//! they are shown.

use headwater_base::hex;
use headwater_pay::Event;
use headwater_tron::amount::text;
use headwater_tron::chain::{Chain, DEVNET};
use headwater_wire::extended::Rail;
use tracing::{debug, info, warn};

use crate::shell::PayNews;

/// Writes what happened to money.
pub(super) fn tell(news: &PayNews) {
    match news {
        PayNews::Told(event) => told(event),
        PayNews::Unclaimed(why) => warn!(%why, "claim failed"),
        PayNews::Unknown(why) => {
            warn!(why, "a payer's account is not known: nothing is sold to it")
        }
        PayNews::Unstored(why) => warn!(why, "a record of payment could not be written"),
    }
}

fn told(event: &Event) {
    let btt = |amount| text(amount, DEVNET.decimals);
    let account = |rail: &Rail, owner| Chain::show_on(rail.chain, owner);
    match event {
        Event::Earned { link, amount } => debug!(link = link.0, btt = btt(*amount), "earned"),
        Event::Bought { link, bytes, amount } => {
            debug!(link = link.0, bytes, btt = btt(*amount), "bought");
        }
        Event::PriceChanged { link, price } => {
            debug!(link = link.0, btt_per_mib = btt(*price), "price");
        }
        Event::Refused { link, code } => debug!(link = link.0, ?code, "bid refused"),
        Event::PaymentEnded { link, why } => debug!(link = link.0, ?why, "payment ended"),
        Event::CapReached { amount } => info!(btt = btt(*amount), "the cap is used up"),
        Event::GrantExpired => info!("the grant has run out"),
        Event::Insolvent { rail, owner, free, exposure } => {
            let (owner, free, needed) = (account(rail, *owner), btt(*free), btt(*exposure));
            info!(owner, free, needed, "a payer's deposit covers too little");
        }
        Event::Overissued { rail, owner, lost } => {
            let (owner, lost) = (account(rail, *owner), btt(*lost));
            warn!(owner, lost, "a claim paid short: its payer is sold nothing");
        }
        Event::Claimed { amount } => info!(btt = btt(*amount), "claimed"),
        Event::ClaimFailed { why } => debug!(?why, "claim is tried again"),
        Event::KeySold { rail, owner, content, amount } => {
            let (owner, content) = (account(rail, *owner), hex(&content.0));
            info!(owner, content, btt = btt(*amount), "the key of a content was given");
        }
        Event::ContentPaid { content, amount } => {
            info!(content = hex(&content.0), btt = btt(*amount), "a key is paid for");
        }
        Event::KeyCame { content } => info!(content = hex(&content.0), "a key came"),
        Event::NotBought { content, why } => {
            info!(content = hex(&content.0), ?why, "a key was not bought");
        }
    }
}
