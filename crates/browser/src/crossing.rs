//! What crosses between the engine's module and payment's, which is a wasm of its own that is
//! loaded when the user pays: a word, a link, a number, bytes. The worker only carries it.

use bytes::Bytes;
use headwater_base::LinkId;
#[cfg(any(feature = "pay", test))]
use headwater_base::TorrentId;
use headwater_client::{PayNews, PayOrder};

/// One thing that crosses. What its word does not need is zero or empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Crossing {
    pub(crate) word: &'static str,
    pub(crate) link: LinkId,
    pub(crate) number: u64,
    pub(crate) bytes: Bytes,
}

fn cross(word: &'static str, link: LinkId, number: u64) -> Crossing {
    Crossing { word, link, number, bytes: Bytes::new() }
}

#[cfg(any(feature = "engine", test))]
impl From<PayNews> for Crossing {
    fn from(news: PayNews) -> Self {
        match news {
            PayNews::Told { torrent, link, terms } => {
                Self { bytes: terms, ..cross("told", link, torrent.0.into()) }
            }
            PayNews::Said { link, payload } => Self { bytes: payload, ..cross("said", link, 0) },
            PayNews::Left(link) => cross("left", link, 0),
            PayNews::Served { link, unchoked } => cross("served", link, unchoked.into()),
            PayNews::Received { link, bytes } => cross("received", link, bytes),
            PayNews::Verified { link, bytes } => cross("verified", link, bytes),
            PayNews::Bad(link) => cross("bad", link, 0),
            PayNews::Sent { link, bytes } => cross("sent", link, bytes),
            PayNews::Interest { link, interested } => cross("interest", link, interested.into()),
            PayNews::Reciprocates { link, enough } => cross("gives", link, enough.into()),
        }
    }
}

/// News from what the worker carried; nothing for a word that means none.
#[cfg(any(feature = "pay", test))]
pub(crate) fn news(word: &str, link: LinkId, number: u64, bytes: Bytes) -> Option<PayNews> {
    Some(match word {
        "told" => {
            PayNews::Told { torrent: TorrentId(u32::try_from(number).ok()?), link, terms: bytes }
        }
        "said" => PayNews::Said { link, payload: bytes },
        "left" => PayNews::Left(link),
        "served" => PayNews::Served { link, unchoked: number != 0 },
        "received" => PayNews::Received { link, bytes: number },
        "verified" => PayNews::Verified { link, bytes: number },
        "bad" => PayNews::Bad(link),
        "sent" => PayNews::Sent { link, bytes: number },
        "interest" => PayNews::Interest { link, interested: number != 0 },
        "gives" => PayNews::Reciprocates { link, enough: number != 0 },
        _ => return None,
    })
}

#[cfg(any(feature = "pay", test))]
impl From<PayOrder> for Crossing {
    fn from(order: PayOrder) -> Self {
        match order {
            PayOrder::Terms(terms) => {
                Self { bytes: terms.unwrap_or_default(), ..cross("terms", LinkId(0), 0) }
            }
            PayOrder::Say { link, payload } => Self { bytes: payload, ..cross("say", link, 0) },
            PayOrder::Sell { link, weight } => cross("sell", link, weight.into()),
            PayOrder::Allow { link, bytes } => cross("allow", link, bytes),
            PayOrder::Charge { link, charges } => cross("charge", link, charges.into()),
            PayOrder::Meet(seeds) => cross("meet", LinkId(0), seeds.into()),
        }
    }
}

/// An order from what the worker carried; nothing for a word that means none.
#[cfg(any(feature = "engine", test))]
pub(crate) fn order(word: &str, link: LinkId, number: u64, bytes: Bytes) -> Option<PayOrder> {
    Some(match word {
        // Terms are a dictionary, which is never empty.
        "terms" => PayOrder::Terms(Some(bytes).filter(|bytes| !bytes.is_empty())),
        "say" => PayOrder::Say { link, payload: bytes },
        "sell" => PayOrder::Sell { link, weight: u32::try_from(number).ok()? },
        "allow" => PayOrder::Allow { link, bytes: number },
        "charge" => PayOrder::Charge { link, charges: number != 0 },
        "meet" => PayOrder::Meet(number != 0),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINK: LinkId = LinkId(7);

    #[test]
    fn all_news_come_over_as_they_were() {
        let payload = Bytes::from_static(b"d1:ti0ee");
        let all = [
            PayNews::Told { torrent: TorrentId(3), link: LINK, terms: payload.clone() },
            PayNews::Said { link: LINK, payload },
            PayNews::Left(LINK),
            PayNews::Served { link: LINK, unchoked: true },
            PayNews::Received { link: LINK, bytes: 16_384 },
            PayNews::Verified { link: LINK, bytes: 16_384 },
            PayNews::Bad(LINK),
            PayNews::Sent { link: LINK, bytes: 1 << 40 },
            PayNews::Interest { link: LINK, interested: false },
            PayNews::Reciprocates { link: LINK, enough: true },
        ];
        for one in all {
            let Crossing { word, link, number, bytes } = one.clone().into();
            assert_eq!(news(word, link, number, bytes), Some(one));
        }
        assert_eq!(news("nonsense", LINK, 0, Bytes::new()), None);
    }

    #[test]
    fn all_orders_come_over_as_they_were() {
        let payload = Bytes::from_static(b"d1:ti0ee");
        let all = [
            PayOrder::Terms(Some(payload.clone())),
            PayOrder::Terms(None),
            PayOrder::Say { link: LINK, payload },
            PayOrder::Sell { link: LINK, weight: 1_000_000 },
            PayOrder::Allow { link: LINK, bytes: 1 << 40 },
            PayOrder::Charge { link: LINK, charges: true },
            PayOrder::Meet(true),
        ];
        for one in all {
            let Crossing { word, link, number, bytes } = one.clone().into();
            // Terms concern no link; nobody looks at theirs.
            assert_eq!(order(word, link, number, bytes), Some(one));
        }
        assert_eq!(order("sell", LINK, 1 << 32, Bytes::new()), None);
    }
}
