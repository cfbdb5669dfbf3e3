//! Web seeds: whole downloads from servers, servers that do wrong, and how they share with peers.

use std::sync::Arc;

use bytes::Bytes;
use headwater_base::{ByteCount, ReaderId};
use headwater_engine::{AddTorrent, Event, Input, TorrentState, Warning, WebSeed, WebSeedTrouble};
use headwater_metainfo::create::{Draft, Options};

use crate::disk::Disk;
use crate::net::Net;
use crate::web::{Quirk, Server};
use crate::{Sample, T, is_done, sample, secs};

const URL: &str = "http://one.example/film";
const TWO: &str = "http://two.example/film";

fn seeds(sample: &Sample, urls: &[&str]) -> AddTorrent {
    let seed = |url: &&str| WebSeed { url: (*url).to_owned(), trusted: false };
    AddTorrent { web_seeds: urls.iter().map(seed).collect(), ..sample.whole() }
}

/// A host that knows only web seeds.
fn alone(net: &mut Net, sample: &Sample, urls: &[&str]) -> usize {
    let add = AddTorrent { trackers: Vec::new(), ..seeds(sample, urls) };
    net.join(Disk::default(), add)
}

fn serve(net: &mut Net, url: &str, sample: &Sample, quirk: Quirk) {
    let server = Server::new(&[(url, &sample.data)]).with(quirk);
    net.web.insert(url.to_owned(), server);
}

fn trouble(net: &Net, host: usize) -> Vec<WebSeedTrouble> {
    let events = net.hosts[host].events.iter();
    let trouble = |event: &Event| match event {
        Event::Warned { warning: Warning::WebSeed { trouble, .. }, .. } => Some(trouble.clone()),
        _ => None,
    };
    events.filter_map(|(_, event)| trouble(event)).collect()
}

#[test]
fn whole_torrent_comes_from_one_web_seed_and_nothing_twice() {
    let sample = sample(10_000_000, 262_144);
    let mut net = Net::new(1);
    serve(&mut net, URL, &sample, Quirk::None);
    let leech = alone(&mut net, &sample, &[URL]);
    let start = net.now;
    let end = net.run_to(leech, secs(30), is_done);
    assert_eq!(net.hosts[leech].disk.bytes, *sample.data);
    let server = &net.web[URL];
    assert_eq!(server.asked_bytes(), 10_000_000);
    assert!(end.since(start) < secs(4), "{:?} at 4 MB/s", end.since(start));
    // Runs grow: far fewer requests than pieces.
    assert!(server.asked.len() <= 12, "{} requests", server.asked.len());
    assert_eq!((trouble(&net, leech).len(), net.fetches.len()), (0, 0));
    let view = net.hosts[leech].engine.torrent_view(T).unwrap();
    assert_eq!((view.wasted.0, view.web_seeds[0].downloaded.0), (0, 10_000_000));
}

#[test]
fn files_of_a_folder_come_with_one_request_a_part_and_padding_with_none() {
    let (a, b, c) = (vec![1_u8; 100_000], vec![2_u8; 5], vec![3_u8; 70_000]);
    let files = [("d/a b", &a), ("b", &b), ("empty", &vec![]), ("c", &c)];
    let list = files.iter().map(|(path, data)| ((*path).into(), ByteCount(data.len() as u64)));
    let options = Options { piece_length: Some(32768), align: true, ..Options::default() };
    let mut draft = Draft::folder("n\u{fc}", list.collect(), options).unwrap();
    let data: Vec<u8> = files.iter().flat_map(|(_, data)| (*data).clone()).collect();
    draft.feed(&data).unwrap();
    let torrent = Arc::new(draft.finish().unwrap());
    let sample = Sample { torrent, data: Arc::new(Vec::new()) };
    let mut net = Net::new(2);
    let base = "https://one.example/x/";
    let at = |path: &str| format!("{base}n%C3%BC/{path}");
    let server = Server::new(&[(&at("d/a%20b"), &a), (&at("b"), &b), (&at("c"), &c)]);
    net.web.insert(base.to_owned(), server);
    let leech = alone(&mut net, &sample, &[base]);
    net.run_to(leech, secs(30), is_done);
    let stored = &net.hosts[leech].disk.bytes;
    for (file, (_, data)) in sample.torrent.files.iter().filter(|file| !file.pad).zip(&files) {
        let start = file.offset.0 as usize;
        assert!(stored[start..start + data.len()] == data[..], "{}", file.path);
    }
    assert_eq!(net.web[base].asked_bytes(), 170_005);
}

#[test]
fn answers_that_break_a_rule_end_a_web_seed_at_once() {
    use WebSeedTrouble::{Encoded, NoRanges, TooLong, WrongRange};
    let sample = sample(2_000_000, 65536);
    let refused = headwater_engine::FetchError::Refused("it redirects too often".to_owned());
    for (quirk, expect) in [
        (Quirk::Whole, NoRanges),
        (Quirk::WrongRange, WrongRange),
        (Quirk::TooLong, TooLong),
        (Quirk::Infinite, TooLong),
        (Quirk::Gzip, Encoded),
        (Quirk::Redirects, WebSeedTrouble::Fetch(refused)),
        (Quirk::Status(404), WebSeedTrouble::Status(404)),
    ] {
        let mut net = Net::new(3);
        serve(&mut net, URL, &sample, quirk);
        serve(&mut net, TWO, &sample, Quirk::None);
        let leech = alone(&mut net, &sample, &[URL, TWO]);
        net.run_to(leech, secs(60), is_done);
        assert_eq!(net.hosts[leech].disk.bytes, *sample.data, "{quirk:?}");
        assert_eq!(trouble(&net, leech), [expect], "{quirk:?}");
        // A second run may start once the first bytes of an answer look right.
        assert!(net.web[URL].asked.len() <= 2, "{quirk:?}");
        net.run(secs(1000));
        assert_eq!(net.fetches.len(), 0, "{quirk:?}");
    }
}

#[test]
fn failures_that_pass_are_tried_again_ever_more_rarely() {
    let sample = sample(1_000_000, 65536);
    for quirk in [Quirk::Down, Quirk::Status(503), Quirk::Stalls] {
        let mut net = Net::new(4);
        serve(&mut net, URL, &sample, quirk);
        let leech = alone(&mut net, &sample, &[URL]);
        net.run(secs(3600));
        let asked = net.web[URL].asked.len();
        assert!((7..=20).contains(&asked), "{quirk:?}: asked {asked} times in an hour");
        assert_eq!(trouble(&net, leech).len(), 1, "{quirk:?} is told once");
        net.web.get_mut(URL).unwrap().quirk = Quirk::None;
        net.run_to(leech, secs(800), is_done);
        assert_eq!(net.hosts[leech].disk.bytes, *sample.data);
    }
}

#[test]
fn answers_that_end_early_keep_the_blocks_that_came() {
    let sample = sample(3_000_000, 65536);
    let mut net = Net::new(5);
    serve(&mut net, URL, &sample, Quirk::TooShort);
    let leech = alone(&mut net, &sample, &[URL]);
    net.run(secs(20));
    assert!(matches!(trouble(&net, leech)[0], WebSeedTrouble::TooShort));
    assert!(!net.hosts[leech].disk.have.is_empty());
    net.web.get_mut(URL).unwrap().quirk = Quirk::None;
    net.run_to(leech, secs(120), is_done);
    assert_eq!(net.hosts[leech].disk.bytes, *sample.data);
}

#[test]
fn whole_file_answer_is_taken_where_the_whole_file_was_asked_for() {
    let sample = sample(100_000, 65536);
    for quirk in [Quirk::Whole, Quirk::Hidden] {
        let mut net = Net::new(6);
        serve(&mut net, URL, &sample, quirk);
        let leech = alone(&mut net, &sample, &[URL]);
        net.run_to(leech, secs(10), is_done);
        assert_eq!(trouble(&net, leech), []);
    }
}

#[test]
fn lying_web_seed_is_banned_with_all_its_addresses_and_honest_peers_are_not() {
    let sample = sample(4_000_000, 262_144);
    for seed in 10..16 {
        let mut net = Net::new(seed);
        // A peer that lies about nothing shares the torrent with a server that always does.
        net.join(Disk::full(&sample), sample.whole());
        serve(&mut net, URL, &sample, Quirk::Wrong(300_000));
        let other = "http://one.example/other";
        serve(&mut net, other, &sample, Quirk::Wrong(300_000));
        let leech = net.join(Disk::default(), seeds(&sample, &[URL, other]));
        net.run_to(leech, secs(120), is_done);
        assert_eq!(net.hosts[leech].disk.bytes, *sample.data, "seed {seed}");
        let told = trouble(&net, leech);
        assert!(
            told.iter().all(|told| matches!(told, WebSeedTrouble::WrongData(_))),
            "seed {seed}: {told:?}"
        );
        let banned = |event: &Event| {
            matches!(event, Event::Warned { warning: Warning::PeerBanned { .. }, .. })
        };
        assert_eq!(net.told(leech, banned), 0, "seed {seed}");
        assert_eq!(told.len(), 2, "both addresses of one server go, seed {seed}");
        assert_eq!(net.fetches.len(), 0);
    }
}

#[test]
fn web_seeds_rest_while_peers_do_well() {
    let sample = sample(20_000_000, 262_144);
    let mut net = Net::new(20);
    for _ in 0..3 {
        let peer = net.join(Disk::full(&sample), sample.whole());
        net.hosts[peer].path.bandwidth = 2_000_000;
    }
    serve(&mut net, URL, &sample, Quirk::None);
    let leech = net.join(Disk::default(), seeds(&sample, &[URL]));
    // Peers first, so that the server has nothing to do from the start on.
    net.put(leech, Input::TorrentPaused(T));
    net.put(leech, Input::TorrentResumed(T));
    net.run_to(leech, secs(60), is_done);
    let view = net.hosts[leech].engine.torrent_view(T).unwrap();
    let share = view.web_seeds[0].downloaded.0 * 100 / view.downloaded.0;
    assert!(share <= 50, "{share} % came from the server");
    assert!(view.wasted.0 * 50 <= 20_000_000, "{} wasted", view.wasted.0);
}

#[test]
fn what_peers_lack_comes_from_the_web_seed() {
    let sample = sample(8_000_000, 262_144);
    let mut net = Net::new(21);
    let mut disk = Disk::full(&sample);
    disk.have.retain(|piece| piece % 2 == 0);
    let peer = net.join(disk, sample.whole());
    net.hosts[peer].path.bandwidth = 8_000_000;
    serve(&mut net, URL, &sample, Quirk::None);
    let leech = net.join(Disk::default(), seeds(&sample, &[URL]));
    net.run_to(leech, secs(60), is_done);
    assert_eq!(net.hosts[leech].disk.bytes, *sample.data);
}

#[test]
fn starved_reader_is_served_by_the_web_seed_beside_a_slow_peer() {
    let sample = sample(40_000_000, 262_144);
    let mut net = Net::new(22);
    let slow = net.join(Disk::full(&sample), sample.whole());
    net.hosts[slow].path.bandwidth = 20_000;
    serve(&mut net, URL, &sample, Quirk::None);
    let leech = net.join(Disk::default(), seeds(&sample, &[URL]));
    net.run(secs(4));
    let (reader, start, end) = (ReaderId(1), ByteCount(30_000_000), ByteCount(32_000_000));
    let asked = net.now;
    net.put(leech, Input::ReaderMoved { reader, torrent: T, start, end });
    let at = net.run_to(
        leech,
        secs(20),
        |event| matches!(event, Event::ReaderReady { end, .. } if end.0 == 32_000_000),
    );
    assert!(at.since(asked) < secs(3), "2 MB took {:?}", at.since(asked));
}

#[test]
fn pause_cancels_fetches_and_resume_goes_on() {
    let sample = sample(10_000_000, 262_144);
    let mut net = Net::new(23);
    serve(&mut net, URL, &sample, Quirk::None);
    let leech = alone(&mut net, &sample, &[URL]);
    net.run(secs(1));
    assert!(!net.fetches.is_empty());
    net.put(leech, Input::TorrentPaused(T));
    net.run(secs(1));
    assert_eq!(net.fetches.len(), 0);
    let asked = net.web[URL].asked.len();
    net.run(secs(60));
    assert_eq!(net.web[URL].asked.len(), asked, "nothing is asked while it is paused");
    let view = net.hosts[leech].engine.torrent_view(T).unwrap();
    assert_eq!(view.state, TorrentState::Paused);
    net.put(leech, Input::TorrentResumed(T));
    net.run_to(leech, secs(30), is_done);
    assert_eq!(net.hosts[leech].disk.bytes, *sample.data);
}

#[test]
fn download_limit_holds_for_web_seeds() {
    let sample = sample(2_000_000, 65536);
    let mut net = Net::new(24);
    serve(&mut net, URL, &sample, Quirk::None);
    let add = AddTorrent { trackers: Vec::new(), ..seeds(&sample, &[URL]) };
    let leech = net.join_with(Disk::default(), add, |config| config.download_limit = Some(100_000));
    let start = net.now;
    let end = net.run_to(leech, secs(60), is_done);
    let took = end.since(start);
    assert!(secs(18) <= took && took <= secs(24), "2 MB at 100 kB/s took {took:?}");
}

#[test]
fn news_of_a_cancelled_fetch_is_ignored() {
    let sample = sample(1_000_000, 65536);
    let mut net = Net::new(25);
    serve(&mut net, URL, &sample, Quirk::Stalls);
    let leech = alone(&mut net, &sample, &[URL]);
    net.run(secs(1));
    let (_, job) = *net.fetches.first().unwrap();
    net.put(leech, Input::TorrentPaused(T));
    net.run(secs(1));
    net.put(leech, Input::RangeBytes { job, bytes: Bytes::from_static(&[1; 9]) });
    net.put(leech, Input::RangeFetched { job, result: Ok(()) });
    net.run(secs(1));
    assert_eq!(trouble(&net, leech), []);
}
