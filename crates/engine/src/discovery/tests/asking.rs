//! HTTP and UDP trackers: when they are asked, what comes of their answers.

use core::net::IpAddr;

use headwater_wire::tracker::Happening;
use headwater_wire::tracker::http::Found;

use super::*;
use crate::{Asked, AskedFailure};

const PLAIN: &str = "http://tracker.example/announce";

/// A rig that can dial, whose torrent wants ten links and has one tracker that is asked.
fn rig(private: Option<bool>) -> Rig {
    let mut rig = Rig::with(|config| {
        config.dials = true;
        config.listens = Some(7000);
    });
    let tiers = [vec![PLAIN.to_owned()]];
    rig.machine.start(rig.now, (T, false), &[HASH], &tiers, private);
    rig.progress(T, Some(1000));
    rig.want(T, 10);
    rig
}

fn answer(rig: &mut Rig, ask: &Ask, result: Result<Asked, AskedFailure>) {
    rig.machine.asked(rig.now, (ask.tracker, ask.query.info_hash), result);
}

fn found(from: [u8; 4], peers: &[[u8; 4]]) -> Asked {
    let peers = peers.iter().map(|ip| SocketAddr::from((*ip, 6881))).collect();
    let from = Some(IpAddr::from(from));
    Asked { from, found: Found { peers, interval: Some(600), ..Found::default() } }
}

#[test]
fn a_tracker_is_asked_at_once_and_those_it_names_are_dialled_of_private_torrents_too() {
    for private in [None, Some(false), Some(true)] {
        let mut rig = rig(private);
        let asked = asks(&rig.take());
        let [ask] = &asked[..] else { panic!("{asked:?}") };
        let query = &ask.query;
        assert_eq!((query.event, query.left, query.port), (Some(Happening::Started), 1000, 7000));
        assert_eq!((ask.url.as_str(), query.info_hash, query.wanted), (PLAIN, HASH, 100));
        answer(&mut rig, ask, Ok(found([60, 1, 1, 1], &[[60, 2, 2, 2], [127, 0, 0, 1]])));
        let dialled: Vec<_> = dials(&rig.take()).into_iter().map(|(_, at)| at.ip()).collect();
        assert_eq!(
            dialled,
            [IpAddr::from([60, 2, 2, 2])],
            "nobody inside on the word of one outside"
        );
    }
    let mut rig = rig(Some(false));
    let ask = asks(&rig.take()).remove(0);
    answer(&mut rig, &ask, Ok(found([127, 0, 0, 1], &[[127, 0, 0, 1]])));
    assert_eq!(dials(&rig.take()).len(), 1, "a tracker at home may name one at home");
}

#[test]
fn a_lonely_torrent_asks_more_often_than_a_tracker_wants_but_never_below_its_least() {
    let mut rig = rig(Some(false));
    let ask = asks(&rig.take()).remove(0);
    let mut answered = found([60, 1, 1, 1], &[]);
    answered.found.interval_min = Some(120);
    answer(&mut rig, &ask, Ok(answered.clone()));
    let (start, mut times) = (rig.now, Vec::new());
    while rig.now < start + secs(1800) {
        for ask in asks(&rig.take()) {
            assert_eq!(ask.query.event, None);
            times.push(rig.now);
            answer(&mut rig, &ask, Ok(answered.clone()));
        }
        rig.now += secs(1);
    }
    let gaps: Vec<u64> = times.windows(2).map(|two| two[1].since(two[0]).as_secs()).collect();
    assert!(gaps.iter().all(|gap| (120..=600).contains(gap)), "{gaps:?}");
    assert!(gaps.len() > 3 && gaps.contains(&600), "{gaps:?}");
}

#[test]
fn a_seed_that_was_not_known_as_one_yet_says_so_as_soon_as_it_is() {
    let mut rig = Rig::with(|config| config.dials = true);
    rig.machine.start(rig.now, (T, false), &[HASH], &[vec![PLAIN.to_owned()]], Some(false));
    rig.want(T, 10);
    let ask = asks(&rig.take()).remove(0);
    assert_eq!(ask.query.event, Some(Happening::Started));
    rig.progress(T, Some(0));
    assert!(asks(&rig.take()).is_empty(), "one question at a time");
    answer(&mut rig, &ask, Ok(found([60, 1, 1, 1], &[])));
    let lefts: Vec<_> =
        asks(&rig.take()).iter().map(|ask| (ask.query.event, ask.query.left)).collect();
    assert_eq!(lefts, [(None, 0)]);
}

#[test]
fn one_out_of_reach_is_told_of_once_and_asked_ever_more_rarely() {
    let mut rig = rig(Some(false));
    let (mut asked, mut told) = (0, 0);
    let end = rig.now + secs(3600);
    while rig.now < end {
        let outs = rig.take();
        told += troubles(&outs).len();
        for ask in asks(&outs) {
            asked += 1;
            answer(&mut rig, &ask, Err(AskedFailure::Unreachable("refused".to_owned())));
        }
        rig.now += secs(1);
    }
    assert!((5..60).contains(&asked), "{asked} times in an hour");
    assert!((1..4).contains(&told), "{told} times");
}

#[test]
fn completion_and_goodbye_are_said_and_a_browser_asks_nobody() {
    let mut rig = rig(Some(false));
    let ask = asks(&rig.take()).remove(0);
    answer(&mut rig, &ask, Ok(found([60, 1, 1, 1], &[])));
    rig.progress(T, Some(0));
    let events: Vec<_> = asks(&rig.take()).iter().map(|ask| ask.query.event).collect();
    assert_eq!(events, [Some(Happening::Completed)]);
    rig.machine.stop(T);
    let last = asks(&rig.take()).pop().expect("a goodbye");
    assert_eq!((last.query.event, last.query.wanted), (Some(Happening::Stopped), 0));
    let mut rig = Rig::new();
    rig.start(T, HASH, &[PLAIN]);
    rig.want(T, 10);
    assert!(asks(&rig.take()).is_empty());
}
