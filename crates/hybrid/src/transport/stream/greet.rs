//! The first bytes of a stream: whether it is plain or hidden, and how to go on if the other side
//! refuses the one and may take the other.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use headwater_base::InfoHash;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::dial::{Boxed, connect};
use super::{Encryption, Shared};
use crate::transport::mse::{self, Form, Secured};

/// How the protocol names itself at the start of a handshake (BEP 3).
const PLAIN_START: &[u8; 20] = b"\x13BitTorrent protocol";

/// Bytes of a handshake up to the end of the info-hash, and all of it.
const NAMED: usize = 48;

/// Most of what we said first that is kept, to be said again in an encrypted stream.
const SAID_MAX: usize = 4096;

/// Bytes read at first: a handshake and what usually follows it.
const FIRST_READ: usize = 4096;

/// How long an encrypted exchange may take.
const EXCHANGE_TIME_MAX: Duration = Duration::from_secs(10);

/// A stream that both sides understand.
pub(super) struct Greeted {
    pub(super) stream: Boxed,
    pub(super) secured: Secured,
}

impl Greeted {
    fn plain(stream: Boxed, first: BytesMut) -> Self {
        Self { stream, secured: Secured { keys: None, first: first.freeze() } }
    }
}

/// Begins a stream that was dialled. Who hangs up on a plain handshake without a word may want it
/// encrypted, and is dialled again.
pub(super) async fn dialled(
    shared: &Shared,
    (mut stream, address): (Boxed, SocketAddr),
    commands: &mut mpsc::UnboundedReceiver<Bytes>,
    queued: &AtomicUsize,
) -> io::Result<Greeted> {
    let mut said = Said { commands, queued, bytes: BytesMut::new() };
    let encryption = shared.config.encryption;
    if encryption != Encryption::Required {
        match said.until_answered(&mut stream).await {
            Ok(first) => return Ok(Greeted::plain(stream, first)),
            Err(_) if encryption == Encryption::On && said.can_be_said_again() => {
                drop(stream);
                stream = connect(shared, address).await?.0;
            }
            Err(e) => return Err(e),
        }
    }
    let info_hash = said.info_hash().await?;
    let form = if encryption == Encryption::Required { Form::Rc4 } else { Form::Any };
    let exchange = mse::dial(&mut stream, &info_hash, &said.bytes, form);
    let secured = timeout(EXCHANGE_TIME_MAX, exchange).await??;
    Ok(Greeted { stream, secured })
}

/// What we said on a stream before the other side said anything.
struct Said<'a> {
    commands: &'a mut mpsc::UnboundedReceiver<Bytes>,
    queued: &'a AtomicUsize,
    bytes: BytesMut,
}

impl Said<'_> {
    /// Sends what is to be sent until the first bytes come back.
    async fn until_answered(&mut self, stream: &mut Boxed) -> io::Result<BytesMut> {
        let mut first = BytesMut::with_capacity(FIRST_READ);
        loop {
            tokio::select! {
                read = stream.read_buf(&mut first) => match read? {
                    0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                    _ => return Ok(first),
                },
                said = Self::next(self.commands, self.queued), if self.bytes.len() <= SAID_MAX => {
                    let said = said?;
                    self.bytes.extend_from_slice(&said);
                    stream.write_all(&said).await?;
                }
            }
        }
    }

    async fn next(
        commands: &mut mpsc::UnboundedReceiver<Bytes>,
        queued: &AtomicUsize,
    ) -> io::Result<Bytes> {
        let said = commands.recv().await.ok_or(io::ErrorKind::BrokenPipe)?;
        queued.fetch_sub(said.len(), Ordering::Relaxed);
        Ok(said)
    }

    fn can_be_said_again(&self) -> bool {
        (NAMED..=SAID_MAX).contains(&self.bytes.len())
    }

    /// The torrent that the handshake is for.
    async fn info_hash(&mut self) -> io::Result<InfoHash> {
        while self.bytes.len() < NAMED {
            let said = Self::next(self.commands, self.queued).await?;
            self.bytes.extend_from_slice(&said);
        }
        let mut hash = [0; 20];
        hash.copy_from_slice(&self.bytes[NAMED - 20..NAMED]);
        Ok(InfoHash(hash))
    }
}

/// Begins a stream that came in, plain or encrypted.
pub(super) async fn accepted(shared: &Shared, stream: Boxed) -> io::Result<Greeted> {
    timeout(EXCHANGE_TIME_MAX, answered(shared, stream)).await?
}

async fn answered(shared: &Shared, mut stream: Boxed) -> io::Result<Greeted> {
    let mut first = BytesMut::with_capacity(FIRST_READ);
    let is_plain = |first: &BytesMut| PLAIN_START.starts_with(&first[..first.len().min(20)]);
    while first.len() < PLAIN_START.len() && is_plain(&first) {
        if stream.read_buf(&mut first).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    let form = match (shared.config.encryption, is_plain(&first)) {
        (Encryption::Off | Encryption::On, true) => return Ok(Greeted::plain(stream, first)),
        (Encryption::Required, true) | (Encryption::Off, false) => {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        (Encryption::On, false) => Form::Any,
        (Encryption::Required, false) => Form::Rc4,
    };
    let secured = mse::accept(&mut stream, first, |name| shared.find(name), form).await?;
    Ok(Greeted { stream, secured })
}
