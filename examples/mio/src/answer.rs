//! The answers of the server: a chat, an echo, and a page for browsers.

use websocket_proto::{Connection, Event, Message, server};

const PAGE: &str = include_str!("../../chat/src/chat.html");

/// Answers an event. `chats` is whether the peer is in the chat, and `said` collects what all in there are to hear.
pub fn answer(conn: &mut Connection, chats: &mut bool, said: &mut Vec<Message>, event: Event<'_>) {
    let done = match event {
        Event::Request(request) => {
            *chats = request.path() == "/chat";
            respond(conn, &request)
        }
        Event::HttpRequest(request) => serve_page(conn, &request),
        Event::Text(text) if *chats => {
            said.push(text.into());
            true
        }
        Event::Binary(data) if *chats => {
            said.push(data.into());
            true
        }
        Event::Text(text) => {
            let done = conn.send_text(&text).is_ok();
            conn.recycle(text);
            done
        }
        Event::Binary(data) => {
            let done = conn.send_binary(&data).is_ok();
            conn.recycle(data);
            done
        }
        _ => true,
    };
    // An answer that can't be sent is dropped: the peer doesn't wait for it, or doesn't read it.
    if !done {
        conn.abort();
    }
}

/// Accepts a request, unless it is one for the chat from a page of another site.
fn respond(conn: &mut Connection, request: &server::Request) -> bool {
    match request.check_same_origin() {
        Err(rejection) if request.path() == "/chat" => conn.reject(rejection).is_ok(),
        _ => conn.accept(server::Response::new().subprotocol(request.select_subprotocol(&["chat", "echo"]))).is_ok(),
    }
}

fn serve_page(conn: &mut Connection, request: &server::Request) -> bool {
    // Everything else is left to the connection, which answers 405 or 426.
    request.path() != "/" || !matches!(request.method(), "GET" | "HEAD") || {
        let page = server::Rejection::new(200).header("Content-Type", "text/html; charset=utf-8").body(PAGE);
        conn.reject(page).is_ok()
    }
}
