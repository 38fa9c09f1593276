//! The throughput of a case: every server in turn, round by round, and the medians of the rounds.

use std::io;
use std::time::{Duration, Instant};

use crate::case::Case;
use crate::load::Load;
use crate::options::Options;
use crate::pin::Cpus;
use crate::process::{self, Process};
use crate::servers::{BARE, Server};

/// Without `--turns`, the bare loop takes about this long in a round, and the slowest server some times as long.
const ROUND: Duration = Duration::from_millis(15);

/// The medians of a server's rounds.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    /// Nanoseconds a message.
    pub(crate) wall: f64,
    /// CPU time of the server's thread, in nanoseconds a message.
    pub(crate) cpu: f64,
    /// The CPU time of the bare loop in the same round, as a multiple of the server's.
    pub(crate) cpu_ratio: f64,
    /// The share of the time in which the load runs: where it is nearly 1, the load is what limits.
    pub(crate) load_busy: f64,
}

struct Runner {
    server: &'static Server,
    process: Process,
    load: Load,
    rounds: Vec<Round>,
}

struct Round {
    wall: f64,
    cpu: f64,
    load_busy: f64,
}

pub(crate) fn throughput(case: Case, options: &Options, cpus: Option<Cpus>) -> io::Result<Vec<Row>> {
    let runners: io::Result<Vec<_>> = options.servers().map(|server| Runner::start(server, case, cpus)).collect();
    let mut runners = runners?;
    let bare = runners.iter().position(|runner| runner.server.name == BARE).expect("the bare loop is always measured");
    let turns = match options.turns {
        Some(turns) => turns,
        None => runners[bare].calibrate()?,
    };
    for runner in &mut runners {
        runner.load.run(turns / 4 + 1).map_err(|error| named(runner.server, error))?;
    }
    for round in 0..options.rounds {
        for turn in 0..runners.len() {
            // The order changes, so that nobody always follows the same one.
            let number = (round + turn) % runners.len();
            runners[number].run(turns)?;
        }
    }
    let rows = runners.iter().map(|runner| Row {
        name: runner.server.name,
        wall: median(runner.rounds.iter().map(|round| round.wall)),
        cpu: median(runner.rounds.iter().map(|round| round.cpu)),
        cpu_ratio: median(runners[bare].rounds.iter().zip(&runner.rounds).map(|(bare, round)| bare.cpu / round.cpu)),
        load_busy: median(runner.rounds.iter().map(|round| round.load_busy)),
    });
    Ok(rows.collect())
}

impl Runner {
    fn start(server: &'static Server, case: Case, cpus: Option<Cpus>) -> io::Result<Self> {
        let process = Process::start(server, case, cpus).map_err(|error| named(server, error))?;
        let load = Load::new(case, &process.address, server.answer).map_err(|error| named(server, error))?;
        Ok(Self { server, process, load, rounds: Vec::new() })
    }

    /// Returns how many turns a round has.
    fn calibrate(&mut self) -> io::Result<u64> {
        let mut turns = 1;
        loop {
            let start = Instant::now();
            self.load.run(turns).map_err(|error| named(self.server, error))?;
            let took = start.elapsed();
            if took >= ROUND / 2 {
                return Ok((turns as f64 * ROUND.as_secs_f64() / took.as_secs_f64()).ceil() as u64);
            }
            turns *= 2;
        }
    }

    fn run(&mut self, turns: u64) -> io::Result<()> {
        let (cpu, own) = (self.process.cpu_time()?, process::own_cpu_time());
        let start = Instant::now();
        let messages = self.load.run(turns).map_err(|error| named(self.server, error))? as f64;
        let wall = start.elapsed().as_nanos() as f64;
        self.rounds.push(Round {
            wall: wall / messages,
            cpu: (self.process.cpu_time()? - cpu) as f64 / messages,
            load_busy: (process::own_cpu_time() - own).as_nanos() as f64 / wall,
        });
        Ok(())
    }
}

pub(crate) fn named(server: &Server, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", server.name))
}

pub(crate) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
