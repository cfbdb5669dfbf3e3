//! PCP and NAT-PMP: a datagram there, one back. Who answers is whom the socket is connected with.

use std::io;
use std::net::IpAddr;
use std::num::NonZeroU16;
use std::time::Duration;

use crab_nat::{
    InternetProtocol, MappingFailure, PortMapping, PortMappingOptions, PortMappingType,
    TimeoutConfig, natpmp, pcp,
};

use super::asker::{Door, Granted};
use super::way::Way;
use super::{LEASE_ASKED, Protocol, Trouble};

/// Three datagrams within 3.5 s: a router is near, and there are other protocols.
const PATIENCE: TimeoutConfig = TimeoutConfig {
    initial_timeout: Duration::from_millis(500),
    max_retries: 2,
    max_retry_timeout: None,
};

/// Asks for a port, by preference `wish`.
pub(super) async fn ask(
    by: Protocol,
    way: Way,
    door: Door,
    wish: u16,
) -> Result<(PortMapping, Granted), Trouble> {
    let Some(own) = NonZeroU16::new(door.own()) else { return Err(Trouble::Silent) };
    let transport = match door.is_tcp() {
        true => InternetProtocol::Tcp,
        false => InternetProtocol::Udp,
    };
    let options = PortMappingOptions {
        external_port: NonZeroU16::new(wish),
        lifetime_seconds: Some(LEASE_ASKED.as_secs() as u32),
        timeout_config: Some(PATIENCE),
    };
    let router = way.router.into();
    let mapped = if by == Protocol::Pcp {
        let base = pcp::BaseMapRequest::new(router, way.own.into(), transport, own);
        pcp::port_mapping(base, None, None, options).await.map_err(MappingFailure::from)
    } else {
        natpmp::port_mapping(router, transport, own, options).await.map_err(MappingFailure::from)
    };
    let mapped = mapped.map_err(|why| trouble(&why))?;
    let granted = granted(&mapped);
    Ok((mapped, granted))
}

/// Asks for a port that is mapped to stay so.
pub(super) async fn renew(mapped: &mut PortMapping) -> Result<Granted, Trouble> {
    mapped.renew().await.map_err(|why| trouble(&why))?;
    Ok(granted(mapped))
}

/// Gives a port back. What is not taken back ends by itself.
pub(super) async fn unmap(mapped: PortMapping) {
    let _ = mapped.try_drop().await;
}

/// What the router's address is outside, as it says.
pub(super) async fn address(mapped: &PortMapping) -> Option<IpAddr> {
    match mapped.mapping_type() {
        PortMappingType::Pcp { external_ip, .. } => Some(external_ip.to_canonical()),
        PortMappingType::NatPmp => {
            let asked = natpmp::external_address(mapped.gateway(), Some(PATIENCE)).await;
            asked.ok().map(IpAddr::V4)
        }
    }
}

fn granted(mapped: &PortMapping) -> Granted {
    let lasts = Duration::from_secs(mapped.lifetime().into());
    Granted { port: mapped.external_port().get(), lasts }
}

fn trouble(why: &MappingFailure) -> Trouble {
    // Nobody listens there.
    let nobody = |error: &io::Error| error.kind() == io::ErrorKind::ConnectionRefused;
    match why {
        MappingFailure::Pcp(pcp::Failure::Timeout)
        | MappingFailure::NatPmp(natpmp::Failure::Timeout) => Trouble::Silent,
        MappingFailure::Pcp(pcp::Failure::Socket(error))
        | MappingFailure::NatPmp(natpmp::Failure::Socket(error))
            if nobody(error) =>
        {
            Trouble::Silent
        }
        MappingFailure::Pcp(why) => Trouble::Refused(why.to_string()),
        MappingFailure::NatPmp(why) => Trouble::Refused(why.to_string()),
    }
}
