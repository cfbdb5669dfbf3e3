//! Ports of a router that lead to ours: who is told which, and when.

use headwater_wire::tracker::http::{Found, Refusal};

use super::*;
use crate::{Asked, AskedFailure};

const PLAIN: &str = "http://tracker.example/announce";

fn rig() -> Rig {
    let mut rig = Rig::with(|config| {
        (config.dials, config.seeks) = (true, true);
        (config.listens, config.dht_port) = (Some(7000), Some(7001));
    });
    rig.machine.start(rig.now, (T, false), &[HASH], &[vec![PLAIN.to_owned()]], Some(false));
    rig.progress(T, Some(0));
    rig.want(T, 10);
    rig
}

/// The port that the DHT is told.
fn announced(outs: &[Out]) -> Option<u16> {
    outs.iter().find_map(|out| match out {
        Out::Action(Action::Seek { announce, .. }) => *announce,
        Out::Action(_) | Out::Event(_) | Out::Linked { .. } | Out::Say { .. } => None,
    })
}

/// Maps our ports, and answers which port trackers and the DHT are told then.
fn map(rig: &mut Rig, listens: Option<u16>, dht: Option<u16>) -> (Vec<u16>, Option<u16>) {
    rig.now += secs(1);
    rig.machine.map_ports(rig.now, listens, dht);
    let outs = rig.take();
    let asked = asks(&outs);
    for ask in &asked {
        let at = (ask.tracker, ask.query.info_hash);
        rig.machine.asked(rig.now, at, Err(AskedFailure::Refused(Refusal::Malformed)));
    }
    (asked.iter().map(|ask| ask.query.port).collect(), announced(&outs))
}

#[test]
fn another_port_is_announced_at_once_and_the_same_one_is_not() {
    let mut rig = rig();
    let outs = rig.take();
    let ask = asks(&outs).remove(0);
    assert_eq!((ask.query.port, announced(&outs)), (7000, Some(7000)), "nobody waits for a router");
    let reply = Asked { from: None, found: Found::default() };
    rig.machine.asked(rig.now, (ask.tracker, HASH), Ok(reply));
    assert_eq!(map(&mut rig, Some(7000), Some(7001)), (vec![], None), "it is the port itself");
    assert_eq!(map(&mut rig, Some(7000), Some(9)), (vec![], None), "no tracker is told of a node");
    assert_eq!(map(&mut rig, Some(40_000), Some(9)), (vec![40_000], Some(40_000)));
    assert_eq!(map(&mut rig, Some(40_000), Some(9)), (vec![], None));
    assert_eq!(
        map(&mut rig, None, None),
        (vec![7000], Some(7000)),
        "the router leads here no longer"
    );
}

#[test]
fn who_is_inside_is_told_our_own_port() {
    let mut rig = rig();
    rig.machine.map_ports(rig.now, Some(40_000), Some(40_001));
    let ports = |rig: &Rig, at: Option<&str>| {
        let at = at.map(|ip| ip.parse().unwrap());
        (rig.machine.listens_for(at), rig.machine.dht_for(at))
    };
    let (own, outside) = ((Some(7000), Some(7001)), (Some(40_000), Some(40_001)));
    for at in ["192.168.1.9", "127.0.0.1", "fe80::1"] {
        assert_eq!(ports(&rig, Some(at)), own, "{at}");
    }
    for at in [Some("60.1.1.1"), Some("2606:4700::1"), None] {
        assert_eq!(ports(&rig, at), outside, "{at:?}");
    }
}

#[test]
fn a_port_that_is_not_there_is_not_mapped_either() {
    let mut rig = Rig::with(|config| config.dials = true);
    assert!(!rig.machine.map_ports(rig.now, Some(40_000), Some(40_001)));
    assert_eq!((rig.machine.listens_for(None), rig.machine.dht_for(None)), (None, None));
}
