//! Echo over loopback, by servers of one thread: `README.md` beside this says how.
//!
//! ```text
//! measure ──► starts every server, a process each, and gives them their turns       measure.rs
//!    │
//!   load ──► the connections: sends what is prepared, compares every answer         load.rs
//!    ║  loopback
//! servers ─► websocket-proto on mio, the peers, the bare loop                       servers/
//! ```

mod load;
mod measure;
mod options;
mod pin;
mod report;
mod servers;

// The example as it is.
#[path = "../../../examples/mio/src/answer.rs"]
mod answer;
#[path = "../../../examples/mio/src/deadlines.rs"]
mod deadlines;
#[path = "../../../examples/mio/src/listener.rs"]
mod listener;
#[path = "../../../examples/mio/src/peer.rs"]
mod peer;
#[path = "../../../examples/mio/src/server.rs"]
mod server;
#[path = "../../../examples/mio/src/signals.rs"]
mod signals;
#[path = "../../../examples/mio/src/socket.rs"]
mod socket;

use std::fs;
use std::io;
use std::process::ExitCode;

use options::Options;

fn main() -> io::Result<ExitCode> {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(wrong) => {
            eprintln!("{wrong}\n\n{}", options::USAGE);
            return Ok(ExitCode::FAILURE);
        }
    };
    if let Some(name) = &options.serve {
        let Some(server) = servers::ALL.iter().find(|server| server.name == name) else {
            return Err(io::Error::other(format!("no server is called {name}")));
        };
        pin::to_first_cpu();
        (server.serve)()?;
        return Ok(ExitCode::SUCCESS);
    }
    let measured = measure::measure(&options)?;
    let table = report::table(&measured, &options);
    println!("{table}");
    if let Some(path) = &options.markdown {
        fs::write(path, report::page(&table, &options))?;
    }
    Ok(ExitCode::SUCCESS)
}
