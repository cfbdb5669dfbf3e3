//! What payment waits for. Nothing else in it waits for a time.

use headwater_base::LinkId;

/// Everything payment waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// Slots are sold anew.
    Sale,
    /// A buyer looks at its bids.
    Search,
    /// Claims that failed are tried again.
    Claims,
    /// Keys that did not come are asked for again.
    Keys,
    /// A link's messages are counted anew.
    Flood(LinkId),
    /// An offer we made runs out.
    Offer(LinkId),
    /// An offer we were made runs out.
    Offered(LinkId),
    /// An award we hold runs out.
    Award(LinkId),
    /// A payer must have paid what is due.
    Grace(LinkId),
    /// What is known of a payer's account is too old.
    View(LinkId),
}

impl Timer {
    /// Its name, for logs and tests.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sale => "sale",
            Self::Search => "search",
            Self::Claims => "claims",
            Self::Keys => "keys",
            Self::Flood(_) => "flood",
            Self::Offer(_) => "offer",
            Self::Offered(_) => "offered",
            Self::Award(_) => "award",
            Self::Grace(_) => "grace",
            Self::View(_) => "view",
        }
    }

    /// All that are a link's.
    pub(crate) fn of_link(link: LinkId) -> [Self; 6] {
        [
            Self::Flood(link),
            Self::Offer(link),
            Self::Offered(link),
            Self::Award(link),
            Self::Grace(link),
            Self::View(link),
        ]
    }
}
