//! RFC 8305 in made-up time, without a network.

use std::cell::RefCell;

use tokio::time::Instant;

use super::*;

fn address(text: &str) -> SocketAddr {
    format!("{text}:80").parse().unwrap()
}

fn addresses(texts: &[&str]) -> Vec<SocketAddr> {
    texts.iter().map(|text| address(text)).collect()
}

#[test]
fn families_alternate_beginning_with_the_first() {
    for (given, expected) in [
        (
            &["[::1]", "[::2]", "[::3]", "1.1.1.1", "2.2.2.2"][..],
            &["[::1]", "1.1.1.1", "[::2]", "2.2.2.2", "[::3]"][..],
        ),
        (&["1.1.1.1", "2.2.2.2", "[::1]"], &["1.1.1.1", "[::1]", "2.2.2.2"]),
        (&["1.1.1.1", "2.2.2.2"], &["1.1.1.1", "2.2.2.2"]),
        (&["[::1]"], &["[::1]"]),
        (&[], &[]),
    ] {
        assert_eq!(interleave(addresses(given)), addresses(expected));
    }
}

/// The behaviour of an address: when it answers, and whether it accepts.
type Behaviour = (&'static str, u64, bool);

/// Connects to hosts that behave so. Returns when each attempt began, the outcome, and when it was there.
async fn race(hosts: &[Behaviour]) -> (Vec<u64>, Result<String, Vec<String>>, u64) {
    let (begun, attempts) = (Instant::now(), RefCell::new(Vec::new()));
    let elapsed = || begun.elapsed().as_millis() as u64;
    let attempt = |to: SocketAddr| {
        attempts.borrow_mut().push(elapsed());
        let &(_, millis, accepts) = hosts.iter().find(|(name, ..)| address(name) == to).unwrap();
        async move {
            sleep(Duration::from_millis(millis)).await;
            if accepts { Ok(to.ip().to_string()) } else { Err(io::Error::from(io::ErrorKind::ConnectionRefused)) }
        }
    };
    let order: Vec<_> = hosts.iter().map(|(name, ..)| address(name)).collect();
    let outcome = connect(order.into(), attempt).await;
    let outcome = outcome.map_err(|failures| failures.iter().map(|(address, _)| address.ip().to_string()).collect());
    let elapsed = elapsed();
    (attempts.into_inner(), outcome, elapsed)
}

#[tokio::test(start_paused = true)]
async fn a_host_that_answers_soon_is_the_only_one_asked() {
    assert_eq!(race(&[("[::1]", 240, true), ("1.1.1.1", 1, true)]).await, (vec![0], Ok("::1".into()), 240));
}

#[tokio::test(start_paused = true)]
async fn another_is_asked_after_a_quarter_of_a_second() {
    // The second overtakes the first.
    let raced = race(&[("[::1]", 10_000, true), ("1.1.1.1", 30, true), ("[::2]", 1, true)]).await;
    assert_eq!(raced, (vec![0, 250], Ok("1.1.1.1".into()), 280));
    // The first is late, and yet the first.
    let raced = race(&[("[::1]", 300, true), ("1.1.1.1", 500, true), ("[::2]", 1, true)]).await;
    assert_eq!(raced, (vec![0, 250], Ok("::1".into()), 300));
}

#[tokio::test(start_paused = true)]
async fn after_a_failure_the_next_is_asked_at_once() {
    let raced = race(&[("[::1]", 10, false), ("1.1.1.1", 20, false), ("[::2]", 30, true)]).await;
    assert_eq!(raced, (vec![0, 10, 30], Ok("::2".into()), 60));
    // The delay counts from the newest attempt.
    let raced = race(&[("[::1]", 100, false), ("1.1.1.1", 10_000, true), ("[::2]", 1, true)]).await;
    assert_eq!(raced, (vec![0, 100, 350], Ok("::2".into()), 351));
}

#[tokio::test(start_paused = true)]
async fn all_failures_are_returned() {
    let raced = race(&[("[::1]", 700, false), ("1.1.1.1", 20, false), ("[::2]", 900, false)]).await;
    let failures = ["1.1.1.1", "::1", "::2"].map(String::from).to_vec();
    assert_eq!(raced, (vec![0, 250, 270], Err(failures), 1170));
    assert_eq!(race(&[]).await, (vec![], Err(vec![]), 0));
}
