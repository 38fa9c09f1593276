//! Every server in turn, round by round: wall time, CPU time, and the median of the rounds.

use std::fs;
use std::io::{self, BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use crate::load::Load;
use crate::options::Options;
use crate::pin;
use crate::servers::{self, Server};

pub(crate) struct Measured {
    /// The CPU of the load; the servers have the first.
    pub(crate) load_on: Option<usize>,
    pub(crate) servers: Vec<Row>,
}

/// What a message costs a server, in nanoseconds: the medians, and those of the ratios to the bare loop in the same
/// round.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) wall: f64,
    pub(crate) cpu: f64,
    pub(crate) wall_ratio: f64,
    pub(crate) cpu_ratio: f64,
}

struct Runner {
    server: &'static Server,
    process: Process,
    load: Load,
    /// Of each round, in nanoseconds for a message.
    wall: Vec<f64>,
    cpu: Vec<f64>,
}

pub(crate) fn measure(options: &Options) -> io::Result<Measured> {
    let wanted = servers::ALL.iter().filter(|server| server.name == servers::BARE || options.wants(server.name));
    let mut runners = wanted.map(Runner::start).collect::<io::Result<Vec<_>>>()?;
    // Only now, so that the servers could choose.
    let load_on = pin::to_last_cpu();
    for runner in &mut runners {
        runner.load.run(options.turns / 4 + 1)?;
    }
    for round in 0..options.rounds {
        for turn in 0..runners.len() {
            // Nobody is always behind the same one.
            let number = (round + turn) % runners.len();
            runners[number].run(options.turns)?;
            // Whoever isn't heard of for long would be asked by a ping whether it is still there.
            for runner in &mut runners {
                runner.load.run(1).map_err(|error| named(runner.server, error))?;
            }
        }
    }
    let bare = runners.iter().position(|runner| runner.server.name == servers::BARE).expect("the bare loop");
    let rows = runners.iter().map(|runner| Row {
        name: runner.server.name,
        wall: median(runner.wall.clone()),
        cpu: median(runner.cpu.clone()),
        wall_ratio: median(ratios(&runners[bare].wall, &runner.wall)),
        cpu_ratio: median(ratios(&runners[bare].cpu, &runner.cpu)),
    });
    Ok(Measured { load_on, servers: rows.collect() })
}

impl Runner {
    fn start(server: &'static Server) -> io::Result<Self> {
        let (process, address) = Process::start(server)?;
        Ok(Self { server, process, load: Load::new(address)?, wall: Vec::new(), cpu: Vec::new() })
    }

    fn run(&mut self, turns: u64) -> io::Result<()> {
        let (start, cpu) = (Instant::now(), self.process.cpu_time()?);
        let messages = self.load.run(turns).map_err(|error| named(self.server, error))?;
        self.wall.push(start.elapsed().as_nanos() as f64 / messages as f64);
        self.cpu.push((self.process.cpu_time()? - cpu) as f64 / messages as f64);
        Ok(())
    }
}

struct Process(Child);

impl Process {
    /// Starts a server, whose first line says where it listens.
    fn start(server: &Server) -> io::Result<(Self, SocketAddr)> {
        let mut command = Command::new(std::env::current_exe()?);
        let mut process = Self(command.args(["--serve", server.name]).stdout(Stdio::piped()).spawn()?);
        let mut line = String::new();
        BufReader::new(process.0.stdout.take().expect("a pipe")).read_line(&mut line)?;
        let address = line.split_once("listening on ").and_then(|(_, rest)| rest.split_whitespace().next());
        let address = address.and_then(|address| address.trim_end_matches(':').parse().ok());
        let address = address.ok_or_else(|| named(server, io::Error::other(format!("it says {line:?}"))))?;
        Ok((process, address))
    }

    /// What its first thread, which is the one that serves, has used of a CPU, in nanoseconds.
    fn cpu_time(&self) -> io::Result<u64> {
        let stat = fs::read_to_string(format!("/proc/{0}/task/{0}/schedstat", self.0.id()))?;
        stat.split(' ').next().and_then(|time| time.parse().ok()).ok_or(io::ErrorKind::InvalidData.into())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn named(server: &Server, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", server.name))
}

fn ratios(bare: &[f64], times: &[f64]) -> Vec<f64> {
    bare.iter().zip(times).map(|(bare, time)| bare / time).collect()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
