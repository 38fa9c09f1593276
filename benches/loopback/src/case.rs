//! The cases: messages of one size, so many connections, so many messages in flight on each, over one transport.

use std::fmt;

use crate::transport::Transport;

#[derive(Clone, Copy)]
pub(crate) struct Case {
    /// The bytes of a message.
    pub(crate) size: usize,
    pub(crate) connections: usize,
    /// The messages in flight on each connection.
    pub(crate) window: usize,
    pub(crate) transport: Transport,
}

const SIZES: [usize; 2] = [64, 16 << 10];
const CONNECTIONS: [usize; 2] = [1, 64];
const WINDOWS: [usize; 2] = [1, 16];

/// Every combination; the names of those that are measured contain one of the `parts`, if there are any.
pub(crate) fn throughput(parts: &[String]) -> Vec<Case> {
    let all = Transport::ALL.into_iter().flat_map(|transport| {
        SIZES.into_iter().flat_map(move |size| {
            CONNECTIONS.into_iter().flat_map(move |connections| {
                WINDOWS.into_iter().map(move |window| Case { size, connections, window, transport })
            })
        })
    });
    all.filter(|case| case.is_wanted(parts)).collect()
}

/// The cases of the latency: by a schedule, many connections have no window.
pub(crate) fn latency(parts: &[String]) -> Vec<Case> {
    throughput(parts).into_iter().filter(|case| case.connections == 64 && case.window == 1).collect()
}

impl Case {
    /// The messages a second of the latency's schedule: less than half of what the slowest server can do.
    pub(crate) fn rate(&self) -> u64 {
        if self.size > 1024 { 8_000 } else { 25_000 }
    }

    fn is_wanted(&self, parts: &[String]) -> bool {
        let name = self.to_string();
        parts.is_empty() || parts.iter().any(|part| name.contains(part.as_str()))
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { size, connections, window, transport } = self;
        match size {
            ..1024 => write!(f, "{transport} {size}B {connections}x{window}"),
            _ => write!(f, "{transport} {}KiB {connections}x{window}", size >> 10),
        }
    }
}
