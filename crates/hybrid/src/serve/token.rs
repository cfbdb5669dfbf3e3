//! The secret that lets its holder control the server, and how often it may be guessed.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use headwater_base::hex;

/// Bytes of a token: beyond what anybody can guess.
const TOKEN_BYTES: usize = 32;

/// Wrong tokens taken at once before they have to wait.
const GUESSES: f64 = 10.0;

/// Wrong tokens a second after that.
const GUESSES_PER_SECOND: f64 = 0.2;

/// A token, in hexadecimal digits.
pub struct Token {
    text: String,
    guesses: Mutex<Guesses>,
}

struct Guesses {
    left: f64,
    at: Instant,
}

/// What came of a look at a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Right,
    Wrong,
    /// Wrong, as too many before it.
    TooMany,
}

impl Token {
    /// Reads the token kept in `file`, or makes one that only this user may read.
    pub fn kept_in(file: &Path) -> io::Result<Self> {
        match fs::read_to_string(file) {
            Ok(text) => {
                only_ours(file)?;
                Self::new(text.trim())
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                let mut random = [0; TOKEN_BYTES];
                getrandom::fill(&mut random).map_err(io::Error::other)?;
                let text = hex(&random);
                writeln!(options().open(file)?, "{text}")?;
                Self::new(&text)
            }
            Err(e) => Err(e),
        }
    }

    fn new(text: &str) -> io::Result<Self> {
        let digits = text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if text.len() != 2 * TOKEN_BYTES || !digits {
            let why = format!("no token of {} hexadecimal digits", 2 * TOKEN_BYTES);
            return Err(io::Error::new(io::ErrorKind::InvalidData, why));
        }
        let guesses = Mutex::new(Guesses { left: GUESSES, at: now() });
        Ok(Self { text: text.to_owned(), guesses })
    }

    /// The token itself, for the user alone.
    pub fn reveal(&self) -> &str {
        &self.text
    }

    /// Judges what somebody gave as the token. Who guesses often is told to wait; who has the
    /// right one never is.
    pub(super) fn judge(&self, given: &str) -> Verdict {
        if self.is(given) {
            return Verdict::Right;
        }
        let mut guesses = self.guesses.lock().unwrap_or_else(PoisonError::into_inner);
        let now = now();
        let grown = now.duration_since(guesses.at).as_secs_f64() * GUESSES_PER_SECOND;
        (guesses.left, guesses.at) = ((guesses.left + grown).min(GUESSES), now);
        if guesses.left < 1.0 {
            return Verdict::TooMany;
        }
        guesses.left -= 1.0;
        Verdict::Wrong
    }

    /// Compares in a time that does not tell how much of it was right.
    fn is(&self, given: &str) -> bool {
        let (ours, theirs) = (self.text.as_bytes(), given.as_bytes());
        let differences = ours.iter().zip(theirs).fold(0, |sum, (a, b)| sum | (a ^ b));
        std::hint::black_box(differences) == 0 && ours.len() == theirs.len()
    }
}

#[cfg(unix)]
fn options() -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    options
}

#[cfg(not(unix))]
fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    options
}

/// Takes a file away from everybody else.
#[cfg(unix)]
fn only_ours(file: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(file, fs::Permissions::from_mode(0o600))
}

#[cfg(not(unix))]
fn only_ours(_: &Path) -> io::Result<()> {
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "how often somebody guesses is wall time")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_token_is_right_and_guesses_run_out() {
        let token = Token::new(&"5a".repeat(TOKEN_BYTES)).expect("digits");
        for wrong in ["", "5a", &"5a".repeat(TOKEN_BYTES - 1), &"5b".repeat(TOKEN_BYTES)] {
            assert_eq!(token.judge(wrong), Verdict::Wrong, "{wrong}");
        }
        let last = (0..GUESSES as usize).map(|_| token.judge("guess")).last();
        assert_eq!(last, Some(Verdict::TooMany));
        assert_eq!(token.judge(&"5a".repeat(TOKEN_BYTES)), Verdict::Right);
        assert!(Token::new("5a").is_err() && Token::new(&"zz".repeat(TOKEN_BYTES)).is_err());
    }
}
