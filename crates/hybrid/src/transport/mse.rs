//! Message Stream Encryption (MSE, also called PE): hides from simple filters that a stream is
//! BitTorrent. Two sides agree on a secret (Diffie-Hellman, 768 bits), prove that they know the
//! same info-hash, and go on in RC4 or in plain. It hides; it neither authenticates nor protects.
//! Form: the Vuze wiki's "Message Stream Encryption", which libtorrent and Transmission follow.

mod exchange;
mod keystream;
mod reader;

use std::io;

use bytes::{Bytes, BytesMut};
use headwater_base::{Digest1, InfoHash, sha1};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};

use exchange::{KEY_BYTES, Secret};
pub(super) use keystream::Keystream;
use keystream::Keystreams;
use reader::Reader;

/// Most bytes of padding either side puts anywhere.
const PAD_MAX: usize = 512;

/// The verification constant: eight zeros.
const VC: [u8; 8] = [0; 8];

/// Bits of `crypto_provide` and `crypto_select`.
const PLAIN: u32 = 1;
const RC4: u32 = 2;

/// Which form the stream may have once both sides are known to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Plain or RC4; who accepts takes plain, which costs nothing.
    Any,
    /// RC4 only.
    Rc4,
}

impl Form {
    fn bits(self) -> u32 {
        match self {
            Self::Any => PLAIN | RC4,
            Self::Rc4 => RC4,
        }
    }
}

/// How a stream goes on after the exchange.
#[derive(Debug)]
pub(super) struct Secured {
    /// What each side's bytes are encrypted with; `None` where they go on in plain.
    pub(super) keys: Option<Keystreams>,
    /// The start of the other side's stream, in plain.
    pub(super) first: Bytes,
}

/// How an info-hash is named in an exchange: whoever knows it can find it, nobody else.
pub(super) fn name_of(info_hash: &InfoHash) -> Digest1 {
    sha1(&[b"req2", &info_hash.0[..]].concat())
}

/// Begins an exchange on a stream that was dialled, and sends `payload` with it.
pub(super) async fn dial<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    info_hash: &InfoHash,
    payload: &[u8],
    form: Form,
) -> io::Result<Secured> {
    let ours = Secret::random()?;
    stream.write_all(&padded(&ours.public())?).await?;
    let mut reader = Reader::default();
    let theirs = reader.take::<KEY_BYTES>(stream).await?;
    let shared = ours.shared(&theirs)?;
    let mut keys = Keystreams::new(&shared, info_hash, true);

    let mut hello = BytesMut::new();
    hello.extend_from_slice(&marked(b"req1", &shared));
    let proof = marked(b"req3", &shared);
    hello.extend(name_of(info_hash).iter().zip(proof).map(|(name, proof)| name ^ proof));
    let secret_from = hello.len();
    hello.extend_from_slice(&VC);
    hello.extend_from_slice(&form.bits().to_be_bytes());
    hello.extend_from_slice(&[0, 0]);
    let length = u16::try_from(payload.len()).map_err(|_| broken("the payload is too long"))?;
    hello.extend_from_slice(&length.to_be_bytes());
    hello.extend_from_slice(payload);
    keys.outgoing.apply(&mut hello[secret_from..]);
    stream.write_all(&hello).await?;

    // Their answer begins with the verification constant, after padding of unknown length.
    let mut expected = VC;
    keys.incoming.apply(&mut expected);
    reader.skip_past(stream, &expected, PAD_MAX).await?;
    let mut head = reader.take::<6>(stream).await?;
    keys.incoming.apply(&mut head);
    let [select @ .., pad_high, pad_low] = head;
    let pad = usize::from(u16::from_be_bytes([pad_high, pad_low]));
    let mut pad = reader.take_many(stream, pad, PAD_MAX).await?;
    keys.incoming.apply(&mut pad);
    match u32::from_be_bytes(select) {
        select if select & form.bits() == 0 || select.count_ones() != 1 => {
            Err(broken("the other side chose what was not offered"))
        }
        PLAIN => Ok(Secured { keys: None, first: reader.rest().freeze() }),
        _ => {
            let mut first = reader.rest();
            keys.incoming.apply(&mut first);
            Ok(Secured { keys: Some(keys), first: first.freeze() })
        }
    }
}

/// Answers an exchange on a stream that came in and began with `said`. `find` tells the info-hash
/// by its name; nothing is answered for one we do not know.
pub(super) async fn accept<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    said: BytesMut,
    find: impl Fn(&Digest1) -> Option<InfoHash>,
    form: Form,
) -> io::Result<Secured> {
    let mut reader = Reader::new(said);
    let theirs = reader.take::<KEY_BYTES>(stream).await?;
    let ours = Secret::random()?;
    let shared = ours.shared(&theirs)?;
    stream.write_all(&padded(&ours.public())?).await?;

    reader.skip_past(stream, &marked(b"req1", &shared), PAD_MAX).await?;
    let mut name = reader.take::<20>(stream).await?;
    name.iter_mut().zip(marked(b"req3", &shared)).for_each(|(name, proof)| *name ^= proof);
    let info_hash = find(&name).ok_or_else(|| broken("it asks for a torrent that is not here"))?;
    let mut keys = Keystreams::new(&shared, &info_hash, false);

    let mut head = reader.take::<14>(stream).await?;
    keys.incoming.apply(&mut head);
    let [constant @ .., p0, p1, p2, p3, pad_high, pad_low] = head;
    if constant != VC {
        return Err(broken("the exchange does not verify"));
    }
    let both = u32::from_be_bytes([p0, p1, p2, p3]) & form.bits();
    let select = if both & PLAIN == 0 { both & RC4 } else { PLAIN };
    if select == 0 {
        return Err(broken("no form of the stream suits both sides"));
    }
    let pad = usize::from(u16::from_be_bytes([pad_high, pad_low]));
    let mut pad = reader.take_many(stream, pad, PAD_MAX).await?;
    keys.incoming.apply(&mut pad);
    let mut first = payload(&mut reader, stream, &mut keys).await?;

    let mut answer = BytesMut::new();
    answer.extend_from_slice(&VC);
    answer.extend_from_slice(&select.to_be_bytes());
    answer.extend_from_slice(&[0, 0]);
    keys.outgoing.apply(&mut answer);
    stream.write_all(&answer).await?;
    let mut rest = reader.rest();
    if select == RC4 {
        keys.incoming.apply(&mut rest);
    }
    first.unsplit(rest);
    let keys = (select == RC4).then_some(keys);
    Ok(Secured { keys, first: first.freeze() })
}

/// What the side that dialled says in the exchange itself.
async fn payload(
    reader: &mut Reader,
    stream: &mut (impl AsyncRead + Unpin),
    keys: &mut Keystreams,
) -> io::Result<BytesMut> {
    let mut length = reader.take::<2>(stream).await?;
    keys.incoming.apply(&mut length);
    let length = usize::from(u16::from_be_bytes(length));
    let mut payload = reader.take_many(stream, length, usize::from(u16::MAX)).await?;
    keys.incoming.apply(&mut payload);
    Ok(payload)
}

/// A public key and random padding after it, so that its length tells nothing.
fn padded(key: &[u8; KEY_BYTES]) -> io::Result<Vec<u8>> {
    let mut pad = [0; PAD_MAX + 2];
    getrandom::fill(&mut pad).map_err(io::Error::other)?;
    let [high, low, pad @ ..] = &pad;
    let length = usize::from(u16::from_be_bytes([*high, *low])) % (PAD_MAX + 1);
    Ok([&key[..], &pad[..length]].concat())
}

fn marked(mark: &[u8; 4], secret: &[u8; KEY_BYTES]) -> Digest1 {
    sha1(&[&mark[..], secret].concat())
}

fn broken(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

#[cfg(test)]
mod tests;
