//! Does what clients want done: the shell of every host. A new `Action` gets its arm in `act`;
//! the trace knows it by its `Debug` form without more ado.

use core::time::Duration;

use headwater_base::{ByteCount, JobId, PieceIndex, Time, TorrentId, TrackerId, sha256_many};
use headwater_client::{Action, FetchError, Input, PieceData};

use crate::host::HostId;
use crate::sample::{SampleId, digest};
use crate::tracker::{Caller, Out};
use crate::world::{Coming, World, tracker_url};

/// How long a store takes to open.
const OPEN: Duration = Duration::from_millis(3);
/// Bytes that are hashed in a second.
const HASH_RATE: u64 = 300_000_000;
/// How long a message to or from a tracker takes, besides the host's own latency.
const TRACKER_TRIP: Duration = Duration::from_millis(20);

impl World {
    /// Does one thing.
    pub(crate) fn act(&mut self, at: usize, action: Action) {
        match action {
            Action::OpenStore { torrent, metainfo } => {
                let known = |sample: &crate::Sample| sample.torrent.info_hash == metainfo.info_hash;
                let sample = self.samples.iter().position(known).expect("a torrent of this world");
                self.hosts[at].torrents.insert(torrent, SampleId(sample));
                // What was begun before is ended first.
                let busy = self.disk(at, torrent).map_or(Time::ZERO, |disk| disk.busy_until());
                let (ready, life) = (busy.max(self.now + OPEN), self.hosts[at].life);
                self.queue.post(ready, Coming::Opened { host: at, life, torrent });
            }
            Action::CloseStore { torrent, delete } => {
                if delete && let Some(disk) = self.disk(at, torrent) {
                    disk.wipe();
                }
            }
            Action::ReadBlock { job, torrent, piece, begin, len } => {
                let Some(disk) = self.disk(at, torrent) else { return };
                let (after, result) = (disk.manners.read, disk.read((piece, begin, len)));
                self.tell(at, after, Input::BlockRead { job, result });
            }
            Action::HashPiece { job, data } => {
                let result = Ok(digest(&self.samples, &data));
                self.tell(at, hashing(data.len()), Input::PieceHashed { job, result });
            }
            Action::HashStored { job, torrent, piece } => self.hash_stored(at, job, torrent, piece),
            Action::HashBlocks { job, blocks } => {
                let blocks: Vec<&[u8]> = blocks.iter().map(|block| &block[..]).collect();
                let bytes = blocks.iter().map(|block| block.len()).sum();
                let result = Ok(sha256_many(&blocks));
                self.tell(at, hashing(bytes), Input::BlocksHashed { job, result });
            }
            Action::HashLeaves { job, torrent, piece } => self.hash_leaves(at, job, torrent, piece),
            Action::WritePiece { job, torrent, piece, data } => {
                self.write(at, job, (torrent, piece), &data);
            }
            Action::FetchRange(fetch) => {
                // No web server stands in this world.
                let result = Err(FetchError::Unreachable("no route".to_owned()));
                self.tell(at, OPEN, Input::RangeFetched { job: fetch.job, result });
            }
            Action::CancelFetch(_) | Action::Ask(_) | Action::Seek { .. } => {}
            Action::OpenTracker { tracker, url } => self.open_tracker(at, tracker, &url),
            Action::SendTracker { tracker, text } => {
                if let Some(&to) = self.hosts[at].sockets.get(&tracker) {
                    let caller = (at, self.hosts[at].life, tracker);
                    let after = TRACKER_TRIP + self.hosts[at].path.latency;
                    self.queue.post(self.now + after, Coming::ToTracker(to, caller, text));
                }
            }
            Action::CloseTracker(tracker) => {
                if let Some(to) = self.hosts[at].sockets.remove(&tracker) {
                    let caller = (at, self.hosts[at].life, tracker);
                    self.trackers[to].closed(self.now, caller);
                    self.drain_tracker(to);
                }
            }
            Action::MakeOffer(link) | Action::MakeAnswer { link, .. }
                if !self.hosts[at].makes.offers() =>
            {
                self.refuse_link(HostId(at), link);
            }
            Action::MakeOffer(link) => self.describe_link(at, link, None),
            Action::MakeAnswer { link, offer } => self.describe_link(at, link, Some(&offer)),
            Action::Dial { link, address } => self.dial(at, link, address),
            Action::TakeAnswer { link, answer } => self.take_answer(at, link, &answer),
            Action::Send { link, bytes } => self.client_sends(at, link, bytes),
            Action::CloseLink(link) => self.client_closes(at, link),
        }
    }

    /// Where a host keeps a torrent.
    pub(crate) fn disk(&mut self, at: usize, torrent: TorrentId) -> Option<&mut crate::Disk> {
        let host = &mut self.hosts[at];
        host.disks.get_mut(host.torrents.get(&torrent)?)
    }

    fn hash_stored(&mut self, at: usize, job: JobId, torrent: TorrentId, piece: PieceIndex) {
        let now = self.now;
        let Some(disk) = self.disk(at, torrent) else { return };
        let bytes = disk.raw(piece);
        let right = bytes == disk.sample().piece(piece);
        disk.judged(now, piece, right);
        let result = Ok(digest(&self.samples, &bytes));
        self.tell(at, hashing(bytes.len()), Input::PieceHashed { job, result });
    }

    fn hash_leaves(&mut self, at: usize, job: JobId, torrent: TorrentId, piece: PieceIndex) {
        let now = self.now;
        let Some(disk) = self.disk(at, torrent) else { return };
        let bytes = disk.raw(piece);
        let right = bytes == disk.sample().piece(piece);
        disk.judged(now, piece, right);
        let leaves = disk.sample().torrent.piece_leaves(piece, &bytes);
        self.tell(at, hashing(bytes.len()), Input::BlocksHashed { job, result: Ok(leaves) });
    }

    fn write(
        &mut self,
        at: usize,
        job: JobId,
        (torrent, piece): (TorrentId, PieceIndex),
        data: &PieceData,
    ) {
        let now = self.now;
        let Some(disk) = self.disk(at, torrent) else { return };
        let right = disk.sample().piece(piece);
        assert!(**data == *right, "host {at} stores piece {piece}, and its bytes are wrong");
        let ends = disk.write(now, piece);
        let life = self.hosts[at].life;
        self.queue.post(ends, Coming::Written { host: at, life, job, torrent, piece });
    }

    /// A write ends, unless the host crashed meanwhile.
    pub(crate) fn write_ended(
        &mut self,
        (at, life): (usize, u32),
        job: JobId,
        (torrent, piece): (TorrentId, PieceIndex),
    ) {
        if self.hosts[at].life != life {
            return;
        }
        let now = self.now;
        let Some(disk) = self.disk(at, torrent) else { return };
        let result = disk.written(now, piece);
        self.hear(at, life, Input::PieceWritten { job, result });
    }

    /// A store is open.
    pub(crate) fn store_opened(&mut self, at: usize, life: u32, torrent: TorrentId) {
        if self.hosts[at].life == life {
            let result = Ok(self.disk(at, torrent).map(|disk| disk.open()).unwrap_or_default());
            self.hear(at, life, Input::StoreOpened { torrent, result });
        }
    }

    fn open_tracker(&mut self, at: usize, tracker: TrackerId, url: &str) {
        let to = (0..self.trackers.len()).find(|to| tracker_url(*to) == url);
        let caller: Caller = (at, self.hosts[at].life, tracker);
        let after = TRACKER_TRIP * 2 + self.hosts[at].path.latency * 2;
        let now = self.now;
        match to.filter(|to| self.trackers[*to].open(now, caller)) {
            Some(to) => {
                self.hosts[at].sockets.insert(tracker, to);
                self.tell(at, after, Input::TrackerOpened(tracker));
                self.drain_tracker(to);
            }
            None => {
                let why = "connection refused".to_owned();
                self.tell(at, after, Input::TrackerClosed { tracker, why });
            }
        }
    }

    /// Brings what a tracker says to whom it says it.
    pub(crate) fn drain_tracker(&mut self, which: usize) {
        let before = self.trackers[which].wake;
        let outs = self.trackers[which].drain(self.now);
        for out in outs {
            self.tracker_says(out);
        }
        let wake = self.trackers[which].wake;
        if let Some(at) = wake.filter(|_| wake != before) {
            self.queue.post(at.max(self.now), Coming::TrackerWake(which));
        }
    }

    pub(crate) fn tracker_says(&mut self, out: Out) {
        let ((host, life, tracker), input) = match out {
            Out::Text(caller, text) => (caller, Input::TrackerText { tracker: caller.2, text }),
            Out::Close(caller, why) => (caller, Input::TrackerClosed { tracker: caller.2, why }),
        };
        if self.hosts[host].life != life {
            return;
        }
        if matches!(input, Input::TrackerClosed { .. }) {
            self.hosts[host].sockets.remove(&tracker);
        }
        let after = TRACKER_TRIP + self.hosts[host].path.latency;
        self.queue.post(self.now + after, Coming::Input(host, life, input));
    }

    /// Bytes of a host's torrent.
    pub(crate) fn length_of(&self, at: usize) -> ByteCount {
        self.samples[self.hosts[at].sample.0].torrent.length
    }
}

/// How long hashing takes.
fn hashing(len: usize) -> Duration {
    Duration::from_micros(100 + len as u64 * 1_000_000 / HASH_RATE)
}
