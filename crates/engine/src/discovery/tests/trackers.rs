//! Sockets: opened, shared, lost, retried, closed; and what is said of their troubles.

use super::*;

#[test]
fn two_torrents_share_one_socket_and_the_last_to_stop_closes_it() {
    let (mut rig, tracker) = Rig::announced();
    rig.start(TorrentId(2), InfoHash([2; 20]), &["ws://tracker.example/announce/"]);
    let outs = rig.take();
    assert_eq!(opens(&outs), []);
    assert_eq!(sends(&outs)[0]["info_hash"], latin(&[2; 20]));
    rig.machine.stop(TorrentId(2));
    let outs = rig.take();
    assert_eq!(sends(&outs)[0]["event"], "stopped");
    assert!(!outs.iter().any(|out| matches!(out, Out::Action(Action::CloseTracker(_)))));
    rig.machine.stop(T);
    let outs = rig.take();
    let stopped = outs.iter().position(|o| matches!(o, Out::Action(Action::SendTracker { .. })));
    let closed = outs.iter().position(|o| matches!(o, Out::Action(Action::CloseTracker(_))));
    assert!(stopped < closed && stopped.is_some());
    assert_eq!(closes(&outs).len(), 5);
    assert_eq!(rig.machine.wake(), None);
    rig.lose(tracker);
    assert!(rig.take().is_empty());
}

#[test]
fn only_websocket_trackers_are_opened_and_not_too_many() {
    let mut rig = Rig::new();
    let mut urls: Vec<String> = (0..30).map(|n| format!("wss://t{n}.example")).collect();
    urls.insert(0, "udp://a.example:1".to_owned());
    urls.insert(1, "http://a.example/announce".to_owned());
    urls.insert(3, "WSS://t0.example/".to_owned());
    let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
    rig.start(T, HASH, &urls);
    let opened = opens(&rig.take());
    assert_eq!(opened.len(), super::super::limit::TRACKERS_PER_TORRENT_MAX);
    assert!(opened.iter().all(|(_, url)| url.starts_with("wss://t")));
    for torrent in 2..12 {
        let urls: Vec<String> = (0..16).map(|n| format!("wss://t{n}.{torrent}.example")).collect();
        let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
        rig.start(TorrentId(torrent), InfoHash([torrent as u8; 20]), &urls);
    }
    assert_eq!(rig.machine.trackers.len(), super::super::limit::TRACKERS_MAX);
}

#[test]
fn trackers_of_the_settings_serve_every_torrent_but_private_ones() {
    let mut rig = Rig::with(|config| config.trackers = vec!["wss://always.example".to_owned()]);
    rig.machine.start(rig.now, (T, false), &[HASH], &[vec![URL.to_owned()]], Some(true));
    assert_eq!(opens(&rig.take()).iter().map(|(_, url)| url).collect::<Vec<_>>(), [URL]);
    rig.machine.start(rig.now, (TorrentId(2), false), &[InfoHash([2; 20])], &[], Some(false));
    assert_eq!(opens(&rig.take())[0].1, "wss://always.example");
}

#[test]
fn a_torrent_that_may_be_private_stays_with_its_own_trackers() {
    let mut rig = Rig::with(|config| config.trackers = vec!["wss://always.example".to_owned()]);
    let own = [vec![URL.to_owned()]];
    rig.machine.start(rig.now, (T, false), &[HASH], &own, None);
    assert_eq!(opens(&rig.take()).iter().map(|(_, url)| url).collect::<Vec<_>>(), [URL]);
    rig.machine.start(rig.now, (T, false), &[HASH], &own, Some(false));
    assert_eq!(opens(&rig.take())[0].1, "wss://always.example");
}

#[test]
fn a_magnet_without_trackers_uses_those_of_the_settings_until_it_proves_private() {
    let mut rig = Rig::with(|config| config.trackers = vec!["wss://always.example".to_owned()]);
    let udp = [vec!["udp://other.example:1".to_owned()]];
    rig.machine.start(rig.now, (T, false), &[HASH], &udp, None);
    let tracker = opens(&rig.take())[0].0;
    rig.machine.start(rig.now, (T, false), &[HASH], &udp, Some(true));
    let left = |out: &Out| matches!(out, Out::Action(Action::CloseTracker(of)) if *of == tracker);
    assert!(rig.take().iter().any(left));
    assert!(rig.machine.views(rig.now, T).is_empty());
}

#[test]
fn of_too_many_trackers_those_of_the_first_tiers_are_used() {
    let mut rig = Rig::new();
    let tier = |name: &str, count: usize| -> Vec<String> {
        (0..count).map(|n| format!("wss://{name}{n}.example")).collect()
    };
    let tiers = [tier("first", 10), tier("second", 20)];
    rig.machine.start(rig.now, (T, false), &[HASH], &tiers, Some(false));
    let opened: Vec<String> = opens(&rig.take()).into_iter().map(|(_, url)| url).collect();
    let first = opened.iter().filter(|url| url.contains("first")).count();
    assert_eq!((first, opened.len()), (10, super::super::limit::TRACKERS_PER_TORRENT_MAX));
    let second: Vec<_> = opened.into_iter().filter(|url| url.contains("second")).collect();
    assert_ne!(second, tiers[1][..6], "by chance inside a tier");
}

#[test]
fn a_tracker_that_does_not_count_is_asked_to() {
    let (mut rig, tracker) = Rig::announced();
    let hash = latin(&HASH.0);
    let bare = json!({ "action": "announce", "info_hash": hash, "interval": 120 });
    let counts = json!({ "action": "scrape", "files": {
        hash.as_str(): { "complete": 3, "incomplete": 4, "downloaded": 5 },
    } });
    rig.text(tracker, &counts);
    assert_eq!(rig.machine.views(rig.now, T)[0].complete, 0, "nobody asked");
    rig.text(tracker, &bare);
    let sent = rig.sent();
    assert_eq!((&sent[0]["action"], &sent[0]["info_hash"]), (&json!("scrape"), &json!([hash])));
    rig.text(tracker, &counts);
    let view = rig.machine.views(rig.now, T).remove(0);
    assert_eq!((view.complete, view.incomplete), (3, 4));
    rig.text(tracker, &bare);
    assert!(rig.sent().iter().all(|sent| sent["action"] != "scrape"), "once a minute at most");
}

#[test]
fn starting_again_adds_new_trackers_and_keeps_the_old() {
    let (mut rig, _) = Rig::announced();
    rig.start(T, HASH, &[URL, "ws://second.example"]);
    let outs = rig.take();
    assert_eq!(opens(&outs).len(), 1);
    assert_eq!(sends(&outs).len(), 0);
    assert_eq!(rig.machine.views(rig.now, T).len(), 2);
}

#[test]
fn an_unreachable_tracker_is_retried_after_about_1_2_4_and_8_seconds_and_at_most_five_minutes() {
    let mut rig = Rig::new();
    rig.start(T, HASH, &[URL]);
    let tracker = opens(&rig.take())[0].0;
    let mut pauses = Vec::new();
    let mut told = 0;
    for _ in 0..14 {
        rig.lose(tracker);
        told += troubles(&rig.take()).len();
        let lost = rig.now;
        while opens(&rig.take()).is_empty() {
            rig.now = rig.machine.wake().unwrap().at;
        }
        pauses.push((rig.now - lost).as_secs_f64());
    }
    for (pause, expect) in pauses.iter().zip([1.0, 2.0, 4.0, 8.0, 16.0]) {
        assert!((pause - expect).abs() <= expect * 0.21, "{pauses:?}");
    }
    assert!(pauses.iter().all(|pause| *pause <= 360.0) && pauses[13] >= 240.0, "{pauses:?}");
    assert_eq!(told, 1, "told once, not at each of {} failures", pauses.len());
    let view = &rig.machine.views(rig.now, T)[0];
    assert!(!view.working && view.trouble.contains("gone"), "{view:?}");
}

#[test]
fn a_torrent_without_links_waits_half_a_minute_at_most_for_a_lost_tracker() {
    let (mut rig, tracker) = Rig::announced();
    let mut opened = 0;
    for _ in 0..10 {
        rig.lose(tracker);
        opened = opens(&plain(&rig.pass(secs(37)))).len();
    }
    assert_eq!(opened, 1);
    rig.want(T, 0);
    rig.lose(tracker);
    assert_eq!(opens(&plain(&rig.pass(secs(200)))), []);
}

#[test]
fn a_tracker_that_worked_is_reopened_within_seconds_and_gets_an_update_with_offers() {
    let (mut rig, tracker) = Rig::announced();
    rig.text(tracker, &counted(0, 2));
    rig.pass(secs(40));
    rig.lose(tracker);
    let outs = plain(&rig.pass(Duration::from_millis(1300)));
    assert_eq!(opens(&outs), [(tracker, URL.to_owned())]);
    assert_eq!(troubles(&outs), [], "one lost socket is no news");
    rig.put(DiscoveryInput::TrackerOpened(tracker));
    let outs = rig.take();
    rig.make_offers(&outs);
    let sent = [sends(&outs), rig.sent()].concat();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].get("event"), None);
    assert!(!sent[0]["offers"].as_array().unwrap().is_empty());
}

#[test]
fn a_tracker_that_closes_every_socket_at_once_is_not_hammered() {
    let (mut rig, tracker) = Rig::announced();
    let mut opened = 0;
    let end = rig.now + secs(600);
    while rig.now < end {
        rig.text(tracker, &counted(0, 1));
        rig.lose(tracker);
        while opens(&rig.take()).is_empty() {
            rig.now = rig.machine.wake().unwrap().at;
        }
        opened += 1;
        rig.put(DiscoveryInput::TrackerOpened(tracker));
    }
    assert!(opened < 30, "{opened} sockets in ten minutes");
}

#[test]
fn a_socket_that_never_opens_is_given_up() {
    let mut rig = Rig::new();
    rig.start(T, HASH, &[URL]);
    rig.take();
    let outs = plain(&rig.pass(secs(21)));
    assert!(outs.iter().any(|out| matches!(out, Out::Action(Action::CloseTracker(_)))));
    assert!(matches!(troubles(&outs)[..], [TrackerTrouble::Unreachable(_)]));
}

#[test]
fn a_tracker_that_does_not_answer_an_announce_is_reconnected() {
    let (mut rig, _) = Rig::announced();
    let outs = plain(&rig.pass(secs(32)));
    assert!(outs.iter().any(|out| matches!(out, Out::Action(Action::CloseTracker(_)))));
    assert_eq!(opens(&outs).len(), 1);
}

#[test]
fn malformed_text_is_told_once_and_keeps_the_socket() {
    let (mut rig, tracker) = Rig::announced();
    let mut told = Vec::new();
    for text in ["", "{", "[]", "\u{0}", "{\"action\":\"announce\",\"info_hash\":\"short\"}"] {
        rig.put(DiscoveryInput::TrackerText { tracker, text: text.to_owned() });
        let outs = rig.take();
        assert!(!outs.iter().any(|out| matches!(out, Out::Action(_))));
        told.extend(troubles(&outs));
        rig.text(tracker, &counted(1, 1));
    }
    assert_eq!(told, [TrackerTrouble::Malformed]);
    assert!(rig.machine.views(rig.now, T)[0].working);
}

#[test]
fn a_refusal_is_told_cut_to_size_and_retried_slowly() {
    let (mut rig, tracker) = Rig::announced();
    let reason = "x".repeat(5000);
    rig.text(tracker, &json!({ "failure reason": reason, "info_hash": latin(&HASH.0) }));
    let outs = rig.take();
    assert_eq!(troubles(&outs), [TrackerTrouble::Refused("x".repeat(200))]);
    assert!(sends(&plain(&rig.pass(secs(290)))).is_empty());
    assert_eq!(sends(&plain(&rig.pass(secs(60)))).len(), 1);
}

#[test]
fn a_failure_nobody_waits_for_changes_nothing() {
    let (mut rig, tracker) = Rig::announced();
    rig.text(tracker, &counted(1, 1));
    rig.text(tracker, &json!({ "action": "announce", "failure reason": "no such peer" }));
    assert_eq!(troubles(&rig.take()), []);
    assert!(rig.machine.views(rig.now, T)[0].working);
}

#[test]
fn a_torrent_that_joins_a_lost_tracker_hears_of_it() {
    let mut rig = Rig::new();
    rig.start(T, HASH, &[URL]);
    let tracker = opens(&rig.take())[0].0;
    rig.lose(tracker);
    rig.take();
    rig.start(TorrentId(2), InfoHash([2; 20]), &[URL]);
    assert_eq!(troubles(&rig.take()), [TrackerTrouble::Unreachable("gone".to_owned())]);
}
