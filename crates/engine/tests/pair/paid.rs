//! Sold slots and charged downloads: shares, allowances, and nothing of it before terms are set.

use bytes::Bytes;
use headwater_base::LinkId;
use headwater_engine::{ACCEPTED_FROM, Event, Input, PayNews, PayOrder};
use headwater_wire::extended::{BTT_PAY, BTT_PAY_OWN_ID, Handshake};
use headwater_wire::{BlockSpan, Message};

use crate::disk::Disk;
use crate::made::{Kind, made};
use crate::net::Net;
use crate::puppet::{Puppet, first_block};
use crate::{Sample, T, is_done, sample, secs};

const TERMS: &[u8] = b"d1:rle1:vi1ee";
const PIECE: u32 = 65_536;

/// A seed with an upload limit, and what it knows of puppets by their hosts.
struct Shop {
    net: Net,
    seed: usize,
    sample: Sample,
}

impl Shop {
    fn open(limit: u64) -> Self {
        let sample = sample(40_000_000, PIECE as usize);
        let mut net = Net::new(51);
        let seed = net.join_with(Disk::full(&sample), sample.whole(), |config| {
            config.upload_limit = Some(limit);
        });
        net.run(secs(1));
        let mut shop = Self { net, seed, sample };
        shop.put(Input::PayOrdered(PayOrder::Terms(Some(Bytes::from_static(TERMS)))));
        shop
    }

    fn put(&mut self, input: Input) {
        self.net.put(self.seed, input);
    }

    /// A peer that takes part and wants far more than it gets.
    fn customer(&mut self) -> Puppet {
        let puppet = Puppet::dial(&mut self.net, &self.sample, self.seed);
        puppet.say_handshake(&mut self.net, &terms());
        puppet.say(&mut self.net, &Message::HaveNone);
        puppet.say(&mut self.net, &Message::Interested);
        self.net.run(secs(1));
        puppet
    }

    fn sell(&mut self, puppet: Puppet, weight: u32) {
        self.put(Input::PayOrdered(PayOrder::Allow { link: theirs(puppet), bytes: u64::MAX }));
        self.put(Input::PayOrdered(PayOrder::Sell { link: theirs(puppet), weight }));
    }

    /// Bytes each gets in so many seconds, asking for more whenever it has what it asked for, and
    /// showing what it has.
    fn trade(&mut self, puppets: &[Puppet], seconds: u64) -> Vec<u64> {
        let mut asked = vec![(0, 0); puppets.len()];
        let before: Vec<u64> = puppets.iter().map(|puppet| got(&self.net, *puppet)).collect();
        for _ in 0..seconds {
            for (puppet, (asked, shown)) in puppets.iter().zip(&mut asked) {
                let came = got(&self.net, *puppet) / 16_384;
                let choked = is_choked(&self.net, *puppet);
                for piece in *shown..came / 4 {
                    puppet.say(&mut self.net, &Message::Have(block(piece * 4).piece));
                }
                *shown = came / 4;
                while !choked && *asked < came + 40 {
                    puppet.say(&mut self.net, &Message::Request(block(*asked)));
                    *asked += 1;
                }
                if choked {
                    *asked = came;
                }
            }
            self.net.run(secs(1));
        }
        let after = puppets.iter().zip(before);
        after.map(|(puppet, before)| got(&self.net, *puppet) - before).collect()
    }

    /// Has a puppet send what it was asked for.
    fn answer(&mut self, puppet: Puppet) {
        for BlockSpan { piece, begin, len } in puppet.asked(&self.net) {
            let from = (piece.0 * PIECE + begin) as usize;
            let data = Bytes::copy_from_slice(&self.sample.data[from..from + len as usize]);
            puppet.say(&mut self.net, &Message::Piece { piece, begin, data });
        }
    }

    fn news(&self) -> Vec<PayNews> {
        let events = self.net.hosts[self.seed].events.iter();
        events
            .filter_map(|(_, event)| match event {
                Event::Pay(news) => Some(news.clone()),
                _ => None,
            })
            .collect()
    }
}

fn terms() -> Handshake {
    let mut said = Handshake { pay: Some(Bytes::from_static(TERMS)), ..Handshake::ours() };
    said.ids.insert(BTT_PAY.to_owned(), BTT_PAY_OWN_ID);
    said
}

/// What the seed calls a puppet's link.
fn theirs(puppet: Puppet) -> LinkId {
    LinkId(ACCEPTED_FROM + puppet.host as u64)
}

fn block(at: u64) -> BlockSpan {
    let at = at % 2_400;
    BlockSpan { begin: (at % 4 * 16_384) as u32, ..first_block((at / 4) as u32) }
}

fn got(net: &Net, puppet: Puppet) -> u64 {
    let len = |message: &Message| match message {
        Message::Piece { data, .. } => data.len() as u64,
        _ => 0,
    };
    puppet.heard(net).iter().map(len).sum()
}

fn is_choked(net: &Net, puppet: Puppet) -> bool {
    let heard = puppet.heard(net);
    let last = heard.iter().rev().find(|said| matches!(said, Message::Choke | Message::Unchoke));
    last != Some(&Message::Unchoke)
}

#[test]
fn nothing_is_said_or_heard_of_payment_before_terms_are_set() {
    let sample = sample(400_000, PIECE as usize);
    let mut net = Net::new(52);
    let seed = net.join(Disk::full(&sample), sample.whole());
    let puppet = Puppet::dial(&mut net, &sample, seed);
    puppet.say_handshake(&mut net, &terms());
    puppet.say(&mut net, &Message::HaveNone);
    puppet.say(&mut net, &Message::Interested);
    let payload = Bytes::from_static(b"d1:ti0ee");
    puppet.say(&mut net, &Message::Extended { id: BTT_PAY_OWN_ID, payload });
    net.run(secs(30));
    let said = puppet.heard_extended(&net, 0).concat();
    assert!(!said.windows(7).any(|part| part == BTT_PAY.as_bytes()));
    assert_eq!(net.told(seed, |event| matches!(event, Event::Pay(_))), 0);
}

#[test]
fn terms_are_told_both_ways_messages_pass_and_opting_out_is_said() {
    let mut shop = Shop::open(1_000_000);
    let puppet = shop.customer();
    let link = theirs(puppet);
    let told = PayNews::Told { torrent: T, link, terms: Bytes::from_static(TERMS) };
    assert!(shop.news().contains(&told));
    let said = |shop: &Shop| {
        let handshakes = puppet.heard_extended(&shop.net, 0);
        Handshake::decode(handshakes.last().unwrap()).unwrap()
    };
    assert_eq!(said(&shop).pay.as_deref(), Some(TERMS));
    assert_eq!(said(&shop).ids.get(BTT_PAY), Some(&BTT_PAY_OWN_ID));

    let payload = Bytes::from_static(b"d1:ti0ee");
    puppet.say(&mut shop.net, &Message::Extended { id: BTT_PAY_OWN_ID, payload: payload.clone() });
    shop.put(Input::PayOrdered(PayOrder::Say { link, payload: payload.clone() }));
    shop.net.run(secs(1));
    assert!(shop.news().contains(&PayNews::Said { link, payload: payload.clone() }));
    assert_eq!(puppet.heard_extended(&shop.net, BTT_PAY_OWN_ID), [payload.to_vec()]);

    shop.put(Input::PayOrdered(PayOrder::Terms(None)));
    shop.net.run(secs(1));
    assert_eq!((said(&shop).pay, said(&shop).ids.get(BTT_PAY)), (None, Some(&0)));
}

#[test]
fn sold_slot_gets_half_of_what_is_sent_while_others_want_it_and_nobody_starves() {
    let mut shop = Shop::open(200_000);
    let puppets: Vec<Puppet> = (0..8).map(|_| shop.customer()).collect();
    shop.sell(puppets[0], 1_000_000);
    let got = shop.trade(&puppets, 120);
    let all: u64 = got.iter().sum();
    assert!(got[0].abs_diff(all / 2) < all / 20, "{got:?}");
    assert!(got[1..].iter().all(|bytes| *bytes > all / 50), "{got:?}");
}

#[test]
fn sold_slots_share_by_weight_and_take_all_that_nobody_else_wants() {
    let mut shop = Shop::open(200_000);
    let puppets: Vec<Puppet> = (0..2).map(|_| shop.customer()).collect();
    shop.sell(puppets[0], 250_000);
    shop.sell(puppets[1], 750_000);
    let got = shop.trade(&puppets, 60);
    let all: u64 = got.iter().sum();
    assert!(all > 60 * 180_000, "{got:?}");
    assert!(got[0].abs_diff(all / 4) < all / 40, "{got:?}");
}

#[test]
fn half_of_all_slots_at_most_are_sold() {
    let mut shop = Shop::open(30_000);
    let puppets: Vec<Puppet> = (0..8).map(|_| shop.customer()).collect();
    for puppet in &puppets[..6] {
        shop.sell(*puppet, 166_666);
    }
    let got = shop.trade(&puppets, 240);
    let all: u64 = got.iter().sum();
    assert!(got[6..].iter().all(|bytes| *bytes > all / 16), "{got:?}");
}

#[test]
fn money_takes_no_slot_from_peers_that_give() {
    let sample = sample(40_000_000, PIECE as usize);
    let mut net = Net::new(54);
    let limit = |config: &mut headwater_engine::Config| config.upload_limit = Some(30_000);
    let leech = net.join_with(Disk::default(), sample.whole(), limit);
    net.run(secs(1));
    net.put(leech, Input::PayOrdered(PayOrder::Terms(Some(Bytes::from_static(TERMS)))));
    let mut shop = Shop { net, seed: leech, sample };
    let puppets: Vec<Puppet> = (0..5).map(|_| shop.customer()).collect();
    for (at, puppet) in puppets[..3].iter().enumerate() {
        puppet.say(&mut shop.net, &Message::Have(first_block(at as u32).piece));
        puppet.say(&mut shop.net, &Message::Unchoke);
    }
    shop.net.run(secs(1));
    for puppet in &puppets[..3] {
        shop.answer(*puppet);
    }
    shop.net.run(secs(1));
    for puppet in &puppets[3..] {
        shop.sell(*puppet, 500_000);
    }
    // More is asked for than leaves, so that nobody is served because nothing else is to be done.
    for _ in 0..3 {
        for puppet in &puppets {
            for at in 0..60 {
                puppet.say(&mut shop.net, &Message::Request(block(at % 12)));
            }
        }
        shop.net.run(secs(10));
        let served: Vec<bool> = puppets.iter().map(|at| !is_choked(&shop.net, *at)).collect();
        assert_eq!(served[..3], [true; 3], "{served:?}");
    }
}

#[test]
fn sold_slot_is_sent_what_is_allowed_and_goes_on_when_more_is() {
    let mut shop = Shop::open(1_000_000);
    let puppet = shop.customer();
    let link = theirs(puppet);
    shop.put(Input::PayOrdered(PayOrder::Allow { link, bytes: 200_000 }));
    shop.put(Input::PayOrdered(PayOrder::Sell { link, weight: 1_000_000 }));
    let first = shop.trade(&[puppet], 10);
    assert_eq!(first, [12 * 16_384]);
    let sent = shop.news().into_iter().map(|news| match news {
        PayNews::Sent { bytes, .. } => bytes,
        _ => 0,
    });
    assert_eq!(sent.sum::<u64>(), 12 * 16_384);
    shop.put(Input::PayOrdered(PayOrder::Allow { link, bytes: 400_000 }));
    assert_eq!(shop.trade(&[puppet], 10), [12 * 16_384]);
}

/// Two seeds serve a leech that is charged by the first: bytes that came from that one and those
/// of them that were told as right.
fn charged(sample: &Sample) -> [u64; 2] {
    let mut net = Net::new(53);
    let terms = || Input::PayOrdered(PayOrder::Terms(Some(Bytes::from_static(TERMS))));
    for seed in [(); 2].map(|()| net.join(Disk::full(sample), sample.whole())) {
        net.put(seed, terms());
        net.hosts[seed].path.bandwidth = 300_000;
    }
    let leech = net.join(Disk::default(), sample.magnet());
    net.put(leech, terms());
    let told = |event: &Event| matches!(event, Event::Pay(PayNews::Told { .. }));
    assert!(net.run_until(secs(60), |net| net.told(leech, told) == 2).is_some());
    let seller = net.hosts[leech].events.iter().find_map(|(_, event)| match event {
        Event::Pay(PayNews::Told { link, .. }) => Some(*link),
        _ => None,
    });
    let seller = seller.unwrap();
    net.put(leech, Input::PayOrdered(PayOrder::Charge { link: seller, charges: true }));
    assert!(net.run_until(secs(120), |net| net.told(leech, is_done) == 1).is_some());
    let mut sums = [0; 2];
    for (_, event) in &net.hosts[leech].events {
        match event {
            Event::Pay(PayNews::Received { link, bytes }) if *link == seller => sums[0] += bytes,
            Event::Pay(PayNews::Verified { link, bytes }) if *link == seller => sums[1] += bytes,
            _ => {}
        }
    }
    sums
}

#[test]
fn bytes_that_are_charged_are_told_once_they_are_right_and_none_comes_in_vain() {
    let v1 = sample(3_000_000, PIECE as usize);
    let others = [Kind::V2, Kind::Hybrid].map(|kind| made(kind, &[3_000_000], PIECE as usize));
    for sample in [v1].iter().chain(&others) {
        let [came, right] = charged(sample);
        assert!(came > 600_000, "{came}");
        assert_eq!(right, came);
    }
}
