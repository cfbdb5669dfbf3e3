//! How a command fails: a stable code, a message, an exit code.

use std::fmt::Display;

use serde_json::{Value, json};

/// Why a command did not do its job.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) exit: u8,
}

impl Failure {
    /// The exit code of what will fail the same way each time.
    pub(crate) const BAD_INPUT: u8 = 2;

    /// The user gave something unusable.
    pub(crate) fn input(code: &str, message: impl Display) -> Self {
        Self { code: code.to_owned(), message: message.to_string(), exit: Self::BAD_INPUT }
    }

    /// The job could not be done.
    pub(crate) fn failed(code: &str, message: impl Display) -> Self {
        Self { code: code.to_owned(), message: message.to_string(), exit: 1 }
    }

    /// A file or folder did not do what was asked.
    pub(crate) fn file(path: &std::path::Path, error: &std::io::Error) -> Self {
        Self::failed("io", format!("{}: {error}", path.display()))
    }

    pub(crate) fn to_json(&self) -> Value {
        json!({ "code": self.code, "message": self.message })
    }
}

impl From<headwater_hybrid::shell::Stopped> for Failure {
    fn from(stopped: headwater_hybrid::shell::Stopped) -> Self {
        Self::failed("stopped", stopped)
    }
}
