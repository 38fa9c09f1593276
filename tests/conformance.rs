//! Checks `tests/conformance.md` against the tests: every row of the RFC has a test that cites its id, or a reason.
//!
//! A test cites the rows that it covers in its doc comment: `/// C-02, C-03: ...`. The table's last column has the
//! names of those tests; `CONFORMANCE=write cargo test --test conformance` rewrites it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The sections of the table, and how many rows each has.
const SECTIONS: [(&str, usize); 5] = [("C", 56), ("S", 48), ("B", 95), ("H", 19), ("P", 54)];

/// The beginning of a reason, in a row without a test.
const REASONS: [&str; 4] = ["I/O layer: ", "Not offered: ", "By construction: ", "Documented: "];

#[test]
fn every_row_has_a_test_or_a_reason() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let place = root.join("tests/conformance.md");
    let table = fs::read_to_string(&place).unwrap();
    let tests = tests_by_row(root);

    let mut faults = Vec::new();
    let mut rows = BTreeSet::new();
    let mut written = String::new();
    let mut held = 0;
    for line in table.lines() {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        let ["", id, requirement, proof, ""] = cells[..] else {
            written.extend([line, "\n"]);
            continue;
        };
        if !is_id(id) {
            written.extend([line, "\n"]);
            continue;
        }
        if !rows.insert(id.to_owned()) {
            faults.push(format!("{id} stands twice in the table"));
        }
        let found =
            tests.get(id).map(|names| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" "));
        match &found {
            Some(names) if names == proof => {}
            Some(names) => faults.push(format!("{id}: the table says {proof:?}, the tests are {names}")),
            None if REASONS.iter().any(|reason| proof.starts_with(reason)) => {}
            None => faults.push(format!("{id}: no test names it, and {proof:?} is no reason")),
        }
        held += usize::from(found.is_some());
        written.extend(["| ", id, " | ", requirement, " | ", found.as_deref().unwrap_or(proof), " |\n"]);
    }
    if std::env::var("CONFORMANCE").is_ok_and(|wish| wish == "write") {
        fs::write(&place, written).unwrap();
    }

    let expected: BTreeSet<_> =
        SECTIONS.iter().flat_map(|(section, count)| (1..=*count).map(move |n| format!("{section}-{n:02}"))).collect();
    faults.extend(expected.difference(&rows).map(|id| format!("{id} is missing in the table")));
    faults.extend(rows.difference(&expected).map(|id| format!("{id} isn't a row of the RFC's")));
    faults.extend(
        tests.keys().filter(|id| !expected.contains(*id)).map(|id| format!("a test names {id}, which is no row")),
    );
    let names: BTreeSet<_> = tests.values().flatten().collect();
    println!(
        "conformance: {} rows, {held} held by {} tests, {} by a stated reason",
        rows.len(),
        names.len(),
        rows.len() - held
    );
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

/// The tests in `tests/` and `src/`, by the ids in their doc comments.
fn tests_by_row(root: &Path) -> BTreeMap<String, BTreeSet<String>> {
    let mut tests = BTreeMap::<_, BTreeSet<_>>::new();
    for file in ["tests", "src"].iter().flat_map(|folder| sources(&root.join(folder))) {
        let source = fs::read_to_string(&file).unwrap();
        let mut ids = Vec::new();
        let mut is_test = false;
        for line in source.lines().map(str::trim) {
            if let Some(comment) = line.strip_prefix("///") {
                ids.extend(comment.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').filter(|word| is_id(word)));
            } else if line == "#[test]" {
                is_test = true;
            } else if let Some(rest) = line.strip_prefix("fn ") {
                let name = rest.split('(').next().unwrap_or_default();
                if is_test {
                    for id in ids.drain(..) {
                        tests.entry(id.to_owned()).or_default().insert(name.to_owned());
                    }
                }
                ids.clear();
                is_test = false;
            } else if !line.starts_with("#[") {
                ids.clear();
            }
        }
    }
    tests
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// `C-01`: a section and a number of two digits.
fn is_id(word: &str) -> bool {
    matches!(word.as_bytes(), [b'C' | b'S' | b'B' | b'P' | b'H', b'-', tens, ones] if tens.is_ascii_digit() && ones.is_ascii_digit())
}
