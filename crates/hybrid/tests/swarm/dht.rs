//! Programs on one machine that find each other in a small DHT of their own.

use std::net::{Ipv4Addr, UdpSocket};
use std::time::Duration;

use mainline::Testnet;

use super::program::{Folder, Program};

fn testnet() -> (Testnet, String) {
    let net = Testnet::builder(5).build().expect("a testnet");
    let first = net.bootstrap[0].clone();
    (net, first)
}

#[test]
fn a_folder_crosses_by_magnet_link_without_trackers() {
    let folder = Folder::new("dht");
    let (_net, first) = testnet();
    let dht = ["--dht-bootstrap", &first, "--transports", "tcp"];
    let mut seed = Program::start(&folder.0, &[&["seed", "shared/film"], &dht[..]].concat());
    let magnet = seed.line().expect("a link");
    assert!(!magnet.contains("tr="), "{magnet}");
    let args = [&["get", &magnet, "-o", "got", "--json"], &dht[..]].concat();
    let mut get = Program::start(&folder.0, &args);
    assert_eq!(get.until("done")["length"], 8_000_001);
    folder.check();
}

#[test]
fn who_finds_no_node_goes_on_without_and_joins_when_there_is_one() {
    let folder = Folder::new("dead");
    let dead = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let at = dead.local_addr().expect("bound");
    let first = at.to_string();
    let dht = ["--dht-bootstrap", &first, "--transports", "tcp"];
    let mut seed = Program::start(&folder.0, &[&["seed", "shared/film"], &dht[..]].concat());
    let magnet = seed.line().expect("a link");
    // It asked the node that does not answer, and asks it again.
    dead.set_read_timeout(Some(Duration::from_secs(20))).expect("a socket");
    for _ in 0..2 {
        let mut query = [0; 1500];
        assert!(dead.recv(&mut query).expect("a query") > 20);
    }
    drop(dead);
    let _node = mainline::Dht::builder()
        .server_mode()
        .no_bootstrap()
        .bind_address(Ipv4Addr::LOCALHOST)
        .port(at.port())
        .build()
        .expect("a node");
    let args = [&["get", &magnet, "-o", "got", "--json"], &dht[..]].concat();
    let mut get = Program::start(&folder.0, &args);
    assert_eq!(get.until("done")["length"], 8_000_001);
    folder.check();
}
