//! When peers are looked for where nobody keeps a list.

use super::*;

const V2: InfoHash = InfoHash([0xe2; 20]);

fn seeking(private: Option<bool>) -> Rig {
    let mut rig = Rig::with(|config| (config.seeks, config.listens) = (true, Some(7000)));
    rig.machine.start(rig.now, (T, false), &[HASH], &[], private);
    rig.progress(T, Some(1000));
    rig.want(T, 10);
    rig
}

/// When it was sought, in seconds since the start, by which hash and whether it was announced.
fn seeks(outs: &[(Time, Out)]) -> Vec<(u64, InfoHash, bool)> {
    let seek = |(at, out): &(Time, Out)| {
        let Out::Action(Action::Seek { torrent: T, info_hash, announce }) = out else {
            return None;
        };
        Some((at.since(Time::from_millis(1000)).as_secs(), *info_hash, *announce == Some(7000)))
    };
    outs.iter().filter_map(seek).collect()
}

fn times(outs: &[(Time, Out)]) -> Vec<(u64, bool)> {
    seeks(outs).into_iter().map(|(at, _, announce)| (at, announce)).collect()
}

#[test]
fn a_lonely_torrent_is_sought_less_and_less_and_announced_every_quarter_of_an_hour() {
    for private in [None, Some(false)] {
        let mut rig = seeking(private);
        let found = times(&rig.pass(secs(1300)));
        let expect = [0, 15, 45, 105, 225, 465, 765, 900, 1200].map(|at| (at, at % 900 == 0));
        assert_eq!(found, expect);
    }
}

#[test]
fn a_torrent_with_links_a_seed_and_one_that_wants_none_are_only_announced() {
    let settled: [fn(&mut Rig); 3] = [
        |rig| rig.machine.torrents.get_mut(&T).unwrap().linked = 1,
        |rig| rig.progress(T, Some(0)),
        |rig| rig.want(T, 0),
    ];
    for settle in settled {
        let mut rig = seeking(Some(false));
        settle(&mut rig);
        assert_eq!(times(&rig.pass(secs(1900))), [(0, true), (900, true), (1800, true)]);
    }
}

#[test]
fn who_wants_links_again_is_sought_at_once_but_not_twice_in_fifteen_seconds() {
    let mut rig = seeking(Some(false));
    assert_eq!(times(&rig.pass(secs(1))), [(0, true)]);
    rig.want(T, 0);
    assert_eq!(times(&rig.pass(secs(60))), []);
    rig.want(T, 10);
    assert_eq!(times(&rig.pass(secs(1))), [(61, false)]);
    rig.want(T, 0);
    rig.want(T, 10);
    assert_eq!(times(&rig.pass(secs(13))), []);
}

#[test]
fn a_private_torrent_is_never_sought_and_no_more_once_it_is_known_to_be_private() {
    let mut rig = seeking(Some(true));
    assert_eq!(times(&rig.pass(secs(7200))), []);
    let mut rig = seeking(None);
    assert_eq!(times(&rig.pass(secs(20))).len(), 2);
    rig.machine.start(rig.now, (T, false), &[HASH, V2], &[], Some(true));
    assert_eq!(times(&rig.pass(secs(7200))), []);
}

#[test]
fn each_hash_is_sought_and_one_more_is_announced_at_once() {
    let mut rig = seeking(None);
    rig.pass(secs(1));
    rig.machine.start(rig.now, (T, false), &[HASH, V2], &[], Some(false));
    assert_eq!(seeks(&rig.pass(secs(0))), [(1, HASH, true), (1, V2, true)]);
}

#[test]
fn nothing_is_sought_by_a_shell_that_cannot_or_after_the_end() {
    let mut rig = Rig::new();
    rig.start(T, HASH, &[]);
    rig.progress(T, Some(1000));
    rig.want(T, 10);
    assert_eq!(times(&rig.pass(secs(7200))), []);
    let mut rig = seeking(Some(false));
    rig.machine.stop(T);
    assert_eq!(times(&rig.pass(secs(7200))), []);
}
