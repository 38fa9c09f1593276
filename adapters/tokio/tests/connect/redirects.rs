//! Redirects: which are followed, with which headers, and which are errors.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::time::{Instant, sleep};
use websocket_proto::client::Uri;
use websocket_proto::server;
use websocket_proto_tokio::{Acceptor, ConnectError, Connector, RedirectError};

/// The headers of the requests.
type Requests = Arc<Mutex<Vec<Vec<(String, String)>>>>;

/// A server on a port of its own, which redirects or opens a connection by path, and notes the requests.
struct Server {
    authority: String,
    requests: Requests,
}

impl Server {
    /// `redirect` returns status and `Location`, or `None` where a connection is opened.
    async fn start(redirect: impl Fn(&str) -> Option<(u16, String)> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let authority = listener.local_addr().unwrap().to_string();
        let requests = Requests::default();
        let noted = Arc::clone(&requests);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let answer = |request: &server::Request| {
                    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
                    noted.lock().unwrap().push(
                        request.headers().map(|(name, value)| (name.to_ascii_lowercase(), text(value))).collect(),
                    );
                    match redirect(request.resource()) {
                        Some((status, location)) => {
                            Err(server::Rejection::new(status).header("Location", &location).body("moved"))
                        }
                        None => Ok(server::Response::new()),
                    }
                };
                // A connection that is not closed is dropped.
                let _ = Acceptor::new().accept_with(stream, answer).await;
            }
        });
        Self { authority, requests }
    }

    /// The values of a header in all requests so far.
    fn seen(&self, name: &str) -> Vec<Option<String>> {
        let requests = self.requests.lock().unwrap();
        let value = |headers: &Vec<(String, String)>| {
            headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.clone())
        };
        requests.iter().map(value).collect()
    }
}

#[allow(clippy::unnecessary_wraps, reason = "an answer of `Server::start`")]
fn to(status: u16, location: impl Into<String>) -> Option<(u16, String)> {
    Some((status, location.into()))
}

/// The reason why no redirect was followed, and the `Location` of the response.
async fn error(connector: Connector, uri: String) -> (RedirectError, String) {
    let Err(ConnectError::Redirect { error, response }) = connector.connect(uri).await else { panic!() };
    (error, response.header("Location").unwrap().to_owned())
}

#[tokio::test]
async fn each_status_is_followed_and_no_other() {
    let server = Server::start(|path| match path[1..].parse() {
        Ok(status) => to(status, "/end"),
        Err(_) => None,
    })
    .await;
    for status in [301, 302, 303, 307, 308] {
        let uri = format!("ws://{}/{status}", server.authority);
        let ws = Connector::new().redirects(1).connect(&uri).await.unwrap();
        drop(ws);
        let Err(ConnectError::Rejected(response)) = Connector::new().connect(&uri).await else { panic!() };
        assert_eq!((response.status(), response.body()), (status, &b"moved"[..]), "not by default");
    }
    for status in [300, 305, 306, 401, 503] {
        let connected = Connector::new().redirects(1).connect(format!("ws://{}/{status}", server.authority)).await;
        let Err(ConnectError::Rejected(response)) = connected else { panic!("{status}") };
        assert_eq!(response.status(), status);
    }
}

#[tokio::test]
async fn a_relative_location_is_resolved_against_the_last_uri() {
    let server = Server::start(|path| match path {
        "/a/b?c" => to(302, "d/e"),
        "/a/d/e" => to(302, "../f"),
        "/a/f" => None,
        other => panic!("{other}"),
    })
    .await;
    Connector::new().redirects(2).connect(format!("ws://{}/a/b?c", server.authority)).await.unwrap();
    assert_eq!(server.seen("host").len(), 3);
}

#[tokio::test]
async fn credentials_stay_with_their_origin() {
    let back = Arc::new(Mutex::new(String::new()));
    let location = Arc::clone(&back);
    let other = Server::start(move |path| match path {
        "/" => to(307, "/again"),
        _ => to(307, location.lock().unwrap().clone()),
    })
    .await;
    let away = format!("ws://{}/", other.authority);
    let first = Server::start(move |path| match path {
        "/" => to(302, "/same"),
        "/same" => to(302, away.clone()),
        _ => None,
    })
    .await;
    *back.lock().unwrap() = format!("ws://{}/back", first.authority);
    let connector = Connector::new().redirects(4).header("cookie", "id=7").header("X-Trace", "1");

    let some = |text: &str| Some(text.to_owned());
    connector.connect(format!("ws://user:secret@{}/", first.authority)).await.unwrap();
    assert_eq!(first.seen("cookie"), [some("id=7"), some("id=7"), None]);
    assert_eq!(first.seen("authorization"), [some("Basic dXNlcjpzZWNyZXQ="), some("Basic dXNlcjpzZWNyZXQ="), None]);
    assert_eq!((other.seen("cookie"), other.seen("authorization")), (vec![None; 2], vec![None; 2]));
    assert_eq!(other.seen("x-trace"), [some("1"), some("1")]);

    let connector = connector.header("AUTHORIZATION", "Bearer secret").header("proxy-authorization", "Basic eA==");
    connector.connect(format!("ws://{}/", first.authority)).await.unwrap();
    assert_eq!(first.seen("authorization")[3..], [some("Bearer secret"), some("Bearer secret"), None]);
    assert_eq!(first.seen("proxy-authorization")[3..], [some("Basic eA=="), some("Basic eA=="), None]);
    assert_eq!((other.seen("authorization"), other.seen("proxy-authorization")), (vec![None; 4], vec![None; 4]));
}

#[tokio::test]
async fn the_limit_and_loops_are_errors() {
    let server = Server::start(|path| match path {
        "/a" => to(302, "/b"),
        "/b" => to(302, "/a"),
        path => to(302, format!("{path}x")),
    })
    .await;
    let uri = |path: &str| format!("ws://{}{path}", server.authority);
    let looping: Uri = uri("/a").parse().unwrap();
    assert_eq!(error(Connector::new().redirects(9), uri("/a")).await, (RedirectError::Loop(looping), "/a".into()));
    assert_eq!(error(Connector::new().redirects(2), uri("/x")).await, (RedirectError::TooMany(2), "/xxxx".into()));
    assert_eq!(server.seen("host").len(), 2 + 3);
}

#[tokio::test]
async fn a_location_that_is_not_a_websocket_uri_is_an_error() {
    let server = Server::start(|_| to(301, "ftp://example.com/")).await;
    let (error, _) = error(Connector::new().redirects(1), format!("ws://{}/", server.authority)).await;
    assert!(matches!(error, RedirectError::Location(_)), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn the_deadline_covers_all_redirects() {
    // The time advances where nobody has anything to do: while a server says nothing.
    for scheme in if cfg!(feature = "rustls-ring") { &["ws", "wss"][..] } else { &["ws"] } {
        let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let location = format!("{scheme}://{}/", silent.local_addr().unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let uri = format!("ws://{}/", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            sleep(Duration::from_secs(6)).await;
            let reject = |_: &server::Request| Err(server::Rejection::new(302).header("Location", &location));
            let _ = Acceptor::new().accept_with(stream, reject).await;
        });
        let begun = Instant::now();
        let error = Connector::new().redirects(1).connect(uri).await.unwrap_err();
        assert!(matches!(error, ConnectError::Timeout(_)), "{error:?}");
        assert_eq!(begun.elapsed().as_secs(), 10);
    }
}
