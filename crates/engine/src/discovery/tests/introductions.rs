//! Introductions: who is told of whom, who may offer and answer, and what abuse costs.

use headwater_wire::extended::{Refusal, SignalMessage, SignalNews, SignalWay};
use headwater_wire::tracker::OfferId;

use super::super::Linked;
use super::super::limit::{
    FAULTS, FORWARDS_UNANSWERED, INTRODUCTION_WAIT, INTRODUCTION_YIELD, INTRODUCTIONS_GRANTED,
    INTRODUCTIONS_TAKEN, INTRODUCTIONS_UNPROVEN, NEWS_EVERY, NEWS_TAKEN,
};
use super::*;

/// A rig without a tracker whose torrent is public, wants ten links and lacks bytes.
fn rig() -> Rig {
    let mut rig = Rig::new();
    rig.start(T, HASH, &[]);
    rig.progress(T, Some(1000));
    rig.want(T, 10);
    rig
}

fn peer(n: u8) -> PeerId {
    PeerId([n; 20])
}

fn id(n: u8) -> OfferId {
    OfferId([n; 20])
}

impl Rig {
    /// A linked neighbour, `n` being its name and its link's number.
    fn neighbour(&mut self, n: u8) -> LinkId {
        let link = LinkId(1000 + u64::from(n));
        let linked = Linked { torrent: T, since: self.now, direct: false };
        self.machine.linked.insert(link, linked);
        self.machine.torrents.get_mut(&T).unwrap().linked += 1;
        self.machine.peer_known(T, peer(n), true);
        self.machine.speaks_signal(self.now, T, (link, peer(n)), true);
        link
    }

    /// A neighbour that wants to be introduced.
    fn open_neighbour(&mut self, n: u8) -> LinkId {
        let link = self.neighbour(n);
        self.news(link, &[], &[]);
        link
    }

    fn news(&mut self, link: LinkId, added: &[PeerId], dropped: &[PeerId]) {
        let added = added.iter().map(|peer| (*peer, false)).collect();
        let dropped = dropped.to_vec();
        let news = SignalNews { open: true, seed: false, added, dropped };
        assert_eq!(self.hear(link, SignalMessage::News(news)), Ok(()));
    }

    fn hear(&mut self, link: LinkId, message: SignalMessage) -> Result<(), &'static str> {
        self.machine.signalled(self.now, (T, link), message)
    }

    fn offer(&mut self, link: LinkId, way: SignalWay, name: u8) -> Result<(), &'static str> {
        self.hear(link, SignalMessage::Offer { way, id: id(name), sdp: sdp(name.into()) })
    }

    fn answer(&mut self, link: LinkId, way: SignalWay, id: OfferId) -> Result<(), &'static str> {
        self.hear(link, SignalMessage::Answer { way, id, sdp: sdp(9) })
    }

    /// What it says to neighbours at this moment; every offer asked for is made.
    fn said(&mut self) -> Vec<(LinkId, SignalMessage)> {
        let mut said = Vec::new();
        loop {
            let outs = self.take();
            said.extend(says(&outs));
            if self.make_offers(&outs).is_empty() {
                return said;
            }
        }
    }

    /// The same while time passes.
    fn said_in(&mut self, span: Duration) -> Vec<(LinkId, SignalMessage)> {
        let end = self.now + span;
        let mut said = self.said();
        while let Some(wake) = self.machine.wake().filter(|wake| wake.at <= end) {
            self.now = self.now.max(wake.at);
            said.extend(self.said());
        }
        self.now = end;
        said
    }
}

fn says(outs: &[Out]) -> Vec<(LinkId, SignalMessage)> {
    let say = |out: &Out| {
        let Out::Say { link, message, torrent: T } = out else { return None };
        Some((*link, message.clone()))
    };
    outs.iter().filter_map(say).collect()
}

/// The offers among what was said: by which link, to whom, under which name.
fn offers_to(said: &[(LinkId, SignalMessage)]) -> Vec<(LinkId, PeerId, OfferId)> {
    let offer = |(link, message): &(LinkId, SignalMessage)| match message {
        SignalMessage::Offer { way: SignalWay::To(peer), id, .. } => Some((*link, *peer, *id)),
        SignalMessage::Offer { .. }
        | SignalMessage::Answer { .. }
        | SignalMessage::Refuse { .. }
        | SignalMessage::News(_) => None,
    };
    said.iter().filter_map(offer).collect()
}

fn refusal(way: SignalWay, name: u8, why: Refusal) -> SignalMessage {
    SignalMessage::Refuse { way, id: id(name), why }
}

/// How often `act` passes before it is refused.
fn passes(mut act: impl FnMut(u8) -> bool) -> usize {
    (0..u8::MAX).take_while(|n| act(*n)).count()
}

const SMALL: u8 = 0x10;
const LARGE: u8 = 0xf0;

#[test]
fn a_newcomer_hears_at_once_and_the_others_in_rounds() {
    let mut rig = rig();
    let one = rig.open_neighbour(1);
    rig.said();
    let two = rig.open_neighbour(2);
    let news = |added: &[u8]| {
        let added = added.iter().map(|n| (peer(*n), false)).collect();
        SignalMessage::News(SignalNews { open: true, seed: false, added, dropped: vec![] })
    };
    assert_eq!(rig.said(), [(two, news(&[])), (two, news(&[1]))]);
    assert_eq!(rig.said_in(NEWS_EVERY), [(one, news(&[2]))]);
    assert_eq!(rig.said_in(secs(3600)), [], "nothing changed, nothing is said");
    rig.machine.link_over(rig.now, two);
    let gone = SignalNews { open: true, seed: false, added: vec![], dropped: vec![peer(2)] };
    assert_eq!(rig.said(), [(one, SignalMessage::News(gone))]);
}

#[test]
fn a_peer_that_wants_no_introductions_gets_none_and_is_named_to_nobody() {
    let mut rig = rig();
    let (one, two) = (rig.neighbour(1), rig.open_neighbour(2));
    rig.said_in(NEWS_EVERY * 2);
    rig.offer(two, SignalWay::To(peer(1)), 7).unwrap();
    let absent = refusal(SignalWay::From(peer(1)), 7, Refusal::Absent);
    assert_eq!(rig.said(), [(two, absent)]);
    rig.want(T, 0);
    let closed = |(link, message): (LinkId, SignalMessage)| {
        let SignalMessage::News(news) = message else { panic!("{message:?}") };
        (link, news.open, news.added.len())
    };
    let said: Vec<_> = rig.said_in(NEWS_EVERY).into_iter().map(closed).collect();
    assert_eq!(said, [(one, false, 0), (two, false, 0)], "we have no room either");
}

#[test]
fn an_offer_and_its_answer_are_carried_once_between_the_two() {
    let mut rig = rig();
    let (one, two, three) = (rig.open_neighbour(1), rig.open_neighbour(2), rig.open_neighbour(3));
    rig.said_in(NEWS_EVERY);
    rig.offer(one, SignalWay::To(peer(2)), 7).unwrap();
    let (way, id) = (SignalWay::From(peer(1)), id(7));
    assert_eq!(rig.said(), [(two, SignalMessage::Offer { way, id, sdp: sdp(7) })]);
    rig.answer(three, SignalWay::To(peer(1)), id).unwrap();
    rig.answer(two, SignalWay::To(peer(3)), id).unwrap();
    assert_eq!(rig.said(), [], "forged answers go nowhere");
    rig.answer(two, SignalWay::To(peer(1)), id).unwrap();
    let way = SignalWay::From(peer(2));
    assert_eq!(rig.said(), [(one, SignalMessage::Answer { way, id, sdp: sdp(9) })]);
    rig.answer(two, SignalWay::To(peer(1)), id).unwrap();
    assert_eq!(rig.said(), [], "there is no second answer");
}

#[test]
fn what_was_forwarded_goes_no_further() {
    let mut rig = rig();
    let (one, two) = (rig.open_neighbour(1), rig.open_neighbour(2));
    rig.said_in(NEWS_EVERY);
    rig.offer(one, SignalWay::From(peer(2)), 7).unwrap();
    let known = refusal(SignalWay::To(peer(2)), 7, Refusal::Known);
    assert_eq!(rig.said(), [(one, known)], "it is for us, and we are linked to that peer");
    let _ = two;
}

#[test]
fn an_asker_hears_when_the_target_parts() {
    let mut rig = rig();
    let (one, two) = (rig.open_neighbour(1), rig.open_neighbour(2));
    rig.said_in(NEWS_EVERY);
    rig.offer(one, SignalWay::To(peer(2)), 7).unwrap();
    rig.said();
    rig.machine.link_over(rig.now, two);
    let absent = refusal(SignalWay::From(peer(2)), 7, Refusal::Absent);
    assert!(rig.said().contains(&(one, absent)));
}

#[test]
fn the_smaller_id_offers_at_once_and_the_larger_after_a_while() {
    let mut rig = rig();
    let relay = rig.open_neighbour(1);
    rig.news(relay, &[peer(LARGE)], &[]);
    let offers = offers_to(&rig.said());
    assert_eq!(offers.iter().map(|(.., to, _)| *to).collect::<Vec<_>>(), [peer(LARGE)]);
    rig.news(relay, &[peer(SMALL)], &[]);
    assert_eq!(offers_to(&rig.said_in(INTRODUCTION_YIELD - secs(1))), []);
    let offers = offers_to(&rig.said_in(secs(2)));
    assert_eq!(offers.iter().map(|(.., to, _)| *to).collect::<Vec<_>>(), [peer(SMALL)]);
}

#[test]
fn an_answer_counts_once_and_only_from_whom_the_offer_went_to() {
    let mut rig = rig();
    let (relay, other) = (rig.open_neighbour(1), rig.open_neighbour(2));
    rig.news(relay, &[peer(LARGE)], &[]);
    let (_, _, id) = offers_to(&rig.said())[0];
    let from = SignalWay::From;
    rig.answer(other, from(peer(LARGE)), id).unwrap();
    rig.answer(relay, from(peer(LARGE - 1)), id).unwrap();
    rig.answer(relay, from(peer(LARGE)), OfferId([0; 20])).unwrap();
    assert_eq!(takes(&rig.take()), []);
    rig.answer(relay, from(peer(LARGE)), id).unwrap();
    let outs = rig.take();
    let link = takes(&outs)[0];
    rig.answer(relay, from(peer(LARGE)), id).unwrap();
    assert_eq!(takes(&rig.take()), []);
    rig.put(opened(link));
    let who = Expected { peer: Some(peer(LARGE)), introduced: true, ..Expected::default() };
    assert!(rig.take().iter().any(|out| matches!(out, Out::Linked { who: of, .. } if *of == who)));
}

#[test]
fn an_offer_through_a_neighbour_is_answered_the_same_way() {
    let mut rig = rig();
    let relay = rig.open_neighbour(1);
    rig.said();
    rig.offer(relay, SignalWay::From(peer(SMALL)), 7).unwrap();
    let link = answers(&rig.take())[0];
    rig.put(DiscoveryInput::AnswerMade { link, sdp: sdp(3) });
    let (way, id) = (SignalWay::To(peer(SMALL)), id(7));
    assert_eq!(rig.said(), [(relay, SignalMessage::Answer { way, id, sdp: sdp(3) })]);
    rig.offer(relay, SignalWay::From(peer(SMALL)), 8).unwrap();
    let known = refusal(SignalWay::To(peer(SMALL)), 8, Refusal::Known);
    assert_eq!(rig.said(), [(relay, known)], "one link a pair");
}

#[test]
fn a_target_may_refuse() {
    let mut rig = rig();
    let relay = rig.open_neighbour(1);
    rig.said();
    rig.want(T, 0);
    rig.offer(relay, SignalWay::From(peer(SMALL)), 7).unwrap();
    let busy = refusal(SignalWay::To(peer(SMALL)), 7, Refusal::Busy);
    assert!(rig.said().contains(&(relay, busy)));
}

#[test]
fn of_crossing_offers_that_of_the_smaller_id_goes_on() {
    let mut rig = rig();
    let relay = rig.open_neighbour(1);
    rig.news(relay, &[peer(LARGE)], &[]);
    rig.said();
    rig.offer(relay, SignalWay::From(peer(LARGE)), 7).unwrap();
    let known = refusal(SignalWay::To(peer(LARGE)), 7, Refusal::Known);
    assert_eq!(rig.said(), [(relay, known)]);
    rig.news(relay, &[peer(SMALL)], &[]);
    let (_, _, ours) = offers_to(&rig.said_in(INTRODUCTION_YIELD))[0];
    rig.offer(relay, SignalWay::From(peer(SMALL)), 8).unwrap();
    assert_eq!(answers(&rig.take()).len(), 1);
    rig.answer(relay, SignalWay::From(peer(SMALL)), ours).unwrap();
    assert_eq!(takes(&rig.take()), [], "ours was taken back");
}

#[test]
fn a_refused_offer_serves_somebody_else_under_another_name() {
    let mut rig = rig();
    let relay = rig.open_neighbour(1);
    rig.news(relay, &[peer(LARGE)], &[]);
    let (_, _, id) = offers_to(&rig.said())[0];
    let way = SignalWay::From(peer(LARGE));
    rig.hear(relay, SignalMessage::Refuse { way, id, why: Refusal::Busy }).unwrap();
    rig.news(relay, &[peer(LARGE - 1)], &[]);
    let outs = rig.take();
    assert_eq!(offers(&outs), [], "no peer connection is made anew");
    let (_, to, again) = offers_to(&says(&outs))[0];
    assert_eq!(to, peer(LARGE - 1));
    assert_ne!(again, id);
}

#[test]
fn a_relay_that_swallows_offers_is_used_less_and_another_instead() {
    let mut rig = rig();
    let (deaf, relay) = (rig.open_neighbour(1), rig.open_neighbour(2));
    let invented: Vec<PeerId> = (0..50).map(|n| peer(LARGE - n)).collect();
    rig.news(deaf, &invented, &[]);
    let first = offers_to(&rig.said());
    assert_eq!(first.len(), INTRODUCTIONS_UNPROVEN, "nobody was met through it");
    rig.news(relay, &[peer(LARGE + 1)], &[]);
    assert_eq!(offers_to(&rig.said())[0].1, peer(LARGE + 1));
    let asked = offers_to(&rig.said_in(secs(3600)));
    let through = asked.iter().filter(|(link, ..)| *link == deaf).count();
    assert!(through <= 24, "{through} offers through a deaf relay in an hour");
}

#[test]
fn a_dropped_stranger_is_not_asked_for() {
    let mut rig = rig();
    let relay = rig.open_neighbour(1);
    rig.news(relay, &[peer(SMALL)], &[]);
    rig.news(relay, &[], &[peer(SMALL)]);
    assert_eq!(offers_to(&rig.said_in(secs(600))), []);
    rig.news(relay, &[peer(SMALL)], &[]);
    rig.machine.shun(T, peer(SMALL));
    assert_eq!(offers_to(&rig.said_in(secs(600))), []);
}

#[test]
fn floods_end_the_link_at_each_side_and_cost_the_target_little() {
    let mut rig = rig();
    let (one, two) = (rig.open_neighbour(1), rig.open_neighbour(2));
    rig.said_in(NEWS_EVERY);
    let faults = FAULTS.0 as usize;
    let asked = passes(|n| rig.offer(one, SignalWay::To(peer(2)), n).is_ok());
    assert_eq!(asked, INTRODUCTIONS_GRANTED.0 as usize + faults);
    let carried = rig.said().iter().filter(|(link, _)| *link == two).count();
    assert_eq!(carried, FORWARDS_UNANSWERED as usize);
    let brought = passes(|n| rig.offer(two, SignalWay::From(peer(n)), n).is_ok());
    assert!(brought <= INTRODUCTIONS_TAKEN.0 as usize + faults, "{brought}");
    assert!(answers(&rig.take()).len() <= 10);
    let three = rig.open_neighbour(3);
    let forged = passes(|n| rig.answer(three, SignalWay::From(peer(9)), id(n)).is_ok());
    assert_eq!(forged, faults);
    let four = rig.neighbour(4);
    let told = passes(|_| {
        let news = SignalNews { open: true, ..SignalNews::default() };
        rig.hear(four, SignalMessage::News(news)).is_ok()
    });
    assert_eq!(told, NEWS_TAKEN.0 as usize + faults);
}

#[test]
fn a_neighbour_that_says_nothing_is_sent_few_offers_and_may_answer_all_of_them_late() {
    let mut rig = rig();
    let (asker, sleeper) = (rig.open_neighbour(1), rig.open_neighbour(2));
    let is_offer = |(link, message): &&(LinkId, SignalMessage)| {
        *link == sleeper && matches!(message, SignalMessage::Offer { .. })
    };
    let mut sent = 0;
    for n in 0..30 {
        rig.offer(asker, SignalWay::To(peer(2)), n).unwrap();
        sent += rig.said_in(secs(6)).iter().filter(is_offer).count();
    }
    assert_eq!(sent, FORWARDS_UNANSWERED as usize);
    for n in 0..FORWARDS_UNANSWERED {
        rig.answer(sleeper, SignalWay::To(peer(1)), id(n as u8)).unwrap();
    }
    rig.offer(asker, SignalWay::To(peer(2)), 99).unwrap();
    assert_eq!(rig.said().iter().filter(is_offer).count(), 1);
}

#[test]
fn a_torrent_not_known_to_be_public_has_no_neighbours() {
    for private in [None, Some(true)] {
        let mut rig = Rig::new();
        rig.machine.start(rig.now, (T, false), &[HASH], &[], private);
        rig.want(T, 10);
        let link = rig.neighbour(1);
        rig.offer(link, SignalWay::From(peer(SMALL)), 7).unwrap();
        rig.news(link, &[peer(SMALL)], &[]);
        let outs = rig.pass(INTRODUCTION_WAIT);
        assert!(outs.iter().all(|(_, out)| !matches!(out, Out::Say { .. })));
    }
}

#[test]
fn with_links_enough_nobody_is_asked_but_offers_are_answered() {
    let mut rig = rig();
    let links: Vec<LinkId> = (1..=8).map(|n| rig.open_neighbour(n)).collect();
    rig.news(links[0], &[peer(LARGE)], &[]);
    assert_eq!(offers_to(&rig.said_in(secs(60))), []);
    rig.offer(links[0], SignalWay::From(peer(LARGE)), 7).unwrap();
    assert_eq!(answers(&rig.take()).len(), 1);
}
