//! Announces to HTTP and UDP trackers (BEP 3, 15): one task each. What is asked, and when, is the
//! engine's to say. One that lies in a private network is asked at nothing but `/announce`, lest a
//! link press a router's buttons; named by a stranger, it is not asked at all.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use headwater_engine::{Ask, Asked, AskedFailure, FetchError, Input};
use headwater_wire::limit::TRACKER_ANSWER_BYTES_MAX;
use headwater_wire::tracker::Happening;
use headwater_wire::tracker::http::{Found, Query, Refusal};
use headwater_wire::tracker::udp;
use tokio::net::{UdpSocket, lookup_host};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;
use url::Url;

use super::fetch::Net;
use super::fetch::reach::is_public;

/// How long an HTTP tracker may take, and a UDP tracker all in all.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(25);

/// Waits for a UDP tracker, in seconds, before it is asked again. BEP 15 begins with 15 s, from a
/// time when nobody waited for a film to start. One silent at its IPv6 address must leave time for
/// a connection and an announce at its IPv4 address.
const UDP_WAITS: [u64; 3] = [1, 2, 4];
const _: () = assert!(3 * (UDP_WAITS[0] + UDP_WAITS[1] + UDP_WAITS[2]) < ANSWER_TIME_MAX.as_secs());

/// How long goodbyes may take when the program ends.
const GOODBYE_TIME_MAX: Duration = Duration::from_secs(2);

/// Announces under way.
const TASKS_MAX: usize = 200;

/// All announces of a shell.
pub(super) struct Announces {
    answers: mpsc::Sender<Input>,
    net: Arc<Net>,
    tasks: JoinSet<()>,
}

impl Announces {
    pub(super) fn new(answers: mpsc::Sender<Input>, net: Arc<Net>) -> Self {
        Self { answers, net, tasks: JoinSet::new() }
    }

    /// Asks a tracker; `Asked` follows, unless it is told goodbye.
    pub(super) fn ask(&mut self, ask: Ask) {
        while self.tasks.try_join_next().is_some() {}
        let (answers, net) = (self.answers.clone(), Arc::clone(&self.net));
        let full = self.tasks.len() >= TASKS_MAX;
        self.tasks.spawn(async move {
            let result = match full {
                true => Err(AskedFailure::Unreachable("too many are asked already".to_owned())),
                false => timeout(ANSWER_TIME_MAX, announce(&net, &ask))
                    .await
                    .unwrap_or_else(|_| Err(unreachable("no answer in time"))),
            };
            let (tracker, info_hash) = (ask.tracker, ask.query.info_hash);
            if ask.query.event != Some(Happening::Stopped) {
                let _ = answers.send(Input::Asked { tracker, info_hash, result }).await;
            }
        });
    }

    /// Waits a little for those who are told goodbye.
    pub(super) async fn finish(&mut self) {
        let all = async { while self.tasks.join_next().await.is_some() {} };
        let _ = timeout(GOODBYE_TIME_MAX, all).await;
        self.tasks.abort_all();
    }
}

async fn announce(net: &Net, ask: &Ask) -> Result<Asked, AskedFailure> {
    let url = Url::parse(&ask.url).map_err(|e| unreachable(&e.to_string()))?;
    match url.scheme() {
        "udp" if net.has_proxy() => Err(unreachable("no proxy carries UDP: name an HTTP tracker")),
        "udp" => over_udp(&url, ask).await,
        _ => over_http(net, &url, ask).await,
    }
}

/// Why an address is not asked, if it is not.
fn judge(ip: IpAddr, trusted: bool) -> Result<(), &'static str> {
    match trusted || is_public(ip) {
        true => Ok(()),
        false => Err("a stranger named it, and it lies in a private network: where those who do \
                      are trusted, start with --local-trackers"),
    }
}

async fn over_http(net: &Net, url: &Url, ask: &Ask) -> Result<Asked, AskedFailure> {
    let judge = |ip, at: &Url| match is_public(ip) || at.path().ends_with("/announce") {
        true => judge(ip, ask.trusted),
        false => Err("it lies in a private network and its path is not /announce"),
    };
    let answer = net.small(&ask.query.url(url.as_str()), judge, TRACKER_ANSWER_BYTES_MAX).await;
    let (bytes, from) = answer.map_err(|error| match error {
        FetchError::Unreachable(why) | FetchError::Refused(why) => unreachable(&why),
    })?;
    let found = Found::from_http(&bytes).map_err(AskedFailure::Refused)?;
    Ok(Asked { from, found })
}

async fn over_udp(url: &Url, ask: &Ask) -> Result<Asked, AskedFailure> {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let port = url.port().ok_or_else(|| unreachable("its address names no port"))?;
    let known: Vec<_> = lookup_host((host, port)).await.map_err(|e| failed(&e))?.collect();
    let first = known.first().copied();
    let other = known.iter().copied().find(|a| Some(a.is_ipv4()) != first.map(|a| a.is_ipv4()));
    let mut why = unreachable("its name leads nowhere");
    for address in first.into_iter().chain(other) {
        if let Err(refused) = judge(address.ip(), ask.trusted) {
            why = unreachable(refused);
            continue;
        }
        match over_udp_at(address, url, &ask.query).await {
            Ok(found) => return Ok(Asked { from: Some(address.ip()), found }),
            Err(unreached @ AskedFailure::Unreachable(_)) => why = unreached,
            Err(refused @ AskedFailure::Refused(_)) => return Err(refused),
        }
    }
    Err(why)
}

async fn over_udp_at(address: SocketAddr, url: &Url, query: &Query) -> Result<Found, AskedFailure> {
    let any: IpAddr = match address {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0)).await.map_err(|e| failed(&e))?;
    // Packets of others never reach a socket that is connected.
    socket.connect(address).await.map_err(|e| failed(&e))?;
    let number = random()?;
    let hello = udp::connect(number);
    let connection = exchange(&socket, &hello, |packet| udp::connected(packet, number)).await?;
    let number = random()?;
    let path = &url[url::Position::BeforePath..url::Position::AfterQuery];
    let path = if path.is_empty() { "/" } else { path };
    let packet = udp::announce(connection, number, query, path);
    let v6 = address.is_ipv6();
    exchange(&socket, &packet, |packet| udp::announced(packet, number, v6)).await
}

/// Sends a packet until it is answered.
async fn exchange<T>(
    socket: &UdpSocket,
    packet: &[u8],
    read: impl Fn(&[u8]) -> Option<Result<T, Refusal>>,
) -> Result<T, AskedFailure> {
    let mut buffer = vec![0; 8 * 1024];
    for wait in UDP_WAITS {
        socket.send(packet).await.map_err(|e| failed(&e))?;
        let answer = async {
            loop {
                let len = socket.recv(&mut buffer).await?;
                if let Some(answer) = read(&buffer[..len]) {
                    return Ok::<_, io::Error>(answer);
                }
            }
        };
        if let Ok(answer) = timeout(Duration::from_secs(wait), answer).await {
            return answer.map_err(|e| failed(&e))?.map_err(AskedFailure::Refused);
        }
    }
    Err(unreachable("it does not answer"))
}

fn random() -> Result<u32, AskedFailure> {
    let mut bytes = [0; 4];
    getrandom::fill(&mut bytes).map_err(|e| unreachable(&e.to_string()))?;
    Ok(u32::from_ne_bytes(bytes))
}

fn failed(error: &io::Error) -> AskedFailure {
    unreachable(&error.to_string())
}

fn unreachable(why: &str) -> AskedFailure {
    AskedFailure::Unreachable(why.to_owned())
}

#[cfg(test)]
mod tests;
