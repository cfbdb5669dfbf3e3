//! What the engine and a shell say to each other of web seeds (BEP 19): the engine decides what to
//! fetch and judges the answer, the shell speaks HTTP.

use headwater_base::JobId;

/// A web seed's address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebSeed {
    /// `http:` or `https:`; a folder's ends in `/`.
    pub url: String,
    /// Whether the user named it, not a torrent or link from outside: a native shell lets only
    /// such an address lie in a private network.
    pub trusted: bool,
}

/// A part of a file to fetch from a web server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchRange {
    /// The job to answer.
    pub job: JobId,
    /// Where the file is.
    pub url: String,
    /// First byte.
    pub start: u64,
    /// One past the last byte; more than `start`.
    pub end: u64,
    /// Whether the address may lie in a private network.
    pub trusted: bool,
}

/// What a server answered before the bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RangeHead {
    /// HTTP status, redirects followed.
    pub status: u16,
    /// `Content-Range` as it came.
    pub range: Option<String>,
    /// A range may have been named, but a page may not read it (CORS).
    pub hidden: bool,
    /// `Content-Length`.
    pub length: Option<u64>,
    /// `Content-Encoding`.
    pub encoding: Option<String>,
    /// Seconds the server asks us to wait (`Retry-After`).
    pub retry_after: Option<u64>,
}

/// Why a fetch broke off.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// No way to the server, or the way broke. Worth another try later.
    #[error("out of reach: {0}")]
    Unreachable(String),
    /// The shell will not or may not ask this server: a private address, a redirect that leads
    /// where it must not, a server that lets no page read it.
    #[error("{0}")]
    Refused(String),
}

/// What is wrong with a web seed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebSeedTrouble {
    /// It was not fetched from at all.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// It answered with a status that is no content.
    #[error("it answered HTTP {0}")]
    Status(u16),
    /// It sent a whole file where a part was asked for.
    #[error("it knows no ranges: it sent a whole file where a part was asked for")]
    NoRanges,
    /// It sent other bytes than those asked for.
    #[error("it sent another range than the one asked for")]
    WrongRange,
    /// It packed the bytes, so that their number means nothing.
    #[error("it sent packed bytes (content-encoding) though none were asked for")]
    Encoded,
    /// It sent more than was asked for.
    #[error("it sent more than was asked for")]
    TooLong,
    /// It sent less than was asked for.
    #[error("it sent less than was asked for")]
    TooShort,
    /// It sent nothing, or nearly nothing, for too long.
    #[error("it sent too little for too long")]
    TooSlow,
    /// Its bytes do not hash right.
    #[error("it sent wrong data for piece {0}")]
    WrongData(headwater_base::PieceIndex),
}

impl WebSeedTrouble {
    /// Whether it is asked again later.
    pub fn passes(&self) -> bool {
        match self {
            Self::Fetch(FetchError::Unreachable(_)) | Self::TooShort | Self::TooSlow => true,
            Self::Status(status) => *status >= 500 || matches!(status, 408 | 425 | 429),
            Self::Fetch(FetchError::Refused(_))
            | Self::NoRanges
            | Self::WrongRange
            | Self::Encoded
            | Self::TooLong
            | Self::WrongData(_) => false,
        }
    }
}
