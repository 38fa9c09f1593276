//! Echo over loopback, by servers of one thread: `README.md` beside this says how.
//!
//! ```text
//! throughput: a window of messages, and the next when all are answered     measure.rs, by load.rs
//! latency: messages by a schedule, whatever is answered by then            latency.rs, by schedule.rs
//!    ║  loopback: TCP and Unix sockets                                     transport.rs
//! servers, a process each: websocket-proto, the peers, the bare loop       process.rs, servers/
//! ```

mod case;
mod latency;
mod load;
mod measure;
mod messages;
mod options;
mod picture;
mod pin;
mod process;
mod report;
mod schedule;
mod servers;
mod transport;

// The example as it is, without what its `main` does besides serving.
#[path = "../../../examples/mio/src/answer.rs"]
mod answer;
#[path = "../../../examples/mio/src/deadlines.rs"]
mod deadlines;
#[allow(dead_code)]
#[path = "../../../examples/mio/src/listener.rs"]
mod listener;
#[path = "../../../examples/mio/src/peer.rs"]
mod peer;
#[allow(dead_code)]
#[path = "../../../examples/mio/src/server.rs"]
mod server;
#[allow(dead_code)]
#[path = "../../../examples/mio/src/signals.rs"]
mod signals;
#[path = "../../../examples/mio/src/socket.rs"]
mod socket;

use std::fs;
use std::io;
use std::process::ExitCode;

use options::Options;
use report::Measured;

fn main() -> io::Result<ExitCode> {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(wrong) => {
            eprintln!("{wrong}\n\n{}", options::USAGE);
            return Ok(ExitCode::FAILURE);
        }
    };
    if let Some(name) = &options.serve {
        let server = servers::find(name).ok_or_else(|| io::Error::other(format!("no server is called {name}")))?;
        if let Some(cpu) = options.cpu {
            pin::to(cpu)?;
        }
        server.serve(options.transport, options.connections)?;
        return Ok(ExitCode::SUCCESS);
    }
    let measured = measure(&options)?;
    let tables = report::tables(&measured, &options);
    println!("{tables}");
    if let Some(path) = &options.markdown {
        fs::write(path, report::page(&tables, &options))?;
    }
    if let Some(path) = &options.picture {
        fs::write(path, picture::draw(&measured.latency, &options.date))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn measure(options: &Options) -> io::Result<Measured> {
    // Where that isn't allowed, nothing is pinned.
    let cpus = pin::choose().filter(|cpus| pin::to(cpus.load).is_ok());
    let mut measured = Measured { cpus, throughput: Vec::new(), latency: Vec::new() };
    if options.rounds > 0 {
        for case in case::throughput(&options.cases) {
            eprintln!("{case}");
            measured.throughput.push((case, measure::throughput(case, options, cpus)?));
        }
    }
    if options.latency_rounds > 0 {
        for case in case::latency(&options.cases) {
            eprintln!("{case}, latency");
            measured.latency.push((case, latency::latency(case, options, cpus)?));
        }
    }
    Ok(measured)
}
