//! Web servers in virtual time, honest ones and those that do what no server should.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use headwater_base::Time;
use headwater_engine::{FetchError, FetchRange, Input, RangeHead};

/// What a server does wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Quirk {
    #[default]
    None,
    /// Sends the whole file with a plain 200.
    Whole,
    /// Names another range than the one asked for.
    WrongRange,
    /// Names no range, and may not be seen to.
    Hidden,
    /// Says nothing of the length and sends a byte more.
    TooLong,
    /// Ends early.
    TooShort,
    /// Sends without end.
    Infinite,
    /// Answers, then sends nothing.
    Stalls,
    /// Sends packed bytes.
    Gzip,
    /// Sends the client in circles, which its shell ends.
    Redirects,
    /// Every n-th byte of the file is wrong.
    Wrong(usize),
    /// Answers with a status.
    Status(u16),
    /// Is not there.
    Down,
}

/// One web server.
#[derive(Default)]
pub(crate) struct Server {
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    pub(crate) quirk: Quirk,
    pub(crate) latency: Duration,
    /// Bytes a second, all answers together.
    pub(crate) bandwidth: u64,
    /// What it was asked for.
    pub(crate) asked: Vec<(String, u64, u64)>,
    busy_until: Time,
}

/// Bytes that arrive at once.
const PART: usize = 60_000;

impl Server {
    pub(crate) fn new(files: &[(&str, &[u8])]) -> Self {
        let files = files.iter().map(|(path, bytes)| ((*path).to_owned(), bytes.to_vec()));
        Self {
            files: files.collect(),
            latency: Duration::from_millis(40),
            bandwidth: 4_000_000,
            ..Self::default()
        }
    }

    pub(crate) fn with(mut self, quirk: Quirk) -> Self {
        self.quirk = quirk;
        self
    }

    /// Bytes it was asked for.
    pub(crate) fn asked_bytes(&self) -> u64 {
        self.asked.iter().map(|(_, start, end)| end - start).sum()
    }

    /// Says that nobody waits for anything more.
    pub(crate) fn idle(&mut self, now: Time) {
        self.busy_until = now;
    }

    /// Answers a request; each part arrives after its time.
    pub(crate) fn answer(&mut self, now: Time, fetch: &FetchRange) -> Vec<(Duration, Input)> {
        let FetchRange { job, start, end, .. } = *fetch;
        self.asked.push((fetch.url.clone(), start, end));
        let failed = |why: FetchError| Input::RangeFetched { job, result: Err(why) };
        match self.quirk {
            Quirk::Down => {
                let why = FetchError::Unreachable("no route".to_owned());
                return vec![(self.latency, failed(why))];
            }
            Quirk::Redirects => {
                let why = FetchError::Refused("it redirects too often".to_owned());
                return vec![(self.latency, failed(why))];
            }
            _ => {}
        }
        let Some(file) = self.files.get(&fetch.url) else {
            return self.status(job, 404);
        };
        if let Quirk::Status(status) = self.quirk {
            return self.status(job, status);
        }
        let length = file.len() as u64;
        let mut head = RangeHead {
            status: 206,
            range: Some(format!("bytes {start}-{}/{length}", end - 1)),
            length: Some(end - start),
            ..RangeHead::default()
        };
        let mut body = file[start as usize..end as usize].to_vec();
        match self.quirk {
            Quirk::Whole => {
                let length = Some(length);
                head = RangeHead { status: 200, length, ..RangeHead::default() };
                body = file.clone();
            }
            Quirk::WrongRange => {
                head.range = Some(format!("bytes {}-{end}/{length}", start + 1));
            }
            Quirk::Hidden => (head.range, head.hidden) = (None, true),
            Quirk::TooLong => {
                head.length = None;
                body.push(0);
            }
            Quirk::TooShort => body.truncate(body.len() / 2),
            Quirk::Infinite => {
                head.length = None;
                body.extend(vec![0; 10_000_000]);
            }
            Quirk::Stalls => body.clear(),
            Quirk::Gzip => head.encoding = Some("gzip".to_owned()),
            Quirk::Wrong(every) => {
                for at in (start as usize..end as usize).filter(|at| at % every == 0) {
                    body[at - start as usize] ^= 1;
                }
            }
            _ => {}
        }
        let mut coming = vec![(self.latency, Input::RangeAnswered { job, head })];
        self.busy_until = self.busy_until.max(now + self.latency);
        for part in body.chunks(PART) {
            let micros = part.len() as u64 * 1_000_000 / self.bandwidth;
            self.busy_until += Duration::from_micros(micros);
            let bytes = Bytes::copy_from_slice(part);
            coming.push((self.busy_until.since(now), Input::RangeBytes { job, bytes }));
        }
        if self.quirk != Quirk::Stalls {
            let ended = Input::RangeFetched { job, result: Ok(()) };
            coming.push((self.busy_until.since(now), ended));
        }
        coming
    }

    fn status(&self, job: headwater_base::JobId, status: u16) -> Vec<(Duration, Input)> {
        let head = RangeHead { status, ..RangeHead::default() };
        vec![
            (self.latency, Input::RangeAnswered { job, head }),
            (self.latency, Input::RangeFetched { job, result: Ok(()) }),
        ]
    }
}
