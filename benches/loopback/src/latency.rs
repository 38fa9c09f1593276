//! The latency of a case: every server in turn, round by round, and the medians of the rounds' percentiles.

use std::io;
use std::time::Instant;

use hdrhistogram::Histogram;

use crate::case::Case;
use crate::measure::{median, named};
use crate::options::Options;
use crate::pin::Cpus;
use crate::process::{self, Process};
use crate::schedule::Schedule;
use crate::servers::Server;

pub(crate) struct Row {
    pub(crate) name: &'static str,
    /// Nanoseconds, at each of [`PERCENTILES`]: the medians of the rounds, so that a round in which somebody else had the
    /// CPU doesn't count.
    pub(crate) latencies: [f64; PERCENTILES.len()],
    /// CPU time of the server's thread, in nanoseconds a message.
    pub(crate) cpu: f64,
    /// The share of the time in which the server or the load was ready to run, but others had the CPU.
    pub(crate) delayed: f64,
}

pub(crate) const PERCENTILES: [f64; 3] = [50.0, 99.0, 99.9];

/// The share of a round that precedes it, unmeasured.
const WARM_UP: u64 = 10;

/// Latencies are exact to three digits, up to a minute.
const LONGEST: u64 = 60_000_000_000;
const DIGITS: u8 = 3;

struct Runner {
    server: &'static Server,
    process: Process,
    schedule: Schedule,
    latencies: Vec<[f64; PERCENTILES.len()]>,
    cpu: Vec<f64>,
    delayed: Vec<f64>,
}

pub(crate) fn latency(case: Case, options: &Options, cpus: Option<Cpus>) -> io::Result<Vec<Row>> {
    let rate = options.rate.unwrap_or_else(|| case.rate());
    let count = ((rate as f64 * options.seconds) as u64).max(1);
    let runners: io::Result<Vec<_>> = options.servers().map(|server| Runner::start(server, case, cpus)).collect();
    let mut runners = runners?;
    for round in 0..options.latency_rounds {
        for turn in 0..runners.len() {
            let number = (round + turn) % runners.len();
            let runner = &mut runners[number];
            runner.run(rate, count).map_err(|error| named(runner.server, error))?;
        }
    }
    let rows = runners.iter().map(|runner| Row {
        name: runner.server.name,
        latencies: std::array::from_fn(|i| median(runner.latencies.iter().map(|latencies| latencies[i]))),
        cpu: median(runner.cpu.iter().copied()),
        delayed: median(runner.delayed.iter().copied()),
    });
    Ok(rows.collect())
}

impl Runner {
    fn start(server: &'static Server, case: Case, cpus: Option<Cpus>) -> io::Result<Self> {
        let process = Process::start(server, case, cpus).map_err(|error| named(server, error))?;
        let schedule = Schedule::new(case, &process.address, server.answer).map_err(|error| named(server, error))?;
        Ok(Self { server, process, schedule, latencies: Vec::new(), cpu: Vec::new(), delayed: Vec::new() })
    }

    fn run(&mut self, rate: u64, count: u64) -> io::Result<()> {
        self.schedule.run(rate, count / WARM_UP, &mut histogram())?;
        let mut latencies = histogram();
        let (start, cpu) = (Instant::now(), self.process.cpu_time()?);
        let (delay, own_delay) = (self.process.delay()?, process::own_delay()?);
        self.schedule.run(rate, count, &mut latencies)?;
        let delay = (self.process.delay()? - delay).max(process::own_delay()? - own_delay);
        self.delayed.push(delay as f64 / start.elapsed().as_nanos() as f64);
        self.cpu.push((self.process.cpu_time()? - cpu) as f64 / count as f64);
        self.latencies.push(PERCENTILES.map(|percentile| latencies.value_at_percentile(percentile) as f64));
        Ok(())
    }
}

fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, LONGEST, DIGITS).expect("bounds and digits that are possible")
}
