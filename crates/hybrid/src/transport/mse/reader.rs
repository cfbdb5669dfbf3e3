//! Reads the parts of an exchange, however the stream cuts them.

use std::io;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt};

/// What came and is not taken yet.
#[derive(Debug, Default)]
pub(super) struct Reader(BytesMut);

impl Reader {
    /// Starts with what was read already.
    pub(super) fn new(said: BytesMut) -> Self {
        Self(said)
    }

    /// Takes the next `N` bytes.
    pub(super) async fn take<const N: usize>(
        &mut self,
        stream: &mut (impl AsyncRead + Unpin),
    ) -> io::Result<[u8; N]> {
        let mut out = [0; N];
        out.copy_from_slice(&self.take_many(stream, N, N).await?);
        Ok(out)
    }

    /// Takes the next bytes, unless they are more than `most`.
    pub(super) async fn take_many(
        &mut self,
        stream: &mut (impl AsyncRead + Unpin),
        count: usize,
        most: usize,
    ) -> io::Result<BytesMut> {
        if count > most {
            return Err(super::broken("padding is longer than it may be"));
        }
        self.fill(stream, count).await?;
        Ok(self.0.split_to(count))
    }

    /// Takes bytes up to the end of the first `mark`, before which at most `most` may come.
    pub(super) async fn skip_past(
        &mut self,
        stream: &mut (impl AsyncRead + Unpin),
        mark: &[u8],
        most: usize,
    ) -> io::Result<()> {
        let mut from = 0;
        loop {
            let found = self.0[from..].windows(mark.len()).position(|part| part == mark);
            if let Some(at) = found.map(|at| from + at).filter(|at| *at <= most) {
                let _ = self.0.split_to(at + mark.len());
                return Ok(());
            }
            if self.0.len() >= most + mark.len() {
                return Err(super::broken("the exchange does not follow its padding"));
            }
            from = self.0.len().saturating_sub(mark.len() - 1);
            self.fill(stream, self.0.len() + 1).await?;
        }
    }

    /// What came beyond the exchange.
    pub(super) fn rest(self) -> BytesMut {
        self.0
    }

    async fn fill(
        &mut self,
        stream: &mut (impl AsyncRead + Unpin),
        count: usize,
    ) -> io::Result<()> {
        while self.0.len() < count {
            if stream.read_buf(&mut self.0).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(())
    }
}
