//! Every limit of the engine, with why it is what it is.

use core::time::Duration;

/// Largest info dictionary fetched from peers (BEP 9). The largest seen in the wild is 4.2 MB.
pub const METADATA_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Metadata blocks asked of one peer at once. Metadata is small; a few hide the round trip.
pub const METADATA_ASKED_MAX: usize = 4;
/// A metadata block not here by then is asked of somebody else.
pub const METADATA_PATIENCE: Duration = Duration::from_secs(4);
/// A peer that had no metadata is asked again after this: it never says when it gets some.
pub const METADATA_RETRY: Duration = Duration::from_secs(15);
/// How long one size, or one peer alone, is believed while others wait with theirs; twice as long
/// in each turn, so that a slow but honest peer comes to its end and a slow liar holds up little.
pub const METADATA_TURN: Duration = Duration::from_secs(15);
/// Doublings of that turn.
pub const METADATA_TURNS_MAX: u32 = 6;
/// How often metadata requests are looked at.
pub const METADATA_ROUND: Duration = Duration::from_secs(2);
/// Metadata requests kept of one peer. More than any torrent has blocks aims at our memory.
pub const METADATA_SERVED_MAX: usize = 1024;

/// A link that shows no valid handshake by then is closed.
pub const HANDSHAKE_PATIENCE: Duration = Duration::from_secs(25);
/// A link on which we said nothing for so long gets a keep-alive, at the latest after twice the
/// span; peers drop a link that is silent for two minutes.
pub const KEEP_ALIVE: Duration = Duration::from_secs(50);
/// A link that is silent this long is closed.
pub const SILENCE: Duration = Duration::from_secs(180);
/// How long the better of two links to a peer must live before the other is closed.
pub const RETIRE_SOON: Duration = Duration::from_secs(2);
/// The same for the side that leaves the closing to the other, in case it never does it.
pub const RETIRE_LATE: Duration = Duration::from_secs(15);
/// Two seeds stay linked this long: one may turn out to want something after all.
pub const USELESS_PATIENCE: Duration = Duration::from_secs(30);

/// Peers banned and remembered; beyond that the first are forgotten.
pub const BANNED_MAX: usize = 4096;
/// Failed pieces whose blocks' digests are kept, and failures kept of each.
pub const FAILED_PIECES_MAX: usize = 64;
/// Failures of one piece remembered.
pub const FAILURES_PER_PIECE_MAX: usize = 8;

/// Bytes of pieces being fetched, hashed or written in one torrent at once.
pub const OPEN_BYTES_MAX: u64 = 32 * 1024 * 1024;
/// Pieces that may be open whatever their size.
pub const OPEN_PIECES_MIN: usize = 4;
/// Pieces picked at random at the start, so that there is soon something to trade.
pub const RANDOM_PIECES: u32 = 4;
/// Buffers of finished pieces kept for the next ones.
pub const SPARE_BUFFERS_MAX: usize = 4;
/// Pieces looked at in order of rarity before a peer that has few of them is served from a sample.
pub const PROBES_MAX: u32 = 128;
/// Pieces in such a sample, of which the rarest is picked.
pub const SAMPLE_MAX: usize = 32;
/// Open pieces with blocks that nobody is asked for, beyond which none is begun before them. Each
/// is held back from others until it is whole.
pub const BEGUN_MAX: usize = 32;
/// Open pieces looked at for blocks that nobody is asked for.
pub const FREE_PROBES_MAX: usize = 64;
/// Pieces that became missing again and are remembered, so that peers that had nothing to give
/// look at these alone.
pub const RELISTED_MAX: usize = 64;
/// A peer that has more than this part of all pieces is counted by what it lacks, and many pieces
/// that change at once are sorted anew when they are more than this part: 1 in so many.
pub const SORT_PART: u32 = 16;

/// Hashes of a piece layer asked for at once, as BEP 52 has it.
pub const HASHES_ASKED_FOR: u32 = 512;
/// Hash requests one peer owes an answer, given up ones included.
pub const HASHES_ASKED_MAX: usize = 16;
/// Hashes not here by then are asked of somebody else.
pub const HASHES_PATIENCE: Duration = Duration::from_secs(8);
/// A peer that refused a part of a layer is asked for layers again after this.
pub const HASHES_RETRY: Duration = Duration::from_secs(15);
/// How often hash requests are looked at.
pub const HASHES_ROUND: Duration = Duration::from_secs(2);
/// Peers asked for one piece's leaves before its node alone judges it.
pub const LEAVES_TRIES: u8 = 3;
/// Refusals in a row after which a peer is asked for no more leaves: most clients keep none.
pub const LEAFLESS: u8 = 4;
/// Hash requests kept of one peer; more are refused.
pub const HASHES_SERVED_MAX: usize = 64;
/// Bytes hashed for one peer's requests, besides as many as were sent to it.
pub const HASHED_FOR_PEER: u64 = 64 * 1024 * 1024;
/// Leaves of stored pieces kept to prove them to others: 4 MiB, for 2 GiB of data.
pub const LEAVES_KEPT: usize = 128 * 1024;
/// Pieces whose leaves are kept, since finding one takes as many steps.
pub const LEAF_PIECES_KEPT: usize = 4096;
/// Trees above piece layers kept to prove them to others.
pub const TREES_KEPT: usize = 4;
/// Blocks hashed in one job: enough for every lane, few enough to judge the first soon.
pub const BLOCKS_HASHED_AT_ONCE: usize = 64;
/// We greet a peer that does not by then, though it might have told that it knows v2.
pub const GREET_PATIENCE: Duration = Duration::from_secs(3);

/// Blocks asked of a peer of which nothing is known yet.
pub const PIPELINE_MIN: usize = 8;
/// A peer that would take longer for as many is asked for fewer, once it gave something.
pub const PIPELINE_MIN_SPAN: Duration = Duration::from_secs(4);
/// The same while somebody reads: a slow peer should hold few of the blocks it waits for.
pub const PIPELINE_MIN_READING: usize = 2;
/// Most blocks asked of one peer, whatever it allows.
pub const PIPELINE_MAX: usize = 500;
/// Most blocks asked of a peer that does not say how many it takes (`reqq` of BEP 10).
pub const PIPELINE_DEFAULT: usize = 250;
/// Time a pipeline covers besides the round trip, so that a late refill starves nobody.
pub const PIPELINE_MARGIN: Duration = Duration::from_secs(1);
/// The same while somebody reads: what is asked last should not wait behind much.
pub const PIPELINE_MARGIN_READING: Duration = Duration::from_millis(500);
/// A peer that owes blocks and sends none for so long is snubbed.
pub const SNUB: Duration = Duration::from_secs(15);
/// A peer that refused or owed too long is asked for nothing for so long.
pub const HOLD: Duration = Duration::from_secs(3);
/// Blocks asked a second time of one peer in end game, at once.
pub const END_GAME_MAX: usize = 32;
/// Blocks given up or cancelled that are still taken when they come.
pub const LATE_MAX: usize = 1024;
/// Blocks nobody asked for that are ignored before the link is closed.
pub const UNASKED_MAX: u32 = 2048;

/// Readers whose wants are told to peers.
pub const WANTING_READERS_MAX: usize = 8;
/// What peers are told is wanted urgently is wanted within this.
pub const WANTED_URGENTLY: Duration = Duration::from_secs(1);
/// What a reader comes to next is wanted within this, and nothing a peer wants later counts.
pub const WANTED_SOON: Duration = Duration::from_secs(20);
/// How long after its time a peer's want is forgotten.
pub const WANTED_FOR: Duration = Duration::from_secs(40);
/// Least time between two messages of wants to peers.
pub const WANTS_EVERY: Duration = Duration::from_secs(2);
/// Wants that did not change are told again after this.
pub const WANTS_AGAIN: Duration = Duration::from_secs(20);
/// Messages of wants taken of one peer: so many at once, then one in so long. Others send one
/// in 2 s.
pub const WANTS_TAKEN: (u32, Duration) = (8, Duration::from_secs(1));
/// Pieces one peer may want, so that none fills the memory of all.
pub const WISHES_PER_PEER_MAX: u32 = 64;
/// Pieces all peers want that are remembered.
pub const WISHES_MAX: usize = 256;

/// Bytes from a reader's place on that are urgent: worth asking two peers.
pub const URGENT_BYTES: u64 = 2 * 1024 * 1024;
/// Bytes from a reader's place on that come before anything else.
pub const READ_AHEAD_BYTES: u64 = 16 * 1024 * 1024;
/// An urgent block that is not here by then may be asked of a second peer.
pub const URGENT_PATIENCE: Duration = Duration::from_millis(500);
/// Time that a second peer must save besides half of what the first would take.
pub const SECOND_MARGIN: Duration = Duration::from_millis(300);
/// Blocks a peer may owe above its pipeline when they are urgent.
pub const URGENT_ROOM: usize = 8;
/// Blocks that came twice, or may since two are asked for them, so that they stay under 2 of 100:
/// one of so many fetched, and a few to begin with.
pub const DOUBLED_PART: u64 = 80;
/// Those to begin with.
pub const DOUBLED_MIN: u64 = 4;
/// As many more where the first is many times slower.
pub const DOUBLED_HOPELESS: u64 = 12;
/// A peer that sends nothing for longer than this, and for longer than it takes as a rule, may be
/// gone.
pub const LIVELY: Duration = Duration::from_millis(900);
/// How often urgent blocks are looked at.
pub const URGENT_ROUND: Duration = Duration::from_millis(250);
/// Peers with which another is compared to see whether it is slow.
pub const QUICK_MAX: usize = 16;
/// A queue this short is short enough for urgent blocks, whatever others have.
pub const URGENT_QUEUE: Duration = Duration::from_millis(500);

/// What a bridge fetches beyond what it is asked for: a browser asks for what follows only once it
/// got that, and a film goes on.
pub const LENT_AHEAD: u64 = 4 << 20;

/// Requests kept of one peer. WebTorrent keeps any number, libtorrent 2000; we say 500 (`reqq`).
pub const SERVED_MAX: usize = 500;
/// Largest request; a larger one ends the link, as in WebTorrent.
pub const REQUEST_BYTES_MAX: u32 = 128 * 1024;
/// Largest read from the store at once.
pub const READ_BYTES_MAX: u32 = 64 * 1024;
/// Bytes read ahead of one link's window, so that it never idles while the store reads.
pub const READ_AHEAD_PER_LINK: u32 = 256 * 1024;
/// Control bytes that wait for one link to drain. A peer that never reads is closed above it.
pub const CONTROL_BYTES_MAX: usize = 2 * 1024 * 1024;
/// The same above which no more introductions are carried to a peer.
pub const SIGNAL_BYTES_WAITING_MAX: usize = 64 * 1024;

/// Least time between two messages of peer exchange to one peer (BEP 11).
pub const PEX_EVERY: Duration = Duration::from_secs(60);
/// What changed waits so long for more of it before it is told.
pub const PEX_SOON: Duration = Duration::from_secs(1);
/// Addresses told as added in one message, and as many as dropped (BEP 11).
pub const PEX_TOLD_MAX: usize = 50;
/// Messages of peer exchange taken of one peer: so many at once, then one in so long. Others send
/// one a minute; libtorrent takes five in any minute.
pub const PEX_TAKEN: (u32, Duration) = (6, Duration::from_secs(30));

/// Pieces a peer allows us, or we allow it, while choking (BEP 6). Clients allow about ten.
pub const ALLOWED_FAST_MAX: usize = 64;
/// Suggestions kept of one peer, the newest (BEP 6).
pub const SUGGESTED_MAX: usize = 16;
/// How often a peer may say all at once what it has. Each costs as much as there are pieces, and
/// a peer does it once, or once more when it gets metadata.
pub const CLAIMS_MAX: u32 = 16;

/// Pieces remembered that a peer lost before the number of pieces was known (BEP 54).
pub const EARLY_LOST_MAX: usize = 64;
/// A piece shown to a peer that is seen nowhere else for so long counts as passed on (BEP 16):
/// who passes nothing on gets a piece a minute, and honest peers that nobody asks are not stuck.
pub const REVEAL_PATIENCE: Duration = Duration::from_secs(60);
/// Pieces shown at once to a peer that is alone: enough to keep it busy.
pub const REVEAL_ALONE: usize = 8;
/// Pieces told of one by one when a seed ceases to hide them; more are told all at once.
pub const REVEAL_SINGLY_MAX: usize = 4096;

/// Fewest and most peers of a torrent served at once. In between it is by what can be sent.
pub const SLOTS_MIN: usize = 4;
/// See `SLOTS_MIN`: more would leave each with too little to be worth giving for.
pub const SLOTS_MAX: usize = 24;

/// Blocks that all sold slots together have in a turn where nobody else is served.
pub const SOLD_BLOCKS: u64 = 4;

/// Least bytes that a turn brings a sold slot, however small its share.
pub const SOLD_TURN_MIN: u64 = 1024;
/// What a link was given has left it after this, if it is not full: it does not say so.
pub const LINK_DRAINS: Duration = Duration::from_secs(2);
/// A line for which so many bytes wait is busy.
pub const LINE_BUSY: u64 = 64 * 1024;
/// How often slots are given out anew.
pub const CHOKE_ROUND: Duration = Duration::from_secs(10);
/// A peer served this long yields its slot to others that wait, once we have everything.
pub const SLOT_TURN: Duration = Duration::from_secs(30);
/// What a peer that gave nothing gets at once, if a piece is not larger: enough to begin with, too
/// little to live on.
pub const GIFT_BYTES: u64 = 32 * 1024;
/// The same however large a piece is.
pub const GIFT_BYTES_MAX: u64 = 256 * 1024;
/// One slot of so many is for gifts.
pub const GIFT_PART: usize = 4;
/// How long a gift keeps its slot though it is not used up.
pub const GIFT_TIME: Duration = Duration::from_secs(20);
/// How long a peer waits that gave nothing for its first gift; it doubles with each.
pub const GIFT_REST: Duration = Duration::from_secs(30);
/// Doublings of that rest: 32 minutes at most.
pub const GIFT_REST_DOUBLINGS: u32 = 6;
/// A peer that has nothing for longer is no newcomer.
pub const NEWCOMER: Duration = Duration::from_secs(20);
/// Bytes, and pieces, a peer may have taken of us beyond what it shows: some pieces are not whole.
pub const HIDDEN_BYTES: u64 = 256 * 1024;
/// See `HIDDEN_BYTES`.
pub const HIDDEN_PIECES: u64 = 8;

/// Web seeds kept of one torrent; what is beyond is left out.
pub const WEB_SEEDS_MAX: usize = 100;
/// Web seeds of one torrent asked at once. Servers are fast; more only spread the load.
pub const WEB_SEEDS_BUSY_MAX: usize = 4;
/// Runs asked of one web seed at once, so that no round trip passes idle.
pub const WEB_RUNS_MAX: usize = 2;
/// Fetches of all torrents together. Browsers queue what is above six a server.
pub const FETCHES_MAX: usize = 16;
/// Bytes asked of a web seed of which nothing is known yet, at least one piece.
pub const WEB_RUN_FIRST: u64 = 256 * 1024;
/// Longest run asked at once. A quarter of what may be open leaves room for peers.
pub const WEB_RUN_MAX: u64 = OPEN_BYTES_MAX / 4;
/// Runs grow to what a web seed sends in this time; less is lost when it stops.
pub const WEB_RUN_SPAN: Duration = Duration::from_secs(2);
/// Largest piece asked for whole though a run would be shorter.
pub const WEB_WHOLE_PIECE_MAX: u64 = 2 * 1024 * 1024;
/// Peers that give this many bytes a second together are enough: servers cost their owners money.
pub const WEB_REST_RATE: u64 = 2 * 1024 * 1024;
/// A web seed that sends nothing for so long is given up for a while.
pub const WEB_SILENCE: Duration = Duration::from_secs(15);
/// A run that takes longer is cut: others may be faster, and the next one will be shorter.
pub const WEB_RUN_PATIENCE: Duration = Duration::from_secs(60);
/// A block owed by a peer for so long is fetched from a web seed too, once nothing else is left.
pub const WEB_LATE: Duration = Duration::from_secs(5);
/// How often web seeds are looked at while they may be of use.
pub const WEB_ROUND: Duration = Duration::from_secs(1);
/// Wait after a web seed's first failure; it doubles with each one that follows.
pub const WEB_RETRY_MIN: Duration = Duration::from_secs(5);
/// Longest wait after a failure, whatever the server asks for.
pub const WEB_RETRY_MAX: Duration = Duration::from_secs(600);

/// Stored pieces hashed at once while a store is checked.
pub const CHECKS_MAX: usize = 4;
/// How often speeds are looked at while anything flows.
pub const MEASURE_ROUND: Duration = Duration::from_secs(1);
/// Most pieces a torrent's state is kept for. 2^22 pieces of 16 KiB are 64 GiB.
pub const PIECES_MAX: u32 = 1 << 22;
