//! How long a connection may keep a server waiting. The clock is the runtime's, which skips to the next deadline.

use std::convert::Infallible;
use std::future::{pending, ready};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use example_hyper::{GRACE, IDLE, connect, hold, serve};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex, split};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, timeout};
use websocket_proto::{CloseCode, Config, client, server};
use websocket_proto_tokio::{Acceptor, Connector};

const SECOND: Duration = Duration::from_secs(1);

const PAGE: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
const UPGRADE: &[u8] = b"GET /echo HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n";

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const SETTINGS: &[u8] = b"\0\0\0\x04\0\0\0\0\0";
const NO_WINDOW: &[u8] = b"\0\0\x06\x04\0\0\0\0\0\0\x04\0\0\0\0";
/// GET / of localhost, on stream 1.
const GET: &[u8] = b"\0\0\x0e\x01\x05\0\0\0\x01\x82\x86\x84\x01\x09localhost";

/// The client's end of a connection that is served until it ends or is stopped.
fn serving(stopping: impl Future<Output = ()> + Send + 'static) -> DuplexStream {
    let (client, server) = duplex(1 << 16);
    tokio::spawn(serve(server, service_fn(|request| async { Ok::<_, Infallible>(answer(request)) }), stopping));
    client
}

/// A WebSocket that echoes, or a page.
fn answer(mut request: Request<Incoming>) -> Response<Full<Bytes>> {
    if request.uri().path() == "/" {
        return Response::new("a page".into());
    }
    match Acceptor::new().config(config()).upgrade(&mut request, server::Response::new()) {
        Ok((response, upgrading)) => {
            let hold = hold(&request);
            tokio::spawn(async move {
                let _hold = hold;
                let mut ws = upgrading.await.expect("the connection lives");
                while let Ok(Some(message)) = ws.recv().await {
                    ws.send(message).await.expect("the client reads");
                }
            });
            response.map(|()| Full::default())
        }
        Err(rejection) => rejection.into_http().map(Full::new),
    }
}

fn config() -> Arc<Config> {
    Arc::new(Config::new())
}

/// Expects the end of a connection at that time, with a second for whatever is in between; what came before.
async fn ends(client: &mut (impl AsyncReadExt + Unpin), start: Instant, after: Duration) -> Vec<u8> {
    let mut rest = Vec::new();
    let read = timeout(100 * SECOND, client.read_to_end(&mut rest)).await;
    assert!(read.is_ok(), "it doesn't end");
    let passed = start.elapsed();
    assert!((after..=after + GRACE + SECOND).contains(&passed), "it ended after {passed:?} instead of {after:?}");
    rest
}

#[tokio::test(start_paused = true)]
async fn a_client_has_a_bounded_time_for_its_request() {
    let parts: [&[&[u8]]; 9] = [
        &[],
        &[b"G"],
        &[&PAGE[..20]],
        &[UPGRADE],
        &[&PREFACE[..12]],
        &[PREFACE],
        &[PREFACE, &SETTINGS[..5]],
        &[PREFACE, SETTINGS],
        // A request whose head doesn't end.
        &[PREFACE, SETTINGS, &GET[..4], &[1], &GET[5..]],
    ];
    for parts in parts {
        let mut client = serving(pending());
        client.write_all(&parts.concat()).await.expect("there is room");
        ends(&mut client, Instant::now(), IDLE).await;
    }
}

#[tokio::test(start_paused = true)]
async fn bytes_now_and_then_gain_no_time() {
    let blank_lines = b"\r\n".repeat(100);
    let settings = [PREFACE, &SETTINGS.repeat(20)].concat();
    for slow in [UPGRADE, &blank_lines, &settings] {
        let (start, (mut reading, mut writing)) = (Instant::now(), split(serving(pending())));
        let drip = async {
            for byte in slow {
                sleep(SECOND).await;
                if writing.write_all(&[*byte]).await.is_err() {
                    break;
                }
            }
            pending().await
        };
        tokio::select! {
            _ = ends(&mut reading, start, IDLE) => {}
            () = drip => {}
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_is_not_kept_alive_for_long() {
    for request in [PAGE, &[PREFACE, SETTINGS, GET].concat(), &[PREFACE, NO_WINDOW, GET].concat()] {
        let mut client = serving(pending());
        sleep(5 * SECOND).await;
        client.write_all(request).await.expect("there is room");
        ends(&mut client, Instant::now(), IDLE).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_is_told_that_its_connection_ends() {
    let mut client = serving(pending());
    client.write_all(&[PREFACE, SETTINGS].concat()).await.expect("there is room");
    let rest = ends(&mut client, Instant::now(), IDLE).await;
    const GOAWAY: &[u8] = b"\0\0\x08\x07\0\0\0\0\0";
    assert!(rest.windows(GOAWAY.len()).any(|frame| frame == GOAWAY), "{rest:?}");
}

#[tokio::test(start_paused = true)]
async fn another_request_gains_time() {
    let mut client = serving(pending());
    for _ in 0..10 {
        client.write_all(PAGE).await.expect("it is open");
        let mut answer = Vec::new();
        while !answer.ends_with(b"a page") {
            assert_ne!(client.read_buf(&mut answer).await.expect("it is open"), 0);
        }
        sleep(IDLE - SECOND).await;
    }
    ends(&mut client, Instant::now() - (IDLE - SECOND), IDLE).await;
}

#[tokio::test(start_paused = true)]
async fn a_process_that_was_held_up_answers_what_has_come_in_time() {
    // Were the deadline looked at first, or at random, some would go without.
    for _ in 0..20 {
        let (mut client, server) = duplex(1 << 16);
        let service = service_fn(|request| async { Ok::<_, Infallible>(answer(request)) });
        let mut served = pin!(serve(server, service, pending()));
        // Its deadline begins, and passes while it isn't polled.
        tokio::select! {
            biased;
            () = &mut served => panic!("it ends at once"),
            () = ready(()) => {}
        }
        client.write_all(PAGE).await.expect("there is room");
        sleep(3 * IDLE).await;
        let ((), answer) = tokio::join!(served, ends(&mut client, Instant::now(), IDLE));
        assert!(answer.ends_with(b"a page"), "{answer:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn websockets_keep_a_connection_open() {
    let request = || client::Request::new("ws://localhost/echo".parse().expect("a URI"));
    let connector = Connector::new().config(config());
    let mut ws = connector.handshake("ws://localhost/echo", serving(pending())).await.expect("it is accepted");
    sleep(10 * IDLE).await;
    ws.send("still there?").await.expect("it is open");
    assert_eq!(ws.recv().await.expect("it is open"), Some("still there?".into()));

    let mut ws = connect(serving(pending()), request(), config()).await.expect("it is accepted");
    sleep(10 * IDLE).await;
    ws.send("still there?").await.expect("it is open");
    assert_eq!(ws.recv().await.expect("it is open"), Some("still there?".into()));
}

#[tokio::test(start_paused = true)]
async fn after_its_last_websocket_a_connection_is_idle() {
    let (client, server) = duplex(1 << 16);
    let service = service_fn(|request| async { Ok::<_, Infallible>(answer(request)) });
    let served = tokio::spawn(serve(server, service, pending()));
    let request = client::Request::new("ws://localhost/echo".parse().expect("a URI"));
    let mut ws = connect(client, request, config()).await.expect("it is accepted");
    // Not a multiple of the time after which it is looked at again.
    sleep(7 * IDLE / 2).await;
    ws.close(CloseCode::NORMAL, "").await.expect("it is open");
    let start = Instant::now();
    timeout(100 * SECOND, served).await.expect("it ends").expect("it doesn't panic");
    let passed = start.elapsed();
    assert!((IDLE..=IDLE + GRACE + SECOND).contains(&passed), "{passed:?}");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_stops_waits_for_nobody_for_long() {
    let parts: [&[&[u8]]; 8] = [
        &[],
        &[&PAGE[..20]],
        &[PAGE],
        &[&PREFACE[..12]],
        &[PREFACE],
        &[PREFACE, SETTINGS],
        &[PREFACE, SETTINGS, GET],
        &[PREFACE, NO_WINDOW, GET],
    ];
    for parts in parts {
        let (stop, stopping) = oneshot::channel::<()>();
        let mut client = serving(async { drop(stopping.await) });
        client.write_all(&parts.concat()).await.expect("there is room");
        sleep(SECOND).await;
        stop.send(()).expect("it is served");
        ends(&mut client, Instant::now(), Duration::ZERO).await;
    }
}
