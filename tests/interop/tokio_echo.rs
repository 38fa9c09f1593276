//! An echo on websocket-proto-tokio for other implementations: a server, or a client of the server at a URI.
//!
//! ```text
//! tokio-echo [ws://HOST:PORT/] [--certificate FILE] [--quiet]
//! ```
//!
//! With a certificate and its key, a server speaks TLS. A client trusts that certificate and no other. Each prints how its
//! connections end, unless it is `--quiet`. A message `close CODE REASON` is not echoed: it has the connection closed so.

use std::error::Error;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use websocket_proto_tokio::rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use websocket_proto_tokio::rustls::{ClientConfig, RootCertStore, ServerConfig};
use websocket_proto_tokio::{
    Acceptor, CloseCode, Connector, DeflateConfig, Message, TlsAcceptor, WebSocket, default_config, server,
};

type Result<T, E = Box<dyn Error + Send + Sync>> = std::result::Result<T, E>;

#[tokio::main]
async fn main() -> Result<()> {
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
            println!("{}", connect(&uri, certificate.as_deref()).await?);
            Ok(())
        }
        None => serve(certificate.as_deref(), is_quiet).await,
    }
}

async fn connect(uri: &str, certificate: Option<&str>) -> Result<String> {
    let mut connector = Connector::new()
        .config(default_config().deflate(DeflateConfig::new()))
        .subprotocol("unheard-of")
        .subprotocol("echo");
    if let Some(file) = certificate {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(file)?)?;
        connector = connector.tls(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth());
    }
    echo(connector.connect(uri).await?).await
}

async fn serve(certificate: Option<&str>, is_quiet: bool) -> Result<()> {
    let config = default_config().deflate(DeflateConfig::new());
    let acceptor = Acceptor::new().config(config).subprotocols(["chat", "echo"]).http(page);
    let tls = certificate.map(server_config).transpose()?.map(|config| acceptor.clone().tls(config));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on {}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        let (acceptor, tls) = (acceptor.clone(), tls.clone());
        tokio::spawn(async move {
            let ended = accept(&acceptor, tls.as_ref(), stream).await;
            if !is_quiet {
                println!("{}", ended.unwrap_or_else(|error| error.to_string()));
            }
        });
    }
}

fn server_config(file: &str) -> Result<ServerConfig> {
    let (certificate, key) = (CertificateDer::from_pem_file(file)?, PrivateKeyDer::from_pem_file(file)?);
    Ok(ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate], key)?)
}

async fn accept(acceptor: &Acceptor, tls: Option<&TlsAcceptor>, stream: TcpStream) -> Result<String> {
    stream.set_nodelay(true)?;
    match tls {
        Some(tls) => echo(tls.accept_with(stream, answer).await?).await,
        None => echo(acceptor.accept_with(stream, answer).await?).await,
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
async fn echo<S: AsyncRead + AsyncWrite + Unpin>(mut ws: WebSocket<S>) -> Result<String> {
    while let Some(message) = ws.recv().await? {
        match as_close(&message) {
            Some((code, reason)) => ws.close(CloseCode::try_from(code)?, reason).await?,
            None => ws.send(message).await?,
        }
    }
    Ok(ws.closed().map_or_else(String::new, ToString::to_string))
}

fn as_close(message: &Message) -> Option<(u16, &str)> {
    let (code, reason) = message.as_text()?.strip_prefix("close ")?.split_once(' ')?;
    Some((code.parse().ok()?, reason))
}
