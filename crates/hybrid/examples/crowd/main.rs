//! A crowd for load tests against one `headwater serve`: simulated browsers, bare TCP peers, or
//! sockets that announce. Says each second how many are in, and at the end what came of them.

#![expect(clippy::wildcard_enum_match_arm, reason = "a crowd does what it knows of")]

mod announcers;
mod browsers;
mod streams;
mod tally;

use std::error::Error;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use headwater_base::{PeerId, Seed};
use headwater_metainfo::Torrent;

/// Many peers in one process.
#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    crowd: Crowd,
}

#[derive(Debug, Subcommand)]
enum Crowd {
    /// Peers that speak WebRTC alone, as a page does: the same engine, transport and store.
    Browsers {
        /// The tracker's address.
        #[arg(long)]
        tracker: String,
        /// Bytes a second each of them fetches: as much as a viewer needs.
        #[arg(long)]
        rate: u64,
        #[command(flatten)]
        crowd: Many,
    },
    /// Peers that speak plain BitTorrent over TCP and keep nothing.
    Streams {
        /// Where the server's peer listens.
        #[arg(long)]
        address: SocketAddr,
        /// Milliseconds between two pieces of one peer.
        #[arg(long)]
        every: u64,
        #[command(flatten)]
        crowd: Many,
    },
    /// Sockets that announce with offers as fast as the tracker answers.
    Announcers {
        /// The tracker's address.
        #[arg(long)]
        tracker: String,
        /// How many sockets.
        #[arg(long)]
        count: usize,
        /// For how long.
        #[arg(long)]
        seconds: u64,
    },
}

#[derive(Args, Clone, Debug)]
struct Many {
    /// A folder of torrent files; the peers are spread over them.
    #[arg(long)]
    torrents: PathBuf,
    /// How many peers.
    #[arg(long)]
    count: usize,
    /// The first one's number: crowds of several processes differ in it.
    #[arg(long, default_value_t = 0)]
    first: usize,
    /// For how long.
    #[arg(long)]
    seconds: u64,
}

impl Many {
    fn time(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }
}

type Failure = Box<dyn Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let crowd = Cli::parse().crowd;
    let mut runtime = match crowd {
        // As many threads as npm's tracker has: what both trackers get is the other cores.
        Crowd::Announcers { .. } => tokio::runtime::Builder::new_current_thread(),
        Crowd::Browsers { .. } | Crowd::Streams { .. } => {
            tokio::runtime::Builder::new_multi_thread()
        }
    };
    runtime.enable_all().build()?.block_on(run(crowd))
}

async fn run(crowd: Crowd) -> Result<(), Failure> {
    match crowd {
        Crowd::Browsers { tracker, rate, crowd } => browsers::run(tracker, rate, &crowd).await,
        Crowd::Streams { address, every, crowd } => {
            streams::run(address, Duration::from_millis(every), &crowd).await
        }
        Crowd::Announcers { tracker, count, seconds } => {
            announcers::run(&tracker, count, Duration::from_secs(seconds)).await
        }
    }
}

/// All torrents of a folder, by name, so that every process has them in the same order.
fn torrents(folder: &Path) -> Result<Vec<Arc<Torrent>>, Failure> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        paths.push(entry?.path());
    }
    paths.retain(|path| path.extension().is_some_and(|end| end == "torrent"));
    paths.sort();
    if paths.is_empty() {
        return Err(format!("no torrent files in {}", folder.display()).into());
    }
    let read = |path: &PathBuf| Ok(Arc::new(Torrent::parse(&fs::read(path)?)?));
    paths.iter().map(read).collect()
}

fn seed() -> Result<Seed, Failure> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed)?;
    Ok(Seed(seed))
}

/// A name of this crowd's peers.
fn peer_id(seed: &Seed) -> PeerId {
    let mut id = [b'-'; 20];
    id[1..7].copy_from_slice(b"CR0001");
    seed.split("peer id").fill(&mut id[8..]);
    PeerId(id)
}
