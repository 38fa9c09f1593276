//! The opening handshake, both roles.

use std::ops::ControlFlow::{Break, Continue};
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use websocket_proto::{Config, Connection, Event, Seed, client, server};

use super::{Error, WebSocket};

impl<T: AsyncRead + AsyncWrite + Unpin> WebSocket<T> {
    /// A server's end: reads the request and answers it as `answer` decides. Plain HTTP is answered with 426.
    ///
    /// Where the decision has to wait for something, there is [`event`](Self::event).
    ///
    /// # Errors
    ///
    /// The request was rejected or never came ([`Error::Closed`], with the cause), or the response can't be sent.
    pub async fn accept(
        transport: T,
        config: Arc<Config>,
        answer: impl FnMut(&server::Request) -> Result<server::Response, server::Rejection>,
    ) -> Result<Self, Error> {
        Self::accept_or_serve(transport, config, answer, |_| None).await
    }

    /// The same, with pages for browsers: `page` answers plain HTTP requests, which end with that in
    /// [`Cause::Rejected`](websocket_proto::Cause::Rejected); `None` stands for
    /// the connection's own: 426, 405 or 505.
    ///
    /// # Errors
    ///
    /// As for [`accept`](Self::accept).
    pub async fn accept_or_serve(
        transport: T,
        config: Arc<Config>,
        mut answer: impl FnMut(&server::Request) -> Result<server::Response, server::Rejection>,
        mut page: impl FnMut(&server::Request) -> Option<server::Rejection>,
    ) -> Result<Self, Error> {
        let mut ws = Self::new(transport, Connection::server(config));
        let answered = ws.run(|conn, event| {
            let rejection = match event {
                Event::Request(request) => match answer(&request) {
                    Ok(response) => return Break(conn.accept(response)),
                    Err(rejection) => Some(rejection),
                },
                Event::HttpRequest(request) => page(&request),
                _ => None,
            };
            match rejection.map(|rejection| conn.reject(rejection)) {
                None | Some(Ok(())) => Continue(()),
                Some(unanswered) => Break(unanswered),
            }
        });
        answered.await?.unwrap_or(Ok(()))?;
        // The client waits for the response.
        ws.flush().await?;
        Ok(ws)
    }

    /// A client's end: sends the request and waits for the server's answer. The transport leads to the host of the
    /// request's URI, and is TLS where that [is secure](websocket_proto::client::Uri::is_secure).
    ///
    /// # Errors
    ///
    /// The server [refused](Error::Refused), the transport ended or the deadline of the handshake passed, or the request
    /// can't be sent.
    pub async fn connect(
        transport: T,
        request: client::Request,
        config: Arc<Config>,
        seed: Seed,
    ) -> Result<Self, Error> {
        let mut ws = Self::new(transport, Connection::client(request, config, seed)?);
        let answered = ws.run(|_, event| match event {
            Event::Open(_) => Break(Ok(())),
            Event::Rejected(response) => Break(Err(Error::Refused(response))),
            _ => Continue(()),
        });
        answered.await?.unwrap_or(Ok(()))?;
        Ok(ws)
    }
}
