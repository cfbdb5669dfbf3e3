//! Every limit of the tracker, with why it is what it is. `Config` takes them as defaults.

use core::time::Duration;

/// Seconds between two announces of a peer, as in bittorrent-tracker and aquatic.
pub const INTERVAL: Duration = Duration::from_secs(120);

/// The same in a small swarm that somebody downloads from. Peers whose offers failed or crossed
/// meet again at their next announce, and in a small swarm there is nobody else to ask.
pub const INTERVAL_SMALL: Duration = Duration::from_secs(30);

/// Peers up to which a swarm is small: WebTorrent's five offers reach all of it.
pub const PEERS_SMALL: usize = 5;

/// How long a peer stays without announcing: two intervals and a half, so that one may get lost.
pub const PEER_LIFE: Duration = Duration::from_secs(300);

/// The same of a peer that announces over HTTP. Libtorrent does so every five minutes at most,
/// whatever interval it is told, and two of its announces and a half make this.
pub const HTTP_PEER_LIFE: Duration = Duration::from_secs(750);

/// How long an offer may be answered. WebTorrent gives its own up after 50 s, libtorrent after
/// 120 s.
pub const OFFER_LIFE: Duration = Duration::from_secs(120);

/// How long a socket may send no message. All its peers are gone by then.
pub const SILENCE_MAX: Duration = PEER_LIFE;

/// Most sockets.
pub const SOCKETS_MAX: usize = 20_000;

/// Most swarms.
pub const SWARMS_MAX: usize = 100_000;

/// Most places in swarms, all swarms together; each takes some 300 bytes.
pub const PEERS_MAX: usize = 200_000;

/// Most peers in one swarm; picking receivers of offers looks at each of them.
pub const PEERS_PER_SWARM_MAX: usize = 5_000;

/// Most places in swarms that one socket holds.
pub const PEERS_PER_SOCKET_MAX: usize = 1_000;

/// Most places in swarms that one address holds over HTTP, or one /64 of IPv6: a client with
/// hundreds of torrents, or some dozens of clients behind one router.
pub const PEERS_PER_ADDRESS_MAX: usize = 500;

/// Most addresses remembered that asked over HTTP.
pub const ADDRESSES_MAX: usize = PEERS_MAX;

/// Requests a second one address may send in the long run: 500 torrents that announce every 30 s.
pub const REQUESTS_PER_SECOND: u32 = 20;

/// Requests one address may send at once: a client that starts with 500 torrents, and stops.
pub const REQUESTS_AT_ONCE: u32 = 1_000;

/// Peers told to who does not say how many it wants: what BEP 3's own client got.
pub const TOLD_DEFAULT: usize = 50;

/// Most peers told to who wants more.
pub const TOLD_MAX: usize = 200;

/// Most offers relayed of one announce, as in openwebtorrent-tracker. WebTorrent sends 5,
/// libtorrent up to 10.
pub const OFFERS_RELAYED_MAX: usize = 20;

/// Most unanswered offers remembered; the oldest are forgotten first.
pub const OFFERS_REMEMBERED_MAX: usize = 200_000;

/// Messages a second one socket may send in the long run: a thousand torrents that announce
/// every 30 s and answer a few offers each.
pub const MESSAGES_PER_SECOND: u32 = 50;

/// Messages one socket may send at once: a client that starts with a thousand torrents.
pub const MESSAGES_AT_ONCE: u32 = 1_500;

/// Longest message the socket layer takes in. Longer than the longest that is read, so that a
/// client just above that hears why it is refused.
pub const FRAME_BYTES_MAX: usize = 256 * 1024;

/// Bytes read from a socket at once: an announce with its offers. The library clears so many before
/// each read, and holds them for as long as the socket lives.
pub const READ_BYTES: usize = 8 * 1024;

/// Most messages that wait for a slow socket. Its client is dropped above that: it would get
/// offers too late to answer them.
pub const QUEUE_MESSAGES_MAX: usize = 256;

/// Most events that wait for the table; sockets stop reading above that.
pub const EVENTS_MAX: usize = 1_024;

/// How long one message may take to leave.
pub const SEND_TIME_MAX: Duration = Duration::from_secs(10);

/// Time between pings. Proxies cut sockets that are silent for a minute.
pub const PING_EVERY: Duration = Duration::from_secs(30);

/// How long a socket may send nothing at all, not even the answer to a ping.
pub const DEAF_MAX: Duration = Duration::from_secs(75);

/// Time between two signs of life of a process of a fleet.
pub const FLEET_BEAT: Duration = Duration::from_secs(2);

/// How long a process of a fleet may be silent: three signs of life may get lost.
pub const FLEET_LIFE: Duration = Duration::from_secs(7);

/// How long changes of swarms gather before other processes are told.
pub const FLEET_GATHER: Duration = Duration::from_secs(1);

/// The same where a swarm got the first peer that offers can go to: others wait for it.
pub const FLEET_GATHER_SHORT: Duration = Duration::from_millis(50);

/// Time between two requests for everything that one process has.
pub const FLEET_ASK_EVERY: Duration = Duration::from_secs(1);

/// The most that the former doubles to, where what is asked for does not come or has no room.
pub const FLEET_ASK_WAIT_MAX: Duration = Duration::from_secs(60);

/// Time between two answers to one process. Whoever lost a part of one waits no longer.
pub const FLEET_TELL_EVERY: Duration = Duration::from_secs(3);

/// Time between two parts of answers, and between two looks at what lost its bridge: each takes a
/// few milliseconds, and clients wait meanwhile.
pub const FLEET_STEP_EVERY: Duration = Duration::from_millis(20);

/// Most swarms looked at in such a look; each takes a hash for every bridge there is.
pub const FLEET_SEARCH_STEP: usize = 200;

/// Most of those that are sought anew: 500 a second, a quarter of what a process may be told.
pub const FLEET_SEARCH_FOUND: usize = 10;

/// Most other processes of a fleet.
pub const FLEET_PROCESSES_MAX: usize = 64;

/// Most peers remembered that were part of processes that are gone: all, and those of restarts.
pub const FLEET_PARTS_MAX: usize = 4 * FLEET_PROCESSES_MAX;

/// New processes a second in the long run; at once as many as there may be.
pub const FLEET_NEWCOMERS_PER_SECOND: u32 = 4;

/// Longest message within a fleet: an announce with all its offers fits. NATS takes 1 MiB.
pub const FLEET_TEXT_BYTES_MAX: usize = 256 * 1024;

/// Most swarms and addresses in one message, each of some 150 bytes.
pub const FLEET_WEIGHT_MAX: usize = 1_000;

/// Most swarms and addresses remembered of other processes, each of some 150 bytes.
pub const FLEET_PLACES_MAX: usize = 1_000_000;

/// Most of those of one process: all that a full one has.
pub const FLEET_PLACES_OF_ONE_MAX: usize = SWARMS_MAX + PEERS_MAX;

/// Most peers of one kind that a process may claim in a swarm.
pub const FLEET_PEERS_TOLD_MAX: u32 = 1_000_000;

/// Most addresses of one swarm that a process tells the others.
pub const FLEET_DIALLED_MAX: usize = 20;

/// Messages in which one process may say that it lives, asks or ends: a second in the long run, and
/// at once. It lives every two seconds, and asks each other process when it starts.
pub const FLEET_PROCESS_MESSAGES: (u32, u32) = (5, 20);

/// The same of its swarms. It tells changes 20 times a second at most, and all it has in some
/// hundred parts, which may all have changed at once.
pub const FLEET_SWARMS_MESSAGES: (u32, u32) = (200, 600);

/// The same of all processes together: what a few have, in parts.
pub const FLEET_SWARMS_MESSAGES_OF_ALL: (u32, u32) = (2_000, 20_000);

/// The same of offers, answers and seekers of one process: 10,000 browsers that announce every 30 s
/// with five offers, each of which is answered.
pub const FLEET_PEERS_MESSAGES: (u32, u32) = (2_000, 8_000);

/// The same of all processes together.
pub const FLEET_PEERS_MESSAGES_OF_ALL: (u32, u32) = (5_000, 20_000);

/// How soon the process that bridges a torrent is told again that one socket seeks it: three times
/// within the time that a bridge keeps what nobody announces.
pub const FLEET_SOUGHT_EVERY: Duration = Duration::from_secs(60);

/// Most seekers remembered that it was told of, each of some 100 bytes.
pub const FLEET_SOUGHT_MAX: usize = 100_000;

/// Most messages that wait to leave for the fleet. What is lost above that is asked for anew.
pub const FLEET_QUEUE_MAX: usize = 4_096;

/// Most bytes of them: some seconds of offers of a busy process.
pub const FLEET_QUEUE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Most bytes that came from the fleet and wait for the table; above that they wait outside.
pub const FLEET_INBOX_BYTES_MAX: usize = 4 * 1024 * 1024;
