//! From a request that hyper has parsed to a WebSocket, whichever version of HTTP it came by.

use std::sync::Arc;

use bytes::Bytes;
use hyper::ext::Protocol;
use hyper::{Request, Response};
use websocket_proto::server::Response as Choice;
use websocket_proto::{Config, Connection, HandshakeError, HttpServerHandshake, server};
use websocket_proto_tokio::WebSocket;

use crate::Upgraded;
use crate::activity::Activity;

/// Accepts a request for a WebSocket: the response, and the WebSocket, which is there once the response is sent. So that
/// must be waited for elsewhere, in a task of its own.
///
/// Of the subprotocols, which stand in order of preference, the first is chosen that the client offers.
///
/// # Errors
///
/// What is wrong with the request; [`refusal`] says so to the client. `NoUpgrade` and, over HTTP/2, `HttpVersion` mean
/// that it isn't for a WebSocket at all.
pub fn upgrade<B: 'static>(
    request: &mut Request<B>,
    config: &Arc<Config>,
    subprotocols: &[&str],
) -> Result<(Response<()>, impl Future<Output = hyper::Result<WebSocket<Upgraded>>> + use<B>), HandshakeError> {
    let offer = match request.extensions().get::<Protocol>() {
        // RFC 8441 4: nothing is upgraded in HTTP/2; a stream is asked for, and what it is for.
        Some(protocol) => HttpServerHandshake::connect(request, protocol.as_str(), config)?,
        None => HttpServerHandshake::upgrade(request, config)?,
    };
    let choice = Choice::new().subprotocol(offer.select_subprotocol(subprotocols));
    let (response, negotiated) = offer.accept(choice).expect("nothing is chosen that wasn't offered");

    let conn = Connection::upgraded_server(negotiated, Arc::clone(config));
    let upgraded = hyper::upgrade::on(&mut *request);
    // From now on the connection isn't idle.
    let hold = request.extensions().get().map(Activity::hold);
    Ok((response, async { Ok(WebSocket::new(Upgraded::new(upgraded.await?, hold), conn)) }))
}

/// Returns the answer to a request from a page of another site: 403. Requests of this site's pages, and those that no browser has
/// sent, have none.
pub fn refuse_other_sites<B>(request: &Request<B>) -> Option<Response<Bytes>> {
    let host = request.headers().get(hyper::header::HOST).and_then(|host| host.to_str().ok());
    let host = request.uri().authority().map(|authority| authority.as_str()).or(host).unwrap_or_default();
    let own = ["http://", "https://"].map(|scheme| [scheme, host].concat());
    let rejection = HttpServerHandshake::check_origin(request, &own).err()?;
    Some(rejection.into_http().expect("a rejection without headers can be sent"))
}

/// The answer to a request that isn't accepted.
pub fn refusal(error: HandshakeError) -> Response<Bytes> {
    server::Rejection::from(error).into_http().expect("the rejection of an error can be sent")
}
