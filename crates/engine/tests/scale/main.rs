//! What the engine holds and allocates does not grow with the torrent where it need not: counted
//! by an allocator, never by a clock.
#![expect(clippy::print_stdout, reason = "prints what it counted")]
#![expect(clippy::wildcard_enum_match_arm, reason = "a test does what it knows of")]

mod crowd;
mod ledger;

use headwater_base::{Bitfield, ByteCount, ReaderId};
use headwater_engine::Input;
use headwater_wire::Message;

use crowd::{Crowd, T, encoded, torrent};
use ledger::{Spent, spent};

/// What a torrent holds that is stored whole and has no peer, metadata left aside.
fn idle_bytes(pieces: u32) -> usize {
    let torrent = torrent(pieces);
    let mut crowd = None;
    let spent = spent(|| crowd = Some(Crowd::with(torrent, Bitfield::full(pieces), 0)));
    drop(crowd);
    spent.kept
}

#[test]
fn idle_torrent_holds_eleven_bytes_a_piece_and_little_besides() {
    let (small, large) = (idle_bytes(1000), idle_bytes(100_000));
    println!("idle torrent: {small} bytes at 1000 pieces, {large} at 100000");
    assert!(small < 20 * 1024, "{small} bytes at 1000 pieces");
    assert!(large - small < 99_000 * 11, "{} bytes a piece", (large - small) / 99_000);
}

/// What each of ten peers that have everything holds.
fn peer_bytes(pieces: u32) -> usize {
    let mut crowd = Crowd::new(pieces, 1);
    let spent = spent(|| {
        for _ in 0..10 {
            crowd.join();
        }
        for peer in 1..11 {
            crowd.say(peer, encoded(&Message::HaveAll));
        }
        crowd.settle();
    });
    spent.kept / 10
}

#[test]
fn peer_holds_a_bit_a_piece_and_little_besides() {
    let (small, large) = (peer_bytes(1000), peer_bytes(100_000));
    println!("peer: {small} bytes at 1000 pieces, {large} at 100000");
    assert!(small < 4 * 1024, "{small} bytes at 1000 pieces");
    let (bits, grown) = (99_000 / 8, large - small);
    assert!(grown < bits + bits / 8, "{grown} bytes for {bits} of bits");
}

/// What some events allocate in a torrent of so many pieces.
fn events(pieces: u32) -> Vec<(&'static str, Spent)> {
    let mut crowd = Crowd::new(pieces, 20);
    for peer in 0..20 {
        let all = crowd.bitfield(0..crowd.pieces);
        crowd.say(peer, all);
        crowd.say(peer, encoded(&Message::Unchoke));
    }
    crowd.settle();
    // Queues reach their size first.
    for turn in 0..100 {
        let block = crowd.block(turn % 20).expect("a request");
        crowd.say(turn % 20, block);
        crowd.settle();
    }
    let mut list = Vec::new();
    let block = crowd.block(3).expect("a request");
    list.push(("a block comes", spent(|| crowd.say(3, block))));
    let mut job = || crowd.next_job();
    let hashed = job().expect("a hash");
    list.push(("a piece is right", spent(|| crowd.tell(hashed))));
    let written = std::iter::from_fn(|| crowd.next_job());
    let written = { written }.find(|input| matches!(input, Input::PieceWritten { .. }));
    let written = written.expect("a write");
    list.push(("a piece is stored", spent(|| crowd.tell(written))));
    crowd.settle();
    let choke = encoded(&Message::Choke);
    list.push(("a peer chokes us", spent(|| crowd.say(5, choke))));
    for start in [0, u64::from(pieces / 2) * 16384, 123_456] {
        let (start, end) = (ByteCount(start), ByteCount(start + 100_000));
        let moved = Input::ReaderMoved { reader: ReaderId(1), torrent: T, start, end };
        list.push(("a reader moves", spent(|| crowd.tell(moved))));
        crowd.settle();
    }
    list.push(("a torrent is viewed", spent(|| drop(crowd.engine.torrent_view(T)))));
    list
}

#[test]
fn events_allocate_the_same_whatever_the_torrent_holds() {
    for ((event, small), (_, large)) in events(2000).into_iter().zip(events(200_000)) {
        println!("{event}: {small:?} at 2000 pieces, {large:?} at 200000");
        assert!(large.bytes <= small.bytes + 512, "{event}: {small:?} and {large:?}");
    }
}
