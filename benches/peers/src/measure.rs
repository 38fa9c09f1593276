//! Measures CPU time: in each round every entry has a turn, and the median of the rounds counts.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::cases::Case;
use crate::entries::{self, Entry, Standing};
use crate::heap;
use crate::jobs::Job;
use crate::tally::Work;

/// The shortest time that is measured.
const ROUND: Duration = Duration::from_millis(20);

/// The cost of a message for one entry.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    pub(crate) name: &'static str,
    pub(crate) standing: Standing,
    pub(crate) nanoseconds: f64,
    pub(crate) allocations: f64,
    /// Bytes that are allocated after a pass.
    pub(crate) memory: f64,
    /// Bytes written, or bytes of payload received.
    pub(crate) bytes: f64,
}

/// A case, and the costs for all entries.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) case: String,
    pub(crate) goal: Option<f64>,
    /// True if entries may write different amounts.
    pub(crate) may_differ: bool,
    /// True if each message has a connection of its own.
    pub(crate) many: bool,
    pub(crate) entries: Vec<Measured>,
}

impl Row {
    pub(crate) fn get(&self, name: &str) -> Option<&Measured> {
        self.entries.iter().find(|entry| entry.name == name)
    }

    pub(crate) fn ours(&self) -> &Measured {
        self.entries.iter().find(|entry| entry.standing == Standing::Ours).expect("ours")
    }

    /// Ours divided by the floor.
    pub(crate) fn to_floor(&self) -> f64 {
        let floor = self.entries.iter().find(|entry| entry.standing == Standing::Floor).expect("a floor");
        self.ours().nanoseconds / floor.nanoseconds
    }

    pub(crate) fn fastest_peer(&self) -> Option<&Measured> {
        let peers = self.entries.iter().filter(|entry| entry.standing == Standing::Peer);
        peers.min_by(|a, b| a.nanoseconds.total_cmp(&b.nanoseconds))
    }
}

struct Runner {
    entry: &'static dyn Entry,
    work: Work,
    /// In a round.
    passes: u32,
    allocations: u64,
    memory: u64,
    bytes: u64,
    /// Of each round, in seconds for a pass.
    times: Vec<f64>,
}

pub(crate) fn measure(case: &Case, rounds: usize) -> Row {
    let task = case.prepare(false);
    let run = |runner: &mut Runner| {
        let start = cpu_time();
        for _ in 0..runner.passes {
            let tally = (runner.work)();
            task.assert(runner.entry, tally);
            runner.bytes = tally.bytes;
        }
        cpu_time() - start
    };
    let mut runners = Vec::new();
    for &entry in entries::ALL {
        let empty = heap::bytes();
        let Some(work) = task.job.work(entry) else { continue };
        let mut runner = Runner { entry, work, passes: 1, allocations: 0, memory: 0, bytes: 0, times: Vec::new() };
        // The first pass warms up what is reused.
        run(&mut runner);
        runner.memory = heap::bytes() - empty;
        loop {
            let time = run(&mut runner);
            if time >= ROUND {
                break;
            }
            let missing = ROUND.as_secs_f64() / time.as_secs_f64().max(1e-6);
            runner.passes *= (1.1 * missing).clamp(2.0, 100.0) as u32;
        }
        let before = heap::allocations();
        let passes = std::mem::replace(&mut runner.passes, 1);
        run(&mut runner);
        runner.allocations = heap::allocations() - before;
        runner.passes = passes;
        runners.push(runner);
    }
    for round in 0..rounds {
        // The order changes, so that no entry always follows the same one.
        let start = round % runners.len();
        let (first, second) = runners.split_at_mut(start);
        for runner in second.iter_mut().chain(first) {
            let time = run(runner);
            runner.times.push(time.as_secs_f64() / f64::from(runner.passes));
        }
    }
    let per_message = |amount: f64| amount / task.messages as f64;
    let entries = runners.into_iter().map(|mut runner| Measured {
        name: runner.entry.name(),
        standing: runner.entry.standing(),
        nanoseconds: per_message(1e9 * median(&mut runner.times)),
        allocations: per_message(runner.allocations as f64),
        memory: per_message(runner.memory as f64),
        bytes: per_message(runner.bytes as f64),
    });
    Row {
        case: case.name.clone(),
        goal: case.goal,
        may_differ: task.may_differ(),
        many: matches!(task.job, Job::Many(_)),
        entries: entries.collect(),
    }
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// The CPU time that this thread has used.
fn cpu_time() -> Duration {
    clock_gettime(ClockId::ThreadCPUTime).try_into().expect("a time")
}
