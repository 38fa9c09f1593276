//! The answer to a request: a WebSocket if it asks for one, otherwise a page.

use std::sync::Arc;

use bytes::Bytes;
use example_hyper::hold;
use example_tokio::chat::Chat;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::CONTENT_TYPE;
use hyper::{Request, Response, StatusCode};
use websocket_proto::{HttpServerHandshake, server};
use websocket_proto_tokio::UpgradeRejection;

const PAGE: &str = include_str!("../../chat/src/chat.html");

pub fn answer(mut request: Request<Incoming>, chat: &Arc<Chat>) -> Response<Full<Bytes>> {
    if request.uri().path() == "/chat"
        && let Err(rejection) = HttpServerHandshake::check_same_origin(&request)
    {
        return UpgradeRejection::Origin(rejection).into_http().map(Full::new);
    }
    match chat.acceptor().upgrade(&mut request, server::Response::new()) {
        Ok((response, upgrading)) => {
            println!("{:?} {} {}", request.version(), request.method(), request.uri().path());
            let (chat, path, hold) = (Arc::clone(chat), request.uri().path().to_owned(), hold(&request));
            tokio::spawn(async move {
                let _hold = hold;
                // The client may have disconnected before it had the response.
                if let Ok(ws) = upgrading.await {
                    let _ = chat.talk(ws, &path).await;
                }
            });
            response.map(|()| Full::default())
        }
        Err(rejection) if rejection.is_plain_http() => {
            if request.uri().path() == "/" {
                page()
            } else {
                not_found()
            }
        }
        Err(rejection) => rejection.into_http().map(Full::new),
    }
}

fn page() -> Response<Full<Bytes>> {
    let mut page = Response::new(PAGE.into());
    page.headers_mut().insert(CONTENT_TYPE, "text/html; charset=utf-8".parse().expect("a value of a header"));
    page
}

fn not_found() -> Response<Full<Bytes>> {
    let mut response = Response::new("There is a page at /, and a WebSocket anywhere.\n".into());
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}
