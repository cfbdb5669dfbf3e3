//! A few cheaters of any kind among honest hosts: liars, drippers, floods, noise, forgers, free
//! riders, hogs, poisoners, abusers of peer exchange. Everybody honest finishes, and nobody honest
//! is banned.

use core::time::Duration;

use headwater_base::Rng;

use super::{Kind, Scenario};
use crate::{
    Answer, Drip, Flood, Forger, FreeRider, Hog, Liar, Mode, Noise, Path, PexAbuser, Poisoner, Run,
    SampleId, Shape, Spec, Tyrant,
};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "cheats",
    about: "one to four cheaters of any kind among three to eight honest hosts",
    kind: Kind::Search,
    run,
};

/// A cheater of any kind.
pub(super) fn any_cheater(rng: &mut Rng, sample: SampleId) -> Spec {
    let answers = [Answer::Silence, Answer::Reject, Answer::Noise, Answer::Other, Answer::Choke];
    let full = Spec::seed(sample);
    let empty = Spec::leech(sample);
    match rng.below(11) {
        0 | 1 => {
            let answer = answers[rng.below(answers.len() as u64) as usize];
            full.cheats("liar", Mode::played(Liar { answer }))
        }
        2 => full.cheats("drip", Mode::played(Drip::new(20 + rng.below(4000) as usize))),
        3 => full.cheats("flood", Mode::played(Flood::default())),
        4 => full.cheats("noise", Mode::played(Noise)),
        5 => {
            let (one_in, anywhere) = (1 + rng.below(6), rng.below(2) == 0);
            full.cheats("forger", Mode::tampered(Forger { one_in, anywhere }))
        }
        6 => empty.cheats("free rider", Mode::tampered(FreeRider)),
        7 => empty.cheats("hog", Mode::played(Hog::default())),
        8 => empty.cheats("tyrant", Mode::played(Tyrant::new(200_000))),
        9 => full.dials().cheats("pex abuser", Mode::played(PexAbuser::new(rng.below(2) * 5))),
        _ => full.cheats("poisoner", Mode::tampered(Poisoner { one_in: 1 + rng.below(64) })),
    }
}

fn run(run: &mut Run) {
    let mut world = run.world("cheats");
    let mut rng = world.choices();
    let sample = world.torrent(Shape::any(&mut rng, 800_000));
    world.join(Spec::seed(sample).path(Path { up: 400_000, ..Path::HOME }));
    for _ in 0..3 + rng.below(6) {
        let at = Duration::from_millis(rng.below(10_000));
        let leech = Spec::leech(sample).at(at);
        let leech = if rng.below(3) == 0 { leech.dials() } else { leech };
        world.join(if rng.below(3) > 0 { leech.magnet() } else { leech });
    }
    for _ in 0..1 + rng.below(4) {
        let at = Duration::from_millis(rng.below(5_000));
        let cheater = any_cheater(&mut rng, sample).at(at);
        world.join(cheater);
    }
    world.finish(Duration::from_secs(900));
    run.ended(&world);
}
