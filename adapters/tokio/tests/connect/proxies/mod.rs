//! Connections through proxies, over `ws` and `wss`, and what proxies answer instead.

mod environment;
mod http;
mod http_proxy;
#[cfg(feature = "rustls-ring")]
mod https;
mod socks5;
mod socks_server;

use websocket_proto_tokio::{CloseCode, ConnectError, Connector, Message, ProxyError};

use crate::support::{echo, serve};

/// A name that the proxies of these tests resolve, and nobody else (RFC 6761 section 6.2).
const NAME: &str = "server.test";

/// Exchanges a message with a server of that name, over `ws`. Returns the server's port.
async fn talk_over_ws(connector: &Connector) -> u16 {
    let (address, server) = serve(echo).await;
    talk(connector, format!("ws://{NAME}:{}/", address.port())).await;
    assert!(server.await.unwrap().clean);
    address.port()
}

/// The same over `wss`. The certificate is the server's and not the proxy's.
#[cfg(feature = "rustls-ring")]
async fn talk_over_wss(with_proxy: impl Fn(Connector) -> Connector) -> u16 {
    use crate::tls::{acceptor, certificate, trusting};

    let identity = certificate(NAME);
    let (trusted, acceptor) = (identity.0.clone(), acceptor(identity, &[]));
    let (address, server) = serve(|stream| async move { echo(acceptor.accept(stream).await.unwrap()).await }).await;
    talk(&with_proxy(trusting(trusted, &[])), format!("wss://{NAME}:{}/", address.port())).await;
    assert!(server.await.unwrap().clean);
    address.port()
}

async fn talk(connector: &Connector, uri: String) {
    let mut ws = connector.connect(uri).await.unwrap();
    for message in [Message::from("hello"), Message::from(vec![7; 1 << 20])] {
        ws.send(message.clone()).await.unwrap();
        assert_eq!(ws.recv().await.unwrap(), Some(message));
    }
    ws.close(CloseCode::NORMAL, "").await.unwrap();
}

/// The error of a proxy, through which nobody is reached.
async fn proxy_error(proxy: String) -> ProxyError {
    let error = Connector::new().proxy(&proxy).connect(format!("ws://{NAME}:1/")).await.unwrap_err();
    let ConnectError::Proxy { proxy: named, error } = error else { panic!("{error:?}") };
    let without_credentials = proxy.rsplit_once('@').map_or(&*proxy, |(_, address)| address);
    assert!(named.ends_with(without_credentials.trim_start_matches("http://")), "{named}");
    error
}
