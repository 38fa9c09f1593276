//! The same work through websocket-proto, other crates and hand-written floors: see `README.md`.

mod cases;
mod check;
mod data;
mod entries;
mod heap;
mod jobs;
mod measure;
mod options;
mod picture;
mod pipe;
mod report;
mod shared;
mod tally;
mod wire;

use std::fs;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::{self, ExitCode};

use options::{Command, Options};

#[global_allocator]
static ALLOCATOR: heap::Counting = heap::Counting;

fn main() -> io::Result<ExitCode> {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(wrong) => {
            eprintln!("{wrong}\n\n{}", options::USAGE);
            return Ok(ExitCode::FAILURE);
        }
    };
    let cases = cases::all().into_iter().filter(|case| options.wants(&case.name));
    match &options.command {
        Command::List => cases.for_each(|case| println!("{}", case.name)),
        Command::Check => {
            for case in cases {
                println!("{}: {}", case.name, check::check(&case).join(", "));
            }
        }
        Command::Pass { entry, passes } => {
            for case in cases {
                run(&case, entry.as_deref(), *passes);
            }
        }
        Command::Measure => {
            without_luck()?;
            let mut rows = Vec::new();
            for case in cases {
                let row = measure::measure(&case, options.rounds);
                report::print(&row);
                rows.push(row);
            }
            if let Some(path) = &options.markdown {
                fs::write(path, report::markdown(&rows, &options.date, options.rounds))?;
            }
            if let Some(path) = &options.svg {
                fs::write(path, picture::draw(&rows, &options.date))?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Restarts the program with a setting that makes the C library copy in one way only.
///
/// From 2 KiB on, glibc copies with `rep movsb`. On AMD's CPUs that takes up to three times as long if source and
/// destination happen to lie alike within their pages. Whose buffers do is a matter of luck, so it is switched off for
/// all.
fn without_luck() -> io::Result<()> {
    const NAME: &str = "GLIBC_TUNABLES";
    if std::env::var_os(NAME).is_some() {
        return Ok(());
    }
    let mut again = process::Command::new(std::env::current_exe()?);
    again.args(std::env::args_os().skip(1)).env(NAME, "glibc.cpu.x86_rep_movsb_threshold=2147483647");
    Err(again.exec())
}

/// Does that work and nothing else; without an entry, prints the entries that take part, with the number of messages in
/// a pass.
fn run(case: &cases::Case, name: Option<&str>, passes: u32) {
    let task = case.prepare(false);
    for &entry in entries::ALL {
        let Some(mut work) = task.job.work(entry) else { continue };
        match name {
            None => println!("{}\t{}", entry.name(), task.messages),
            Some(name) if name == entry.name() => (0..passes).for_each(|_| task.assert(entry, work())),
            Some(_) => {}
        }
    }
}
