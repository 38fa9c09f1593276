//! A picture: for some of the cases, bars as long as a message takes, in multiples of what it takes ours.

use std::fmt::Write as _;

use crate::entries::Standing;
use crate::measure::{Measured, Row};
use crate::report::time;

/// Which cases, and what they are called there.
const CASES: [(&str, &str); 12] = [
    ("A receive binary, 16 B, input 16 KiB", "server receives 16 B"),
    ("A receive binary, 1 KiB, input 16 KiB", "server receives 1 KiB"),
    ("A receive binary, 64 KiB, input 16 KiB", "server receives 64 KiB"),
    ("B receive ASCII, 1 KiB, input 16 KiB", "server receives 1 KiB of ASCII"),
    ("B receive Chinese, 16 KiB, input 16 KiB", "server receives 16 KiB of Chinese"),
    ("C receive ASCII, 16 B, input 16 KiB", "client receives 16 B of ASCII"),
    ("D server send, 16 B, drained after 16", "server sends 16 B"),
    ("D server send, 16 KiB, drained after 1", "server sends 16 KiB"),
    ("D client send, 1 KiB, drained after 1", "client sends 1 KiB"),
    ("E receive ASCII, 64 x 1 KiB, input 16 KiB", "64 fragments of 1 KiB of ASCII"),
    ("F accept, 630 B request", "server accepts a browser"),
    ("G inflate JSON, 64 KiB, no takeover", "server inflates 64 KiB"),
];

/// Bars that would be longer are cut off.
const LONGEST: f64 = 8.0;

const COLUMN: usize = 470;
const LABEL: usize = 128;
const BARS: usize = 250;
const LINE: usize = 13;
const HEADING: usize = 24;
const MARGIN: usize = 20;
const TOP: usize = 74;

const STYLE: &str = "\
.back{fill:#fff}.text{fill:#1f2328}.soft{fill:#59636e}.ours{fill:#1a7f5a}.floor{fill:#b8bec6}.peer{fill:#7ba3d6}\
.axis{stroke:#59636e;stroke-dasharray:2 2}.ratio{paint-order:stroke;stroke:#fff;stroke-width:4}\
@media(prefers-color-scheme:dark){.back{fill:#15191f}.text{fill:#e6edf3}.soft{fill:#9aa4af}.ours{fill:#3fb98a}\
.floor{fill:#4d5661}.peer{fill:#4f7fb8}.axis{stroke:#9aa4af}.ratio{stroke:#15191f}}";

/// Draws those of the cases that were measured.
pub(crate) fn draw(rows: &[Row], date: &str) -> String {
    let found = CASES.iter().filter_map(|(case, title)| Some((rows.iter().find(|row| row.case == *case)?, *title)));
    let found: Vec<_> = found.collect();
    let (left, right) = found.split_at(found.len().div_ceil(2));
    let (mut body, mut bottom) = (String::new(), 0);
    for (column, rows) in [left, right].into_iter().enumerate() {
        let mut y = TOP;
        for (row, title) in rows {
            y = group(&mut body, row, title, MARGIN + column * (COLUMN + MARGIN), y);
        }
        bottom = bottom.max(y);
    }
    let (width, height) = (2 * COLUMN + 3 * MARGIN, bottom + MARGIN);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" font-family=\"system-ui, sans-serif\" font-size=\"11\">\n\
         <title>Time per message, as a multiple of websocket-proto's</title>\n<style>{STYLE}</style>\n\
         <rect class=\"back\" width=\"{width}\" height=\"{height}\" rx=\"8\"/>\n\
         <text class=\"text\" x=\"{MARGIN}\" y=\"30\" font-size=\"17\" font-weight=\"600\">Time per message, as a \
         multiple of websocket-proto's</text>\n\
         <text class=\"soft\" x=\"{MARGIN}\" y=\"50\">shorter is faster; CPU time in memory, without a network; \
         {date}; floor: the least work that is correct, by hand</text>\n{body}</svg>\n"
    )
}

/// Draws a case at that place; says where the next one comes.
fn group(body: &mut String, row: &Row, title: &str, x: usize, y: usize) -> usize {
    let mut entries: Vec<_> = row.entries.iter().filter(|entry| entry.standing != Standing::Aside).collect();
    entries.sort_by_key(|entry| match entry.standing {
        Standing::Ours => 0,
        Standing::Floor => 1,
        Standing::Peer | Standing::Aside => 2,
    });
    let _ = writeln!(
        body,
        "<text class=\"text\" x=\"{x}\" y=\"{}\" font-weight=\"600\">{title}: {} ns</text>",
        y + 12,
        time(row.ours())
    );
    let top = y + 18;
    let bottom = top + entries.len() * LINE;
    let one = x + LABEL + (BARS as f64 / LONGEST) as usize;
    let _ = writeln!(body, "<line class=\"axis\" x1=\"{one}\" x2=\"{one}\" y1=\"{top}\" y2=\"{bottom}\"/>");
    for (i, entry) in entries.iter().enumerate() {
        bar(body, entry, entry.nanoseconds / row.ours().nanoseconds, x, top + i * LINE);
    }
    bottom + HEADING - LINE
}

fn bar(body: &mut String, entry: &Measured, ratio: f64, x: usize, y: usize) {
    let (class, name) = match entry.standing {
        Standing::Ours => ("ours", "websocket-proto"),
        Standing::Floor => ("floor", entry.name),
        Standing::Peer | Standing::Aside => ("peer", entry.name),
    };
    let start = x + LABEL;
    let width = BARS as f64 * ratio.min(LONGEST) / LONGEST;
    let cut = if ratio > LONGEST { "… " } else { "" };
    let _ = writeln!(
        body,
        "<text class=\"soft\" x=\"{}\" y=\"{}\" text-anchor=\"end\">{name}</text>\
         <rect class=\"{class}\" x=\"{start}\" y=\"{}\" width=\"{width:.1}\" height=\"{}\" rx=\"2\"/>\
         <text class=\"soft ratio\" x=\"{:.0}\" y=\"{}\">{cut}{ratio:.2}</text>",
        start - 6,
        y + LINE - 3,
        y + 1,
        LINE - 3,
        start as f64 + width + 5.0,
        y + LINE - 3,
    );
}
