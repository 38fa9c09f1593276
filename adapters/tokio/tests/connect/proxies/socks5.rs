//! SOCKS5 proxies.

use tokio::io::AsyncWriteExt;
use websocket_proto_tokio::{ConnectError, Connector, ProxyError};

use super::socks_server::{Behaviour, OPEN, SocksServer, start};
use super::{NAME, proxy_error, talk, talk_over_ws};
use crate::support::{echo, serve};

#[tokio::test]
async fn ws_and_wss_are_tunnelled_and_the_proxy_resolves_the_name() {
    let SocksServer { address, mut requests } = start(OPEN).await;
    for scheme in ["socks5", "socks5h"] {
        let with_proxy = |connector: Connector| connector.proxy(format!("{scheme}://{address}"));
        talk_over_ws(&with_proxy(Connector::new())).await;
        assert_eq!(requests.recv().await.unwrap(), (3, NAME.into()));
        #[cfg(feature = "rustls-ring")]
        {
            super::talk_over_wss(with_proxy).await;
            assert_eq!(requests.recv().await.unwrap(), (3, NAME.into()));
        }
    }
    let (server, _) = serve(echo).await;
    talk(&Connector::new().proxy(format!("socks5://{address}")), format!("ws://{server}")).await;
    assert_eq!(requests.recv().await.unwrap(), (1, vec![127, 0, 0, 1]));
}

#[tokio::test]
async fn user_and_password_are_sent_where_they_are_wanted() {
    let address = start(Behaviour { credentials: Some(("us:er", "p@ss")), ..OPEN }).await.address;
    talk_over_ws(&Connector::new().proxy(format!("socks5://us%3Aer:p%40ss@{address}"))).await;
    let error = proxy_error(format!("socks5://us%3Aer:wrong@{address}")).await;
    assert!(matches!(error, ProxyError::Authentication(1)), "{error:?}");
    let error = proxy_error(format!("socks5://{address}")).await;
    assert!(matches!(error, ProxyError::AuthenticationMethod), "{error:?}");
    // A server that wants none is content with a client that has some.
    let address = start(OPEN).await.address;
    talk_over_ws(&Connector::new().proxy(format!("socks5://user@{address}"))).await;
}

#[tokio::test]
async fn a_reply_code_is_named() {
    for code in 1..=9 {
        let address = start(Behaviour { code, ..OPEN }).await.address;
        let error = proxy_error(format!("socks5://{address}")).await;
        assert!(matches!(error, ProxyError::Reply(reply) if reply == code), "{error:?}");
    }
}

#[tokio::test]
async fn what_follows_the_reply_is_the_servers_whatever_the_bound_address_is() {
    let more = b"HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nfull";
    for bound in [&[1, 127, 0, 0, 1][..], &[4; 17], b"\x03\x05proxy", b"\x03\x00"] {
        let address = start(Behaviour { bound, more, ..OPEN }).await.address;
        let connector = Connector::new().proxy(format!("socks5://{address}"));
        let Err(ConnectError::Rejected(response)) = connector.connect("ws://server.test:1/").await else { panic!() };
        assert_eq!((response.status(), response.body()), (503, &b"full"[..]), "{bound:?}");
    }
}

#[tokio::test]
async fn what_is_not_socks5_is_named() {
    for (sent, byte) in [
        (&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], b'H'),
        (&[4, 0], 4),
        // A method that was not offered.
        (&[5, 2], 2),
        (&[5, 1], 1),
        (&[5, 0, 4, 0, 0, 1], 4),
        (&[5, 0, 5, 0, 0, 2], 2),
    ] {
        let (address, _server) = serve(move |mut stream| async move {
            stream.write_all(sent).await.unwrap();
            stream
        })
        .await;
        let error = proxy_error(format!("socks5://{address}")).await;
        assert!(matches!(error, ProxyError::NotSocks5(other) if other == byte), "{sent:?}: {error:?}");
    }
}
