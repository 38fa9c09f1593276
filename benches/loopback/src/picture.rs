//! A picture of the latency: for each server a bar from the first of the percentiles to the last, on a logarithmic scale,
//! with a mark at each.

use std::fmt::Write as _;

use crate::case::Case;
use crate::latency::Row;
use crate::servers;

const LABEL: usize = 170;
const BARS: usize = 320;
const LINE: usize = 15;
const HEADING: usize = 46;
const MARGIN: usize = 20;
const COLUMN: usize = LABEL + BARS + 30;
const TOP: usize = 66;

const STYLE: &str = "\
.back{fill:#fff}.text{fill:#1f2328}.soft{fill:#59636e}.ours{fill:#1a7f5a}.floor{fill:#b8bec6}.peer{fill:#7ba3d6}\
.axis{stroke:#59636e;stroke-dasharray:2 2;opacity:.5}\
@media(prefers-color-scheme:dark){.back{fill:#15191f}.text{fill:#e6edf3}.soft{fill:#9aa4af}.ours{fill:#3fb98a}\
.floor{fill:#4d5661}.peer{fill:#4f7fb8}.axis{stroke:#9aa4af}}";

/// The microseconds at the ends of the scale: powers of ten.
struct Scale {
    from: f64,
    to: f64,
}

pub(crate) fn draw(cases: &[(Case, Vec<Row>)], date: &str) -> String {
    let scale = Scale::fit(cases.iter().flat_map(|(_, rows)| rows).flat_map(|row| row.latencies));
    let lines = cases.iter().map(|(_, rows)| rows.len()).max().unwrap_or(0);
    let group_height = HEADING + lines * LINE;
    let mut body = String::new();
    for (i, (case, rows)) in cases.iter().enumerate() {
        let (x, y) = (MARGIN + i % 2 * (COLUMN + MARGIN), TOP + i / 2 * group_height);
        group(&mut body, *case, rows, &scale, x, y);
    }
    let (width, height) = (2 * COLUMN + 3 * MARGIN, TOP + cases.len().div_ceil(2) * group_height + MARGIN);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" font-family=\"system-ui, sans-serif\" font-size=\"11\">\n\
         <title>Latency of an echo over loopback</title>\n<style>{STYLE}</style>\n\
         <rect class=\"back\" width=\"{width}\" height=\"{height}\" rx=\"8\"/>\n\
         <text class=\"text\" x=\"{MARGIN}\" y=\"30\" font-size=\"17\" font-weight=\"600\">Latency of an echo over \
         loopback</text>\n\
         <text class=\"soft\" x=\"{MARGIN}\" y=\"50\">microseconds, from the scheduled time; marks at p50, p99 and p99.9; \
         {date}</text>\n{body}</svg>\n"
    )
}

/// Draws a case at that place.
fn group(body: &mut String, case: Case, rows: &[Row], scale: &Scale, x: usize, y: usize) {
    let (top, bottom) = (y + 18, y + 18 + rows.len() * LINE);
    let _ = writeln!(body, "<text class=\"text\" x=\"{x}\" y=\"{}\" font-weight=\"600\">{case}</text>", y + 12);
    let mut tick = scale.from;
    while tick <= scale.to * 1.01 {
        let at = (x + LABEL) as f64 + scale.place(tick);
        let _ = writeln!(
            body,
            "<line class=\"axis\" x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{top}\" y2=\"{bottom}\"/>\
             <text class=\"soft\" x=\"{at:.1}\" y=\"{}\" text-anchor=\"middle\">{tick:.0}</text>",
            bottom + 11
        );
        tick *= 10.0;
    }
    for (i, row) in rows.iter().enumerate() {
        bar(body, row, scale, x, top + i * LINE);
    }
}

fn bar(body: &mut String, row: &Row, scale: &Scale, x: usize, y: usize) {
    let class = match row.name {
        name if servers::FLOORS.contains(&name) => "floor",
        name if name.starts_with("websocket-proto") => "ours",
        _ => "peer",
    };
    let places = row.latencies.map(|latency| (x + LABEL) as f64 + scale.place(latency / 1e3));
    let (first, last) = (places[0], places[places.len() - 1]);
    let _ = write!(
        body,
        "<text class=\"soft\" x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>\
         <rect class=\"{class}\" x=\"{first:.1}\" y=\"{}\" width=\"{:.1}\" height=\"4\" opacity=\".5\"/>",
        x + LABEL - 6,
        y + LINE - 4,
        row.name,
        y + 6,
        last - first
    );
    for place in places {
        let _ = write!(body, "<circle class=\"{class}\" cx=\"{place:.1}\" cy=\"{}\" r=\"4\"/>", y + 8);
    }
    body.push('\n');
}

impl Scale {
    /// Fits nanoseconds.
    fn fit(values: impl Iterator<Item = f64>) -> Self {
        let (least, most) = values.fold((f64::INFINITY, 1.0), |(least, most): (f64, f64), value| {
            (least.min(value / 1e3), most.max(value / 1e3))
        });
        let from = 10_f64.powf(least.min(most).log10().floor());
        Self { from, to: 10_f64.powf(most.log10().ceil()).max(10.0 * from) }
    }

    /// How far right that many microseconds are.
    fn place(&self, value: f64) -> f64 {
        BARS as f64 * (value / self.from).log10() / (self.to / self.from).log10()
    }
}
