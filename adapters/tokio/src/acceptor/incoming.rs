//! A pending request.

use std::ops::ControlFlow;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use websocket_proto::server;

use super::AcceptError;
use crate::{Error, WebSocket};

/// A client's request that waits for your answer, returned by
/// [`Acceptor::read_request`](crate::Acceptor::read_request).
///
/// Dropping it drops the stream.
#[derive(Debug)]
pub struct Incoming<S> {
    ws: WebSocket<S>,
    request: Box<server::Request>,
    supported: Arc<[String]>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Incoming<S> {
    pub(super) fn new(ws: WebSocket<S>, request: Box<server::Request>, supported: Arc<[String]>) -> Self {
        Self { ws, request, supported }
    }

    /// Accepts the request.
    ///
    /// # Errors
    ///
    /// Fails if the response cannot be sent, or if the stream has failed.
    ///
    /// # Cancel safety
    ///
    /// Not cancel-safe: the stream is dropped with the future.
    pub async fn accept(mut self, mut response: server::Response) -> Result<WebSocket<S>, AcceptError> {
        if !self.supported.is_empty() {
            response = response.subprotocol(self.request.select_subprotocol(&self.supported));
        }
        self.ws.connection_mut().accept(response)?;
        // The client is waiting for the response.
        self.ws.flush().await?;
        Ok(self.ws)
    }

    /// Rejects the request, and waits until the rejection is written and the stream is closed.
    ///
    /// # Errors
    ///
    /// Fails if the rejection cannot be sent, or if the stream has failed.
    ///
    /// # Cancel safety
    ///
    /// Not cancel-safe: the stream is dropped with the future.
    pub async fn reject(self, rejection: server::Rejection) -> Result<(), AcceptError> {
        self.answer(rejection).await.map(drop)
    }

    /// Answers as a function says that has seen the request.
    pub(super) async fn answer_with(
        self,
        answer: impl FnOnce(&server::Request) -> Result<server::Response, server::Rejection>,
    ) -> Result<WebSocket<S>, AcceptError> {
        match answer(&self.request) {
            Ok(response) => self.accept(response).await,
            Err(rejection) => Err(AcceptError::Rejected(self.answer(rejection).await?)),
        }
    }

    /// Answers a plain HTTP request; 426 if there is no answer.
    pub(super) async fn answer_http(mut self, answer: Option<server::Rejection>) -> AcceptError {
        match answer {
            Some(answer) => self.answer(answer).await.map_or_else(|error| error, AcceptError::Http),
            // If you did not answer, the engine responds.
            None => self.run_to_end().await.map_or_else(AcceptError::from, |()| AcceptError::closed()),
        }
    }

    /// Sends a response other than 101. Returns its status.
    pub(super) async fn answer(mut self, rejection: server::Rejection) -> Result<u16, AcceptError> {
        self.ws.connection_mut().reject(rejection)?;
        match self.run_to_end().await.map_or_else(AcceptError::from, |()| AcceptError::closed()) {
            AcceptError::Rejected(status) => Ok(status),
            error => Err(error),
        }
    }

    async fn run_to_end(&mut self) -> Result<(), Error> {
        self.ws.run(|_, _| ControlFlow::<()>::Continue(())).await.map(drop)
    }
}

impl<S> Incoming<S> {
    /// Returns the request.
    pub fn request(&self) -> &server::Request {
        &self.request
    }

    /// Returns the transport, for its addresses and certificates.
    pub fn transport(&self) -> &S {
        self.ws.transport()
    }
}
