//! The front page and the documents beside it: the loop runs as it is printed, commands are those that CI runs, links lead
//! somewhere, and the tests that SECURITY.md names exist.

use std::error::Error;
use std::fs;
use std::io::{
    ErrorKind::{Interrupted, TimedOut, WouldBlock},
    Read, Write,
};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use websocket_proto::bytes::Buf;
use websocket_proto::{Config, Connection, Event, TransportShutdown, server};

include!("serve.rs");

const LOOP: &str = include_str!("serve.rs");
const README: &str = include_str!("../../README.md");
const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

#[test]
fn the_loop_is_printed_as_it_is_tested() {
    assert!(README.contains(LOOP), "README.md must contain tests/readme/serve.rs as it is");
}

#[test]
fn the_loop_echoes_and_closes() {
    let answer = serve_a_client(Config::new(), &[REQUEST, b"\x81\x82\0\0\0\0hi\x88\x82\0\0\0\0\x03\xe8"].concat());
    assert!(answer.starts_with(b"HTTP/1.1 101 "));
    assert!(answer.ends_with(b"\r\n\r\n\x81\x02hi\x88\x02\x03\xe8"));
}

/// The client stays connected and sends nothing: only a deadline can end the loop.
#[test]
fn the_loop_keeps_deadlines() {
    let answer = serve_a_client(Config::new().handshake_timeout(Duration::from_millis(20)), b"");
    assert_eq!(answer, b"");
}

#[test]
fn the_test_command_is_the_one_that_ci_runs() {
    let ci = fs::read_to_string(root().join(".ci/run")).unwrap();
    let command = "cargo test --all-features";
    assert!(README.lines().any(|line| line == command));
    assert!(ci.lines().any(|line| line == command));
}

#[test]
fn the_page_is_short() {
    assert!(README.lines().count() <= 200);
}

#[test]
fn the_numbers_are_those_of_the_repository() {
    let table = fs::read_to_string(root().join("tests/conformance.md")).unwrap();
    let rows = table.lines().filter(|line| line.starts_with("| ") && line.as_bytes()[3] == b'-').count();
    let targets = fs::read_dir(root().join("fuzz/fuzz_targets")).unwrap().count();
    let folders =
        fs::read_dir(root().join("examples")).unwrap().filter(|entry| entry.as_ref().unwrap().path().is_dir());
    let programs = ["Six", "Seven", "Eight", "Nine", "Ten"][folders.count() - 6];
    let table = fs::read_to_string(root().join("benches/peers/table.md")).unwrap();
    let receive = table.lines().find(|line| line.starts_with("| A receive binary, 16 B, input 16 KiB |")).unwrap();
    let cells: Vec<&str> = receive.split('|').map(|cell| cell.trim().trim_matches('*')).collect();
    let fastest = cells[7..15].iter().filter_map(|cell| cell.parse::<f64>().ok()).fold(f64::MAX, f64::min);
    for expected in [
        format!("[{rows} requirements]"),
        format!("[{targets} fuzz targets]"),
        format!("[{programs} example programs]"),
        format!("takes {} ns", cells[3]),
        format!("[{fastest:.0} ns]"),
    ] {
        assert!(README.contains(&expected), "README.md must say {expected}");
    }
}

#[test]
fn links_lead_to_files_of_the_repository() {
    for page in
        ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "examples/README.md", "benches/README.md"]
    {
        let page = root().join(page);
        let text = fs::read_to_string(&page).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = link.split('#').next().unwrap();
            if !link.contains("://") {
                let target = if file.is_empty() { page.clone() } else { page.parent().unwrap().join(file) };
                assert!(target.exists(), "{}: {link}", page.display());
                if let Some((_, anchor)) = link.split_once('#') {
                    assert!(has_heading(&fs::read_to_string(target).unwrap(), anchor), "{}: {link}", page.display());
                }
            }
        }
    }
}

/// In SECURITY.md, words in code font that have two underscores are names of tests.
#[test]
fn the_tests_that_the_threat_model_names_exist() {
    let page = fs::read_to_string(root().join("SECURITY.md")).unwrap();
    let mut sources = String::new();
    read_sources(&root().join("tests"), &mut sources);
    let tests: Vec<_> = sources
        .split("#[test]")
        .skip(1)
        .filter_map(|rest| rest.split_once("fn ")?.1.split_once('('))
        .map(|(name, _)| name)
        .collect();
    let named: Vec<_> = page.split('`').skip(1).step_by(2).filter(|code| code.matches('_').count() >= 2).collect();
    assert!(named.len() > 40, "{named:?}");
    for name in named.into_iter().chain(["absurd_lengths"]) {
        assert!(tests.contains(&name), "no test is called {name}");
    }
}

/// Runs the loop of the front page on a connection from a client that sends `bytes`, and returns what the client received.
fn serve_a_client(config: Config, bytes: &[u8]) -> Vec<u8> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (stream, conn) = (listener.accept().unwrap().0, Connection::server(config));
    let server = thread::spawn(move || serve(stream, conn).map_err(|error| error.to_string()));
    client.set_read_timeout(Some(Duration::from_secs(30))).unwrap(); // fails the test if the loop never ends
    client.write_all(bytes).unwrap();
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).unwrap();
    drop(client);
    server.join().unwrap().unwrap();
    answer
}

/// Returns whether a heading of the page has this anchor on GitHub: lower case, hyphens for spaces, no punctuation.
fn has_heading(page: &str, anchor: &str) -> bool {
    page.lines().filter_map(|line| line.strip_prefix('#')).any(|heading| {
        let words = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = words.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.map(|c| if c == ' ' { '-' } else { c }).eq(anchor.chars())
    })
}

fn read_sources(folder: &Path, text: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_sources(&path, text);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text.push_str(&fs::read_to_string(path).unwrap());
        }
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
