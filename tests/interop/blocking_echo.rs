//! An echo on websocket-proto-blocking for other implementations: a server with a thread for each connection, or a client of
//! the server at a URI.
//!
//! ```text
//! blocking-echo [ws://HOST:PORT/] [--certificate FILE] [--quiet]
//! ```
//!
//! It does what `tokio-echo` does.

use std::error::Error;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use websocket_proto_blocking::rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use websocket_proto_blocking::rustls::{ClientConfig, RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use websocket_proto_blocking::{
    Acceptor, CloseCode, Connector, DeflateConfig, Message, Transport, WebSocket, default_config, server,
};

type Result<T, E = Box<dyn Error + Send + Sync>> = std::result::Result<T, E>;

fn main() -> Result<()> {
    let (mut uri, mut certificate, mut is_quiet) = (None, None, false);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match &*argument {
            "--certificate" => certificate = arguments.next(),
            "--quiet" => is_quiet = true,
            _ => uri = Some(argument),
        }
    }
    match uri {
        Some(uri) => {
            println!("{}", connect(&uri, certificate.as_deref())?);
            Ok(())
        }
        None => serve(certificate.as_deref(), is_quiet),
    }
}

fn connect(uri: &str, certificate: Option<&str>) -> Result<String> {
    let mut connector = Connector::new()
        .config(default_config().deflate(DeflateConfig::new()))
        .subprotocol("unheard-of")
        .subprotocol("echo");
    if let Some(file) = certificate {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(file)?)?;
        connector = connector.tls(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth());
    }
    echo(connector.connect(uri)?)
}

fn serve(certificate: Option<&str>, is_quiet: bool) -> Result<()> {
    let config = default_config().deflate(DeflateConfig::new());
    let acceptor = Acceptor::new().config(config).subprotocols(["chat", "echo"]).http(page);
    let tls = certificate.map(server_config).transpose()?.map(Arc::new);
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("listening on {}", listener.local_addr()?);
    for stream in listener.incoming() {
        let (acceptor, tls, stream) = (acceptor.clone(), tls.clone(), stream?);
        thread::spawn(move || {
            let ended = accept(&acceptor, tls, stream);
            if !is_quiet {
                println!("{}", ended.unwrap_or_else(|error| error.to_string()));
            }
        });
    }
    Ok(())
}

fn server_config(file: &str) -> Result<ServerConfig> {
    let (certificate, key) = (CertificateDer::from_pem_file(file)?, PrivateKeyDer::from_pem_file(file)?);
    Ok(ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate], key)?)
}

fn accept(acceptor: &Acceptor, tls: Option<Arc<ServerConfig>>, stream: TcpStream) -> Result<String> {
    stream.set_nodelay(true)?;
    match tls {
        Some(tls) => echo(acceptor.accept_with(StreamOwned::new(ServerConnection::new(tls)?, stream), answer)?),
        None => echo(acceptor.accept_with(stream, answer)?),
    }
}

/// A page for browsers to connect from.
fn page(request: &server::Request) -> Option<server::Rejection> {
    let page =
        || server::Rejection::new(200).header("Content-Type", "text/html").body("<!doctype html><title>Echo</title>");
    (request.path() == "/").then(page)
}

fn answer(request: &server::Request) -> Result<server::Response, server::Rejection> {
    match request.path() {
        "/reject" => Err(server::Rejection::new(403).body("not here")),
        _ => Ok(server::Response::new()),
    }
}

/// Echoes messages to the end. Returns how the connection ended.
fn echo<S: Transport>(mut ws: WebSocket<S>) -> Result<String> {
    while let Some(message) = ws.read()? {
        match as_close(&message) {
            Some((code, reason)) => ws.close(CloseCode::try_from(code)?, reason)?,
            None => ws.send(message)?,
        }
    }
    Ok(ws.closed().map_or_else(String::new, ToString::to_string))
}

fn as_close(message: &Message) -> Option<(u16, &str)> {
    let (code, reason) = message.as_text()?.strip_prefix("close ")?.split_once(' ')?;
    Some((code.parse().ok()?, reason))
}
