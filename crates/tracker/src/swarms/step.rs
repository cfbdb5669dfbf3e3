//! What goes into the table, and what it answers.

use headwater_base::{InfoHash, PeerId, Time};
use headwater_wire::limit::TRACKER_TEXT_BYTES_MAX;
use headwater_wire::tracker::{BadMessage, ClientMessage, TrackerMessage};

use super::fleet::{FleetInput, ProcessId, To};

/// A client's socket; never reused in a tracker's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SocketId(pub u64);

/// Something that happened to a socket, or to the bus of a fleet.
#[derive(Clone, Debug)]
pub enum Input {
    /// It opened.
    Opened(SocketId),
    /// It brought a message.
    Heard {
        /// Which socket.
        socket: SocketId,
        /// One whole message.
        heard: Heard,
    },
    /// It closed. For its peers that is as good as a `stopped`.
    Closed(SocketId),
    /// Something of the fleet.
    Fleet(FleetInput),
}

/// A client's message as it was read. That needs nothing of the table, so that every socket does
/// it apart.
#[derive(Clone, Debug)]
pub enum Heard {
    /// One that is understood.
    Message(ClientMessage),
    /// One that is not.
    Bad(BadMessage),
    /// One that is not even read.
    TooLong {
        /// Its size in bytes.
        found: usize,
    },
}

impl Heard {
    /// Reads one whole message.
    pub fn read(text: &str) -> Self {
        if text.len() > TRACKER_TEXT_BYTES_MAX {
            return Self::TooLong { found: text.len() };
        }
        ClientMessage::decode(text).map_or_else(Self::Bad, Self::Message)
    }
}

/// A peer that lacks pieces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sought {
    /// The torrent it announced.
    pub info_hash: InfoHash,
    /// What it calls itself.
    pub peer_id: PeerId,
    /// The socket it announced on.
    pub socket: SocketId,
    /// HTTP and UDP trackers that it says the torrent has.
    pub trackers: Vec<String>,
    /// The process that has this socket, where it is another one of the fleet.
    pub process: Option<ProcessId>,
}

/// What `Swarms::next` answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A peer that lacks pieces announced itself (`Config::tells_seekers`).
    Sought(Sought),
    /// Tell other processes of the fleet something.
    Tell {
        /// Whom.
        to: To,
        /// One whole message.
        text: String,
    },
    /// Send a message.
    Send {
        /// Through which socket.
        socket: SocketId,
        /// One whole message.
        message: TrackerMessage,
    },
    /// Close a socket once what was sent has left; no input of it counts any more.
    Close {
        /// Which socket.
        socket: SocketId,
        /// Why.
        reason: CloseReason,
    },
    /// Nothing is left to do before this time, or before the next input.
    Sleep(Option<Time>),
}

/// Why the tracker closes a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CloseReason {
    /// It sent a message that is too long.
    #[error("message of {found} bytes, at most {allowed} allowed")]
    TooLong {
        /// The message's size.
        found: usize,
        /// The most allowed.
        allowed: usize,
    },
    /// It sends too much.
    #[error("more than {allowed} messages a second")]
    TooFast {
        /// The most allowed in the long run.
        allowed: u32,
    },
    /// It was silent.
    #[error("no message for {seconds} s")]
    Silent {
        /// For how long.
        seconds: u64,
    },
    /// There are too many.
    #[error("tracker is full with {allowed} sockets")]
    Full {
        /// The most allowed.
        allowed: usize,
    },
}
