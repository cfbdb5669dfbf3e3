//! Somebody watches a video of 2 Mbit/s while it comes from peers of all kinds, and seeks about.
//! The same once more with pieces in order and no deadlines, which is what a plain player gets.

use core::time::Duration;

use headwater_base::{ByteCount, PieceIndex, ReaderId, Rng, Time};
use headwater_client::Input;

use super::{Kind, Scenario};
use crate::host::{Have, HostId};
use crate::{Fault, Gate, Nat, Path, Run, Shape, Spec, World};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "stream_two_mbit",
    about: "a viewer starts, watches and seeks in a 2 Mbit/s video over mixed peers",
    kind: Kind::Measure,
    run,
};

/// Bytes that a second of the video takes.
const RATE: u64 = 250_000;
const LENGTH: u32 = 24_000_000;
const PIECE_LENGTH: u32 = 128 * 1024;
/// Bytes a player keeps ahead of what it shows, and those it needs before it shows anything.
const BUFFER: u64 = 20 * RATE;
const ENOUGH: u64 = 2 * RATE;
/// How often the player looks.
const TICK: Duration = Duration::from_millis(25);
const WORLDS: u32 = 8;
const SEEKS: u32 = 6;
const WATCH: Duration = Duration::from_secs(9);
/// How long a player waits for bytes before it gives a seek up.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a viewer met with.
#[derive(Default)]
struct Met {
    /// From joining to the first byte, and from the first peer to it.
    first_byte: Vec<f64>,
    first_byte_linked: Vec<f64>,
    seeks: Vec<f64>,
    stalls: u32,
    stalled: f64,
    fetched: u64,
    wasted: u64,
}

/// A player: pulls bytes that are there, shows them at the video's rate.
struct Player {
    viewer: HostId,
    reader: Option<ReaderId>,
    /// One past the last byte it has, and the byte it shows.
    pulled: u64,
    shown: u64,
    playing: bool,
    moved_at: Time,
}

fn run(run: &mut Run) {
    for (way, by_deadline) in [("by deadline", true), ("in order", false)] {
        let mut met = Met::default();
        for world in 0..WORLDS {
            let mut world = run.world(&format!("stream {world}"));
            watch(&mut world, &mut met, by_deadline);
            run.ended(&world);
        }
        report(run, way, met, by_deadline);
    }
}

fn report(run: &mut Run, way: &str, met: Met, gated: bool) {
    let gate = |most| if gated { Gate::Most(most) } else { Gate::None };
    let duplicates = met.wasted as f64 * 100.0 / met.fetched as f64;
    let mut figure = |what: &str, value: f64, unit, gate| {
        run.figure(format!("{way}: {what}"), value, unit, gate);
    };
    figure("first byte after joining, median", part(&met.first_byte, 50), "s", Gate::None);
    let linked = part(&met.first_byte_linked, 50);
    figure("first byte after the first peer, median", linked, "s", Gate::None);
    figure("seek, median", part(&met.seeks, 50), "s", Gate::None);
    figure("seek, 95 of 100 within", part(&met.seeks, 95), "s", Gate::None);
    figure("stalls while playing", f64::from(met.stalls), "", gate(0.0));
    figure("time stalled", met.stalled, "s", gate(0.0));
    figure("bytes that came twice", duplicates, "%", gate(2.0));
}

/// The value below which so many of a hundred lie.
fn part(values: &[f64], percent: usize) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    let at = (values.len() * percent).div_ceil(100).saturating_sub(1);
    values.get(at).copied().unwrap_or(f64::NAN)
}

/// Peers whose lines, phones left aside, carry 1.2 times the video together.
fn swarm(world: &mut World, rng: &mut Rng) -> HostId {
    let sample = world.torrent(Shape::v1(LENGTH, PIECE_LENGTH));
    let line = |up, latency| Path { up, latency: Duration::from_millis(latency), ..Path::HOME };
    let open = |path| Path { nat: Nat::Open, ..path };
    world.join(Spec::seed(sample).named("distant").path(open(line(110_000, 150))));
    world.join(Spec::seed(sample).named("fast").path(line(160_000, 15)));
    for rest in 0..2 {
        let half = Spec::seed(sample).named("slow").having(Have::Share(2, rest));
        world.join(half.path(line(30_000, 40)).config(|config| config.download_limit = Some(4000)));
    }
    for phone in 0..6 {
        let at = Duration::from_millis(u64::from(phone) * 8_000 + rng.below(4_000));
        let part = Spec::seed(sample).named("phone").having(Have::Share(3, phone % 3)).at(at);
        let path = Path { up: 50_000, nat: Nat::Easy, ..Path::MOBILE };
        let phone = world.join(part.path(path).config(|config| config.download_limit = Some(4000)));
        world.plan(at + Duration::from_millis(6_000 + rng.below(20_000)), Fault::Vanish(phone));
    }
    let viewer = Spec::leech(sample).named("viewer").at(Duration::from_secs(3));
    world.join(viewer.magnet().optional())
}

fn watch(world: &mut World, met: &mut Met, by_deadline: bool) {
    let mut rng = world.choices();
    let viewer = swarm(world, &mut rng);
    world.run(Duration::from_secs(3));
    let joined = world.now();
    if !by_deadline {
        let order = Input::OrderChosen { torrent: world.host(viewer).torrent(), sequential: true };
        world.fail(Fault::Input(viewer, order));
    }
    let mut player = Player {
        viewer,
        reader: by_deadline.then_some(ReaderId(0)),
        pulled: 0,
        shown: 0,
        playing: false,
        moved_at: joined,
    };
    player.seek(world, 0);
    let linked = |world: &World| {
        let client = world.host(viewer).client();
        client.is_some_and(|client| client.view().peers > 0)
    };
    world.run_until(PATIENCE, linked);
    let met_first = world.now();
    player.wait(world);
    met.first_byte.push(world.now().since(joined).as_secs_f64());
    met.first_byte_linked.push(world.now().since(met_first).as_secs_f64());
    for _ in 0..SEEKS {
        player.play(world, met, WATCH);
        player.seek(world, rng.below(u64::from(LENGTH) * 9 / 10));
        let from = world.now();
        player.wait(world);
        met.seeks.push(world.now().since(from).as_secs_f64());
    }
    player.play(world, met, WATCH);
    let host = world.host(viewer);
    if let Some(view) = host.client().and_then(|client| client.torrent_view(host.torrent())) {
        met.fetched += view.downloaded.0;
        met.wasted += view.wasted.0;
    }
}

impl Player {
    /// Goes elsewhere.
    fn seek(&mut self, world: &mut World, place: u64) {
        (self.pulled, self.shown, self.playing) = (place, place, false);
        self.moved_at = world.now();
        if let Some(reader) = self.reader {
            if place > 0 {
                world.fail(Fault::Input(self.viewer, Input::ReaderClosed(reader)));
            }
            self.reader = Some(ReaderId(reader.0 + 1));
        }
        self.tell(world);
    }

    fn tell(&self, world: &mut World) {
        if let Some(reader) = self.reader {
            let torrent = world.host(self.viewer).torrent();
            let (start, end) = (ByteCount(self.pulled), ByteCount(u64::from(LENGTH)));
            let moved = Input::ReaderMoved { reader, torrent, start, end };
            world.fail(Fault::Input(self.viewer, moved));
        }
    }

    /// Takes what is there, as far as it has room.
    fn pull(&mut self, world: &mut World) {
        let Some(disk) = world.host(self.viewer).disk() else { return };
        let most = (self.shown + BUFFER).min(u64::from(LENGTH));
        let mut end = self.pulled;
        while end < most {
            let piece = (end / u64::from(PIECE_LENGTH)) as u32;
            if !disk.has(PieceIndex(piece)) {
                break;
            }
            end = (u64::from(piece) + 1) * u64::from(PIECE_LENGTH);
        }
        let end = end.min(most);
        if end > self.pulled {
            self.pulled = end;
            self.tell(world);
        }
    }

    /// Waits for the first byte.
    fn wait(&mut self, world: &mut World) {
        let start = world.now();
        while self.pulled == self.shown && world.now().since(start) < PATIENCE {
            world.run(TICK);
            self.pull(world);
        }
    }

    /// Watches for a while, and counts the moments in which the picture stands still.
    fn play(&mut self, world: &mut World, met: &mut Met, span: Duration) {
        let end = world.now() + span;
        let step = RATE * TICK.as_millis() as u64 / 1000;
        while world.now() < end && self.shown < u64::from(LENGTH) {
            world.run(TICK);
            self.pull(world);
            let left = self.pulled - self.shown;
            if self.playing && left < step && self.pulled < u64::from(LENGTH) {
                self.playing = false;
                met.stalls += 1;
            }
            self.playing |= left >= ENOUGH || self.pulled == u64::from(LENGTH);
            if self.playing {
                self.shown = (self.shown + step).min(self.pulled);
            } else if world.now().since(self.moved_at) > Duration::from_secs(5) {
                met.stalled += TICK.as_secs_f64();
            }
        }
    }
}
