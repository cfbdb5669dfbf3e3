//! What peers are told of where we listen, once a router leads there (BEP 5, BEP 10).

use headwater_engine::Input;
use headwater_wire::Message;
use headwater_wire::extended::Handshake;

use crate::disk::Disk;
use crate::net::Net;
use crate::puppet::Puppet;
use crate::{sample, secs};

#[test]
fn peers_that_are_linked_already_are_told_the_ports_that_a_router_leads_to_us() {
    let sample = sample(200_000, 65536);
    let mut net = Net::new(1);
    let ours = net.join_with(Disk::full(&sample), sample.whole(), |config| {
        (config.listens, config.dht_port) = (Some(7000), Some(7001));
    });
    let puppet = Puppet::dial(&mut net, &sample, ours);
    net.run(secs(1));
    let ports = |net: &Net| {
        let said = puppet.heard_extended(net, 0);
        let listens: Vec<_> =
            said.iter().map(|said| Handshake::decode(said).unwrap().port).collect();
        let node = |message| match message {
            Message::Port(port) => Some(port),
            _ => None,
        };
        (listens, puppet.heard(net).into_iter().filter_map(node).collect::<Vec<_>>())
    };
    assert_eq!(ports(&net), (vec![Some(7000)], vec![7001]));
    net.put(ours, Input::PortsMapped { listens: Some(40_000), dht: Some(40_001) });
    net.run(secs(1));
    assert_eq!(ports(&net), (vec![Some(7000), Some(40_000)], vec![7001, 40_001]));
    net.put(ours, Input::PortsMapped { listens: Some(40_000), dht: Some(40_001) });
    net.run(secs(1));
    assert_eq!(ports(&net).0.len(), 2, "nothing is said twice");
}
