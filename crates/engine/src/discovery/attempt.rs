//! One attempt to make a link, from either side. Knows its state, not what moves it.

use core::net::SocketAddr;

use headwater_base::{InfoHash, LinkId, PeerId, Set, Time, TorrentId};
use headwater_wire::tracker::OfferId;

use super::At;
use super::limit::OFFER_REST;

/// A link to be, for one torrent.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) torrent: TorrentId,
    pub(super) state: State,
    /// The link to the neighbour that introduces the peer, if one does.
    pub(super) relay: Option<LinkId>,
    /// The hash under which a tracker brought both sides together, once it did.
    pub(super) hash: Option<InfoHash>,
}

/// Where the answer to somebody's offer goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Through a tracker.
    Tracker(At),
    /// Through a neighbour.
    Relay(LinkId),
}

/// How far an attempt is.
#[derive(Debug)]
pub(super) enum State {
    /// The shell makes our offer.
    Making,
    /// Our offer waits for somebody to answer it.
    Offered(Offer),
    /// The shell has the answer to our offer; the link may open.
    Taking(PeerId),
    /// The shell makes our answer to this offer.
    Answering {
        /// Who offered.
        peer: PeerId,
        /// What they call the offer.
        offer: OfferId,
        /// Where the answer goes.
        way: Way,
    },
    /// Our answer to this peer's offer was sent; the link may open.
    Answered(PeerId),
    /// The shell dials this address.
    Dialling(SocketAddr),
}

/// An offer that can be announced.
#[derive(Debug)]
pub(super) struct Offer {
    /// What it is called at trackers: whoever does not know it cannot answer.
    pub(super) id: OfferId,
    pub(super) sdp: String,
    /// When it is too old.
    pub(super) until: Time,
    /// When it was announced last.
    pub(super) sent_at: Option<Time>,
    /// The trackers that know it, and of which hash.
    pub(super) via: Set<At>,
    /// The only peer that may answer it, when it went through a relay.
    pub(super) to: Option<PeerId>,
}

impl Attempt {
    /// Whether a remote peer takes part already.
    pub(super) fn is_joint(&self) -> bool {
        match self.state {
            State::Making | State::Offered(_) => false,
            State::Taking(_)
            | State::Answering { .. }
            | State::Answered(_)
            | State::Dialling(_) => true,
        }
    }

    /// Whether it is our answer to somebody's offer.
    pub(super) fn is_answer(&self) -> bool {
        match self.state {
            State::Answering { .. } | State::Answered(_) => true,
            State::Making | State::Offered(_) | State::Taking(_) | State::Dialling(_) => false,
        }
    }

    /// Whether the shell still makes its offer.
    pub(super) fn is_making(&self) -> bool {
        matches!(self.state, State::Making)
    }

    /// The offer that waits for an answer.
    pub(super) fn offer(&self) -> Option<&Offer> {
        match &self.state {
            State::Offered(offer) => Some(offer),
            State::Making
            | State::Taking(_)
            | State::Answering { .. }
            | State::Answered(_)
            | State::Dialling(_) => None,
        }
    }

    /// The address that is dialled.
    pub(super) fn dials(&self) -> Option<SocketAddr> {
        match self.state {
            State::Dialling(address) => Some(address),
            State::Making
            | State::Offered(_)
            | State::Taking(_)
            | State::Answering { .. }
            | State::Answered(_) => None,
        }
    }

    /// The peer at its other end, as far as that is settled.
    pub(super) fn peer(&self) -> Option<PeerId> {
        match &self.state {
            State::Making | State::Dialling(_) => None,
            State::Offered(offer) => offer.to,
            State::Taking(peer) | State::Answered(peer) | State::Answering { peer, .. } => {
                Some(*peer)
            }
        }
    }

    /// Whether it answers an offer of `peer`.
    pub(super) fn answers(&self, peer: PeerId) -> bool {
        match self.state {
            State::Answering { peer: other, .. } | State::Answered(other) => other == peer,
            State::Making | State::Offered(_) | State::Taking(_) | State::Dialling(_) => false,
        }
    }
}

impl Offer {
    /// Whether it can be announced: never was, or whoever got it would have answered by now.
    pub(super) fn is_rested(&self, now: Time) -> bool {
        self.to.is_none() && self.sent_at.is_none_or(|sent| now.since(sent) >= OFFER_REST)
    }

    /// Whether it lives long enough for one more to answer it.
    pub(super) fn is_young(&self, now: Time) -> bool {
        self.until.since(now) >= OFFER_REST
    }
}
