//! The tables: a line for each case, a column for each server.

use std::fmt::Write as _;

use crate::case::Case;
use crate::latency::{self, PERCENTILES};
use crate::measure;
use crate::options::Options;
use crate::pin::Cpus;
use crate::servers;

pub(crate) struct Measured {
    pub(crate) cpus: Option<Cpus>,
    pub(crate) throughput: Vec<(Case, Vec<measure::Row>)>,
    pub(crate) latency: Vec<(Case, Vec<latency::Row>)>,
}

pub(crate) fn tables(measured: &Measured, options: &Options) -> String {
    let mut text = match measured.cpus {
        Some(Cpus { servers, load }) => format!("The servers are pinned to CPU {servers}, the load to CPU {load}.\n"),
        None => "Nothing is pinned.\n".into(),
    };
    if !measured.throughput.is_empty() {
        throughput(&mut text, &measured.throughput, options);
    }
    if !measured.latency.is_empty() {
        latency(&mut text, &measured.latency, options);
    }
    text
}

/// The tables as a file of its own.
pub(crate) fn page(tables: &str, options: &Options) -> String {
    format!(
        "# Echo over loopback, {}\n\n[What is compared, and how](README.md). A case is named by its transport, the size of a \
         message, and connections x messages in flight on each.\n\n{tables}",
        options.date
    )
}

fn throughput(text: &mut String, cases: &[(Case, Vec<measure::Row>)], options: &Options) {
    let names: Vec<_> = cases[0].1.iter().map(|row| row.name).collect();
    let _ = write!(
        text,
        "\n## Thousands of messages a second\n\nThe median of {} rounds; more is better. In parentheses: the share of the \
         time in which the load runs, in percent. From 95 on the load is what limits.\n\n",
        options.rounds
    );
    table(text, &names, cases, |rows| {
        rows.iter().map(|row| cell(1e6 / row.wall, Some(row.load_busy), false)).collect()
    });
    text.push_str(
        "\n## CPU time of the server's thread, in nanoseconds a message\n\nLess is better; the best is bold. In \
         parentheses: that of the bare loop in the same round, in percent of it.\n\n",
    );
    table(text, &names, cases, |rows| {
        let best = best(rows.iter().map(|row| (row.name, row.cpu)));
        rows.iter().map(|row| cell(row.cpu, Some(row.cpu_ratio), Some(row.name) == best)).collect()
    });
}

fn latency(text: &mut String, cases: &[(Case, Vec<latency::Row>)], options: &Options) {
    let names: Vec<_> = cases[0].1.iter().map(|row| row.name).collect();
    let rates: Vec<_> = cases
        .iter()
        .map(|(case, _)| format!("{case}: {} messages/s", options.rate.unwrap_or_else(|| case.rate())))
        .collect();
    let _ = write!(
        text,
        "\n## Latency, in microseconds\n\nMessages are sent by a schedule over all connections, and count from the time for \
         which they were scheduled. The medians of {} rounds of {} seconds; less is better, the best is bold. {}.\n\n\
         For {:.1} % of the time, the server or the load was ready to run, but others had the CPU: with more than 1 %, this is the \
         latency of the operating system's scheduler, and means nothing for the servers.\n",
        options.latency_rounds,
        options.seconds,
        rates.join("; "),
        100.0 * measure::median(cases.iter().flat_map(|(_, rows)| rows).map(|row| row.delayed))
    );
    for (i, percentile) in PERCENTILES.into_iter().enumerate() {
        let _ = write!(text, "\n### p{percentile}\n\n");
        table(text, &names, cases, |rows| {
            let best = best(rows.iter().map(|row| (row.name, row.latencies[i])));
            rows.iter().map(|row| cell(row.latencies[i] / 1e3, None, Some(row.name) == best)).collect()
        });
    }
    text.push_str("\n### CPU time of the server's thread, in nanoseconds a message\n\n");
    table(text, &names, cases, |rows| {
        let best = best(rows.iter().map(|row| (row.name, row.cpu)));
        rows.iter().map(|row| cell(row.cpu, None, Some(row.name) == best)).collect()
    });
}

fn table<R>(text: &mut String, names: &[&str], cases: &[(Case, Vec<R>)], cells: impl Fn(&[R]) -> Vec<String>) {
    let _ = writeln!(text, "| case | {} |\n|---|{}", names.join(" | "), "--:|".repeat(names.len()));
    for (case, rows) in cases {
        let _ = writeln!(text, "| {case} | {} |", cells(rows).join(" | "));
    }
}

/// Returns whose value is the least, of those that are WebSocket servers.
fn best<'a>(values: impl Iterator<Item = (&'a str, f64)>) -> Option<&'a str> {
    let servers = values.filter(|(name, _)| !servers::FLOORS.contains(name));
    servers.min_by(|(_, one), (_, other)| one.total_cmp(other)).map(|(name, _)| name)
}

fn cell(value: f64, share: Option<f64>, is_best: bool) -> String {
    let value = if value < 100.0 { format!("{value:.1}") } else { grouped(value as u64) };
    let value = if is_best { format!("**{value}**") } else { value };
    match share {
        Some(share) => format!("{value} ({:.0})", 100.0 * share),
        None => value,
    }
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
