//! Links that came in from outside, until their handshake says which torrent they are for. Anybody
//! can make one, so they are few, and not for long.

use core::net::SocketAddr;

use bytes::{Bytes, BytesMut};
use headwater_base::{InfoHash, LinkId, Time, TorrentId};
use headwater_wire::Handshake;

use super::limit::{ARRIVAL_WAIT, ARRIVALS_MAX, ARRIVALS_PER_HOST_MAX};
use super::{Discovery, Expected, Role, Timer};
use crate::Action;

/// A link that has not said what it is for.
#[derive(Debug)]
pub(super) struct Arrival {
    from: SocketAddr,
    window: usize,
    /// What it said so far, less than a handshake.
    said: BytesMut,
}

impl Discovery {
    /// A link came in.
    pub(super) fn accepted(
        &mut self,
        now: Time,
        (link, from): (LinkId, SocketAddr),
        window: usize,
    ) {
        let of_host = self.arrivals.values().filter(|other| other.from.ip() == from.ip()).count();
        let fits = self.arrivals.len() < ARRIVALS_MAX
            && of_host < ARRIVALS_PER_HOST_MAX
            && self.arrival_budget.take(now)
            && self.make_room(now, false);
        if fits {
            self.arrivals.insert(link, Arrival { from, window, said: BytesMut::new() });
            self.timers.set(Timer::Arrival(link), now + ARRIVAL_WAIT);
        } else {
            self.act(Action::CloseLink(link));
        }
    }

    /// Takes bytes of a link that is nobody's. Answers all it said once that tells the torrent.
    pub(crate) fn arrival_said(
        &mut self,
        link: LinkId,
        bytes: &Bytes,
    ) -> Option<(InfoHash, Bytes)> {
        let said = &mut self.arrivals.get_mut(&link)?.said;
        said.extend_from_slice(bytes);
        let start = said.first_chunk()?;
        match Handshake::from_bytes(start) {
            Ok(handshake) => Some((handshake.info_hash, said.split().freeze())),
            Err(_) => {
                self.refuse_arrival(link);
                None
            }
        }
    }

    /// Hands over a link that came in, if its torrent has room for it.
    pub(crate) fn claim(&mut self, now: Time, link: LinkId, torrent: Option<TorrentId>) {
        let torrent = torrent.filter(|torrent| self.room(*torrent) > 0);
        match (torrent, self.arrivals.get(&link)) {
            (Some(torrent), Some(arrival)) => {
                let (from, window) = (Some(arrival.from.ip()), arrival.window);
                self.forget_arrival(link);
                let who = Expected { from, direct: true, ..Expected::default() };
                self.hand_over(now, (torrent, link), (Role::Answered, window), who);
            }
            (None, _) | (_, None) => self.refuse_arrival(link),
        }
    }

    /// Closes a link that is for nobody here, or does not say what it is for.
    pub(super) fn refuse_arrival(&mut self, link: LinkId) {
        if self.forget_arrival(link) {
            self.act(Action::CloseLink(link));
        }
    }

    /// Forgets a link that came in; answers whether there was one.
    pub(super) fn forget_arrival(&mut self, link: LinkId) -> bool {
        self.timers.clear(Timer::Arrival(link));
        self.arrivals.remove(&link).is_some()
    }
}
