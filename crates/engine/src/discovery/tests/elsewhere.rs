//! What a browser tells a bridge of trackers it cannot ask, and how far a bridge trusts that.

use super::*;

const UDP: &str = "udp://t.example:6969/announce";

/// What is told of other trackers when one with a bridge, or without, answers an announce.
fn told(private: Option<bool>, left: u64, bridge: bool) -> Vec<Value> {
    let mut rig = Rig::new();
    let tiers = [vec![URL.to_owned(), UDP.to_owned()], vec!["gopher://t.example".to_owned()]];
    rig.machine.start(rig.now, (T, false), &[HASH], &tiers, private);
    rig.progress(T, Some(left));
    let tracker = opens(&rig.take())[0].0;
    rig.put(DiscoveryInput::TrackerOpened(tracker));
    let sent = rig.sent();
    assert!(sent.iter().all(|sent| sent["hw_trackers"].is_null()), "not before it asks: {sent:?}");
    let mut reply = counted(0, 1);
    reply["hw_bridge"] = json!(u8::from(bridge));
    let mut told = Vec::new();
    for _ in 0..3 {
        rig.text(tracker, &reply);
        told.extend(rig.sent());
    }
    told.into_iter().map(|sent| sent["hw_trackers"].clone()).collect()
}

#[test]
fn a_bridge_is_told_once_of_trackers_that_a_browser_cannot_ask() {
    assert_eq!(told(Some(false), 9, true), [json!([UDP])]);
    assert_eq!(told(None, 9, true), [json!([UDP])], "a magnet link's too");
}

#[test]
fn nobody_else_is_told_nor_of_a_private_torrent_nor_by_a_seed() {
    let none: [Value; 0] = [];
    assert_eq!(told(Some(false), 9, false), none);
    assert_eq!(told(Some(true), 9, true), none);
    assert_eq!(told(Some(false), 0, true), none);
}

/// Whether what is asked counts as named by the user, by tracker.
fn trusts(bridge: bool, local_trackers: bool) -> Vec<(String, bool)> {
    let mut rig = Rig::with(|config| {
        config.dials = true;
        config.local_trackers = local_trackers;
        config.trackers = vec!["udp://ours:1".to_owned()];
    });
    rig.machine.start(rig.now, (T, bridge), &[HASH], &[vec![UDP.to_owned()]], Some(false));
    rig.progress(T, Some(9));
    rig.want(T, 10);
    let asks = rig.take().into_iter().filter_map(|out| match out {
        Out::Action(Action::Ask(ask)) => Some((ask.url, ask.trusted)),
        Out::Action(_) | Out::Event(_) | Out::Linked { .. } | Out::Say { .. } => None,
    });
    let mut asks: Vec<_> = asks.collect();
    asks.sort();
    asks
}

#[test]
fn what_strangers_name_for_a_bridge_is_not_trusted_unless_the_user_says() {
    let all = |theirs| [("udp://ours:1".to_owned(), true), (UDP.to_owned(), theirs)];
    assert_eq!(trusts(true, false), all(false));
    assert_eq!(trusts(true, true), all(true));
    assert_eq!(trusts(false, false), all(true));
}

#[test]
fn strangers_trackers_leave_room_for_the_users() {
    let mut rig = Rig::with(|config| config.dials = true);
    for torrent in 0..20 {
        let urls = (0..8).map(|n| format!("udp://t{torrent}-{n}:1")).collect();
        let hash = InfoHash([torrent; 20]);
        let who = (TorrentId(u32::from(torrent)), true);
        rig.machine.start(rig.now, who, &[hash], &[urls], Some(false));
    }
    rig.machine.start(rig.now, (TorrentId(99), false), &[HASH], &[vec![UDP.to_owned()]], None);
    assert_eq!(rig.machine.views(rig.now, TorrentId(99)).len(), 1, "there is room");
    assert!(
        rig.machine.views(rig.now, TorrentId(19)).is_empty(),
        "there was none left for strangers"
    );
}
