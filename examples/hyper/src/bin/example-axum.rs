//! The chat server in axum: a handler is all it takes, over HTTP/1.1 and HTTP/2.
//!
//! ```text
//! cargo run --release -p example-hyper --bin example-axum -- [ADDRESS]
//! ```

use std::io;
use std::process::ExitCode;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use example_hyper::{hold, server};
use example_tokio::chat::Chat;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use websocket_proto::HttpServerHandshake;
use websocket_proto_tokio::{UpgradeRejection, WebSocketUpgrade};

/// A request for a WebSocket comes as GET over HTTP/1.1, and as CONNECT over HTTP/2: its route must be for `any` method.
async fn websocket(State(chat): State<Arc<Chat>>, upgrade: WebSocketUpgrade, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    if path == "/chat"
        && let Err(rejection) = HttpServerHandshake::check_same_origin(&request)
    {
        return UpgradeRejection::Origin(rejection).into_response();
    }
    let hold = hold(&request);
    upgrade.acceptor(chat.acceptor().clone()).on_upgrade(async move |ws| {
        let _hold = hold;
        let _ = chat.talk(ws, &path).await;
    })
}

async fn page() -> Html<&'static str> {
    Html(include_str!("../../../chat/src/chat.html"))
}

#[tokio::main]
async fn main() -> ExitCode {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:9001".into());
    match run(&address).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("axum: {address}: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(address: &str) -> io::Result<()> {
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    println!(
        "axum: listening on {address}: http://{address}/ is a chat page, ws://{address}/chat the chat, any other path echoes"
    );
    let chat = Arc::new(Chat::new());
    let routes = Router::new().route("/", get(page)).fallback(websocket).with_state(Arc::clone(&chat));
    // Not `axum::serve`, which gives a client all the time in the world: for its request, and when the server stops.
    server::run("axum", listener, None, &chat, TowerToHyperService::new(routes)).await
}
