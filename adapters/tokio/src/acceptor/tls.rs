//! Servers that speak TLS themselves.

use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout};
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::server::TlsStream;
use websocket_proto::server;

use super::{AcceptError, Acceptor, Incoming};
use crate::WebSocket;

impl Acceptor {
    /// Accepts connections over TLS, with the certificate of that configuration, and as this acceptor says.
    ///
    /// The [`handshake_timeout`](crate::Config::handshake_timeout), 10 seconds by default, bounds the TLS handshake and the
    /// request together.
    ///
    /// ```
    /// # #[cfg(feature = "rustls-ring")] {
    /// use tokio::net::TcpListener;
    /// use websocket_proto_tokio::Acceptor;
    /// use websocket_proto_tokio::rustls::ServerConfig;
    /// use websocket_proto_tokio::rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
    ///
    /// async fn run(listener: TcpListener) -> Result<(), Box<dyn std::error::Error>> {
    ///     let certificates = CertificateDer::pem_file_iter("certificates.pem")?.collect::<Result<_, _>>()?;
    ///     let key = PrivateKeyDer::from_pem_file("key.pem")?;
    ///     let tls = ServerConfig::builder().with_no_client_auth().with_single_cert(certificates, key)?;
    ///     let acceptor = Acceptor::new().tls(tls);
    ///     loop {
    ///         let (stream, _) = listener.accept().await?;
    ///         stream.set_nodelay(true)?;
    ///         let acceptor = acceptor.clone();
    ///         // A handshake takes time: the next client does not wait for it.
    ///         tokio::spawn(async move {
    ///             let mut ws = acceptor.accept(stream).await?;
    ///             ws.send("welcome").await?;
    ///             Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
    ///         });
    ///     }
    /// }
    /// # }
    /// ```
    pub fn tls(self, config: impl Into<Arc<ServerConfig>>) -> TlsAcceptor {
        TlsAcceptor { acceptor: self, tls: config.into() }
    }
}

/// Accepts WebSocket connections over TLS; [`Acceptor::tls`] returns one. It is cheap to clone.
///
/// Its methods take the stream on which the client begins TLS.
#[derive(Clone, Debug)]
pub struct TlsAcceptor {
    acceptor: Acceptor,
    tls: Arc<ServerConfig>,
}

impl TlsAcceptor {
    /// Establishes TLS over a stream and accepts a connection, as [`Acceptor::accept`] does.
    ///
    /// # Errors
    ///
    /// There is no connection; see [`AcceptError`].
    ///
    /// # Cancel safety
    ///
    /// Not cancel-safe: the stream is dropped with the future.
    pub async fn accept<S>(&self, stream: S) -> Result<WebSocket<TlsStream<S>>, AcceptError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        self.accept_with(stream, |_| Ok(server::Response::new())).await
    }

    /// Establishes TLS over a stream and accepts a connection with a function that decides, as [`Acceptor::accept_with`] does.
    ///
    /// # Errors
    ///
    /// As for [`accept`](Self::accept).
    ///
    /// # Cancel safety
    ///
    /// Not cancel-safe: the stream is dropped with the future.
    pub async fn accept_with<S>(
        &self,
        stream: S,
        answer: impl FnOnce(&server::Request) -> Result<server::Response, server::Rejection>,
    ) -> Result<WebSocket<TlsStream<S>>, AcceptError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        self.read_request(stream).await?.answer_with(answer).await
    }

    /// Establishes TLS over a stream and reads the request, as [`Acceptor::read_request`] does.
    ///
    /// # Errors
    ///
    /// As for [`accept`](Self::accept).
    ///
    /// # Cancel safety
    ///
    /// Not cancel-safe: the stream is dropped with the future.
    pub async fn read_request<S>(&self, stream: S) -> Result<Incoming<TlsStream<S>>, AcceptError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let begun = Instant::now();
        let handshake = tokio_rustls::TlsAcceptor::from(Arc::clone(&self.tls)).accept(stream);
        let established = match self.acceptor.config.get_handshake_timeout() {
            Some(time) => timeout(time, handshake).await.map_err(|_| AcceptError::TlsTimeout)?,
            None => handshake.await,
        };
        self.acceptor.read_request_since(begun, established.map_err(AcceptError::Tls)?).await
    }
}
