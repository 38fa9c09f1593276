//! Messages there and back, over every stream.

use std::fmt::Write;
use std::thread;

use websocket_proto_blocking::{
    CloseCode, Config, Event, Message, PreparedMessage, SendError, Transport, WebSocket, accept, connect,
};

use crate::support::{echo, open, serve, tcp_pair};

/// Sends messages of several sizes, one at a time, and expects each back.
fn converse<S: Transport>(ws: &mut WebSocket<S>) {
    for message in [Message::from("hello"), Message::from(""), Message::from(vec![7; 1 << 20])] {
        ws.send(message.clone()).unwrap();
        assert_eq!(ws.read().unwrap(), Some(message));
    }
    ws.send_prepared(&PreparedMessage::new("prepared")).unwrap();
    assert_eq!(ws.read().unwrap(), Some("prepared".into()));
    ws.send_text_with(|writer| write!(writer, "{{\"a\":{}}}", 1)).unwrap().unwrap();
    assert_eq!(ws.read().unwrap(), Some("{\"a\":1}".into()));
    ws.send_binary_with(|_| Err::<(), _>("nothing is sent")).unwrap().unwrap_err();
    ws.ping(b"there?").unwrap();
    assert_eq!(ws.event().unwrap(), Some(Event::Pong(b"there?"[..].into())));
    assert!(ws.round_trip().is_some());
}

#[test]
fn messages_go_there_and_back_over_tcp() {
    let (address, server) = serve(|stream| echo(accept(stream).unwrap()));
    let mut ws = connect(format!("ws://{address}/chat")).unwrap();
    converse(&mut ws);
    ws.close(CloseCode::GOING_AWAY, "bye").unwrap();
    let closed = server.join().unwrap();
    assert!(closed.clean);
    assert_eq!((closed.code, &*closed.reason), (CloseCode::GOING_AWAY, "bye"));
    assert!(matches!(ws.send("late"), Err(websocket_proto_blocking::Error::Send(SendError::Closed))));
    assert_eq!(ws.read().unwrap(), None);
}

#[cfg(unix)]
#[test]
fn messages_go_there_and_back_over_a_pair_of_unix_sockets() {
    let (server, mut client) = open(std::os::unix::net::UnixStream::pair().unwrap(), &Config::new());
    let server = thread::spawn(|| echo(server));
    converse(&mut client);
    client.close(None, "").unwrap();
    assert!(server.join().unwrap().clean);
}

#[cfg(feature = "deflate")]
#[test]
fn messages_are_compressed_where_both_ask_for_it() {
    use websocket_proto_blocking::{Acceptor, Connector, DeflateConfig};

    let acceptor = Acceptor::new().configure(|config| config.deflate(DeflateConfig::new()));
    let (address, server) = serve(move |stream| echo(acceptor.accept(stream).unwrap()));
    let connector = Connector::new().configure(|config| config.deflate(DeflateConfig::new()));
    let mut ws = connector.connect(format!("ws://{address}")).unwrap();
    assert!(ws.deflate().is_some());
    converse(&mut ws);
    ws.close(CloseCode::NORMAL, "").unwrap();
    assert!(server.join().unwrap().clean);
}

#[test]
fn pings_are_answered_while_reading() {
    let (mut server, mut client) = open(tcp_pair(), &Config::new());
    let server = thread::spawn(move || server.read());
    client.ping(b"1").unwrap();
    assert_eq!(client.event().unwrap(), Some(Event::Pong(b"1"[..].into())));
    client.send("done").unwrap();
    assert_eq!(server.join().unwrap().unwrap(), Some("done".into()));
}

/// The tokio crate at the other side.
#[test]
fn the_tokio_crate_understands_this_one() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();

    let (address, server) = serve(move |stream| {
        runtime().block_on(async {
            stream.set_nonblocking(true).unwrap();
            let stream = tokio::net::TcpStream::from_std(stream).unwrap();
            let mut ws = websocket_proto_tokio::accept(stream).await.unwrap();
            while let Some(message) = ws.recv().await.unwrap() {
                ws.send(message).await.unwrap();
            }
            ws.closed().unwrap().clean
        })
    });
    let mut ws = connect(format!("ws://{address}")).unwrap();
    converse(&mut ws);
    ws.close(CloseCode::NORMAL, "").unwrap();
    assert!(server.join().unwrap());

    let (address, server) = serve(|stream| echo(accept(stream).unwrap()));
    runtime().block_on(async {
        let mut ws = websocket_proto_tokio::connect(format!("ws://{address}")).await.unwrap();
        ws.send("hello").await.unwrap();
        assert_eq!(ws.recv().await.unwrap(), Some("hello".into()));
        ws.close(CloseCode::NORMAL, "").await.unwrap();
    });
    assert!(server.join().unwrap().clean);
}
