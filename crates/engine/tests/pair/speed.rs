//! How fast it goes: pipelines fill paths, limits hold, and the engine itself is quick.

use headwater_base::Time;
use headwater_engine::Event;

use crate::disk::Disk;
use crate::net::{Net, Path};
use crate::{Sample, is_done, millis, sample, secs};

/// How long the transfer over such a path takes, from the first piece to the last.
fn time_over(sample: &Sample, path: Path) -> f64 {
    let mut net = Net::new(80);
    let seed = net.join(Disk::full(sample), sample.whole());
    let leech = net.join(Disk::default(), sample.whole());
    net.hosts[seed].path = path;
    net.hosts[leech].path = path;
    let is_joined = |event: &Event| matches!(event, Event::PeerJoined { .. });
    let start = net.run_to(leech, secs(30), is_joined);
    let end: Time = net.run_to(leech, secs(300), is_done);
    end.since(start).as_secs_f64()
}

#[test]
fn long_fat_path_is_filled() {
    let sample = sample(24_000_000, 262_144);
    let path =
        Path { latency: millis(100), bandwidth: 4_000_000, window: 4_000_000, ..Path::default() };
    let took = time_over(&sample, path);
    assert!(took < 8.0, "{took} s where 6 s are possible");
}

#[test]
fn small_windows_are_kept_and_still_filled() {
    let sample = sample(4_000_000, 65536);
    for window in [10_000, 20_000, 65_536] {
        let path = Path { latency: millis(1), bandwidth: 2_000_000, window, ..Path::default() };
        let took = time_over(&sample, path);
        assert!(took < 3.5, "{took} s with a window of {window} where 2 s are possible");
    }
}

#[test]
fn limits_hold_both_ways() {
    let sample = sample(2_000_000, 65536);
    let run = |upload, download| {
        let mut net = Net::new(81);
        net.join_with(Disk::full(&sample), sample.whole(), |config| config.upload_limit = upload);
        let leech = net.join_with(Disk::default(), sample.whole(), |config| {
            config.peer_download_limit = download;
        });
        let start = net.run_to(leech, secs(30), |event| matches!(event, Event::PeerJoined { .. }));
        net.run_to(leech, secs(100), is_done).since(start).as_secs_f64()
    };
    for (upload, download) in [(Some(200_000), None), (None, Some(200_000))] {
        let took = run(upload, download);
        assert!((8.5..11.5).contains(&took), "{took} s where the limit makes 10 s");
    }
}
