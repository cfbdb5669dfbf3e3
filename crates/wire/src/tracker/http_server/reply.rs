//! Writes what answers a request.

use core::net::{IpAddr, SocketAddr};

use bytes::BufMut;
use headwater_base::PeerId;
use headwater_metainfo::bencode::{DictBuilder, ListBuilder};

use super::Form;
use crate::tracker::ScrapeEntry;

/// What a client is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// It was taken in, or let go.
    Announce(Listing),
    /// The swarms it asked for.
    Scrape(Vec<ScrapeEntry>),
    /// It is refused, and why.
    Failure(String),
}

/// A swarm as one of it is told of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// Seconds to the next announce.
    pub interval: u32,
    /// Fewest seconds to it.
    pub interval_min: u32,
    /// Peers with everything.
    pub complete: u32,
    /// Peers without everything.
    pub incomplete: u32,
    /// Some of them.
    pub peers: Vec<Listed>,
    /// How these are listed.
    pub form: Form,
}

/// A peer as others are told of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listed {
    /// What it calls itself.
    pub peer_id: PeerId,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Reply {
    /// The body of the response.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Announce(listing) => listing.dict(),
            Self::Scrape(entries) => DictBuilder::new().dict("files", files(entries)),
            Self::Failure(reason) => DictBuilder::new().bytes("failure reason", reason),
        }
        .finish()
    }
}

impl Listing {
    fn dict(&self) -> DictBuilder {
        let dict = DictBuilder::new()
            .int("interval", self.interval.into())
            .int("min interval", self.interval_min.into())
            .int("complete", self.complete.into())
            .int("incomplete", self.incomplete.into());
        if self.form != Form::Compact {
            return dict.list("peers", self.list());
        }
        let dict = dict.bytes("peers", self.compact(true));
        let v6 = self.compact(false);
        // BEP 7: IPv6 addresses have a key of their own; there is none without them.
        if v6.is_empty() { dict } else { dict.bytes("peers6", v6) }
    }

    fn compact(&self, v4: bool) -> Vec<u8> {
        let mut bytes = Vec::new();
        for Listed { address, .. } in self.peers.iter().filter(|p| p.address.is_ipv4() == v4) {
            match address.ip() {
                IpAddr::V4(ip) => bytes.put_slice(&ip.octets()),
                IpAddr::V6(ip) => bytes.put_slice(&ip.octets()),
            }
            bytes.put_u16(address.port());
        }
        bytes
    }

    fn list(&self) -> ListBuilder {
        self.peers.iter().fold(ListBuilder::new(), |list, Listed { peer_id, address }| {
            let dict = DictBuilder::new()
                .bytes("ip", address.ip().to_string())
                .int("port", address.port().into());
            let named = self.form == Form::Named;
            list.dict(if named { dict.bytes("peer id", peer_id.0) } else { dict })
        })
    }
}

fn files(entries: &[ScrapeEntry]) -> DictBuilder {
    entries.iter().fold(DictBuilder::new(), |files, entry| {
        let figures = DictBuilder::new()
            .int("complete", entry.complete.into())
            .int("downloaded", entry.downloaded.into())
            .int("incomplete", entry.incomplete.into());
        files.dict(entry.info_hash.0, figures)
    })
}
