//! Links of every kind under one roof: each call goes to whoever has the link.

use std::net::SocketAddr;

use bytes::Bytes;
use headwater_base::{InfoHash, LinkId};
use tokio::sync::mpsc;

use super::{
    Bound, LinkEvent, RtcConfig, RtcTransport, StreamConfig, StreamTransport, Transport as _,
};
use crate::filter::IpFilter;
use crate::proxy::Proxy;
use crate::router::RouterConfig;
use crate::shell::BoundFinders;

/// What makes links.
pub struct Net {
    /// Over WebRTC.
    pub rtc: RtcConfig,
    /// Over TCP and uTP, on sockets that are bound already; `None` for neither.
    pub streams: Option<(StreamConfig, Bound)>,
    /// What finds whom to dial.
    pub finders: BoundFinders,
    /// What a router is asked for, if it is.
    pub router: Option<RouterConfig>,
    /// Whom nobody is to meet.
    pub filter: IpFilter,
    /// What trackers and web seeds are asked through.
    pub proxy: Option<Proxy>,
}

impl From<&RtcConfig> for Net {
    fn from(rtc: &RtcConfig) -> Self {
        Self {
            rtc: rtc.clone(),
            streams: None,
            finders: BoundFinders::default(),
            router: None,
            filter: IpFilter::default(),
            proxy: None,
        }
    }
}

/// All links of a shell.
pub(crate) struct Links {
    rtc: RtcTransport,
    streams: Option<StreamTransport>,
    filter: IpFilter,
}

impl Links {
    /// Reports to `events`. Must be called inside a Tokio runtime.
    pub(crate) fn new(net: Net, events: &mpsc::Sender<LinkEvent>) -> Self {
        let Net { rtc, streams, filter, .. } = net;
        let streams = streams.map(|(config, bound)| {
            StreamTransport::new(config, bound, filter.clone(), events.clone())
        });
        Self { rtc: RtcTransport::new(&rtc, filter.clone(), events.clone()), streams, filter }
    }

    /// What makes links from session descriptions.
    pub(crate) fn rtc(&mut self) -> &mut RtcTransport {
        &mut self.rtc
    }

    /// Dials an address; false when this shell cannot.
    pub(crate) fn dial(&mut self, link: LinkId, address: SocketAddr) -> bool {
        self.streams.as_mut().map(|streams| streams.dial(link, address)).is_some()
    }

    /// Takes which torrents are here.
    pub(crate) fn set_names(&self, info_hashes: impl Iterator<Item = InfoHash>) {
        if let Some(streams) = &self.streams {
            streams.set_names(info_hashes);
        }
    }

    /// Queues bytes on an open link. Bytes for a link that is gone are dropped.
    pub(crate) fn send(&mut self, link: LinkId, bytes: Bytes) {
        if !self.streams.as_ref().is_some_and(|streams| streams.send(link, &bytes)) {
            self.rtc.send(link, bytes);
        }
    }

    /// Closes a link, or forgets one that reported `Closed`.
    pub(crate) fn close(&mut self, link: LinkId) {
        self.rtc.close(link);
        if let Some(streams) = &self.streams {
            streams.close(link);
        }
    }

    /// Bytes the link takes before it is full; 0 for a link that is gone.
    pub(crate) fn window(&self, link: LinkId) -> usize {
        let streams = self.streams.as_ref();
        let window = streams.and_then(|streams| streams.window(link));
        window.unwrap_or_else(|| self.rtc.window(link))
    }

    /// How often an address was refused.
    pub(crate) fn refused(&self) -> u64 {
        self.filter.refused()
    }

    /// Links and attempts alive.
    pub(crate) fn count(&self) -> usize {
        self.rtc.link_count() + self.streams.as_ref().map_or(0, StreamTransport::link_count)
    }

    /// Closes every link and waits a little for the other sides to be told.
    pub(crate) async fn finish(&mut self) {
        let streams = async {
            if let Some(streams) = &mut self.streams {
                streams.finish().await;
            }
        };
        tokio::join!(self.rtc.finish(), streams);
    }
}
