//! What the command line may say.

mod pay;

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use headwater_hybrid::store::{Opening, Preallocate};
use headwater_metainfo::Version;

pub(crate) use pay::{
    ChainArgs, ChainName, Claim, Claims, Export, Pay, Price, Publish, Sell, Where, account,
};

/// A BitTorrent peer that meets web pages: it shares and fetches over WebRTC.
#[derive(Debug, Parser)]
#[command(
    name = "headwater",
    version,
    after_help = "Exit codes: 0 ok, 1 failed, 2 bad usage or \
    bad input.\nErrors go to stderr with a stable code; with --json they go to stdout as JSON."
)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Write machine-readable JSON to stdout.
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Say what a torrent file or magnet link is, or why it is invalid.
    Show(Show),
    /// Make a torrent file of a file or folder.
    Create(Create),
    /// Download a torrent; run again to resume.
    Get(Get),
    /// Share files and folders, and print their magnet links.
    Seed(Seed),
    /// Run tracker, web app and peer in one process.
    Serve(Box<Serve>),
    /// Say what a server earned by selling, and claim it.
    #[command(subcommand)]
    Pay(Pay),
    /// Run a test ledger with the face of a TRON node; its tokens are worthless.
    Devnet(Devnet),
}

/// Arguments of `devnet`.
#[derive(Args, Debug)]
pub(crate) struct Devnet {
    /// Where to listen. Whoever reaches it may spend what is in it: the keys are known to all.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7421")]
    pub(crate) listen: SocketAddr,
    /// Keep the ledger in this file [default: in memory].
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Give something of everything to this account; repeat for more.
    #[arg(long, value_name = "ADDRESS", value_parser = account)]
    pub(crate) fund: Vec<headwater_base::Address>,
}

/// Arguments of `show`.
#[derive(Args, Debug)]
pub(crate) struct Show {
    /// A torrent file or a magnet link.
    #[arg(value_name = "FILE|MAGNET")]
    pub(crate) source: String,
}

/// Arguments of `create`.
#[derive(Args, Debug)]
pub(crate) struct Create {
    /// The file or folder.
    pub(crate) path: PathBuf,
    /// Where the torrent file goes [default: NAME.torrent in the current folder].
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) kind: Kind,
    /// Bytes in a piece, a power of two from 16384 [default: by size].
    #[arg(long, value_name = "N")]
    pub(crate) piece_length: Option<u32>,
    /// A tracker to name in it; repeat for more.
    #[arg(long, value_name = "URL")]
    pub(crate) tracker: Vec<String>,
    /// A web seed to name in it (BEP 19); repeat for more.
    #[arg(long, value_name = "URL")]
    pub(crate) web_seed: Vec<String>,
    /// Let only the named trackers introduce peers (BEP 27).
    #[arg(long)]
    pub(crate) private: bool,
    /// Free text to put in it.
    #[arg(long, value_name = "TEXT")]
    pub(crate) comment: Option<String>,
    #[command(flatten)]
    pub(crate) publish: Publish,
    /// Ask the chain's node through this proxy, as `seed` does.
    #[arg(long, value_name = "URL", env = "HEADWATER_PROXY", hide_env_values = true)]
    pub(crate) proxy: Option<String>,
}

/// Which protocol the torrent that is made speaks.
#[derive(Args, Clone, Copy, Debug)]
#[group(multiple = false)]
pub(crate) struct Kind {
    /// Make a version 1 torrent, which every client reads; the default.
    #[arg(long)]
    v1: bool,
    /// Make a version 2 torrent: every 16 KiB is checked by itself, old clients cannot read it.
    #[arg(long)]
    v2: bool,
    /// Make a torrent of both versions; old clients show the padding between its files.
    #[arg(long)]
    hybrid: bool,
}

impl Kind {
    /// The version asked for; `None` where nothing was said.
    pub(crate) fn version(self) -> Option<Version> {
        match self {
            Self { v1: true, .. } => Some(Version::V1),
            Self { v2: true, .. } => Some(Version::V2),
            Self { hybrid: true, .. } => Some(Version::Hybrid),
            Self { .. } => None,
        }
    }
}

/// Arguments of `get`.
#[derive(Args, Debug)]
pub(crate) struct Get {
    /// A magnet link, an info-hash of 40 or 64 hex digits, or a torrent file.
    pub(crate) source: String,
    /// The folder it goes to, or `-` to write its only chosen file to stdout, in order.
    #[arg(short, long, value_name = "DIR", default_value = ".")]
    pub(crate) output: PathBuf,
    /// Fetch these files only, by the numbers that `headwater show` gives: 0,3-5.
    #[arg(long, value_name = "LIST", value_parser = file_list)]
    pub(crate) files: Option<FileList>,
    /// Serve its files over HTTP on this machine while they come, for players; on any free port
    /// unless told otherwise.
    #[arg(
        long,
        value_name = "ADDR",
        num_args = 0..=1,
        default_missing_value = "127.0.0.1:0",
        conflicts_with = "sequential"
    )]
    pub(crate) stream: Option<SocketAddr>,
    /// A web server that holds the files (BEP 19), which may lie in a private network; repeat for
    /// more.
    #[arg(long, value_name = "URL")]
    pub(crate) web_seed: Vec<String>,
    /// Fetch pieces in order, for a program that reads the file as it grows.
    #[arg(long)]
    pub(crate) sequential: bool,
    /// Keep sharing when everything is there.
    #[arg(long)]
    pub(crate) seed: bool,
    /// Keep sharing until so many times as much was sent as was fetched.
    #[arg(long, value_name = "RATIO", value_parser = ratio)]
    pub(crate) seed_ratio: Option<f64>,
    #[command(flatten)]
    pub(crate) disk: Files,
    #[command(flatten)]
    pub(crate) peer: Peer,
}

/// How files are kept.
#[derive(Args, Clone, Debug)]
pub(crate) struct Files {
    /// Room that a file takes when it is made: `none` lets it grow as pieces come, `sparse` gives
    /// it its full size, `full` sets all its room aside.
    #[arg(long, value_name = "HOW", default_value = "none")]
    preallocate: Reserves,
    /// Move a torrent into this folder once everything wanted is there, and share it from there.
    #[arg(long, value_name = "DIR")]
    pub(crate) finished: Option<PathBuf>,
    /// Hash again what is there, whatever the record says.
    #[arg(long)]
    verify: bool,
}

impl Files {
    /// How stores are opened.
    pub(crate) fn opening(&self) -> Opening {
        let preallocate = match self.preallocate {
            Reserves::None => Preallocate::None,
            Reserves::Sparse => Preallocate::Sparse,
            Reserves::Full => Preallocate::Full,
        };
        Opening { verified: None, verify: self.verify, preallocate }
    }
}

/// Arguments of `seed`.
#[derive(Args, Debug)]
pub(crate) struct Seed {
    /// Files and folders to share, or what lies in an object store: `s3://BUCKET/KEY`,
    /// `gs://BUCKET/KEY`, `az://CONTAINER/KEY`, `file:///PATH`; a key with others below it is a
    /// folder. Credentials come from the environment (AWS_*, GOOGLE_*, AZURE_*).
    #[arg(required = true)]
    pub(crate) paths: Vec<PathBuf>,
    /// Share the one path as the content of this torrent instead of making one.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["v1", "v2", "hybrid"])]
    pub(crate) torrent: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) kind: Kind,
    /// Show each peer one piece at a time, so that what is new spreads while little is sent twice.
    #[arg(long = "super")]
    pub(crate) super_seed: bool,
    /// Hash again what was shared before, whatever the record says.
    #[arg(long)]
    pub(crate) verify: bool,
    #[command(flatten)]
    pub(crate) publish: Publish,
    #[command(flatten)]
    pub(crate) price: Price,
    #[command(flatten)]
    pub(crate) peer: Peer,
}

/// Arguments of `serve`.
#[derive(Args, Debug)]
pub(crate) struct Serve {
    /// Read settings from a TOML file, in which every flag is a key; flags go before it.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Print the settings in force as such a file, and end.
    #[arg(long)]
    pub(crate) print_config: bool,
    /// Share every file and folder in this folder.
    #[arg(long)]
    pub(crate) dir: Option<PathBuf>,
    /// Share what lies in an object store: `s3://BUCKET/KEY`, `gs://BUCKET/KEY`,
    /// `az://CONTAINER/KEY`, `file:///PATH`; repeat for more. Credentials come from the environment
    /// (AWS_*, GOOGLE_*, AZURE_*).
    #[arg(long, value_name = "URL")]
    pub(crate) share: Vec<String>,
    /// Where to listen.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7420")]
    pub(crate) listen: SocketAddr,
    /// A further name this server is reached by; repeat for more.
    #[arg(long, value_name = "NAME")]
    pub(crate) host: Vec<String>,
    /// Speak TLS with this certificate and what it is signed by, in PEM; read again at SIGHUP.
    #[arg(long, value_name = "FILE")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// The key of that certificate, in PEM.
    #[arg(long, value_name = "FILE")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Whether whoever has the token may control this server; `auto` is on where only programs of
    /// this machine reach it.
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub(crate) control: Controls,
    /// Where token and state are kept [default: .headwater in --dir, or else headwater in the
    /// user's folder for state].
    #[arg(long, value_name = "DIR")]
    pub(crate) state: Option<PathBuf>,
    /// What is logged, that and worse [default: what HEADWATER_LOG says, or info].
    #[arg(long, value_name = "LEVEL")]
    pub(crate) log: Option<Level>,
    /// How it is logged.
    #[arg(long, value_name = "FORM", default_value = "text")]
    pub(crate) log_format: LogForm,
    /// Log addresses, peer ids and whole tracker URLs too.
    #[arg(long)]
    pub(crate) log_addresses: bool,
    /// Which torrents that browsers announce here are fetched for them from the ordinary swarm.
    #[arg(long, value_name = "WHICH", default_value = "off")]
    pub(crate) bridge: Bridges,
    /// The torrents that `--bridge listed` allows: an info-hash or magnet link a line.
    #[arg(long, value_name = "FILE")]
    pub(crate) bridge_list: Option<PathBuf>,
    /// Where bridged torrents are cached [default: headwater/bridge in the user's cache folder].
    #[arg(long, value_name = "DIR")]
    pub(crate) bridge_dir: Option<PathBuf>,
    /// Most bytes cached there, with K, M or G for 1024s.
    #[arg(long, value_name = "SIZE", value_parser = rate, default_value = "10G")]
    pub(crate) bridge_cache: u64,
    /// Most torrents bridged at once.
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(crate) bridge_torrents: usize,
    /// Most of those for one browser.
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub(crate) bridge_torrents_per_browser: usize,
    /// Let trackers that browsers name to the bridge lie in private networks too.
    #[arg(long)]
    pub(crate) local_trackers: bool,
    /// Act as one tracker and bridge with other processes through this NATS server:
    /// `nats://[USER:PASSWORD@]HOST[:PORT]`, or `tls:` instead of `nats:`.
    #[arg(long, value_name = "URL")]
    pub(crate) fleet: Option<String>,
    /// What the processes of a fleet call it, where several share a server.
    #[arg(long, value_name = "NAME", default_value = "headwater")]
    pub(crate) fleet_name: String,
    #[command(flatten)]
    pub(crate) sell: Sell,
    #[command(flatten)]
    pub(crate) disk: Files,
    #[command(flatten)]
    pub(crate) peer: Peer,
}

/// What everything that talks to peers takes.
#[derive(Args, Clone, Debug)]
pub(crate) struct Peer {
    /// A tracker (ws:, wss:, http:, https: or udp:) to announce to; repeat for more.
    #[arg(long, value_name = "URL")]
    pub(crate) tracker: Vec<String>,
    /// The STUN server that tells our public address, or `none`.
    #[arg(long, value_name = "URL", default_value = "stun:stun.l.google.com:19302")]
    pub(crate) stun: String,
    /// Most bytes a second to send, with K, M or G for 1024s.
    #[arg(long, value_name = "RATE", value_parser = rate)]
    pub(crate) upload_limit: Option<u64>,
    /// Most bytes a second to fetch, with K, M or G for 1024s.
    #[arg(long, value_name = "RATE", value_parser = rate)]
    pub(crate) download_limit: Option<u64>,
    /// Most torrents that fetch at once; the others wait for their turn [default: all].
    #[arg(long, value_name = "N")]
    pub(crate) active_downloads: Option<usize>,
    /// Most complete torrents shared at once; the others wait for their turn [default: all].
    #[arg(long, value_name = "N")]
    pub(crate) active_seeds: Option<usize>,
    /// Let web seeds that a torrent or magnet link names lie in private networks too.
    #[arg(long)]
    pub(crate) local_web_seeds: bool,
    /// Most links at a time.
    #[arg(long, value_name = "N", default_value_t = 200)]
    pub(crate) max_peers: u16,
    /// Most of those that are WebRTC, each of which has sockets of its own.
    #[arg(long, value_name = "N", default_value_t = 60)]
    pub(crate) max_webrtc_peers: u16,
    /// The port for TCP and uTP; 0 for any that is free.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) port: u16,
    /// An address of this machine to meet peers by; repeat for more [default: all].
    /// With 127.0.0.1 alone only peers of this machine are met; named trackers and web seeds are
    /// asked all the same.
    #[arg(long, value_name = "IP")]
    pub(crate) interface: Vec<IpAddr>,
    /// A list of addresses that no peer is met at, in the form of ipfilter.dat, a P2P list or
    /// networks; repeat for more.
    #[arg(long, value_name = "FILE")]
    pub(crate) ip_filter: Vec<PathBuf>,
    /// What to speak with other peers [default: tcp,utp,webrtc, or tcp with --proxy].
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    transports: Vec<Speaks>,
    /// Go through this proxy: `socks5://[USER:PASSWORD@]HOST[:PORT]`, or `http:` instead of
    /// `socks5:`. Nothing goes around it: no DHT, no local network, no UDP trackers, no peers that
    /// dial us.
    #[arg(long, value_name = "URL", env = "HEADWATER_PROXY", hide_env_values = true)]
    pub(crate) proxy: Option<String>,
    /// Whether TCP and uTP hide that they are BitTorrent (MSE).
    #[arg(long, value_name = "WHEN", default_value = "on")]
    pub(crate) encryption: Hides,
    /// Do not look for peers on the local network.
    #[arg(long)]
    pub(crate) no_lsd: bool,
    /// Do not look for peers in the distributed hash table.
    #[arg(long)]
    pub(crate) no_dht: bool,
    /// A node of the DHT to ask first; repeat for more [default: well-known ones].
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) dht_bootstrap: Vec<String>,
    /// The UDP port of the DHT; 0 for any that is free.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) dht_port: u16,
    /// Do not ask the router to lead peers from outside to our ports (PCP, NAT-PMP, UPnP).
    #[arg(long)]
    pub(crate) no_port_mapping: bool,
    /// A peer to connect to, by its address; repeat for more.
    #[arg(long, value_name = "IP:PORT")]
    pub(crate) peer: Vec<SocketAddr>,
}

impl Peer {
    /// Whether peers are spoken with in this way.
    pub(crate) fn speaks(&self, kind: Speaks) -> bool {
        match self.transports.is_empty() {
            true => kind == Speaks::Tcp || self.proxy.is_none(),
            false => self.transports.contains(&kind),
        }
    }
}

/// Room that a file takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Reserves {
    /// It grows.
    None,
    /// Its size, not its room.
    Sparse,
    /// All of it.
    Full,
}

/// Whether a server is controlled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Controls {
    /// Where it listens on loopback.
    Auto,
    /// Always.
    On,
    /// Never.
    Off,
}

/// What is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Level {
    /// Nothing.
    Off,
    /// What stops a torrent.
    Error,
    /// What went wrong and is coped with.
    Warn,
    /// What becomes of torrents.
    Info,
    /// What becomes of links.
    Debug,
    /// Everything.
    Trace,
}

/// How events are logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogForm {
    /// A line for a person.
    Text,
    /// A JSON object a line.
    Json,
}

/// Which torrents are bridged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Bridges {
    /// None.
    Off,
    /// Those of a list.
    Listed,
    /// Those somebody pays for; not in this version.
    Paid,
    /// All.
    Open,
}

/// What peers are spoken with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Speaks {
    /// TCP connections.
    Tcp,
    /// uTP over UDP (BEP 29).
    Utp,
    /// WebRTC data channels, as browsers do.
    Webrtc,
}

/// Whether streams are encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Hides {
    /// Never.
    Off,
    /// With those that insist on it.
    On,
    /// Always: others are not spoken with.
    Required,
}

/// Files by their numbers.
pub(crate) type FileList = std::sync::Arc<[u32]>;

/// Most files that a list may name, as a range or one by one.
const FILES_MAX: usize = 100_000;

/// Reads `0,3-5`.
fn file_list(text: &str) -> Result<FileList, String> {
    let number =
        |text: &str| text.trim().parse::<u32>().map_err(|_| format!("{text:?} is no number"));
    let mut files = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (number(first)?, number(last)?);
        if first > last || (last - first) as usize >= FILES_MAX - files.len() {
            return Err(format!("{part:?} is no range of at most {FILES_MAX} files"));
        }
        files.extend(first..=last);
    }
    Ok(files.into())
}

/// Reads a ratio.
fn ratio(text: &str) -> Result<f64, String> {
    let ratio = text.parse::<f64>().ok().filter(|ratio| ratio.is_finite() && *ratio >= 0.0);
    ratio.ok_or_else(|| "a number like 1.5 expected".to_owned())
}

/// Reads `300K` and the like.
fn rate(text: &str) -> Result<u64, String> {
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(split);
    let factor = match unit.to_ascii_uppercase().as_str() {
        "" => 1,
        "K" => 1 << 10,
        "M" => 1 << 20,
        "G" => 1 << 30,
        _ => return Err(format!("unknown unit {unit:?}, K, M or G expected")),
    };
    let number: u64 = digits.parse().map_err(|_| "a whole number expected".to_owned())?;
    number.checked_mul(factor).filter(|rate| *rate > 0).ok_or_else(|| "out of range".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_take_units() {
        assert_eq!(rate("5"), Ok(5));
        assert_eq!(rate("300k"), Ok(300 << 10));
        assert_eq!(rate("2M"), Ok(2 << 20));
        assert!(rate("0").is_err() && rate("1x").is_err() && rate("-1").is_err());
    }

    #[test]
    fn files_are_named_by_numbers_and_ranges() {
        assert_eq!(file_list("0,3-5").as_deref(), Ok(&[0, 3, 4, 5][..]));
        for bad in ["", "a", "5-3", "1,,2", "0-4294967295"] {
            assert!(file_list(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_command_line_is_consistent() {
        <Cli as clap::CommandFactory>::command().debug_assert();
    }
}
