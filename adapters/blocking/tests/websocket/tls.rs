//! TLS, with a certificate that is made for the test.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::{sleep, spawn};
use std::time::Duration;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use websocket_proto_blocking::proto::Deadline;
use websocket_proto_blocking::rustls::crypto::ring::default_provider;
use websocket_proto_blocking::rustls::pki_types::CertificateDer;
use websocket_proto_blocking::rustls::{
    self, ClientConfig, RootCertStore, ServerConfig, ServerConnection, StreamOwned,
};
use websocket_proto_blocking::{
    AcceptError, Acceptor, Cause, CloseCode, ConnectError, ConnectStage, Connector, Error, Message, Transport, accept,
    connect,
};

use crate::support::{echo, serve, tcp_pair};

/// The times of deadlines are those of the whole; a peer that sends a byte this often never lets a single read time out.
const OFTEN: Duration = Duration::from_millis(20);
const SHORT: Duration = Duration::from_millis(200);

/// The configuration of a server, and its certificate.
pub(crate) fn identity() -> (Arc<ServerConfig>, CertificateDer<'static>) {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = CertificateDer::from(cert);
    let builder = ServerConfig::builder_with_provider(Arc::new(default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let config = builder.with_single_cert(vec![certificate.clone()], signing_key.into()).unwrap();
    (Arc::new(config), certificate)
}

pub(crate) fn trusting(certificate: CertificateDer<'static>) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    builder.with_root_certificates(roots).with_no_client_auth()
}

pub(crate) fn tls(config: Arc<ServerConfig>, stream: TcpStream) -> StreamOwned<ServerConnection, TcpStream> {
    StreamOwned::new(ServerConnection::new(config).unwrap(), stream)
}

#[test]
fn messages_go_there_and_back_over_tls() {
    let (config, certificate) = identity();
    let (address, server) = serve(|stream| echo(accept(tls(config, stream)).unwrap()));
    let connector = Connector::new().tls(trusting(certificate));
    let mut ws = connector.connect(format!("wss://localhost:{}/chat", address.port())).unwrap();
    assert!(ws.transport().tls_connection().is_some());
    for message in [Message::from("hello"), Message::from(""), Message::from(vec![7; 1 << 20])] {
        ws.send(message.clone()).unwrap();
        assert_eq!(ws.read().unwrap(), Some(message));
    }
    ws.close(CloseCode::NORMAL, "").unwrap();
    assert!(server.join().unwrap().clean);
}

#[test]
fn a_certificate_that_nobody_vouches_for_is_not_trusted() {
    let (config, _) = identity();
    let (address, server) = serve(|stream| accept(tls(config, stream)).is_err());
    let error = connect(format!("wss://localhost:{}", address.port())).unwrap_err();
    assert!(error.to_string().starts_with("no TLS connection with localhost: "), "{error}");
    assert!(matches!(error, ConnectError::Tls { .. }));
    assert!(server.join().unwrap());
}

#[test]
fn a_client_on_tls_cannot_be_split() {
    let (config, certificate) = identity();
    let (address, server) = serve(|stream| accept(tls(config, stream)).map(|mut ws| ws.read().is_err()));
    let connector = Connector::new().tls(trusting(certificate));
    let ws = connector.connect(format!("wss://localhost:{}", address.port())).unwrap();
    assert_eq!(ws.into_split().unwrap_err().kind(), ErrorKind::Unsupported);
    assert!(server.join().unwrap().unwrap());
}

#[test]
fn tls_has_its_part_of_the_time() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let connector = Connector::new().timeout(Duration::from_millis(200));
    let error = connector.connect(format!("wss://{}", listener.local_addr().unwrap())).unwrap_err();
    assert!(matches!(error, ConnectError::Timeout(ConnectStage::Tls)), "{error:?}");
}

/// Sends the header of a TLS record (RFC 8446 section 5.1), and then its content byte by byte, for much longer than `SHORT`.
fn drip(mut stream: TcpStream, content_type: u8) {
    for byte in [content_type, 3, 3, 64, 0].into_iter().chain([1; 100]) {
        // A peer that has had enough closes the stream.
        if stream.write_all(&[byte]).is_err() {
            return;
        }
        sleep(OFTEN);
    }
}

#[test]
fn a_client_that_does_not_complete_tls_is_dropped() {
    let acceptor = Acceptor::new().configure(|config| config.handshake_timeout(SHORT));
    for is_silent in [true, false] {
        let (stream, client) = tcp_pair();
        let client = spawn(move || if is_silent { drop((&client).read(&mut [0])) } else { drip(client, 22) });
        let error = acceptor.accept(tls(identity().0, stream)).unwrap_err();
        assert!(matches!(error, AcceptError::Timeout), "{error:?}");
        client.join().unwrap();
    }
}

#[test]
fn a_record_that_comes_byte_by_byte_is_silence_to_the_keepalive() {
    let (config, certificate) = identity();
    let (address, server) = serve(|stream| {
        let raw = stream.try_clone().unwrap();
        let _ws = accept(tls(config, stream)).unwrap();
        drip(raw, 23);
    });
    let connector = Connector::new().tls(trusting(certificate)).configure(|config| config.keepalive(SHORT, SHORT));
    let mut ws = connector.connect(format!("wss://localhost:{}", address.port())).unwrap();
    let error = ws.read().unwrap_err();
    let Error::Closed(closed) = &error else { panic!("{error:?}") };
    assert_eq!(closed.cause, Cause::Timeout(Deadline::Keepalive));
    drop(ws);
    server.join().unwrap();
}

/// What was written is in the buffer of TLS, which cannot take it back when the connection is dropped.
#[test]
fn a_peer_that_stalls_on_tls_ends_send_and_not_the_thread() {
    let (config, certificate) = identity();
    let (sent, waits) = std::sync::mpsc::channel::<()>();
    let (address, server) = serve(move |stream| {
        let ws = accept(tls(config, stream)).unwrap();
        // It reads nothing until the client has given up.
        let _ = waits.recv_timeout(SHORT * 50);
        drop(ws);
    });
    let connector = Connector::new().tls(trusting(certificate)).configure(|config| config.keepalive(SHORT, SHORT));
    let mut ws = connector.connect(format!("wss://localhost:{}", address.port())).unwrap();
    for error in [ws.send(vec![0; 15 << 20]), ws.flush(), ws.read().map(drop)].map(Result::unwrap_err) {
        let Error::Closed(closed) = &error else { panic!("{error:?}") };
        assert_eq!(closed.cause, Cause::Timeout(Deadline::Keepalive));
    }
    drop(sent);
    server.join().unwrap();
}

#[test]
fn a_client_that_speaks_something_else_is_sent_an_alert() {
    let (stream, mut client) = tcp_pair();
    client.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut stream = tls(identity().0, stream);
    let error = stream.read_once(&mut [0]).unwrap_err();
    assert!(error.get_ref().unwrap().is::<rustls::Error>(), "{error:?}");
    let mut alert = [0];
    client.set_read_timeout(Some(SHORT * 50)).unwrap();
    client.read_exact(&mut alert).unwrap();
    // RFC 8446 section 6.2.
    assert_eq!(alert, [21]);
}

/// A TCP stream whose next writes accept so many bytes: 0 for none now.
struct Limited(TcpStream, VecDeque<usize>);

impl Read for Limited {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Limited {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = bytes.len().min(self.1.pop_front().unwrap_or(usize::MAX));
        if count == 0 {
            return Err(ErrorKind::WouldBlock.into());
        }
        self.0.write_all(&bytes[..count]).map(|()| count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Transport for Limited {
    fn set_read_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        self.0.set_read_timeout(timeout)
    }

    fn set_write_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        self.0.set_write_timeout(timeout)
    }

    fn shutdown(&mut self, how: Shutdown) -> io::Result<()> {
        self.0.shutdown(how)
    }
}

#[test]
fn what_tls_has_buffered_is_not_taken_for_written() {
    let (config, certificate) = identity();
    let (stream, client) = tcp_pair();
    let reader = spawn(move || tls(config, stream).read(&mut [0; 1 << 10]).unwrap());
    let connection =
        rustls::ClientConnection::new(Arc::new(trusting(certificate)), "localhost".try_into().unwrap()).unwrap();
    let mut client = StreamOwned::new(connection, Limited(client, VecDeque::new()));
    while client.conn.is_handshaking() {
        client.conn.complete_io(&mut client.sock).unwrap();
    }
    let would_block = |result: io::Result<usize>| result.is_err_and(|error| error.kind() == ErrorKind::WouldBlock);
    client.sock.1 = [0].into();
    assert_eq!(client.write_once(&[7; 100]).unwrap(), 100);
    // The peer accepts a little again and again, and everything in the end.
    client.sock.1 = [20, 0, 20, 0].into();
    assert!(would_block(client.flush_once().map(|()| 0)));
    assert!(would_block(client.write_once(b"more")));
    // It may be waiting for a read.
    client.sock.1 = [0].into();
    client.set_read_timeout(Some(OFTEN)).unwrap();
    assert!(would_block(client.read_once(&mut [0])));
    client.flush_once().unwrap();
    assert_eq!(reader.join().unwrap(), 100);
}
