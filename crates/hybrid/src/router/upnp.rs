//! UPnP's Internet Gateway Device. Nothing is fetched but from the router's own address: the
//! library is handed answers of the router alone, and takes no other address from them.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use igd_next::aio::Gateway;
use igd_next::aio::tokio::{Tokio, search_gateway};
use igd_next::{
    AddAnyPortError, AddPortError, GatewayIpVersion, PortMappingProtocol, RequestError,
    SearchOptions,
};

use super::asker::{Door, Granted};
use super::sieve::Sieve;
use super::way::Way;
use super::{LEASE_ASKED, Trouble};
use crate::log::tame;

/// Longest search: answers may come after 3 s, then two documents are read.
const SEARCH_TIME_MAX: Duration = Duration::from_secs(6);

/// What the router's own pages call it.
const NAME: &str = "Headwater";

/// Questions for one port: the wished one, any, and either of them for good.
const TRIES: usize = 4;

/// What a router says is cut to this.
const WORDS_MAX: usize = 200;

/// A router that was found.
pub(super) type Device = Gateway<Tokio>;

/// Looks for the router.
pub(super) async fn find(way: Way, group: SocketAddr) -> Result<Device, Trouble> {
    let silent = |_| Trouble::Silent;
    let sieve = Sieve::open(way, group).await.map_err(silent)?;
    let mut options = SearchOptions::default();
    options.bind_addr = (Ipv4Addr::LOCALHOST, 0).into();
    options.broadcast_address = sieve.address().map_err(silent)?;
    options.timeout = Some(SEARCH_TIME_MAX);
    options.gateway_ip_version = GatewayIpVersion::V4;
    options.allowed_gateway_ips = vec![IpAddr::V4(way.router)];
    tokio::select! {
        found = search_gateway(options) => found.map_err(|_| Trouble::Silent),
        _ = sieve.run() => Err(Trouble::Silent),
    }
}

/// Asks for a port, by preference `wish`. Some routers know no lease: what they map stays until it
/// is given back, and is asked for again as often as a lease.
pub(super) async fn ask(
    device: &Device,
    own: Ipv4Addr,
    door: Door,
    wish: u16,
) -> Result<Granted, Trouble> {
    let (local, transport) = (SocketAddr::from((own, door.own())), transport(door));
    let (mut wish, mut lease) = (Some(wish), LEASE_ASKED.as_secs() as u32);
    for _ in 0..TRIES {
        let answer = match wish {
            Some(port) => device
                .add_port(transport, port, local, lease, NAME)
                .await
                .map(|()| port)
                .map_err(Answer::from),
            None => device.add_any_port(transport, local, lease, NAME).await.map_err(Answer::from),
        };
        match answer {
            Ok(port) => return Ok(Granted { port, lasts: LEASE_ASKED }),
            Err(Answer::ForGood) if lease > 0 => lease = 0,
            Err(Answer::Taken) if wish.is_some() => wish = None,
            Err(Answer::ForGood | Answer::Taken) => break,
            Err(Answer::Refused(why)) => return Err(Trouble::Refused(why)),
        }
    }
    Err(Trouble::Refused("it gives no port".to_owned()))
}

/// Gives a port back.
pub(super) async fn unmap(device: &Device, door: Door, port: u16) {
    let _ = device.remove_port(transport(door), port).await;
}

/// What the router's address is outside, as it says.
pub(super) async fn address(device: &Device) -> Option<IpAddr> {
    device.get_external_ip().await.ok()
}

fn transport(door: Door) -> PortMappingProtocol {
    match door.is_tcp() {
        true => PortMappingProtocol::TCP,
        false => PortMappingProtocol::UDP,
    }
}

/// What a router answers instead of a port.
enum Answer {
    /// It maps for good or not at all.
    ForGood,
    /// Somebody has the port.
    Taken,
    /// Something else.
    Refused(String),
}

impl From<AddPortError> for Answer {
    fn from(error: AddPortError) -> Self {
        match error {
            AddPortError::OnlyPermanentLeasesSupported => Self::ForGood,
            AddPortError::PortInUse => Self::Taken,
            AddPortError::RequestError(error) => Self::Refused(words(&error)),
            AddPortError::ActionNotAuthorized
            | AddPortError::InternalPortZeroInvalid
            | AddPortError::ExternalPortZeroInvalid
            | AddPortError::SamePortValuesRequired
            | AddPortError::DescriptionTooLong => Self::Refused(error.to_string()),
        }
    }
}

impl From<AddAnyPortError> for Answer {
    fn from(error: AddAnyPortError) -> Self {
        match error {
            AddAnyPortError::OnlyPermanentLeasesSupported => Self::ForGood,
            AddAnyPortError::NoPortsAvailable | AddAnyPortError::ExternalPortInUse => Self::Taken,
            AddAnyPortError::RequestError(error) => Self::Refused(words(&error)),
            AddAnyPortError::ActionNotAuthorized
            | AddAnyPortError::InternalPortZeroInvalid
            | AddAnyPortError::DescriptionTooLong => Self::Refused(error.to_string()),
        }
    }
}

/// What a router says, in a form that can be shown.
fn words(error: &RequestError) -> String {
    tame(&error.to_string()).chars().take(WORDS_MAX).collect()
}
