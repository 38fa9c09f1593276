//! The table.

use std::fmt::Write as _;

use crate::load::{CONNECTIONS, IN_FLIGHT, SIZE};
use crate::measure::Measured;
use crate::options::Options;

pub(crate) fn table(measured: &Measured, options: &Options) -> String {
    let mut text = format!(
        "{CONNECTIONS} connections, {IN_FLIGHT} messages of {SIZE} bytes in flight on each; the median of {} rounds of {} \
         messages; {}.\n\n\
         | server | messages/s | of the bare loop | CPU, ns a message | of the bare loop |\n\
         |---|--:|--:|--:|--:|\n",
        options.rounds,
        grouped(options.turns * (CONNECTIONS * IN_FLIGHT) as u64),
        match measured.load_on {
            Some(last) => format!("the servers are pinned to one CPU, the load to another (number {last})"),
            None => "nothing is pinned".into(),
        },
    );
    for row in &measured.servers {
        let _ = writeln!(
            text,
            "| {} | {} | {:.2} | {:.0} | {:.2} |",
            row.name,
            grouped((1e9 / row.wall) as u64),
            row.wall_ratio,
            row.cpu,
            row.cpu_ratio
        );
    }
    text
}

/// The table as a file of its own.
pub(crate) fn page(table: &str, options: &Options) -> String {
    format!(
        "# Echo over loopback, {}\n\nHigher ratios are better: messages in the same time, and messages for the same CPU \
         time of the server's thread. [What is compared](README.md).\n\n{table}",
        options.date
    )
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
