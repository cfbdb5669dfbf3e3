//! Plays jobs on threads. A run that panics is a run that failed; the rest go on.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use headwater_sim::{Outcome, Scenario, play};

/// One seed of one scenario.
#[derive(Clone, Copy)]
pub(crate) struct Job {
    pub(crate) scenario: &'static Scenario,
    pub(crate) seed: u64,
}

/// What came of a job, and how long it took.
pub(crate) struct Played {
    pub(crate) job: Job,
    pub(crate) took: Duration,
    pub(crate) outcome: Result<Outcome, String>,
}

thread_local! {
    static PANIC: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Plays all jobs, in no order; the answer has their order.
pub(crate) fn play_all(jobs: &[Job], threads: usize) -> Vec<Played> {
    std::panic::set_hook(Box::new(|info| {
        PANIC.with_borrow_mut(|text| *text = info.to_string());
    }));
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let at = next.load(Ordering::Relaxed);
                    let played = play_one(*job);
                    if let Ok(mut done) = done.lock() {
                        done.push((at, played));
                    }
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_default();
    done.sort_by_key(|(_, played)| played.job.seed);
    done.into_iter().map(|(_, played)| played).collect()
}

#[expect(clippy::disallowed_methods, reason = "how much faster than real time it goes is told")]
fn play_one(job: Job) -> Played {
    let start = Instant::now();
    let run = AssertUnwindSafe(|| play(job.scenario, job.seed, None));
    let outcome = catch_unwind(run).map_err(|_| PANIC.take());
    if let Err(why) = &outcome {
        eprintln!("{}", failed(&job, why));
    }
    Played { job, took: start.elapsed(), outcome }
}

/// How to see a failure again.
fn failed(job: &Job, why: &str) -> String {
    let (name, seed) = (job.scenario.name, job.seed);
    let again = format!("cargo xtask sim --scenario {name} --seed {seed}");
    format!("\n{name} {seed} FAILED: {why}\n  again: {again}\n  in words: {again} --trace\n")
}
