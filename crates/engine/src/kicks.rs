//! Links that may have something to send or to ask, each once, in order.

use headwater_base::{LinkId, Set, TorrentId};

/// A link of a torrent.
type Of = (TorrentId, LinkId);

/// Who is worked on next. Taking one costs the same however many wait.
#[derive(Debug, Default)]
pub(crate) struct Kicks {
    /// Those of this round, last first.
    round: Vec<Of>,
    /// Those that came since it began.
    next: Set<Of>,
}

impl Kicks {
    pub(crate) fn insert(&mut self, link: Of) {
        self.next.insert(link);
    }

    pub(crate) fn extend(&mut self, links: impl IntoIterator<Item = Of>) {
        self.next.extend(links);
    }

    pub(crate) fn remove(&mut self, link: &Of) {
        self.next.remove(link);
        if let Ok(at) = self.round.binary_search_by(|known| link.cmp(known)) {
            self.round.remove(at);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.round.is_empty() && self.next.is_empty()
    }

    pub(crate) fn pop_first(&mut self) -> Option<Of> {
        if self.round.is_empty() {
            self.round.extend(core::mem::take(&mut self.next).into_iter().rev());
        }
        self.round.pop()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_come_once_and_in_order_and_removed_ones_not_at_all() {
        let of = |link| (TorrentId(1), LinkId(link));
        let mut kicks = Kicks::default();
        kicks.extend([of(5), of(3), of(9), of(3), of(4)]);
        assert_eq!(kicks.pop_first(), Some(of(3)));
        kicks.extend([of(1), of(2)]);
        kicks.remove(&of(5));
        kicks.remove(&of(2));
        let rest: Vec<_> = core::iter::from_fn(|| kicks.pop_first()).collect();
        assert_eq!(rest, [of(4), of(9), of(1)]);
        assert!(kicks.is_empty());
    }
}
