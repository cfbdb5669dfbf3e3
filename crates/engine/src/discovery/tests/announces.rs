//! Announces: when, with which event, which numbers and how many offers.

use super::*;

#[test]
fn the_first_announce_says_started_and_carries_five_offers_made_while_the_socket_opened() {
    let mut rig = Rig::new();
    rig.start(T, HASH, &[URL]);
    rig.progress(T, Some(1000));
    rig.want(T, 10);
    let outs = rig.take();
    assert_eq!(rig.make_offers(&outs).len(), 5);
    let tracker = opens(&outs)[0].0;
    rig.put(DiscoveryInput::TrackerOpened(tracker));
    let sent = rig.sent();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0]["action"], "announce");
    assert_eq!(sent[0]["event"], "started");
    assert_eq!(sent[0]["info_hash"], latin(&HASH.0));
    assert_eq!(sent[0]["peer_id"], latin(&SELF.0));
    assert_eq!((&sent[0]["uploaded"], &sent[0]["downloaded"]), (&json!(5), &json!(7)));
    assert_eq!(sent[0]["left"], 1000);
    assert_eq!(sent[0]["offers"].as_array().unwrap().len(), 5);
    assert!(sent[0]["numwant"].as_u64().unwrap() >= 5);
    assert_eq!(sent[0]["offers"][0]["offer"]["type"], "offer");
    let mut ids: Vec<String> =
        (0..5).map(|n| sent[0]["offers"][n]["offer_id"].as_str().unwrap().to_owned()).collect();
    ids.dedup();
    assert!(ids.len() == 5 && ids.iter().all(|id| id.chars().count() == 20), "{ids:?}");
}

#[test]
fn an_announce_waits_for_its_offers_but_not_long() {
    let (mut rig, _, outs) = Rig::opened_rig();
    assert_eq!(sends(&outs).len(), 0);
    rig.put(DiscoveryInput::OfferMade { link: offers(&outs)[0], sdp: sdp(1) });
    assert!(sends(&plain(&rig.pass(secs(2)))).is_empty());
    let sent = sends(&plain(&rig.pass(secs(1))));
    assert_eq!(sent[0]["offers"].as_array().unwrap().len(), 1);
}

#[test]
fn offers_made_too_late_for_an_announce_follow_in_another() {
    let (mut rig, tracker, outs) = Rig::opened_rig();
    let sent = sends(&plain(&rig.pass(secs(3))));
    assert_eq!((sent.len(), sent[0].get("offers")), (1, None));
    rig.text(tracker, &counted(0, 9));
    rig.make_offers(&outs);
    assert_eq!(rig.sent()[0]["offers"].as_array().unwrap().len(), 5);
    rig.text(tracker, &counted(0, 9));
    assert_eq!(rig.sent().len(), 0);
}

#[test]
fn unknown_left_is_said_as_a_number_no_tracker_takes_for_a_seed() {
    let mut rig = Rig::new();
    rig.start(T, HASH, &[URL]);
    let tracker = opens(&rig.take())[0].0;
    rig.put(DiscoveryInput::TrackerOpened(tracker));
    assert!(rig.sent()[0]["left"].as_u64().unwrap() > 0);
}

#[test]
fn a_torrent_short_of_links_announces_again_soon_and_then_ever_less_often() {
    let (mut rig, tracker) = Rig::announced();
    let mut sent_at = vec![rig.now];
    while sent_at.len() < 7 {
        rig.text(tracker, &counted(0, 1));
        loop {
            let outs = rig.take();
            rig.make_offers(&outs);
            if sends(&outs).len() + rig.sent().len() > 0 {
                break sent_at.push(rig.now);
            }
            rig.now = rig.machine.wake().unwrap().at;
        }
    }
    let pauses: Vec<u64> = sent_at.windows(2).map(|pair| (pair[1] - pair[0]).as_secs()).collect();
    assert!((10..=12).contains(&pauses[0]), "{pauses:?}");
    assert!((20..=24).contains(&pauses[1]), "{pauses:?}");
    assert!(pauses[4..].iter().all(|pause| (119..=123).contains(pause)), "{pauses:?}");
}

#[test]
fn a_torrent_with_enough_links_keeps_the_interval_of_the_tracker() {
    let (mut rig, tracker) = Rig::announced();
    rig.want(T, 0);
    rig.text(tracker, &counted(0, 50));
    assert!(sends(&plain(&rig.pass(secs(119)))).is_empty());
    let sent = sends(&plain(&rig.pass(secs(2))));
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].get("event"), None);
    assert_eq!(sent[0]["offers"].as_array().map_or(0, Vec::len), 0);
}

#[test]
fn the_least_pause_a_tracker_asks_for_holds_though_links_are_missing() {
    let (mut rig, tracker) = Rig::announced();
    let mut answer = counted(0, 1);
    answer["min interval"] = json!(60);
    rig.text(tracker, &answer);
    assert!(sends(&plain(&rig.pass(secs(59)))).is_empty());
    assert!(!plain(&rig.pass(secs(3))).is_empty());
}

#[test]
fn absurd_intervals_are_brought_into_bounds() {
    for (asked, from, to) in [(0, 9, 11), (1_000_000, 1799, 1801)] {
        let (mut rig, tracker) = Rig::announced();
        rig.want(T, 0);
        let mut answer = counted(0, 1);
        answer["interval"] = json!(asked);
        rig.text(tracker, &answer);
        assert!(sends(&plain(&rig.pass(secs(from)))).is_empty(), "{asked}");
        assert_eq!(sends(&plain(&rig.pass(secs(to - from)))).len(), 1, "{asked}");
    }
}

#[test]
fn unanswered_offers_are_announced_again_while_young_and_then_closed() {
    let (mut rig, tracker) = Rig::announced();
    rig.text(tracker, &counted(0, 6));
    let outs = plain(&rig.pass(secs(13)));
    assert_eq!(offers(&outs), [], "no new peer connection is made");
    let again = sends(&outs);
    assert_eq!(again[0]["offers"].as_array().unwrap().len(), 5);
    rig.text(tracker, &counted(0, 6));
    rig.want(T, 0);
    assert_eq!(closes(&plain(&rig.pass(secs(50)))).len(), 5);
}

#[test]
fn offers_just_announced_are_not_announced_elsewhere_at_once() {
    let (mut rig, _) = Rig::announced();
    rig.start(T, HASH, &["ws://second.example"]);
    let second = opens(&rig.take())[0].0;
    rig.put(DiscoveryInput::TrackerOpened(second));
    assert_eq!(offers(&rig.take()).len(), 5);
}

#[test]
fn a_torrent_keeps_no_more_offers_waiting_however_many_trackers_open() {
    let mut rig = Rig::new();
    let urls: Vec<String> = (0..6).map(|n| format!("ws://t{n}.example")).collect();
    rig.start(T, HASH, &urls.iter().map(String::as_str).collect::<Vec<_>>());
    rig.want(T, 40);
    let outs = rig.take();
    let mut made = rig.make_offers(&outs).len();
    let mut announced = 0;
    for (tracker, _) in opens(&outs) {
        rig.put(DiscoveryInput::TrackerOpened(tracker));
        let outs = rig.take();
        made += rig.make_offers(&outs).len();
        announced += sends(&outs).len() + rig.sent().len();
    }
    assert_eq!((made, announced), (super::super::limit::OFFERS_PER_TORRENT, 6));
}

#[test]
fn offers_near_their_end_are_announced_nowhere() {
    let (mut rig, tracker) = Rig::announced();
    rig.text(tracker, &counted(0, 6));
    rig.pass(secs(49));
    rig.start(T, HASH, &["ws://second.example"]);
    let second = opens(&rig.take())[0].0;
    rig.put(DiscoveryInput::TrackerOpened(second));
    assert_eq!(offers(&rig.take()).len(), 5);
}

#[test]
fn offers_that_fail_at_once_are_not_made_for_ever() {
    let mut rig = Rig::new();
    let urls: Vec<String> = (0..16).map(|n| format!("ws://t{n}.example")).collect();
    rig.start(T, HASH, &urls.iter().map(String::as_str).collect::<Vec<_>>());
    rig.want(T, 40);
    let mut made = 0;
    let opened = opens(&rig.take());
    for (tracker, _) in &opened {
        rig.put(DiscoveryInput::TrackerOpened(*tracker));
    }
    for _ in 0..720 {
        let outs = plain(&rig.pass(secs(5)));
        made += offers(&outs).len();
        for link in offers(&outs) {
            rig.put(DiscoveryInput::LinkClosed { link, end: FAILED });
        }
        for (tracker, _) in &opened {
            rig.text(*tracker, &counted(5, 50));
        }
    }
    assert!((100..=305).contains(&made), "{made} made in an hour");
}

#[test]
fn a_lonely_torrent_keeps_one_offer_out_and_a_lonely_seed_none() {
    let (mut rig, tracker) = Rig::announced();
    rig.text(tracker, &counted(0, 1));
    let again = sends(&plain(&rig.pass(secs(13))));
    assert_eq!(again[0]["offers"].as_array().unwrap().len(), 1);
    let (mut rig, tracker) = Rig::announced();
    rig.progress(T, Some(0));
    rig.text(tracker, &counted(1, 0));
    let later = sends(&plain(&rig.pass(secs(240))));
    assert!(later.iter().all(|sent| sent["offers"].as_array().is_none_or(Vec::is_empty)));
}

#[test]
fn a_seed_offers_links_to_seeds_for_as_long_as_it_wants_a_key() {
    let (mut rig, tracker) = Rig::announced();
    rig.progress(T, Some(0));
    rig.text(tracker, &counted(3, 0));
    // It says that it is complete.
    rig.pass(secs(15));
    rig.text(tracker, &counted(3, 0));
    rig.meet(true);
    let sent = sends(&plain(&rig.pass(secs(15))));
    assert!(!sent.is_empty(), "it announces soon");
    assert_eq!(sent[0]["offers"].as_array().unwrap().len(), 2, "an offer for each of the others");
    assert_ne!(sent[0]["left"], 0, "or no tracker hands it to a seed");
    rig.meet(false);
    rig.text(tracker, &counted(3, 0));
    let later = sends(&plain(&rig.pass(secs(240))));
    assert!(later.iter().all(|sent| sent["offers"].as_array().is_none_or(Vec::is_empty)));
}

#[test]
fn messages_stay_under_the_frame_limit_of_the_strictest_tracker() {
    let (mut rig, tracker, outs) = Rig::opened_rig();
    let long = |link: u64, len: usize| {
        let mut text = sdp(link);
        for n in 0..len / 60 {
            text += &format!("a=candidate:{n} 1 udp 2113937151 192.168.0.7 5000 typ host\r\n");
        }
        text
    };
    for (n, link) in offers(&outs).into_iter().enumerate() {
        let sdp = long(link.0, if n == 0 { 6000 } else { 3000 });
        rig.put(DiscoveryInput::OfferMade { link, sdp });
    }
    let outs = plain(&rig.pass(secs(0)));
    let first = sends(&outs);
    let count = first[0]["offers"].as_array().unwrap().len();
    assert!((1..5).contains(&count), "{count}");
    rig.text(tracker, &counted(0, 9));
    let outs = [outs, plain(&rig.pass(secs(12)))].concat();
    let second = sends(&outs);
    assert_eq!(second.len(), 2, "the rest follows");
    for out in &outs {
        if let Out::Action(Action::SendTracker { text, .. }) = out {
            assert!(text.len() < 16 * 1024, "{} bytes", text.len());
        }
    }
}

#[test]
fn completed_is_said_once_and_only_if_something_was_missing() {
    let (mut rig, tracker) = Rig::announced();
    rig.text(tracker, &counted(1, 1));
    rig.progress(T, Some(0));
    let sent = rig.sent();
    assert_eq!((&sent[0]["event"], &sent[0]["left"]), (&json!("completed"), &json!(0)));
    assert_eq!(sent[0]["offers"].as_array().map_or(0, Vec::len), 0);
    rig.text(tracker, &counted(2, 0));
    rig.progress(T, Some(9));
    rig.progress(T, Some(0));
    assert_eq!(rig.sent().len(), 0);

    let mut rig = Rig::new();
    rig.start(T, HASH, &[URL]);
    rig.progress(T, None);
    rig.progress(T, Some(0));
    let tracker = opens(&rig.take())[0].0;
    rig.put(DiscoveryInput::TrackerOpened(tracker));
    assert_eq!(rig.sent()[0]["event"], "started");
    rig.text(tracker, &counted(1, 0));
    assert!(sends(&plain(&rig.pass(secs(130)))).iter().all(|sent| sent.get("event").is_none()));
}

#[test]
fn completed_waits_for_a_tracker_that_is_away() {
    let (mut rig, tracker) = Rig::announced();
    rig.text(tracker, &counted(1, 1));
    rig.lose(tracker);
    rig.progress(T, Some(0));
    rig.want(T, 0);
    rig.pass(secs(2));
    rig.put(DiscoveryInput::TrackerOpened(tracker));
    assert_eq!(rig.sent()[0]["event"], "completed");
}

#[test]
fn a_torrent_that_stops_before_it_said_started_says_nothing() {
    let (mut rig, _, outs) = Rig::opened_rig();
    assert_eq!(sends(&outs).len(), 0);
    rig.machine.stop(T);
    assert_eq!(rig.sent().len(), 0);
}

#[test]
fn a_resumed_torrent_says_started_again() {
    let (mut rig, old) = Rig::announced();
    rig.machine.stop(T);
    rig.take();
    let (new, outs) = rig.opened();
    assert_ne!(new, old, "the old socket may still be closing");
    rig.make_offers(&outs);
    assert_eq!(rig.sent()[0]["event"], "started");
}

#[test]
fn views_show_counts_and_the_time_to_the_next_announce() {
    let (mut rig, tracker) = Rig::announced();
    rig.want(T, 0);
    rig.text(tracker, &counted(3, 4));
    let view = &rig.machine.views(rig.now, T)[0];
    assert_eq!((view.url.as_str(), view.working), (URL, true));
    assert_eq!((view.complete, view.incomplete, view.next_in), (3, 4, Some(120)));
}

#[test]
fn the_same_seed_and_inputs_give_the_same_messages() {
    let run = || {
        let (mut rig, tracker) = Rig::announced();
        rig.text(tracker, &counted(0, 1));
        format!("{:?}", rig.pass(secs(300)))
    };
    assert_eq!(run(), run());
}
