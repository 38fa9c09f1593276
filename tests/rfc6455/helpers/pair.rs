//! A client and a server, connected in memory.

use websocket_proto::{Config, Connection, Event, client, server};

use crate::support::{drain, feed, seed};

/// A client and a server after the client's request.
pub(crate) fn request_between(request: client::Request) -> (Connection, Connection, Box<server::Request>) {
    let mut client = Connection::client(request, Config::new(), seed()).unwrap();
    let mut server = Connection::server(Config::new());
    let Some(Event::Request(request)) = feed(&mut server, &drain(&mut client)).pop() else { panic!("a request") };
    (client, server, request)
}

pub(crate) fn response_event(client: &mut Connection, server: &mut Connection) -> Event<'static> {
    feed(client, &drain(server)).remove(0)
}

pub(crate) fn open_between(
    request: client::Request,
    response: server::Response,
) -> (Connection, Connection, Box<client::Response>) {
    let (mut client, mut server, _) = request_between(request);
    server.accept(response).unwrap();
    let Event::Open(response) = response_event(&mut client, &mut server) else { panic!("open") };
    (client, server, response)
}
