//! Rules of the picker, one a test, and its invariants under random use.

use std::collections::BTreeSet;

use bytes::Bytes;
use headwater_base::{ReaderId, Seed, Time};

use super::*;

const PEER: PeerId = PeerId([1; 20]);

/// A torrent of `pieces` pieces of `blocks` blocks each, the last one byte short.
fn torrent(pieces: usize, blocks: usize) -> Torrent {
    let piece_length = blocks * BLOCK_LEN as usize;
    let length = pieces * piece_length - 1;
    let mut info = format!("d6:lengthi{length}e4:name1:a12:piece lengthi{piece_length}e");
    info.push_str(&format!("6:pieces{}:{}e", pieces * 20, "x".repeat(pieces * 20)));
    Torrent::from_info(Bytes::from(info)).expect("a valid torrent")
}

pub(super) fn picker(pieces: usize, blocks: usize) -> Picker {
    let torrent = torrent(pieces, blocks);
    let have = Bitfield::empty(torrent.piece_count());
    let mut picker = Picker::new(&torrent, have, Seed([8; 32]).split("picker"));
    picker.set_priorities(vec![Priority::Normal; pieces]);
    picker
}

fn bits(len: u32, pieces: &[u32]) -> Bitfield {
    let mut bits = Bitfield::empty(len);
    for piece in pieces {
        bits.set(PieceIndex(*piece));
    }
    bits
}

fn pick(picker: &mut Picker, link: u64, has: &Bitfield, room: usize) -> Vec<BlockAt> {
    pick_at(picker, link, has, room, Time::ZERO)
}

fn pick_at(picker: &mut Picker, link: u64, has: &Bitfield, room: usize, now: Time) -> Vec<BlockAt> {
    let asker = asker(link, has, (room, now), Hint::default());
    let mut out = Vec::new();
    picker.pick(&asker, &mut out);
    out
}

fn asker(link: u64, has: &Bitfield, (room, now): (usize, Time), hint: Hint) -> Asker<'_> {
    Asker {
        link: LinkId(link),
        has,
        room,
        urgent_room: room,
        owes: 0,
        now,
        reach: &|_| 0,
        is_soonest: &|_, _| true,
        is_worth: &|_, _, _| true,
        hint,
    }
}

fn give(picker: &mut Picker, link: u64, at: BlockAt) -> Received {
    let len = picker.block_len(at).unwrap() as usize;
    picker.receive(at, (LinkId(link), PEER), &vec![7; len])
}

/// Fetches and stores whole pieces until `count` are there.
fn warm_up(picker: &mut Picker, count: u32) {
    let all = Bitfield::full(picker.count());
    while picker.have().count() < count {
        for at in pick(picker, 99, &all, 1) {
            if let Received::Taken { complete: true, .. } = give(picker, 99, at) {
                let data = picker.complete(at.piece).unwrap().data;
                picker.stored(at.piece, data);
            }
        }
    }
}

#[test]
fn rarest_piece_wins_when_no_deadline_is_set() {
    let mut picker = picker(20, 1);
    warm_up(&mut picker, 4);
    let rare = (0..20).map(PieceIndex).find(|piece| !picker.have().has(*piece)).unwrap();
    let mut common = Bitfield::full(20);
    common.clear(rare);
    picker.peer_came(&common);
    picker.peer_came(&Bitfield::full(20));
    let all = Bitfield::full(20);
    assert_eq!(pick(&mut picker, 1, &all, 1)[0].piece, rare);
}

#[test]
fn rare_piece_is_begun_before_a_common_one_is_finished() {
    let mut picker = picker(20, 4);
    warm_up(&mut picker, 4);
    let mut missing = (0..20).map(PieceIndex).filter(|piece| !picker.have().has(*piece));
    let (common, rare) = (missing.next().unwrap(), missing.next().unwrap());
    picker.peer_came(&Bitfield::full(20));
    let one = bits(20, &[common.0]);
    picker.peer_came(&one);
    assert_eq!(pick(&mut picker, 1, &one, 1)[0].piece, common);
    let both = bits(20, &[common.0, rare.0]);
    let picked: Vec<_> = pick(&mut picker, 2, &both, 7).iter().map(|at| at.piece).collect();
    assert_eq!(picked, [rare, rare, rare, rare, common, common, common]);
}

#[test]
fn blocks_that_two_are_asked_for_are_counted_until_one_came() {
    let mut picker = picker(1, 3);
    let all = Bitfield::full(1);
    let blocks = pick(&mut picker, 1, &all, 3);
    assert_eq!((pick(&mut picker, 2, &all, 3).len(), picker.doubled()), (3, 3));
    give(&mut picker, 2, blocks[0]);
    picker.release(blocks[1], LinkId(1));
    assert_eq!(picker.doubled(), 1);
}

#[test]
fn first_pieces_are_picked_at_random() {
    let firsts: BTreeSet<PieceIndex> = (0..10)
        .map(|seed| {
            let torrent = torrent(50, 1);
            let rng = Seed([seed; 32]).split("picker");
            let mut picker = Picker::new(&torrent, Bitfield::empty(50), rng);
            picker.set_priorities(vec![Priority::Normal; 50]);
            pick(&mut picker, 1, &Bitfield::full(50), 1)[0].piece
        })
        .collect();
    assert!(firsts.len() > 5, "{firsts:?}");
}

#[test]
fn deadlines_outrank_priority_and_rarity_in_order_of_position() {
    let mut picker = picker(20, 2);
    let mut priorities = vec![Priority::Normal; 20];
    priorities[3] = Priority::High;
    picker.set_priorities(priorities);
    let length = u64::from(2 * BLOCK_LEN);
    let window = Window { start: 10 * length + 5, end: 13 * length };
    picker.set_window(ReaderId(1), Some(window));
    let all = Bitfield::full(20);
    let pieces: Vec<u32> = pick(&mut picker, 1, &all, 8).iter().map(|at| at.piece.0).collect();
    assert_eq!(pieces, [10, 10, 11, 11, 12, 12, 3, 3]);
}

#[test]
fn skipped_pieces_come_only_for_a_reader() {
    let mut picker = picker(4, 1);
    picker.set_priorities(vec![Priority::Skip; 4]);
    let all = Bitfield::full(4);
    assert!(picker.is_done());
    assert!(pick(&mut picker, 1, &all, 8).is_empty());
    let window = Window { start: u64::from(2 * BLOCK_LEN), end: u64::from(2 * BLOCK_LEN) + 1 };
    let turn = picker.set_window(ReaderId(1), Some(window));
    assert_eq!((turn.gained, turn.dropped.len()), (vec![PieceIndex(2)], 0));
    assert!(!picker.is_done());
    let asked = pick(&mut picker, 1, &all, 8);
    assert_eq!(asked.len(), 1);
    let turn = picker.set_window(ReaderId(1), None);
    assert_eq!(turn.dropped, [PieceIndex(2)]);
    assert_eq!(turn.vain, [(LinkId(1), asked[0])]);
    assert!(picker.is_done() && picker.open.is_empty());
}

#[test]
fn pieces_under_way_come_before_new_ones() {
    let mut picker = picker(10, 4);
    let all = Bitfield::full(10);
    let first = pick(&mut picker, 1, &all, 2);
    let then = pick(&mut picker, 2, &all, 3);
    assert_eq!(first[0].piece, then[0].piece);
    assert_eq!(first[0].piece, then[1].piece);
    assert_ne!(first[0].piece, then[2].piece);
}

#[test]
fn end_game_asks_a_second_peer_and_no_third() {
    let mut picker = picker(1, 4);
    let all = Bitfield::full(1);
    assert_eq!(pick(&mut picker, 1, &all, 9).len(), 4);
    assert_eq!(pick(&mut picker, 2, &all, 9).len(), 4);
    assert_eq!(pick(&mut picker, 3, &all, 9), []);
    assert_eq!(pick(&mut picker, 1, &all, 9), []);
    let at = BlockAt { piece: PieceIndex(0), block: BlockIndex(2) };
    let taken = Received::Taken { others: [Some(LinkId(1)), None], complete: false };
    assert_eq!(give(&mut picker, 2, at), taken);
    assert_eq!(give(&mut picker, 1, at), Received::Useless);
}

#[test]
fn no_block_is_asked_twice_while_pieces_are_not_started() {
    let mut picker = picker(3, 2);
    let (some, all) = (bits(3, &[0]), Bitfield::full(3));
    assert_eq!(pick(&mut picker, 1, &some, 9).len(), 2);
    assert_eq!(pick(&mut picker, 2, &some, 9), []);
    assert_eq!(pick(&mut picker, 3, &all, 9).len(), 4);
    assert_eq!(pick(&mut picker, 2, &some, 9).len(), 2);
}

#[test]
fn late_urgent_block_is_asked_of_a_second_peer() {
    let mut picker = picker(40, 1);
    picker.set_window(ReaderId(1), Some(Window { start: 0, end: 1 }));
    let all = Bitfield::full(40);
    let first = pick(&mut picker, 1, &all, 1);
    let soon = pick_at(&mut picker, 2, &all, 1, Time::from_millis(400));
    assert_ne!(first, soon);
    let late = pick_at(&mut picker, 3, &all, 1, Time::from_millis(600));
    assert_eq!(first, late);
}

#[test]
fn failed_piece_comes_from_one_peer_alone() {
    let mut picker = picker(1, 4);
    let all = Bitfield::full(1);
    for at in pick(&mut picker, 1, &all, 9) {
        give(&mut picker, 1, at);
    }
    let data = picker.complete(PieceIndex(0)).unwrap().data;
    picker.failed(PieceIndex(0), true, data);
    let first = pick(&mut picker, 2, &all, 2);
    assert_eq!(first.len(), 2);
    assert_eq!(pick(&mut picker, 3, &all, 9), []);
    for at in first {
        picker.release(at, LinkId(2));
    }
    assert_eq!(pick(&mut picker, 3, &all, 9), []);
    picker.disown(LinkId(2));
    assert_eq!(pick(&mut picker, 3, &all, 9).len(), 4);
}

#[cfg(feature = "pay")]
#[test]
fn what_costs_money_comes_in_v1_from_one_peer_alone_and_is_asked_once() {
    let mut picker = picker(2, 2);
    let all = Bitfield::full(2);
    let begun = pick(&mut picker, 1, &all, 1)[0].piece;
    picker.set_charged(LinkId(2), true);
    // It is not asked for the rest of what another has begun, and has a piece for itself.
    let bought = pick(&mut picker, 2, &all, 1)[0].piece;
    assert_ne!(bought, begun);
    let free = pick(&mut picker, 3, &all, 4);
    assert!(free.iter().all(|at| at.piece == begun), "{free:?}");
    // Everything is asked for: nobody is asked a second time for what is paid for.
    assert_eq!(pick(&mut picker, 2, &all, 4).len(), 1);
    let again = pick(&mut picker, 4, &all, 4);
    assert!(!again.is_empty() && again.iter().all(|at| at.piece == begun), "{again:?}");
    // Once it is gone others may bring the rest.
    picker.set_charged(LinkId(2), false);
    for block in [0, 1].map(BlockIndex) {
        picker.release(BlockAt { piece: bought, block }, LinkId(2));
    }
    picker.disown(LinkId(2));
    assert!(pick(&mut picker, 3, &all, 4).iter().any(|at| at.piece == bought));
}

#[cfg(feature = "pay")]
#[test]
fn piece_with_which_others_are_slow_in_v1_is_bought_near_the_end_as_a_whole() {
    let mut picker = picker(1, 3);
    let all = Bitfield::full(1);
    let begun = pick(&mut picker, 1, &all, 2);
    give(&mut picker, 1, begun[0]);
    pick(&mut picker, 3, &all, 1);
    picker.set_charged(LinkId(2), true);
    let mut slow = asker(2, &all, (9, Time::ZERO), Hint::default());
    slow.is_worth = &|_, first, _| first.link == LinkId(1);
    let mut out = Vec::new();
    picker.pick(&slow, &mut out);
    assert_eq!(out, [], "one that is asked is fast enough");
    assert_eq!(pick(&mut picker, 2, &all, 0), []);
    assert_eq!(picker.take_seized(), [], "it has no room");
    assert_eq!(pick(&mut picker, 2, &all, 9).len(), 3, "what is here too");
    let seized: Vec<_> = picker.take_seized().into_iter().map(|(link, _)| link).collect();
    assert_eq!(seized, [LinkId(1), LinkId(3)]);
    // What comes of the others now is not taken, and nobody is asked besides.
    let bytes = vec![7; picker.block_len(begun[1]).unwrap() as usize];
    assert!(matches!(picker.receive(begun[1], (LinkId(1), PEER), &bytes), Received::Useless));
    assert_eq!(pick(&mut picker, 1, &all, 9), []);
    assert_eq!(picker.doubled(), 0);
}

#[cfg(feature = "pay")]
#[test]
fn what_a_slow_peer_owes_in_v2_is_bought_near_the_end_and_comes_from_the_seller_alone() {
    let mut picker = picker(1, 2);
    picker.by_piece = false;
    let all = Bitfield::full(1);
    let owed = pick(&mut picker, 1, &all, 2);
    picker.set_charged(LinkId(2), true);
    assert_eq!(pick(&mut picker, 2, &all, 2).len(), 2);
    assert_eq!(picker.doubled(), 2);
    // Nobody else is asked for them, and what comes free now comes too late.
    assert_eq!(pick(&mut picker, 3, &all, 2), []);
    let bytes = vec![7; picker.block_len(owed[0]).unwrap() as usize];
    assert!(matches!(picker.receive(owed[0], (LinkId(1), PEER), &bytes), Received::Useless));
    assert_eq!(picker.doubled(), 1);
    // Nor does what comes from somebody who is asked no more count as one of the two.
    assert!(matches!(picker.receive(owed[1], (LinkId(3), PEER), &bytes), Received::Useless));
    assert_eq!(picker.doubled(), 1);
    // Should the seller fail, the block is asked for anew.
    assert!(picker.release(owed[0], LinkId(2)));
    assert_eq!(pick(&mut picker, 3, &all, 1), [owed[0]]);
    let bought = picker.receive(owed[1], (LinkId(2), PEER), &bytes[..bytes.len() - 1]);
    let Received::Taken { others, .. } = bought else { panic!("{bought:?}") };
    assert_eq!(others, [Some(LinkId(1)), None]);
}

#[test]
fn late_urgent_piece_that_failed_still_comes_from_one_peer_alone() {
    let mut picker = picker(1, 4);
    let all = Bitfield::full(1);
    for at in pick(&mut picker, 1, &all, 9) {
        give(&mut picker, 1, at);
    }
    let data = picker.complete(PieceIndex(0)).unwrap().data;
    picker.failed(PieceIndex(0), true, data);
    picker.set_window(ReaderId(1), Some(Window { start: 0, end: 1 }));
    assert_eq!(pick(&mut picker, 2, &all, 9).len(), 4);
    assert_eq!(pick_at(&mut picker, 3, &all, 9, Time::from_millis(60_000)), []);
}

#[test]
fn sequential_torrent_comes_in_order() {
    let mut picker = picker(50, 1);
    picker.set_sequential(true);
    picker.peer_came(&bits(50, &[40, 41]));
    let all = Bitfield::full(50);
    let pieces: Vec<u32> = pick(&mut picker, 1, &all, 9).iter().map(|at| at.piece.0).collect();
    assert!(pieces.into_iter().eq(0..9));
}

#[test]
fn what_a_bridge_is_asked_for_comes_before_what_follows_until_nobody_asks() {
    let mut picker = picker(30, 1);
    picker.set_priorities(vec![Priority::Skip; 30]);
    picker.set_sequential(true);
    for asked in [4, 20, 9] {
        let gained = picker.want_pieces(asked..asked + 1, Priority::High);
        assert_eq!(gained, [PieceIndex(asked)]);
        picker.want_pieces(asked + 1..asked + 3, Priority::Normal);
    }
    assert_eq!(picker.want_pieces(20..21, Priority::Normal), [], "it is wanted already");
    picker.calm(PieceIndex(9));
    let order: Vec<u32> =
        pick(&mut picker, 1, &Bitfield::full(30), 30).iter().map(|at| at.piece.0).collect();
    assert_eq!(order, [4, 20, 5, 6, 9, 10, 11, 21, 22]);
}

#[test]
fn peer_with_nothing_to_start_is_looked_at_again_when_a_piece_returns() {
    let mut picker = picker(40, 1);
    let mut hint = Hint::default();
    let few = bits(40, &[3]);
    let pick = |picker: &mut Picker, link: u64, has: &Bitfield, hint: &mut Hint| {
        let mut out = Vec::new();
        let asker = asker(link, has, (1, Time::ZERO), *hint);
        *hint = picker.pick(&asker, &mut out);
        out.first().copied()
    };
    let taken = pick(&mut picker, 1, &few, &mut Hint::default()).unwrap();
    assert_eq!(pick(&mut picker, 2, &few, &mut hint), None);
    give(&mut picker, 1, taken);
    let data = picker.complete(taken.piece).unwrap().data;
    assert_eq!(pick(&mut picker, 2, &few, &mut hint), None);
    picker.failed(taken.piece, true, data);
    assert_eq!(pick(&mut picker, 2, &few, &mut hint), Some(taken));
}

#[test]
fn memory_is_bounded_and_pieces_nobody_can_finish_give_way() {
    let blocks = 512;
    let mut picker = picker(20, blocks);
    let all = Bitfield::full(20);
    assert_eq!(pick(&mut picker, 1, &all, 20 * blocks).len(), 4 * blocks);
    for piece in 0..20 {
        for block in 0..blocks as u32 {
            picker
                .release(BlockAt { piece: PieceIndex(piece), block: BlockIndex(block) }, LinkId(1));
        }
    }
    let open: Vec<u32> = picker.open.keys().map(|piece| piece.0).collect();
    let other = (0..20).find(|piece| !open.contains(piece)).unwrap();
    assert_eq!(pick(&mut picker, 2, &bits(20, &[other]), 1)[0].piece, PieceIndex(other));
    assert_eq!(picker.open.len(), 4);
}

#[test]
fn unchosen_open_piece_is_dropped_and_its_askers_named() {
    let mut picker = picker(2, 2);
    let asked = pick(&mut picker, 5, &bits(2, &[1]), 1);
    assert_eq!(
        picker.set_priorities(vec![Priority::Normal, Priority::Skip]),
        [(LinkId(5), asked[0])]
    );
    assert_eq!(give(&mut picker, 5, asked[0]), Received::Useless);
}

#[test]
fn run_of_stored_bytes_ends_at_the_first_gap() {
    let torrent = torrent(4, 1);
    let rng = Seed([0; 32]).split("picker");
    let picker = Picker::new(&torrent, bits(4, &[0, 1, 3]), rng);
    let block = u64::from(BLOCK_LEN);
    assert_eq!(picker.stored_until(5), 2 * block);
    assert_eq!(picker.stored_until(2 * block), 2 * block);
    assert_eq!(picker.stored_until(3 * block + 1), 4 * block - 1);
    assert_eq!(picker.stored_until(9 * block), 9 * block);
    assert_eq!(picker.left(), block);
}

/// Checks what must always hold.
fn check(picker: &Picker) {
    let mut open_bytes = 0;
    for (piece, open) in &picker.open {
        open_bytes += u64::from(open.len);
        let free = open.slots.iter().filter(|slot| matches!(slot, Slot::Free)).count();
        let here = open.slots.iter().filter(|slot| matches!(slot, Slot::Here(_))).count();
        assert_eq!((free, here), (open.free as usize, open.here as usize));
        let state = if free > 0 { State::Free } else { State::Busy };
        assert_eq!(picker.states[piece.idx()], state);
        assert_eq!(picker.free.contains(piece), free > 0);
    }
    let in_hand: Vec<u32> = (0..picker.count())
        .filter(|piece| picker.states[*piece as usize] == State::InHand)
        .collect();
    open_bytes +=
        in_hand.iter().map(|at| u64::from(picker.piece_len(PieceIndex(*at)))).sum::<u64>();
    assert_eq!((picker.open_bytes, picker.in_hand), (open_bytes, in_hand.len()));
    let stored: u64 = picker.have.ones().map(|piece| u64::from(picker.piece_len(piece))).sum();
    assert_eq!(picker.left(), picker.length - stored);
    let all = || (0..picker.count()).map(PieceIndex);
    let missing = |piece: &PieceIndex| !picker.have.has(*piece);
    let awaited = |piece: &PieceIndex| picker.windows.distance(*piece).is_some();
    assert_eq!(picker.waiting as usize, all().filter(missing).filter(awaited).count());
    let chosen = |piece: &PieceIndex| picker.is_chosen(*piece);
    let len = |piece: PieceIndex| u64::from(picker.piece_len(piece));
    let kept = all().filter(chosen).filter(|piece| !missing(piece)).map(len).sum();
    assert_eq!(picker.progress(), (all().filter(chosen).map(len).sum(), kept));
    let wanted = |piece: &PieceIndex| missing(piece) && (chosen(piece) || awaited(piece));
    assert!(picker.wanted.ones().eq(all().filter(wanted)));
    let listed = |piece: &PieceIndex| picker.rank(*piece).is_some();
    assert!(all().all(|piece| picker.rarity.has(piece) == listed(&piece)));
}

/// Changes what is wanted.
fn want_otherwise(picker: &mut Picker, rng: &mut Rng) -> Vec<(LinkId, BlockAt)> {
    let place = rng.below(30) * u64::from(3 * BLOCK_LEN);
    let window = Window { start: place, end: place + 100_000 };
    let reader = ReaderId(rng.below(2));
    let choices = [Priority::Skip, Priority::Normal, Priority::Normal, Priority::High];
    match rng.below(4) {
        0 => picker.set_window(reader, Some(window)).vain,
        1 => picker.set_window(reader, None).vain,
        2 => {
            let choices = (0..30).map(|_| choices[rng.below(4) as usize]).collect();
            picker.set_priorities(choices)
        }
        _ => {
            let mut choices = picker.priorities.clone();
            choices[rng.below(30) as usize] = Priority::Normal;
            picker.set_priorities(choices)
        }
    }
}

#[test]
fn random_use_keeps_every_invariant_and_ends_with_every_piece() {
    for seed in 0..20 {
        let mut rng = Seed([seed; 32]).split("use");
        let mut picker = picker(30, 3);
        let peers: Vec<Bitfield> = (0..4)
            .map(|peer| {
                let some: Vec<u32> = (0..30).filter(|_| peer == 0 || rng.below(2) == 0).collect();
                bits(30, &some)
            })
            .collect();
        for peer in &peers {
            picker.peer_came(peer);
        }
        let mut asked: Vec<(u64, BlockAt)> = Vec::new();
        let mut steps = 0;
        while !picker.have().is_full() {
            steps += 1;
            assert!(steps < 20_000, "no progress");
            if steps < 2000 && rng.below(20) == 0 {
                let vain = want_otherwise(&mut picker, &mut rng);
                asked.retain(|(link, at)| !vain.contains(&(LinkId(*link), *at)));
                check(&picker);
            } else if steps == 2000 {
                picker.set_priorities(vec![Priority::Normal; 30]);
            }
            let stored = picker.have.ones().next();
            if let Some(piece) = stored.filter(|_| rng.below(50) == 0) {
                picker.lost(piece);
            }
            let link = rng.below(4);
            let room = rng.below(6) as usize;
            let picked = pick(&mut picker, link, &peers[link as usize], room);
            asked.extend(picked.into_iter().map(|at| (link, at)));
            let Some(place) = rng.pick(asked.len()) else { continue };
            let (link, at) = asked.swap_remove(place);
            if rng.below(5) == 0 {
                picker.release(at, LinkId(link));
                if rng.below(2) == 0 {
                    picker.disown(LinkId(link));
                }
            } else if let Received::Taken { complete: true, .. } = give(&mut picker, link, at) {
                let data = picker.complete(at.piece).unwrap().data;
                if rng.below(4) == 0 {
                    picker.failed(at.piece, true, data);
                } else {
                    picker.stored(at.piece, data);
                }
            }
            check(&picker);
        }
    }
}
