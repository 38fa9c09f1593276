//! A server as a process of its own.

use std::fs;
use std::io::{self, BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::case::Case;
use crate::pin::Cpus;
use crate::servers::Server;

pub(crate) struct Process {
    child: Child,
    pub(crate) address: String,
}

impl Process {
    /// Starts a server, whose first line is its address.
    pub(crate) fn start(server: &Server, case: Case, cpus: Option<Cpus>) -> io::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["--serve", server.name, "--transport", &case.transport.to_string()]);
        command.args(["--connections", &case.connections.to_string()]);
        if let Some(cpus) = cpus {
            command.args(["--cpu", &cpus.servers.to_string()]);
        }
        let mut process = Self { child: command.stdout(Stdio::piped()).spawn()?, address: String::new() };
        let output = process.child.stdout.take().expect("a pipe");
        BufReader::new(output).read_line(&mut process.address)?;
        process.address.truncate(process.address.trim_end().len());
        Ok(process)
    }

    /// Returns the CPU time of its first thread, which is the one that serves, in nanoseconds.
    pub(crate) fn cpu_time(&self) -> io::Result<u64> {
        self.account().map(|account| account.ran)
    }

    /// Returns how long its first thread was ready to run, but another had the CPU, in nanoseconds.
    pub(crate) fn delay(&self) -> io::Result<u64> {
        self.account().map(|account| account.waited)
    }

    fn account(&self) -> io::Result<Account> {
        Account::read(&format!("/proc/{0}/task/{0}/schedstat", self.child.id()))
    }
}

/// What the kernel says of a thread, in nanoseconds.
struct Account {
    ran: u64,
    waited: u64,
}

impl Account {
    fn read(path: &str) -> io::Result<Self> {
        let text = fs::read_to_string(path)?;
        let mut fields = text.split(' ').map(|field| field.parse().ok());
        match (fields.next().flatten(), fields.next().flatten()) {
            (Some(ran), Some(waited)) => Ok(Self { ran, waited }),
            _ => Err(io::ErrorKind::InvalidData.into()),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns the CPU time of this thread.
pub(crate) fn own_cpu_time() -> Duration {
    // What /proc says of a thread that runs is some milliseconds old.
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.cast_unsigned(), time.tv_nsec as u32)
}

/// Returns how long this thread was ready to run, but another had the CPU, in nanoseconds.
pub(crate) fn own_delay() -> io::Result<u64> {
    Account::read("/proc/thread-self/schedstat").map(|account| account.waited)
}
