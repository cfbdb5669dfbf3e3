//! The bus of a fleet: carries what our tracker tells others, and what they tell, through NATS.
//! Decides nothing about swarms; says when the bus is there, and when it is not.

use std::str::FromStr;
use std::time::Duration;

use async_nats::connection::State;
use async_nats::{Client, ConnectOptions, Event, Message, ServerAddr, Subscriber};
use futures_util::StreamExt;
use headwater_tracker::server::{Tell, Tracker};
use headwater_tracker::{FleetInput, Member, ProcessId, To, limit};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tracing::{info, warn};

/// Longest wait before the next attempt to reach NATS.
const RETRY_MAX: Duration = Duration::from_secs(4);

/// Time between two pings, so that a server that is gone without a word is noticed.
const PING_EVERY: Duration = Duration::from_secs(10);

/// Time between two looks at the link: the library may lose its events.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Longest wait for one message to be taken, and for the last ones to leave.
const SEND_TIME_MAX: Duration = Duration::from_secs(1);

/// Messages of each subject that wait for us; above that they are lost, and asked for anew. The
/// library counts no bytes: each has as many as the server lets pass.
const WAITING_MAX: usize = 256;

/// Messages that wait for the library.
const LEAVING_MAX: usize = 64;

/// Events of the link that wait for us.
const EVENTS_MAX: usize = 16;

/// Longest name of a fleet.
const NAME_LEN_MAX: usize = 64;

/// Where a fleet meets.
#[derive(Clone, Debug)]
pub struct FleetConfig {
    server: ServerAddr,
    name: String,
}

/// Why a fleet cannot be named so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadFleet {
    /// Not the address of a NATS server.
    #[error("nats://[USER:PASSWORD@]HOST[:PORT] expected, or tls: instead of nats:")]
    Server,
    /// No part of a subject.
    #[error("letters, digits, - and _ expected, {NAME_LEN_MAX} at most")]
    Name,
}

impl FleetConfig {
    /// Reads the server's address and the name that its processes have in common.
    pub fn new(server: &str, name: &str) -> Result<Self, BadFleet> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if name.is_empty() || name.len() > NAME_LEN_MAX || !name.chars().all(is_plain) {
            return Err(BadFleet::Name);
        }
        let server = ServerAddr::from_str(server).map_err(|_| BadFleet::Server)?;
        if !["nats", "tls"].contains(&server.scheme()) || server.host().is_empty() {
            return Err(BadFleet::Server);
        }
        Ok(Self { server, name: name.to_owned() })
    }

    /// User and password, as the server knows them. The library leaves them in the address.
    fn credentials(&self) -> Option<(String, String)> {
        let user = self.server.username()?;
        Some((plain(user), plain(self.server.password().unwrap_or_default())))
    }

    fn subject(&self, to: To) -> String {
        match to {
            To::All => format!("headwater.v1.{}.all", self.name),
            To::One(ProcessId(id)) => {
                format!("headwater.v1.{}.{}", self.name, headwater_base::hex(&id))
            }
        }
    }
}

/// A part of an address without its escapes.
fn plain(part: &str) -> String {
    // In a form these mean something else.
    let part = part.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
    let mut pairs = url::form_urlencoded::parse(part.as_bytes());
    pairs.next().map(|(name, _)| name.into_owned()).unwrap_or_default()
}

/// A running link to a fleet.
#[derive(Debug)]
pub struct Fleet {
    running: JoinHandle<()>,
}

impl Fleet {
    /// Makes a tracker part of a fleet. Waits for nothing: a server that is away is tried again
    /// and again. Must be called inside a Tokio runtime.
    pub fn start(config: FleetConfig, member: Member, tracker: Tracker) -> Self {
        Self { running: tokio::spawn(run(config, member, tracker)) }
    }

    /// Waits until what the tracker told last has left; to be called once the tracker is closed.
    pub async fn close(self) {
        // It waits for nothing longer than that itself.
        let _ = timeout(SEND_TIME_MAX * 2, self.running).await;
    }
}

async fn run(config: FleetConfig, member: Member, tracker: Tracker) {
    let (tell, mut events) = mpsc::channel(EVENTS_MAX);
    let client = options(&config, tell).connect(config.server.clone()).await;
    let opened = match client {
        Ok(client) => open(&config, member, client).await,
        Err(error) => Err(error.to_string()),
    };
    let (client, [mut all, mut own]) = match opened {
        Ok(opened) => opened,
        Err(why) => return warn!(why, "no fleet; this process goes on alone"),
    };
    let mut tells = tracker.join(member).await;
    let mut news = Reporter::default();
    let mut look = interval(LOOK_EVERY);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let going = tokio::select! {
            tell = tells.recv() => match tell {
                Some(tell) if news.up => send(&client, &config, &tracker, tell).await,
                // Each would be waited for in vain.
                Some(_) => tracker.fleet(FleetInput::Lost).await,
                None => false,
            },
            Some(event) = events.recv() => match news.report(&event) {
                Some(input) => tracker.fleet(input).await,
                None => true,
            },
            _ = look.tick() => match news.look(client.connection_state()) {
                Some(input) => tracker.fleet(input).await,
                None => true,
            },
            Some(message) = all.next() => tracker.fleet(told(&message)).await,
            Some(message) = own.next() => tracker.fleet(told(&message)).await,
        };
        if !going {
            break;
        }
    }
    // Whoever misses our last words finds us silent.
    let _ = timeout(SEND_TIME_MAX, client.flush()).await;
}

fn options(config: &FleetConfig, tell: mpsc::Sender<Event>) -> ConnectOptions {
    let options = match config.credentials() {
        Some((user, password)) => ConnectOptions::with_user_and_password(user, password),
        None => ConnectOptions::new(),
    };
    options
        .name("headwater")
        .no_echo()
        .retry_on_initial_connect()
        .ping_interval(PING_EVERY)
        .subscription_capacity(WAITING_MAX)
        .client_capacity(LEAVING_MAX)
        .reconnect_delay_callback(|attempts| {
            let doubled = 1 << attempts.min(6);
            (Duration::from_millis(50) * doubled).min(RETRY_MAX)
        })
        .event_callback(move |event| {
            pass(&tell, event);
            std::future::ready(())
        })
}

/// Passes on what we report. The library holds few events, and in a flood it has one for each
/// message that we lose, so that nothing is waited for; what is lost is seen at the next look.
fn pass(tell: &mpsc::Sender<Event>, event: Event) {
    if !matches!(event, Event::SlowConsumer(_) | Event::LameDuckMode | Event::Draining) {
        let _ = tell.try_send(event);
    }
}

async fn open(
    config: &FleetConfig,
    member: Member,
    client: Client,
) -> Result<(Client, [Subscriber; 2]), String> {
    let all = client.subscribe(config.subject(To::All)).await.map_err(|e| e.to_string())?;
    let own = config.subject(To::One(member.id));
    let own = client.subscribe(own).await.map_err(|e| e.to_string())?;
    Ok((client, [all, own]))
}

/// What a message says. One that is too long or no text is none, and is counted as such.
fn told(message: &Message) -> FleetInput {
    let fits = message.payload.len() <= limit::FLEET_TEXT_BYTES_MAX;
    let text = if fits { std::str::from_utf8(&message.payload).ok() } else { None };
    FleetInput::Told(text.unwrap_or_default().to_owned())
}

/// Sends a message, or has it counted as lost. False once the tracker ended.
async fn send(client: &Client, config: &FleetConfig, tracker: &Tracker, tell: Tell) -> bool {
    let subject = config.subject(tell.to);
    let sent = timeout(SEND_TIME_MAX, client.publish(subject, tell.text.into())).await;
    matches!(sent, Ok(Ok(()))) || tracker.fleet(FleetInput::Lost).await
}

/// Says what becomes of the link, by its events and by how it is found, and logs it, once for each
/// change.
#[derive(Default)]
struct Reporter {
    up: bool,
    /// The library gave it up; it goes on saying how it was.
    closed: bool,
    warned: bool,
}

impl Reporter {
    fn report(&mut self, event: &Event) -> Option<FleetInput> {
        match event {
            Event::Connected => return self.turn(true),
            Event::Disconnected => {
                self.warn("it is away");
                return self.turn(false);
            }
            Event::Closed => {
                self.warn("it closed the link");
                self.closed = true;
                return self.turn(false);
            }
            Event::ServerError(error) => self.warn(&error.to_string()),
            Event::ClientError(error) => self.warn(&error.to_string()),
            Event::LameDuckMode | Event::Draining | Event::SlowConsumer(_) => {}
        }
        None
    }

    /// The same where no event came.
    fn look(&mut self, found: State) -> Option<FleetInput> {
        let up = found == State::Connected && !self.closed;
        if self.up && !up {
            self.warn("it is away");
        }
        self.turn(up)
    }

    fn turn(&mut self, up: bool) -> Option<FleetInput> {
        if std::mem::replace(&mut self.up, up) == up {
            return None;
        }
        if !up {
            return Some(FleetInput::Down);
        }
        self.warned = false;
        info!("fleet joined");
        Some(FleetInput::Up)
    }

    fn warn(&mut self, why: &str) {
        if !std::mem::replace(&mut self.warned, true) {
            warn!(why, "no NATS for the fleet; this process goes on alone until it is back");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_and_names_are_checked() {
        let bad = |server, name| FleetConfig::new(server, name).err();
        for server in ["nats://a:4222", "nats://u:p@a", "tls://a.example:4", "127.0.0.1:9"] {
            assert_eq!(bad(server, "films-1_b"), None, "{server}");
        }
        for server in ["http://a", "ws://a", "nats://", "", "nats://a:x"] {
            assert_eq!(bad(server, "films"), Some(BadFleet::Server), "{server}");
        }
        let long = "x".repeat(NAME_LEN_MAX + 1);
        for name in ["", "a.b", "a b", "*", ">", "ä", &long] {
            assert_eq!(bad("nats://a", name), Some(BadFleet::Name), "{name}");
        }
    }

    #[test]
    fn credentials_are_those_of_the_address_without_escapes() {
        let of = |server| FleetConfig::new(server, "films").expect("good").credentials();
        let both = |user: &str, password: &str| Some((user.to_owned(), password.to_owned()));
        assert_eq!(of("nats://a"), None);
        assert_eq!(of("nats://u@a"), both("u", ""));
        assert_eq!(of("tls://u:p%40s%3As+%2B%26=x@a"), both("u", "p@s:s++&=x"));
    }

    #[test]
    fn each_process_and_all_have_subjects_of_their_own() {
        let config = FleetConfig::new("nats://a", "films").expect("good");
        assert_eq!(config.subject(To::All), "headwater.v1.films.all");
        let one = config.subject(To::One(ProcessId([0xab; 16])));
        assert_eq!(one, format!("headwater.v1.films.{}", "ab".repeat(16)));
    }

    #[tokio::test]
    async fn a_flood_that_we_lose_takes_no_other_event_with_it() {
        let (tell, mut events) = mpsc::channel(EVENTS_MAX);
        for sid in 0..1_000 {
            pass(&tell, Event::SlowConsumer(sid));
        }
        for event in [Event::LameDuckMode, Event::Draining, Event::Connected] {
            pass(&tell, event);
        }
        assert_eq!(events.recv().await, Some(Event::Connected));
        (0..1_000).for_each(|_| pass(&tell, Event::Disconnected));
    }

    #[test]
    fn what_no_event_said_is_found_at_the_next_look_and_nothing_is_said_twice() {
        let mut reporter = Reporter::default();
        let mut look = |found| reporter.look(found);
        assert!(look(State::Pending).is_none());
        assert!(matches!(look(State::Connected), Some(FleetInput::Up)));
        assert!(look(State::Connected).is_none());
        assert!(matches!(look(State::Disconnected), Some(FleetInput::Down)));
        assert!(reporter.report(&Event::Disconnected).is_none());
        assert!(matches!(reporter.report(&Event::Connected), Some(FleetInput::Up)));
        assert!(reporter.look(State::Connected).is_none());
        assert!(matches!(reporter.report(&Event::Closed), Some(FleetInput::Down)));
        assert!(reporter.look(State::Connected).is_none(), "it is the last that was known");
    }
}
