//! Every limit of discovery, with why it is what it is.

use core::time::Duration;

/// Trackers one torrent announces to; more in a torrent or magnet are left out.
pub(super) const TRACKERS_PER_TORRENT_MAX: usize = 16;
/// Trackers all torrents announce to together, a WebSocket each.
pub(super) const TRACKERS_MAX: usize = 64;
/// Longest tracker address.
pub(super) const TRACKER_URL_BYTES_MAX: usize = 2048;
/// Characters kept of what a tracker or shell says for a person.
pub(super) const TRACKER_WORDS_MAX: usize = 200;
/// Bytes of one message to a tracker: aquatic reads no WebSocket frame above 16 KiB.
pub(super) const TRACKER_MESSAGE_BYTES_MAX: usize = 16 * 1024 - 1;

/// Shortest and longest announce interval taken from a tracker.
pub(super) const ANNOUNCE_INTERVAL: (Duration, Duration) =
    (Duration::from_secs(10), Duration::from_secs(30 * 60));
/// Announce interval while a tracker names none.
pub(super) const ANNOUNCE_INTERVAL_DEFAULT: Duration = Duration::from_secs(120);
/// The same of a tracker that is asked over HTTP or UDP, as is common there.
pub(super) const ASK_INTERVAL_DEFAULT: Duration = Duration::from_secs(30 * 60);
/// Peers asked for of an HTTP or UDP tracker.
pub(super) const PEERS_ASKED_FOR: u32 = 100;
/// First pause between announces of a torrent that is short of links, where trackers are asked. It
/// doubles up to the interval.
pub(super) const ASK_EAGER: Duration = Duration::from_secs(60);
/// First pause between announces of a torrent short of links; it doubles up to the interval.
pub(super) const ANNOUNCE_EAGER: Duration = Duration::from_secs(10);
/// Least time between two scrapes of a torrent at a tracker whose answers do not count peers.
pub(super) const SCRAPE_EVERY: Duration = Duration::from_secs(60);
/// Pause after a tracker refused a torrent.
pub(super) const ANNOUNCE_REFUSED: Duration = Duration::from_secs(5 * 60);
/// A torrent with fewer links than this announces eagerly while trackers count
/// peers that are not linked.
pub(super) const LINKS_FEW: usize = 8;
/// Peers remembered to be at a tracker; beyond it only those that are linked.
pub(super) const MET_MAX: usize = 256;
/// How long a tracker may owe the answer to an announce before its socket counts as dead.
pub(super) const TRACKER_ANSWER_WAIT: Duration = Duration::from_secs(30);
/// How long a tracker's socket may take to open.
pub(super) const TRACKER_OPEN_WAIT: Duration = Duration::from_secs(20);
/// First pause before a lost tracker is tried again; it doubles up to `TRACKER_RETRY_MAX`.
pub(super) const TRACKER_RETRY: Duration = Duration::from_secs(1);
/// Longest pause before a lost tracker is tried again.
pub(super) const TRACKER_RETRY_MAX: Duration = Duration::from_secs(5 * 60);
/// The same while a torrent that uses it has no link and needs one.
pub(super) const TRACKER_RETRY_LONELY: Duration = Duration::from_secs(30);
/// A socket that worked this long was no failure: the next retry starts at `TRACKER_RETRY`.
pub(super) const TRACKER_SOUND: Duration = Duration::from_secs(30);
/// The same trouble of the same tracker is told again after this at the earliest.
pub(super) const TROUBLE_REPEAT: Duration = Duration::from_secs(60);

/// Offers in one announce. WebTorrent sends five; aquatic takes ten.
pub(super) const OFFERS_PER_ANNOUNCE: usize = 5;
/// Offers in one announce of a hybrid's second hash, where few know no other.
pub(super) const OFFERS_SECOND: usize = 2;
/// Offers one torrent keeps waiting for answers.
pub(super) const OFFERS_PER_TORRENT: usize = 10;
/// How long an announce waits for its offers; shells gather candidates for about 1.5 s.
pub(super) const OFFER_WAIT: Duration = Duration::from_millis(2500);
/// How long an offer or an answer may take to be made.
pub(super) const DESCRIPTION_WAIT: Duration = Duration::from_secs(10);
/// How long an offer waits for its answer; WebTorrent's die at 50 s.
pub(super) const OFFER_LIFE: Duration = Duration::from_secs(55);
/// Pause before an unanswered offer is announced again, and the least life it must have left
/// then: whoever gets it answers within this.
pub(super) const OFFER_REST: Duration = Duration::from_secs(8);
/// How long an attempt may take to open once both descriptions are known.
pub(super) const LINK_OPEN_WAIT: Duration = Duration::from_secs(25);
/// How long no offer is made after the shell said it can make no links.
pub(super) const UNSUPPORTED_PAUSE: Duration = Duration::from_secs(5 * 60);
/// A link that lived this long and ends is missed: announces become eager again.
pub(super) const LINK_SOUND: Duration = Duration::from_secs(30);
/// What is said to be missing while nobody knows: some trackers take no word for 0, a seed.
pub(super) const LEFT_UNKNOWN: u64 = 16 * 1024;

/// Strangers of one torrent remembered. One relay names `SIGNAL_PEERS_MAX` of them at most.
pub(super) const STRANGERS_MAX: usize = 256;
/// Offers forwarded in one torrent that wait for their answer.
pub(super) const FORWARDS_MAX: usize = 256;
/// How long an answer to a forwarded offer is let through: longer than its maker waits.
pub(super) const FORWARD_LIFE: Duration = Duration::from_secs(30);
/// How long an offer through a relay waits for its answer: making one may take 10 s.
pub(super) const INTRODUCTION_WAIT: Duration = Duration::from_secs(20);
/// Offers of one torrent on their way through relays.
pub(super) const INTRODUCTIONS_AT_ONCE: usize = 4;
/// The same through a relay of which nobody was met yet.
pub(super) const INTRODUCTIONS_UNPROVEN: usize = 2;
/// Of two strangers the one with the smaller id offers; the other does after this.
pub(super) const INTRODUCTION_YIELD: Duration = Duration::from_secs(8);
/// First pause before a stranger is tried again; it doubles with each try.
pub(super) const STRANGER_REST: Duration = Duration::from_secs(15);
/// Doublings of that pause: 16 min at most.
pub(super) const STRANGER_REST_DOUBLINGS: u32 = 6;
/// First pause before a relay is used again that forwarded nothing; it doubles each time.
pub(super) const RELAY_REST: Duration = Duration::from_secs(10);
/// Doublings of that pause: 11 min at most.
pub(super) const RELAY_REST_DOUBLINGS: u32 = 6;
/// Least time between two rounds of news to neighbours. Newcomers hear at once.
pub(super) const NEWS_EVERY: Duration = Duration::from_secs(5);

/// A number that may come at once, and the time that allows one more. Each receiver takes more
/// than an honest sender sends, however the network bunches it.
type Pace = (u32, Duration);

/// News taken of one neighbour: it sends one in 5 s.
pub(super) const NEWS_TAKEN: Pace = (8, Duration::from_millis(2500));
/// Offers one relay is asked to forward.
pub(super) const INTRODUCTIONS_ASKED: Pace = (8, Duration::from_secs(10));
/// Offers forwarded for one neighbour.
pub(super) const INTRODUCTIONS_GRANTED: Pace = (16, Duration::from_secs(5));
/// Offers forwarded to one neighbour.
pub(super) const FORWARDS_TAKEN: Pace = (16, Duration::from_millis(2500));
/// Offers forwarded to a neighbour that says nothing meanwhile: fewer than its `FAULTS`, should it
/// answer all of them when they are forgotten.
pub(super) const FORWARDS_UNANSWERED: u32 = 12;
/// Offers one relay may bring us.
pub(super) const INTRODUCTIONS_TAKEN: Pace = (32, Duration::from_millis(1250));
/// Messages of one neighbour that no rule allows, before its link is closed. Some are honest:
/// an answer may come when its offer is over.
pub(super) const FAULTS: Pace = (16, Duration::from_secs(10));
/// Peers remembered that we parted with because neither side wanted anything.
pub(super) const PARTED_MAX: usize = 64;
/// How long a peer we parted with so is not linked again, unless we lack something sooner. It may
/// lack something by then.
pub(super) const PARTED_REST: Duration = Duration::from_secs(10 * 60);

/// Addresses of one torrent remembered.
pub(super) const ADDRESSES_MAX: usize = 500;
/// Those that one peer may have told, a share of them. libtorrent's first message has up to 100.
pub(super) const ADDRESSES_PER_TELLER_MAX: usize = 100;
/// Those of one IPv4 address, or of one IPv6 network of 64 bits: some peers share one, and whoever
/// names many ports of one host wants it searched.
pub(super) const ADDRESSES_PER_HOST_MAX: usize = 8;
/// Dials in vain after which an address makes way for others when there is no room.
pub(super) const ADDRESS_TRIES: u32 = 3;
/// From this order of magnitude on dials in vain make a teller doubtful: two doublings, four dials.
/// What nobody tells of any more is as doubtful.
pub(super) const DOUBTFUL: u32 = 3;
/// Dials kept for addresses that are not doubtful, so that a liar cannot use up all there are.
pub(super) const DIALS_RESERVED: u32 = 10;
/// Dials of all torrents under way at once. Home routers keep few half-open connections.
pub(super) const DIALS_AT_ONCE: usize = 8;
/// How long a dial may take: a TCP handshake that lost two packets takes 7 s.
pub(super) const DIAL_WAIT: Duration = Duration::from_secs(10);
/// Dials that may be made at once, and the time that allows one more: 720 an hour.
pub(super) const DIALS: Pace = (30, Duration::from_secs(5));
/// First pause before an address is dialled again; it doubles with each dial until a link there
/// was sound.
pub(super) const DIAL_REST: Duration = Duration::from_secs(60);
/// The same where the user named the address and so knows that a peer will be there.
pub(super) const DIAL_REST_NAMED: Duration = Duration::from_secs(3);
/// Doublings of that pause: 64 min at most, so that a host that is no peer is dialled six times
/// in the first hour and once in each that follows.
pub(super) const DIAL_REST_DOUBLINGS: u32 = 6;
/// A torrent with so many links dials nobody: the others are for those that dial us.
pub(super) const LINKS_DIALLED_FOR: usize = 20;
/// How often a torrent is announced where nobody keeps a list: what DHT nodes hear they forget
/// after 30 min.
pub(super) const SEEK_REST: Duration = Duration::from_secs(15 * 60);
/// First pause before a torrent without links is sought again; it doubles each time.
pub(super) const SEEK_LONELY: Duration = Duration::from_secs(15);
/// Longest such pause.
pub(super) const SEEK_LONELY_MAX: Duration = Duration::from_secs(5 * 60);
/// Links that came in and have not said which torrent they are for.
pub(super) const ARRIVALS_MAX: usize = 100;
/// Those from one address.
pub(super) const ARRIVALS_PER_HOST_MAX: usize = 4;
/// How long such a link may take to say it.
pub(super) const ARRIVAL_WAIT: Duration = Duration::from_secs(10);
/// Links that may come in: a new film is met by many at once.
pub(super) const ARRIVALS: Pace = (200, Duration::from_millis(20));
/// Peers whose word on our own address is remembered.
pub(super) const VOTES_MAX: usize = 32;
/// Peers that must agree on it.
pub(super) const VOTES_NEEDED: usize = 3;
