//! What is known of other processes, message by message.

use headwater_base::PeerId;

use super::super::message::{Dialled, Hex};
use super::*;

const ID: ProcessId = ProcessId([1; 16]);
const START: Time = Time::ZERO;

fn hash(number: u32) -> InfoHash {
    let mut hash = [0; 20];
    hash[..4].copy_from_slice(&number.to_be_bytes());
    InfoHash(hash)
}

/// A swarm of so many seeds, so many of which can be dialled.
fn size(number: u32, complete: u32, dialled: usize) -> Size {
    let at = "8.8.8.8:6881".parse().expect("an address");
    let dialled = vec![Dialled::new(PeerId([2; 20]), at, true); dialled];
    Size { hash: Hex(hash(number).0), complete, incomplete: 0, sockets: 0, dialled }
}

/// One process, of which nothing is known yet.
fn one() -> Others {
    let mut others = Others::new(START);
    assert!(others.hear(START, ID, Kind::Process));
    others
}

fn seeds(others: &Others, number: u32) -> Option<u32> {
    others.of_swarm(hash(number)).map(|(_, far)| far.complete).next()
}

#[test]
fn what_changes_while_everything_comes_is_in_it() {
    let mut others = one();
    assert!(others.whole(START, ID, (5, 0, 3), &[size(1, 1, 0)]));
    assert!(others.change(ID, 6, &[size(1, 2, 0), size(2, 2, 0)]));
    assert!(others.whole(START, ID, (5, 1, 3), &[size(3, 1, 0)]));
    assert!(others.change(ID, 7, &[size(3, 0, 0)]));
    assert!(others.whole(START, ID, (5, 2, 3), &[size(4, 1, 0)]));
    let known: Vec<_> = (1..5).map(|number| seeds(&others, number)).collect();
    assert_eq!(known, [Some(2), Some(2), None, Some(1)]);
    assert_eq!(others.lacking(START), [], "nothing is missing");
    assert!(others.change(ID, 8, &[]));
    assert_eq!(others.lacking(START), []);
}

#[test]
fn where_a_change_is_missed_meanwhile_what_came_counts_and_is_asked_for_again() {
    let mut others = one();
    assert_eq!(others.lacking(START), [ID]);
    assert!(others.whole(START, ID, (5, 0, 2), &[size(1, 1, 0)]));
    assert!(others.change(ID, 7, &[size(2, 1, 0)]), "6 is lost");
    assert!(others.whole(START, ID, (5, 1, 2), &[size(3, 1, 0)]));
    assert_eq!((1..4).filter_map(|number| seeds(&others, number)).count(), 3);
    assert_eq!(others.lacking(START + limit::FLEET_ASK_WAIT_MAX), [ID]);
}

#[test]
fn what_is_older_than_what_is_known_changes_nothing() {
    let mut others = one();
    assert!(others.whole(START, ID, (5, 0, 1), &[size(1, 3, 0)]));
    assert!(!others.change(ID, 5, &[size(1, 2, 0)]));
    assert!(!others.whole(START, ID, (4, 0, 1), &[size(1, 1, 0)]), "nobody asked");
    assert_eq!((seeds(&others, 1), others.lacking(START)), (Some(3), vec![]));
}

/// So many swarms, each of as much as there may be.
fn crowd(first: u32, count: usize) -> Vec<Size> {
    (0..count as u32).map(|number| size(first + number, 1, limit::FLEET_DIALLED_MAX)).collect()
}

#[test]
fn a_full_table_takes_what_is_no_more_than_it_replaces() {
    let mut others = one();
    let (each, full) = (1 + limit::FLEET_DIALLED_MAX, limit::FLEET_PLACES_MAX);
    let count = limit::FLEET_PLACES_OF_ONE_MAX / each;
    let mut left = full / each - count;
    for number in 2..9 {
        let id = ProcessId([number; 16]);
        assert!(others.hear(START, id, Kind::Process));
        assert!(others.whole(START, id, (1, 0, 1), &crowd(0, left.min(count))));
        left -= left.min(count);
    }
    let all = crowd(0, count);
    assert!(others.whole(START, ID, (5, 0, 1), &all));
    assert!(others.change(ID, 6, &[size(7, 2, each - 1)]), "in the place of what it was");
    assert!(!others.change(ID, 7, &[size(u32::MAX, 1, each - 1)]), "one more");
    assert_eq!((seeds(&others, 7), seeds(&others, u32::MAX)), (Some(2), None));
    assert_eq!(others.lacking(START + limit::FLEET_ASK_EVERY), [ID]);
    let (first, second) = all.split_at(count / 2);
    assert!(others.whole(START, ID, (7, 0, 2), first), "what is old makes way");
    assert!(others.whole(START, ID, (7, 1, 2), second));
    assert_eq!((others.swarms(), others.lacking(START)), (full / each, vec![]));
}

#[test]
fn one_process_takes_no_more_than_a_full_one_has() {
    let mut others = one();
    let count = limit::FLEET_PLACES_OF_ONE_MAX / (1 + limit::FLEET_DIALLED_MAX);
    assert!(!others.whole(START, ID, (5, 0, 1), &crowd(0, count + 1)));
    assert!(others.whole(START, ID, (5, 0, 1), &crowd(0, count)));
    assert!(!others.change(ID, 6, &crowd(u32::MAX, 1)));
}

#[test]
fn who_does_not_answer_is_asked_ever_more_rarely_and_as_before_once_it_did() {
    let mut others = one();
    let asked = |others: &mut Others, seconds: core::ops::Range<u64>| -> Vec<u64> {
        let asks = |second: &u64| others.lacking(START + Duration::from_secs(*second)) == [ID];
        seconds.filter(asks).collect()
    };
    assert_eq!(asked(&mut others, 0..200), [0, 1, 3, 7, 15, 31, 63, 123, 183]);
    let answered = START + Duration::from_secs(200);
    assert!(others.whole(answered, ID, (5, 0, 1), &[]));
    others.beat(ID, (false, PeerId([0; 20])), 6);
    assert_eq!(asked(&mut others, 243..250), [243, 244, 246]);
}

#[test]
fn torrents_spread_over_processes_and_only_those_of_one_gone_move() {
    let ids: Vec<_> = (0..4).map(|number| ProcessId([number; 16])).collect();
    let hashes: Vec<_> = (0..=255).map(|number| InfoHash([number; 20])).collect();
    let mut counts = [0; 4];
    for hash in hashes {
        let before = owner(hash, ids.iter().copied()).expect("one of four");
        counts[usize::from(before.0[0])] += 1;
        let after = owner(hash, ids[1..].iter().copied()).expect("one of three");
        assert!(after == before || before == ids[0]);
        assert_eq!(owner(hash, ids.iter().rev().copied()), Some(before));
    }
    assert!(counts.iter().all(|count| (40..90).contains(count)), "{counts:?}");
    assert_eq!(owner(InfoHash([1; 20]), core::iter::empty()), None);
}
