//! All peers of a torrent, by link. Each lies in a box of its own, so that little moves when one
//! comes or goes.

use headwater_base::{LinkId, Map};

use super::Peer;

/// The peers, in the order of their links.
#[derive(Default)]
pub(crate) struct Peers(Map<LinkId, Box<Peer>>);

impl Peers {
    pub(crate) const fn new() -> Self {
        Self(Map::new())
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn contains_key(&self, link: &LinkId) -> bool {
        self.0.contains_key(link)
    }

    pub(crate) fn get(&self, link: &LinkId) -> Option<&Peer> {
        self.0.get(link).map(|peer| &**peer)
    }

    pub(crate) fn get_mut(&mut self, link: &LinkId) -> Option<&mut Peer> {
        self.0.get_mut(link).map(|peer| &mut **peer)
    }

    pub(crate) fn insert(&mut self, link: LinkId, peer: Peer) {
        self.0.insert(link, Box::new(peer));
    }

    pub(crate) fn remove(&mut self, link: &LinkId) -> Option<Peer> {
        self.0.remove(link).map(|peer| *peer)
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = (&LinkId, &Peer)> + Clone {
        self.0.iter().map(|(link, peer)| (link, &**peer))
    }

    pub(crate) fn keys(&self) -> impl DoubleEndedIterator<Item = &LinkId> + ExactSizeIterator {
        self.0.keys()
    }

    pub(crate) fn values(
        &self,
    ) -> impl DoubleEndedIterator<Item = &Peer> + ExactSizeIterator + Clone {
        self.0.values().map(|peer| &**peer)
    }

    pub(crate) fn values_mut(
        &mut self,
    ) -> impl DoubleEndedIterator<Item = &mut Peer> + ExactSizeIterator {
        self.0.values_mut().map(|peer| &mut **peer)
    }
}

impl core::ops::Index<&LinkId> for Peers {
    type Output = Peer;

    fn index(&self, link: &LinkId) -> &Peer {
        &self.0[link]
    }
}
