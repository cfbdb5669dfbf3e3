//! A hybrid has two hashes, and so two swarms at each tracker.

use super::*;

const V2: InfoHash = InfoHash([0xe2; 20]);

/// A rig whose hybrid wants ten links and has an open tracker; and what it says there at first.
fn announced() -> (Rig, TrackerId, Vec<Value>) {
    let mut rig = Rig::new();
    rig.machine.start(rig.now, (T, false), &[HASH, V2], &[vec![URL.to_owned()]], Some(false));
    rig.progress(T, Some(1000));
    rig.want(T, 10);
    let outs = rig.take();
    rig.make_offers(&outs);
    let tracker = opens(&outs)[0].0;
    rig.put(DiscoveryInput::TrackerOpened(tracker));
    let sent = rig.sent();
    (rig, tracker, sent)
}

/// The same of another swarm.
fn of(hash: InfoHash, mut message: Value) -> Value {
    message["info_hash"] = json!(latin(&hash.0));
    message
}

fn hashes(sent: &[Value]) -> Vec<&str> {
    sent.iter().map(|sent| sent["info_hash"].as_str().unwrap()).collect()
}

fn offers_in(sent: &Value) -> usize {
    sent["offers"].as_array().map_or(0, Vec::len)
}

/// Whom links are handed over with, and by which hash they were met.
fn met(outs: &[Out]) -> Vec<(Option<PeerId>, Option<InfoHash>)> {
    let linked = |out: &Out| {
        let Out::Linked { who, .. } = out else { return None };
        Some((who.peer, who.hash))
    };
    outs.iter().filter_map(linked).collect()
}

#[test]
fn a_hybrid_is_announced_under_both_hashes_and_offers_go_to_the_first() {
    let (mut rig, tracker, sent) = announced();
    assert_eq!(hashes(&sent), [latin(&HASH.0), latin(&V2.0)]);
    assert!(sent.iter().all(|sent| sent["event"] == "started" && sent["left"] == 1000));
    assert_eq!(sent.iter().map(offers_in).collect::<Vec<_>>(), [5, 0]);
    rig.text(tracker, &of(HASH, counted(1, 1)));
    rig.text(tracker, &of(V2, counted(1, 2)));
    rig.progress(T, Some(0));
    let sent = rig.sent();
    assert_eq!(hashes(&sent), [latin(&HASH.0), latin(&V2.0)]);
    assert!(sent.iter().all(|sent| sent["event"] == "completed" && sent["left"] == 0));
    rig.machine.stop(T);
    let outs = rig.take();
    let sent = sends(&outs);
    assert_eq!(hashes(&sent), [latin(&HASH.0), latin(&V2.0)]);
    assert!(sent.iter().all(|sent| sent["event"] == "stopped"));
    assert!(outs.iter().any(|out| matches!(out, Out::Action(Action::CloseTracker(_)))));
    assert_eq!(rig.machine.wake(), None);
}

#[test]
fn a_second_hash_learnt_late_is_announced_at_the_trackers_there_are() {
    let (mut rig, tracker) = Rig::announced();
    rig.text(tracker, &counted(0, 1));
    rig.machine.start(rig.now, (T, false), &[HASH, V2], &[vec![URL.to_owned()]], Some(true));
    let outs = rig.take();
    assert_eq!((opens(&outs).len(), offers(&outs).len()), (0, 0));
    let sent = sends(&outs);
    assert_eq!(
        (hashes(&sent), &sent[0]["event"]),
        (vec![latin(&V2.0).as_str()], &json!("started"))
    );
    assert_eq!(rig.machine.views(rig.now, T).len(), 1);
}

#[test]
fn strangers_of_the_second_swarm_are_offered_few_links_and_those_linked_none() {
    let (mut rig, tracker, _) = announced();
    rig.text(tracker, &of(HASH, counted(0, 1)));
    rig.text(tracker, &of(V2, counted(0, 9)));
    let sent = sends(&plain(&rig.pass(secs(13))));
    let second: Vec<usize> =
        sent.iter().filter(|sent| sent["info_hash"] == latin(&V2.0)).map(offers_in).collect();
    assert_eq!(second, [2]);

    let (mut rig, tracker, _) = announced();
    rig.machine.peer_known(T, PEER, true);
    rig.text(tracker, &of(HASH, offered(PEER, 1)));
    rig.text(tracker, &of(HASH, counted(0, 2)));
    rig.text(tracker, &of(V2, counted(0, 2)));
    let sent = sends(&plain(&rig.pass(secs(100))));
    assert!(sent.iter().all(|sent| sent["info_hash"] != latin(&V2.0)), "{sent:?}");
}

#[test]
fn an_offer_is_answered_in_the_swarm_it_came_in() {
    let (mut rig, tracker, _) = announced();
    rig.text(tracker, &of(V2, offered(PEER, 9)));
    let link = answers(&rig.take())[0];
    rig.text(tracker, &of(HASH, offered(PEER, 8)));
    assert_eq!(answers(&rig.take()), [], "it is met already");
    rig.put(DiscoveryInput::AnswerMade { link, sdp: sdp(5) });
    assert_eq!(hashes(&rig.sent()), [latin(&V2.0)]);
    rig.put(opened(link));
    assert_eq!(met(&rig.take()), [(Some(PEER), Some(V2))]);
}

#[test]
fn an_answer_counts_only_in_the_swarm_that_was_offered_to() {
    let (mut rig, tracker, sent) = announced();
    let id = &sent[0]["offers"][0]["offer_id"];
    rig.text(tracker, &of(V2, answered(PEER, id)));
    assert_eq!(takes(&rig.take()), []);
    rig.text(tracker, &of(HASH, answered(PEER, id)));
    let link = takes(&rig.take())[0];
    rig.put(opened(link));
    assert_eq!(met(&rig.take()), [(Some(PEER), Some(HASH))]);
}

#[test]
fn one_tracker_has_one_view_and_tells_a_trouble_once() {
    let (mut rig, tracker, _) = announced();
    rig.text(tracker, &of(HASH, counted(3, 4)));
    rig.text(tracker, &of(V2, counted(2, 5)));
    let views = rig.machine.views(rig.now, T);
    assert_eq!((views.len(), views[0].complete, views[0].incomplete), (1, 3, 5));
    rig.put(DiscoveryInput::TrackerText { tracker, text: "{".to_owned() });
    assert_eq!(troubles(&rig.take()).len(), 1);
    rig.pass(secs(13));
    let failure = json!({ "action": "announce", "failure reason": "v1 only" });
    rig.text(tracker, &of(V2, failure));
    assert_eq!(troubles(&rig.take()), []);
}

#[test]
fn a_tracker_that_passes_over_the_second_hash_is_kept_for_the_first() {
    let (mut rig, tracker, _) = announced();
    rig.want(T, 0);
    rig.text(tracker, &of(HASH, counted(3, 4)));
    let outs = plain(&rig.pass(secs(100)));
    assert!(!outs.iter().any(|out| matches!(out, Out::Action(Action::CloseTracker(_)))));
    let sent = sends(&plain(&rig.pass(secs(21))));
    assert_eq!(sent.iter().filter(|sent| sent["info_hash"] == latin(&V2.0)).count(), 1);
}

#[test]
fn a_hash_of_another_torrent_is_left_to_it() {
    let (mut rig, tracker) = Rig::announced();
    rig.machine.start(
        rig.now,
        (TorrentId(2), false),
        &[V2, HASH],
        &[vec![URL.to_owned()]],
        Some(false),
    );
    assert_eq!(hashes(&rig.sent()), [latin(&V2.0)]);
    rig.machine.stop(TorrentId(2));
    assert_eq!(hashes(&rig.sent()), [latin(&V2.0)]);
    rig.want(T, 10);
    rig.text(tracker, &offered(PEER, 9));
    assert_eq!(answers(&rig.take()).len(), 1);
}
