//! The messages peers send each other after the handshake (BEP 3, 5, 6, 10, 52), and their form.
//! Knows no order: what may follow what is the engine's to judge.

use bytes::{Buf, BufMut, Bytes};
use headwater_base::PieceIndex;

use crate::{HashSpan, limit};

/// One message between peers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Says only that the link lives.
    KeepAlive,
    /// The sender will answer no requests.
    Choke,
    /// The sender will answer requests.
    Unchoke,
    /// The sender wants pieces the receiver has.
    Interested,
    /// The sender wants nothing the receiver has.
    NotInterested,
    /// The sender has this piece.
    Have(PieceIndex),
    /// The pieces the sender has, one bit each; its size and spare bits are unchecked.
    Bitfield(Bytes),
    /// The sender wants these bytes.
    Request(BlockSpan),
    /// Bytes that were asked for.
    Piece {
        /// Which piece they belong to.
        piece: PieceIndex,
        /// Where they start in it.
        begin: u32,
        /// The bytes.
        data: Bytes,
    },
    /// The sender no longer wants these bytes.
    Cancel(BlockSpan),
    /// The UDP port of the sender's DHT node (BEP 5).
    Port(u16),
    /// The sender would like to send this piece (BEP 6).
    Suggest(PieceIndex),
    /// The sender has every piece (BEP 6).
    HaveAll,
    /// The sender has no piece (BEP 6).
    HaveNone,
    /// The sender will not answer this request (BEP 6).
    Reject(BlockSpan),
    /// The sender answers requests for this piece though it chokes (BEP 6).
    AllowedFast(PieceIndex),
    /// A message of an extension (BEP 10).
    Extended {
        /// 0 for the extension handshake, else what the receiver's handshake chose.
        id: u8,
        /// The rest, in the extension's own form.
        payload: Bytes,
    },
    /// The sender wants these hashes (BEP 52); whether a tree has them is unchecked.
    HashRequest(HashSpan),
    /// Hashes that were asked for (BEP 52).
    Hashes {
        /// Which ones; a span that a tree may have.
        span: HashSpan,
        /// 32 bytes each: the run, then its uncles; as many as the span asks for.
        hashes: Bytes,
    },
    /// The sender will not answer this hash request (BEP 52).
    HashReject(HashSpan),
    /// A message of a kind not known here, to be ignored.
    Unknown {
        /// Its id byte.
        id: u8,
        /// The rest.
        payload: Bytes,
    },
}

/// A run of bytes inside one piece: what requests, cancels and rejects name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockSpan {
    /// Which piece.
    pub piece: PieceIndex,
    /// First byte inside the piece.
    pub begin: u32,
    /// How many bytes.
    pub len: u32,
}

pub(crate) mod id {
    //! The byte after the length prefix.

    pub(crate) const CHOKE: u8 = 0;
    pub(crate) const UNCHOKE: u8 = 1;
    pub(crate) const INTERESTED: u8 = 2;
    pub(crate) const NOT_INTERESTED: u8 = 3;
    pub(crate) const HAVE: u8 = 4;
    pub(crate) const BITFIELD: u8 = 5;
    pub(crate) const REQUEST: u8 = 6;
    pub(crate) const PIECE: u8 = 7;
    pub(crate) const CANCEL: u8 = 8;
    pub(crate) const PORT: u8 = 9;
    pub(crate) const SUGGEST: u8 = 13;
    pub(crate) const HAVE_ALL: u8 = 14;
    pub(crate) const HAVE_NONE: u8 = 15;
    pub(crate) const REJECT: u8 = 16;
    pub(crate) const ALLOWED_FAST: u8 = 17;
    pub(crate) const EXTENDED: u8 = 20;
    pub(crate) const HASH_REQUEST: u8 = 21;
    pub(crate) const HASHES: u8 = 22;
    pub(crate) const HASH_REJECT: u8 = 23;
}

impl Message {
    /// Bytes a piece message has before its block.
    pub const PIECE_HEAD_LEN: usize = 13;

    /// Appends the wire form, length prefix included. A message longer than a peer may send is
    /// a mistake of the caller's.
    pub fn encode(&self, out: &mut impl BufMut) {
        match self {
            Self::KeepAlive => out.put_u32(0),
            Self::Choke => put_bare(out, id::CHOKE),
            Self::Unchoke => put_bare(out, id::UNCHOKE),
            Self::Interested => put_bare(out, id::INTERESTED),
            Self::NotInterested => put_bare(out, id::NOT_INTERESTED),
            Self::Have(piece) => put_index(out, id::HAVE, *piece),
            Self::Bitfield(bits) => put_payload(out, &[id::BITFIELD], bits),
            Self::Request(span) => put_span(out, id::REQUEST, *span),
            Self::Piece { piece, begin, data } => {
                let span = BlockSpan { piece: *piece, begin: *begin, len: wire_len(data.len()) };
                out.put_slice(&Self::piece_head(span));
                out.put_slice(data);
            }
            Self::Cancel(span) => put_span(out, id::CANCEL, *span),
            Self::Port(port) => {
                out.put_u32(3);
                out.put_u8(id::PORT);
                out.put_u16(*port);
            }
            Self::Suggest(piece) => put_index(out, id::SUGGEST, *piece),
            Self::HaveAll => put_bare(out, id::HAVE_ALL),
            Self::HaveNone => put_bare(out, id::HAVE_NONE),
            Self::Reject(span) => put_span(out, id::REJECT, *span),
            Self::AllowedFast(piece) => put_index(out, id::ALLOWED_FAST, *piece),
            Self::Extended { id, payload } => put_payload(out, &[id::EXTENDED, *id], payload),
            Self::HashRequest(span) => put_hashes(out, id::HASH_REQUEST, span, &[]),
            Self::Hashes { span, hashes } => put_hashes(out, id::HASHES, span, hashes),
            Self::HashReject(span) => put_hashes(out, id::HASH_REJECT, span, &[]),
            Self::Unknown { id, payload } => put_payload(out, &[*id], payload),
        }
    }

    /// The bytes that come before a block on the wire, so that the block itself need not be
    /// copied into a message.
    pub fn piece_head(span: BlockSpan) -> [u8; Self::PIECE_HEAD_LEN] {
        let allowed = limit::BLOCK_BYTES_MAX;
        assert!(span.len <= allowed, "block of {} bytes, at most {allowed} allowed", span.len);
        let mut head = [0; Self::PIECE_HEAD_LEN];
        let mut out = &mut head[..];
        out.put_u32(9 + span.len);
        out.put_u8(id::PIECE);
        out.put_u32(span.piece.0);
        out.put_u32(span.begin);
        head
    }

    /// Reads what follows the id byte: the numbers, then the payload. The decoder has checked
    /// that both have the sizes `id` asks for.
    pub(crate) fn from_parts(id: u8, mut numbers: &[u8], payload: Bytes) -> Self {
        match id {
            id::CHOKE => Self::Choke,
            id::UNCHOKE => Self::Unchoke,
            id::INTERESTED => Self::Interested,
            id::NOT_INTERESTED => Self::NotInterested,
            id::HAVE => Self::Have(PieceIndex(numbers.get_u32())),
            id::BITFIELD => Self::Bitfield(payload),
            id::REQUEST => Self::Request(take_span(numbers)),
            id::PIECE => {
                let piece = PieceIndex(numbers.get_u32());
                Self::Piece { piece, begin: numbers.get_u32(), data: payload }
            }
            id::CANCEL => Self::Cancel(take_span(numbers)),
            id::PORT => Self::Port(numbers.get_u16()),
            id::SUGGEST => Self::Suggest(PieceIndex(numbers.get_u32())),
            id::HAVE_ALL => Self::HaveAll,
            id::HAVE_NONE => Self::HaveNone,
            id::REJECT => Self::Reject(take_span(numbers)),
            id::ALLOWED_FAST => Self::AllowedFast(PieceIndex(numbers.get_u32())),
            id::EXTENDED => Self::Extended { id: numbers.get_u8(), payload },
            id::HASH_REQUEST => Self::HashRequest(HashSpan::take(numbers)),
            id::HASHES => Self::Hashes { span: HashSpan::take(numbers), hashes: payload },
            id::HASH_REJECT => Self::HashReject(HashSpan::take(numbers)),
            _ => Self::Unknown { id, payload },
        }
    }
}

fn take_span(mut numbers: &[u8]) -> BlockSpan {
    BlockSpan {
        piece: PieceIndex(numbers.get_u32()),
        begin: numbers.get_u32(),
        len: numbers.get_u32(),
    }
}

fn put_bare(out: &mut impl BufMut, id: u8) {
    out.put_u32(1);
    out.put_u8(id);
}

fn put_index(out: &mut impl BufMut, id: u8, piece: PieceIndex) {
    out.put_u32(5);
    out.put_u8(id);
    out.put_u32(piece.0);
}

fn put_span(out: &mut impl BufMut, id: u8, span: BlockSpan) {
    out.put_u32(13);
    out.put_u8(id);
    out.put_u32(span.piece.0);
    out.put_u32(span.begin);
    out.put_u32(span.len);
}

fn put_hashes(out: &mut impl BufMut, id: u8, span: &HashSpan, hashes: &[u8]) {
    out.put_u32(wire_len(1 + HashSpan::LEN + hashes.len()));
    out.put_u8(id);
    span.put(out);
    out.put_slice(hashes);
}

fn put_payload(out: &mut impl BufMut, head: &[u8], payload: &[u8]) {
    out.put_u32(wire_len(head.len() + payload.len()));
    out.put_slice(head);
    out.put_slice(payload);
}

fn wire_len(len: usize) -> u32 {
    let allowed = limit::MESSAGE_BYTES_MAX;
    assert!(len <= allowed as usize, "message of {len} bytes, at most {allowed} allowed");
    len as u32
}
