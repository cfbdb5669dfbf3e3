//! Link attempts: matched, refused, timed out, handed over, and how many there may be.

use super::super::Role;
use super::*;
use crate::Attempts;

/// The links handed over among `outs`.
fn linked(outs: &[Out]) -> Vec<(LinkId, Role, Option<PeerId>)> {
    let linked = |out: &Out| {
        let Out::Linked { link, role, who, .. } = out else { return None };
        Some((*link, *role, who.peer))
    };
    outs.iter().filter_map(linked).collect()
}

/// A rig that announced five offers, and what it announced.
fn announced() -> (Rig, TrackerId, Vec<LinkId>, Value) {
    let (mut rig, tracker, outs) = Rig::opened_rig();
    let links = rig.make_offers(&outs);
    let sent = rig.sent().remove(0);
    rig.text(tracker, &counted(0, 2));
    (rig, tracker, links, sent)
}

fn other(n: u8) -> PeerId {
    PeerId([n; 20])
}

#[test]
fn an_answer_to_our_offer_becomes_a_link() {
    let (mut rig, tracker, links, sent) = announced();
    rig.text(tracker, &answered(PEER, &sent["offers"][2]["offer_id"]));
    assert_eq!(takes(&rig.take()), [links[2]]);
    rig.put(DiscoveryInput::LinkOpened { link: links[2], window: 77, from: None });
    let outs = rig.take();
    assert_eq!(linked(&outs), [(links[2], Role::Offered, Some(PEER))]);
    assert!(matches!(outs[0], Out::Linked { window: 77, torrent: T, .. }));
}

#[test]
fn an_offer_is_answered_and_becomes_a_link() {
    let (mut rig, tracker, ..) = announced();
    rig.text(tracker, &offered(PEER, 9));
    let link = answers(&rig.take())[0];
    rig.put(DiscoveryInput::AnswerMade { link, sdp: sdp(5) });
    let sent = rig.sent().remove(0);
    assert_eq!(sent["to_peer_id"], latin(&PEER.0));
    assert_eq!(sent["peer_id"], latin(&SELF.0));
    assert_eq!(sent["offer_id"], latin(&[9; 20]));
    assert_eq!(sent["answer"], json!({ "type": "answer", "sdp": sdp(5) }));
    assert_eq!(sent["left"], 1000, "trackers take an answer without it for a leecher's");
    rig.put(opened(link));
    assert_eq!(linked(&rig.take()), [(link, Role::Answered, Some(PEER))]);
}

#[test]
fn crossing_offers_both_go_on() {
    let (mut rig, tracker, links, sent) = announced();
    rig.text(tracker, &offered(PEER, 9));
    let answer = answers(&rig.take())[0];
    rig.put(DiscoveryInput::AnswerMade { link: answer, sdp: sdp(5) });
    rig.text(tracker, &answered(PEER, &sent["offers"][0]["offer_id"]));
    let outs = rig.take();
    assert_eq!((takes(&outs), closes(&outs)), (vec![links[0]], vec![]));
    rig.put(opened(answer));
    rig.put(opened(links[0]));
    assert_eq!(linked(&rig.take()).len(), 2);
}

#[test]
fn forged_and_repeated_answers_are_ignored() {
    let (mut rig, tracker, _, sent) = announced();
    let id = &sent["offers"][0]["offer_id"];
    rig.text(tracker, &answered(PEER, &json!(latin(&[0; 20]))));
    rig.text(tracker, &answered(SELF, id));
    let mut foreign = answered(PEER, id);
    foreign["info_hash"] = json!(latin(&[1; 20]));
    rig.text(tracker, &foreign);
    assert!(rig.take().is_empty());
    rig.text(tracker, &answered(PEER, id));
    rig.text(tracker, &answered(PEER, id));
    rig.text(tracker, &answered(other(5), id));
    assert_eq!(takes(&rig.take()).len(), 1);
}

#[test]
fn an_answer_from_a_tracker_that_never_had_the_offer_is_ignored() {
    let (mut rig, _, _, sent) = announced();
    rig.start(T, HASH, &["ws://second.example"]);
    let second = opens(&rig.take())[0].0;
    rig.put(DiscoveryInput::TrackerOpened(second));
    rig.take();
    rig.text(second, &answered(PEER, &sent["offers"][0]["offer_id"]));
    assert_eq!(takes(&rig.take()), []);
}

#[test]
fn our_own_offers_foreign_torrents_and_known_peers_get_no_answer() {
    let (mut rig, tracker, ..) = announced();
    rig.text(tracker, &offered(SELF, 1));
    let mut foreign = offered(PEER, 2);
    foreign["info_hash"] = json!(latin(&[1; 20]));
    rig.text(tracker, &foreign);
    rig.machine.peer_known(T, PEER, true);
    rig.text(tracker, &offered(PEER, 3));
    assert!(rig.take().is_empty());
    rig.machine.peer_known(T, PEER, false);
    rig.text(tracker, &offered(PEER, 4));
    rig.text(tracker, &offered(PEER, 5));
    assert_eq!(answers(&rig.take()).len(), 1, "one attempt at a time for one peer");
}

#[test]
fn a_known_peers_answer_leaves_the_offer_to_others() {
    let (mut rig, tracker, links, sent) = announced();
    let id = &sent["offers"][0]["offer_id"];
    rig.machine.peer_known(T, PEER, true);
    rig.text(tracker, &answered(PEER, id));
    assert!(rig.take().is_empty());
    rig.text(tracker, &answered(other(5), id));
    assert_eq!(takes(&rig.take()), [links[0]]);
}

#[test]
fn a_torrent_that_wants_no_links_answers_nobody() {
    let (mut rig, tracker, _, sent) = announced();
    rig.want(T, 1);
    rig.text(tracker, &offered(PEER, 1));
    assert_eq!(answers(&rig.take()).len(), 1);
    rig.text(tracker, &offered(other(5), 2));
    rig.text(tracker, &answered(other(6), &sent["offers"][0]["offer_id"]));
    assert!(rig.take().is_empty(), "the one wanted link is on its way");
}

#[test]
fn floods_of_offers_are_answered_a_few_at_a_time() {
    let (mut rig, tracker, ..) = announced();
    rig.want(T, 1000);
    for n in 0..200 {
        rig.text(tracker, &offered(PeerId([n; 20]), n));
    }
    assert_eq!(answers(&rig.take()).len(), Attempts::PAGE.answers_per_torrent_max);
    let mut made = 0;
    for round in 0..360 {
        for n in 0..20 {
            let mut peer = [n; 20];
            peer[1] = (round % 251) as u8;
            rig.text(tracker, &offered(PeerId(peer), n));
        }
        let outs = plain(&rig.pass(secs(10)));
        made += answers(&outs).len();
        for link in answers(&outs) {
            rig.put(DiscoveryInput::LinkClosed { link, end: FAILED });
        }
        rig.text(tracker, &counted(0, 2));
    }
    assert!(made <= 60 + 365, "{made} peer connections in an hour");
}

#[test]
fn program_is_there_for_a_crowd_that_comes_and_goes() {
    let mut rig = Rig::with(|config| config.attempts = Attempts::PROGRAM);
    let (tracker, _) = rig.opened();
    rig.text(tracker, &counted(0, 2));
    rig.take();
    let mut met = 0;
    // Five visitors a second for ten minutes, as a film has that many watch.
    for second in 0..600_u32 {
        for n in 0..5 {
            let [.., high, low] = (second * 5 + n).to_be_bytes();
            let mut peer = [n as u8; 20];
            (peer[1], peer[2]) = (high, low);
            rig.text(tracker, &offered(PeerId(peer), n as u8));
        }
        let links = answers(&rig.take());
        met += links.len();
        for link in links {
            rig.put(DiscoveryInput::LinkClosed { link, end: FAILED });
        }
        rig.pass(secs(1));
        rig.text(tracker, &counted(0, 2));
    }
    assert_eq!(met, 600 * 5);
}

#[test]
fn attempts_that_take_too_long_are_closed() {
    let (mut rig, tracker, outs) = Rig::opened_rig();
    let links = offers(&outs);
    rig.text(tracker, &offered(PEER, 1));
    let slow_answer = answers(&rig.take())[0];
    rig.text(tracker, &offered(other(5), 2));
    let answer = answers(&rig.take())[0];
    rig.put(DiscoveryInput::AnswerMade { link: answer, sdp: sdp(5) });
    let closed = |outs: Vec<(Time, Out)>, start: Time| -> Vec<(LinkId, u64)> {
        let close = |(at, out): &(Time, Out)| {
            let Out::Action(Action::CloseLink(link)) = out else { return None };
            Some((*link, (*at - start).as_secs()))
        };
        outs.iter().filter_map(close).collect()
    };
    let start = rig.now;
    let closed = closed(rig.pass(secs(26)), start);
    assert!(links.iter().all(|link| closed.contains(&(*link, 10))), "{closed:?}");
    assert!(closed.contains(&(slow_answer, 10)), "{closed:?}");
    assert!(closed.contains(&(answer, 25)), "{closed:?}");
    rig.put(DiscoveryInput::OfferMade { link: links[0], sdp: sdp(1) });
    rig.put(opened(answer));
    assert_eq!(linked(&rig.take()), [], "news of what was given up is ignored");
}

#[test]
fn a_taken_answer_that_leads_nowhere_is_closed() {
    let (mut rig, tracker, links, sent) = announced();
    rig.text(tracker, &answered(PEER, &sent["offers"][0]["offer_id"]));
    rig.take();
    rig.want(T, 0);
    let outs = plain(&rig.pass(secs(26)));
    assert_eq!(closes(&outs), [links[0]]);
}

#[test]
fn without_webrtc_it_says_so_once_and_still_announces() {
    let (mut rig, tracker, outs) = Rig::opened_rig();
    for link in offers(&outs) {
        rig.put(DiscoveryInput::LinkClosed { link, end: LinkEnd::Unsupported });
    }
    let outs = rig.take();
    let warned = |outs: &[Out]| {
        let is = |out: &&Out| {
            matches!(out, Out::Event(Event::Warned { warning: Warning::LinksUnsupported, .. }))
        };
        outs.iter().filter(is).count()
    };
    assert_eq!((warned(&outs), sends(&outs).len()), (1, 1));
    rig.text(tracker, &counted(1, 5));
    rig.text(tracker, &offered(PEER, 1));
    let outs = plain(&rig.pass(secs(130)));
    assert_eq!((offers(&outs).len(), answers(&outs).len(), sends(&outs).len()), (0, 0, 1));
    rig.text(tracker, &counted(1, 5));
    let mut later = Vec::new();
    for _ in 0..3 {
        let outs = plain(&rig.pass(secs(120)));
        for link in offers(&outs) {
            rig.put(DiscoveryInput::LinkClosed { link, end: LinkEnd::Unsupported });
        }
        later.extend(outs);
        later.extend(rig.take());
        rig.text(tracker, &counted(1, 5));
    }
    assert!(!offers(&later).is_empty(), "it tries again later");
    assert_eq!(warned(&later), 0);
}

#[test]
fn all_torrents_together_stay_under_the_links_allowed() {
    let mut rig = Rig::with(|config| config.links_max = 12);
    for n in 1..=20 {
        rig.start(TorrentId(n), InfoHash([n as u8; 20]), &[URL]);
        rig.want(TorrentId(n), 10);
    }
    let outs = rig.take();
    assert_eq!(rig.make_offers(&outs).len(), 4, "a third is for offers");
    rig.put(DiscoveryInput::TrackerOpened(opens(&outs)[0].0));
    let mut live = rig.machine.attempts();
    for n in 1..=20 {
        let mut offer = offered(PEER, n);
        offer["info_hash"] = json!(latin(&[n; 20]));
        rig.text(opens(&outs)[0].0, &offer);
        rig.take();
        live = live.max(rig.machine.attempts());
    }
    assert_eq!(live, 12);
}

#[test]
fn an_offer_nobody_took_makes_way_for_somebody_who_is_there() {
    let (mut rig, tracker) = {
        let mut rig = Rig::with(|config| config.links_max = 6);
        let (tracker, outs) = rig.opened();
        assert_eq!(rig.make_offers(&outs).len(), 2);
        rig.take();
        (rig, tracker)
    };
    rig.text(tracker, &counted(0, 1));
    rig.pass(secs(9));
    for n in 1..=7 {
        rig.text(tracker, &offered(other(n), n));
    }
    let outs = rig.take();
    assert_eq!((answers(&outs).len(), closes(&outs).len()), (6, 2));
    assert_eq!(rig.machine.attempts(), 6);
}

#[test]
fn a_closed_link_frees_its_place_and_one_that_lasted_is_looked_for_at_once() {
    let (mut rig, tracker, links, sent) = announced();
    rig.text(tracker, &answered(PEER, &sent["offers"][0]["offer_id"]));
    rig.put(opened(links[0]));
    rig.machine.peer_known(T, PEER, true);
    rig.want(T, 9);
    rig.text(tracker, &counted(0, 2));
    let outs = rig.pass(secs(100));
    assert_eq!(sends(&plain(&outs)).len(), 0, "the only other peer is linked");
    rig.machine.peer_known(T, PEER, false);
    rig.machine.link_over(rig.now, links[0]);
    let outs = plain(&rig.pass(secs(3)));
    assert_eq!(sends(&outs).len() + offers(&outs).len(), 2, "an offer is made at once");
    assert!(rig.machine.linked.is_empty());
}

#[test]
fn a_torrent_linked_to_everybody_makes_no_offers() {
    let (mut rig, tracker, links, sent) = announced();
    rig.text(tracker, &answered(PEER, &sent["offers"][0]["offer_id"]));
    rig.put(opened(links[0]));
    rig.machine.peer_known(T, PEER, true);
    rig.start(T, HASH, &["ws://second.example"]);
    let second = opens(&rig.take())[0].0;
    rig.put(DiscoveryInput::TrackerOpened(second));
    let outs = rig.take();
    rig.make_offers(&outs);
    rig.take();
    rig.text(second, &offered(PEER, 7));
    let mut outs = Vec::new();
    for _ in 0..60 {
        rig.text(tracker, &counted(0, 2));
        rig.text(second, &counted(0, 2));
        outs.extend(plain(&rig.pass(secs(10))));
    }
    assert_eq!((offers(&outs), answers(&outs)), (vec![], vec![]));
    assert!(sends(&outs).len() >= 8);
    rig.text(second, &counted(0, 3));
    assert_eq!(offers(&plain(&rig.pass(secs(125)))).len(), 1, "there is a stranger");
}

#[test]
fn a_link_that_lasts_a_moment_causes_no_haste() {
    let (mut rig, tracker, ..) = announced();
    for _ in 0..2 {
        assert_eq!(sends(&plain(&rig.pass(secs(24)))).len(), 1);
        rig.text(tracker, &counted(0, 2));
    }
    rig.text(tracker, &offered(PEER, 9));
    let link = answers(&rig.take())[0];
    rig.put(DiscoveryInput::AnswerMade { link, sdp: sdp(5) });
    rig.put(opened(link));
    rig.take();
    rig.pass(secs(1));
    rig.machine.link_over(rig.now, link);
    assert_eq!(sends(&plain(&rig.pass(secs(15)))).len(), 0);
}

#[test]
fn links_of_a_stopped_torrent_no_longer_count() {
    let (mut rig, tracker, ..) = announced();
    let link = |rig: &mut Rig, tracker| {
        rig.text(tracker, &offered(PEER, 9));
        let link = answers(&rig.take())[0];
        rig.put(DiscoveryInput::AnswerMade { link, sdp: sdp(5) });
        rig.put(opened(link));
        rig.take();
        link
    };
    let old = link(&mut rig, tracker);
    rig.machine.stop(T);
    rig.take();
    let (tracker, _) = rig.opened();
    link(&mut rig, tracker);
    rig.machine.link_over(rig.now, old);
    assert_eq!((rig.machine.linked.len(), rig.machine.torrents[&T].linked), (1, 1));
}

#[test]
fn a_tracker_lost_while_an_answer_is_made_ends_the_attempt() {
    let (mut rig, tracker, ..) = announced();
    rig.text(tracker, &offered(PEER, 9));
    let link = answers(&rig.take())[0];
    rig.lose(tracker);
    rig.put(DiscoveryInput::AnswerMade { link, sdp: sdp(5) });
    let outs = rig.take();
    assert_eq!((closes(&outs), sends(&outs).len()), (vec![link], 0));
}
