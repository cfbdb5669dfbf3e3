//! What happened, as one number and, when somebody wants to read it, as lines. Two runs of a seed
//! that differ in one byte differ in the number.

use core::fmt;

use headwater_base::{Time, hex, sha1};
use headwater_client::Action;

/// Who the world itself is in a trace; the same number on every machine.
pub(crate) const WORLD: usize = u32::MAX as usize;

const PRIME: u64 = 0x9e37_79b9_7f4a_7c15;

/// The run so far.
#[derive(Debug)]
pub struct Trace {
    sum: u64,
    steps: u64,
    log: Option<Log>,
}

/// Takes lines for a person.
pub type Log = fn(&str);

impl Trace {
    /// Begins a run; `log` hears of everything.
    pub(crate) fn new(log: Option<Log>) -> Self {
        Self { sum: PRIME, steps: 0, log }
    }

    /// How many things happened.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// The number.
    pub fn sum(&self) -> u64 {
        self.sum
    }

    fn mix(&mut self, word: u64) {
        self.sum = (self.sum ^ word).wrapping_mul(PRIME).rotate_left(29);
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.mix(u64::from_le_bytes(*word));
        }
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        self.mix(u64::from_le_bytes(last));
        self.mix(bytes.len() as u64);
    }

    /// Notes that something happened to somebody, in words that tell all of it.
    pub(crate) fn note(&mut self, now: Time, who: usize, what: fmt::Arguments<'_>) {
        self.begin(now, who);
        if let Some(log) = self.log {
            log(&format!("{} {what}", stamp(now, who)));
        }
        if fmt::write(self, what).is_err() {
            self.mix(1);
        }
    }

    /// The same with bytes of which a person sees the start.
    pub(crate) fn note_bytes(&mut self, now: Time, who: usize, what: &str, bytes: &[u8]) {
        self.begin(now, who);
        self.bytes(what.as_bytes());
        self.bytes(bytes);
        if let Some(log) = self.log {
            let (len, start) = (bytes.len(), hex(&bytes[..bytes.len().min(24)]));
            log(&format!("{} {what}: {len} bytes {start}", stamp(now, who)));
        }
    }

    /// Notes an action. Bulk is noted by its bytes, everything else by its words.
    pub(crate) fn action(&mut self, now: Time, who: usize, action: &Action) {
        if let Action::Send { link, bytes } = action {
            self.mix(link.0);
            self.note_bytes(now, who, "send", bytes);
        } else if let Action::HashPiece { job, data } = action {
            self.mix(job.0);
            self.note_bytes(now, who, "hash", &data[..data.len().min(64)]);
        } else if let Action::WritePiece { piece, data, .. } = action {
            self.mix(u64::from(piece.0));
            self.note_bytes(now, who, "write", &data[..data.len().min(64)]);
        } else if let Action::OpenStore { torrent, metainfo } = action {
            let hash = metainfo.info_hash;
            self.note(now, who, format_args!("OpenStore {torrent} {hash}"));
        } else {
            self.note(now, who, format_args!("{action:?}"));
        }
    }

    fn begin(&mut self, now: Time, who: usize) {
        self.steps += 1;
        self.mix(now.as_micros());
        self.mix(who as u64);
    }
}

impl fmt::Write for Trace {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.bytes(text.as_bytes());
        Ok(())
    }
}

/// When, and who of the hosts; the world itself has no number.
fn stamp(now: Time, who: usize) -> String {
    let micros = now.as_micros();
    let (seconds, rest) = (micros / 1_000_000, micros % 1_000_000);
    let who = if who == WORLD { "world".to_owned() } else { format!("host {who}") };
    format!("{seconds:>5}.{rest:06} {who:<8}")
}

/// A short name of a text, the same everywhere.
pub(crate) fn name_of(text: &str) -> u64 {
    sha1(text.as_bytes()).iter().take(8).fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_byte_of_difference_shows() {
        let run = |bytes: &[u8]| {
            let mut trace = Trace::new(None);
            trace.note_bytes(Time::ZERO, 1, "send", bytes);
            trace.sum()
        };
        assert_eq!(run(b"abcdefghi"), run(b"abcdefghi"));
        assert_ne!(run(b"abcdefghi"), run(b"abcdefghj"));
        assert_ne!(run(b"abcdefgh"), run(b"abcdefgh\0"));
    }
}
