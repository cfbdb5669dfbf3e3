//! The file that a ledger is kept in: every block that was made, as what made it. Whoever reads it
//! makes the same blocks again, so nothing else need be written.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;

use headwater_base::{hex, unhex};
use headwater_tron::transaction::{Transaction, TransactionError, UnixMillis};

use crate::ledger::{Ledger, Refusal};
use crate::limit;

/// A file that is no journal of this ledger.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The disk's own trouble.
    #[error(transparent)]
    Disk(#[from] io::Error),
    /// A line that says nothing.
    #[error("line {line} of the journal is no date and transaction")]
    Line {
        /// Which.
        line: usize,
    },
    /// A transaction that is none.
    #[error("line {line} of the journal: {error}")]
    Transaction {
        /// Which.
        line: usize,
        /// What is wrong with it.
        error: TransactionError,
    },
    /// A transaction that this ledger would not take: the file is another ledger's.
    #[error("line {line} of the journal: {refusal}")]
    Refused {
        /// Which.
        line: usize,
        /// Why not.
        refusal: Refusal,
    },
}

/// Where blocks are written to, or nowhere.
#[derive(Debug, Default)]
pub struct Journal {
    file: Option<File>,
    /// A write failed. What follows it would not be read again, so nothing does.
    failed: bool,
}

impl Journal {
    /// Opens the file and plays what it says; makes it if there is none.
    pub fn open(path: &Path, ledger: &mut Ledger) -> Result<Self, Error> {
        let mut options = OpenOptions::new();
        let file = options.read(true).append(true).create(true).open(path)?;
        let mut lines = BufReader::new(file.try_clone()?);
        let (mut text, mut line, mut whole) = (String::new(), 0, 0);
        loop {
            text.clear();
            let most = u64::try_from(limit::LINE_BYTES_MAX).unwrap_or(u64::MAX);
            let read = io::Read::take(&mut lines, most).read_line(&mut text)?;
            // A line without its end is what a crash left of one; nobody was told that it counts.
            if read == 0 || !text.ends_with('\n') {
                break;
            }
            line += 1;
            play(ledger, text.trim_end(), line)?;
            whole += u64::try_from(read).unwrap_or(u64::MAX);
        }
        file.set_len(whole)?;
        Ok(Self { file: Some(file), failed: false })
    }

    /// Writes a block down, before anybody is told of it.
    pub fn note(&mut self, now: UnixMillis, transaction: Option<&Transaction>) -> io::Result<()> {
        let Some(file) = &mut self.file else { return Ok(()) };
        if self.failed {
            return Err(io::Error::other("the journal failed before"));
        }
        let encoded = transaction.map(Transaction::encode).transpose();
        let encoded = encoded.map_err(io::Error::other)?.unwrap_or_default();
        let written = file.write_all(format!("{} {}\n", now.0, hex(&encoded)).as_bytes());
        self.failed = written.is_err();
        written
    }

    /// Whether a write failed; the ledger takes nothing more then.
    pub fn has_failed(&self) -> bool {
        self.failed
    }
}

fn play(ledger: &mut Ledger, text: &str, line: usize) -> Result<(), Error> {
    let (date, digits) = text.split_once(' ').unwrap_or((text, ""));
    let date = date.parse().map_err(|_| Error::Line { line })?;
    let now = UnixMillis(date);
    if digits.is_empty() {
        ledger.tick(now);
        return Ok(());
    }
    let bytes = unhex(digits).ok_or(Error::Line { line })?;
    let transaction = Transaction::decode(&bytes);
    let transaction = transaction.map_err(|error| Error::Transaction { line, error })?;
    let played = ledger.broadcast(now, &transaction);
    played.map(|_| ()).map_err(|refusal| Error::Refused { line, refusal })
}
