//! The table: on the screen, row by row, and as Markdown.

use std::fmt::Write as _;

use crate::entries::{self, Standing};
use crate::measure::{Measured, Row};

/// A row on the screen.
pub(crate) fn print(row: &Row) {
    println!("{}", row.case);
    for entry in &row.entries {
        println!("    {:<20} {:>12} ns {:>8.2} allocations", entry.name, time(entry), entry.allocations);
    }
    let goal = row.goal.map_or(String::new(), |goal| format!(" (goal {goal})"));
    let peer = row
        .fastest_peer()
        .map_or(String::new(), |peer| format!(", {:.2} x {}", row.ours().nanoseconds / peer.nanoseconds, peer.name));
    println!("    ours: {:.2} x floor{goal}{peer}", row.to_floor());
    for note in notes(row) {
        println!("    {note}");
    }
}

/// All rows, as a table in a file of its own.
pub(crate) fn markdown(rows: &[Row], date: &str, rounds: usize) -> String {
    let columns: Vec<_> = entries::ALL.iter().filter(|entry| entry.standing() == Standing::Peer).collect();
    let mut text = format!(
        "# Nanoseconds per message, {date}\n\n\
         CPU time: the median of {rounds} rounds, in each of which every entry has a turn. In bold: the fastest of ours \
         and the peers. The ratios are ours divided by the floor (next to its goal) and by the fastest peer: below 1, ours \
         is faster. The last column has the allocations per message, of ours and of that peer. \
         [How this is measured](README.md).\n\n\
         | case | floor | ours | to floor | goal | to fastest peer |"
    );
    for column in &columns {
        let _ = write!(text, " {} |", column.name());
    }
    text.push_str(" allocations |\n|---|");
    text.push_str(&"--:|".repeat(columns.len() + 6));
    text.push('\n');
    for row in rows {
        let ours = row.ours();
        let peer = row.fastest_peer();
        let best = peer.map_or(f64::MAX, |peer| peer.nanoseconds).min(ours.nanoseconds);
        let cell = |entry: Option<&Measured>| match entry {
            None => "–".into(),
            Some(entry) if entry.nanoseconds == best => format!("**{}**", time(entry)),
            Some(entry) => time(entry),
        };
        let goal = row.goal.map_or(String::new(), |goal| goal.to_string());
        let to_peer = peer.map_or(String::new(), |peer| format!("{:.2}", ours.nanoseconds / peer.nanoseconds));
        let _ = write!(
            text,
            "| {} | {} | {} | {:.2} | {goal} | {to_peer} |",
            row.case,
            cell(row.get("floor")),
            cell(Some(ours)),
            row.to_floor()
        );
        for column in &columns {
            let _ = write!(text, " {} |", cell(row.get(column.name())));
        }
        let of_peer = peer.map_or(String::new(), |peer| format!(", {:.2}", peer.allocations));
        let _ = writeln!(text, " {:.2}{of_peer} |", ours.allocations);
    }
    text.push_str("\n## Beside the table\n\n");
    for row in rows {
        for note in notes(row) {
            let _ = writeln!(text, "- {}: {note}", row.case);
        }
    }
    text
}

/// Results that have no column.
fn notes(row: &Row) -> Vec<String> {
    let asides = row.entries.iter().filter(|entry| entry.standing == Standing::Aside);
    let mut notes: Vec<_> = asides.map(|entry| format!("{} {} ns", entry.name, time(entry))).collect();
    if row.may_differ {
        let sizes: Vec<_> = row.entries.iter().map(|entry| format!("{} {:.0} B", entry.name, entry.bytes)).collect();
        notes.push(format!("written: {}", sizes.join(", ")));
    }
    if row.many {
        let sizes: Vec<_> = row.entries.iter().map(|entry| format!("{} {:.0} B", entry.name, entry.memory)).collect();
        notes.push(format!("memory for each connection: {}", sizes.join(", ")));
    }
    notes
}

/// Nanoseconds, with at least three digits.
pub(crate) fn time(entry: &Measured) -> String {
    if entry.nanoseconds < 100.0 {
        return format!("{:.1}", entry.nanoseconds);
    }
    let digits = format!("{:.0}", entry.nanoseconds);
    let first = digits.len() % 3;
    let mut groups: Vec<_> = digits.as_bytes()[first..].chunks(3).collect();
    if first > 0 {
        groups.insert(0, &digits.as_bytes()[..first]);
    }
    String::from_utf8(groups.join(&b',')).expect("digits")
}
