//! Offers and answers in headers (RFC 7692 sections 5 and 7): lists, spellings, and errors.

use websocket_proto::{Config, Connection, DeflateConfig, Event, HandshakeError, server};

use crate::checks::{failed, peer, receive, text};
use crate::negotiation_paths::{answer, check, offer, settings};
use crate::receiving::HELLO;
use crate::reference_receiver::Receiver;
use crate::sending::prose;
use crate::support::{ROLES, drain, feed, request_with, seed, server};

const PLAIN: &str = "permessage-deflate";

/// Invalid parameters: an unknown name, a value where none is allowed, a missing or wrong value, a repetition.
const WRONG: [&str; 40] = [
    "foo",
    "foo=1",
    "Server_no_context_takeover",
    "server_no_context_takeovers",
    "max_window_bits=10",
    "server_no_context_takeover=1",
    "server_no_context_takeover=true",
    "server_no_context_takeover=\"server_no_context_takeover\"",
    "client_no_context_takeover=0",
    "client_no_context_takeover=\"a\"",
    "server_max_window_bits",
    "server_max_window_bits=0",
    "server_max_window_bits=7",
    "server_max_window_bits=16",
    "server_max_window_bits=99",
    "server_max_window_bits=08",
    "server_max_window_bits=010",
    "server_max_window_bits=+9",
    "server_max_window_bits=-9",
    "server_max_window_bits=9.0",
    "server_max_window_bits=abc",
    "server_max_window_bits=0x9",
    "server_max_window_bits=1a",
    "server_max_window_bits=99999999999",
    "server_max_window_bits=18446744073709551625",
    "server_max_window_bits=\"16\"",
    "client_max_window_bits=0",
    "client_max_window_bits=7",
    "client_max_window_bits=16",
    "client_max_window_bits=012",
    "client_max_window_bits=+9",
    "client_max_window_bits=abc",
    "client_max_window_bits=0x9",
    "client_max_window_bits=265",
    "client_max_window_bits=99999999999",
    "server_no_context_takeover; server_no_context_takeover",
    "client_no_context_takeover; server_no_context_takeover; client_no_context_takeover",
    "server_max_window_bits=10; server_max_window_bits=11",
    "client_max_window_bits=10; client_max_window_bits=10",
    "client_max_window_bits; client_max_window_bits=10",
];

/// Values that don't follow the grammar.
const MALFORMED: [&str; 8] = [
    "permessage-deflate; server_max_window_bits=",
    "permessage-deflate; server_max_window_bits=\"\"",
    "permessage-deflate; server_max_window_bits=\"1 0\"",
    "permessage-deflate; server_max_window_bits=\"10",
    "permessage-deflate;; client_max_window_bits",
    "permessage-deflate;",
    "permessage deflate",
    "=10",
];

/// P-15, P-16, P-17, P-23, P-26, P-30, P-31: a server declines an offer with an invalid parameter, wherever it is, and
/// accepts the one after it; the connection opens in any case.
#[test]
fn a_server_declines_wrong_parameters() {
    for wrong in WRONG {
        let offer = format!("{PLAIN}; {wrong}");
        assert_eq!(answer(&DeflateConfig::new(), &[&offer]), None, "{wrong}");
        let first = format!("{PLAIN}; {wrong}; client_no_context_takeover");
        assert_eq!(answer(&DeflateConfig::new(), &[&first]), None, "{wrong}");
        let followed = format!("{offer}, {PLAIN}; server_max_window_bits=12");
        let (sent, parameters) = answer(&DeflateConfig::new(), &[&followed]).unwrap();
        assert_eq!(
            (sent.as_str(), parameters),
            ("permessage-deflate; server_max_window_bits=12", (false, false, 12, 15))
        );
    }
    for malformed in MALFORMED {
        let mut conn = Connection::server(Config::new().deflate(DeflateConfig::new()));
        let events = feed(&mut conn, &request_with(&format!("Sec-WebSocket-Extensions: {malformed}\r\n")));
        assert!(matches!(events[..], [Event::Closed(_)]), "{malformed}");
        assert!(drain(&mut conn).starts_with(b"HTTP/1.1 400 "));
        assert_eq!(DeflateConfig::new().answer([malformed.as_bytes()]), None);
    }
}

/// P-19, P-20, P-21, P-23, P-26, P-37: a client fails on an answer with an invalid parameter.
#[test]
fn a_client_fails_on_wrong_parameters() {
    for wrong in WRONG.into_iter().chain(["client_max_window_bits"]) {
        let error = Err(HandshakeError::ExtensionParameters);
        assert_eq!(check(&[DeflateConfig::new()], &[&format!("{PLAIN}; {wrong}")]), error, "{wrong}");
        assert_eq!(check(&[DeflateConfig::new()], &[&format!("{PLAIN}; {wrong}; client_no_context_takeover")]), error);
    }
    for malformed in MALFORMED {
        assert_eq!(check(&[DeflateConfig::new()], &[malformed]), Err(HandshakeError::Extensions), "{malformed}");
    }
}

/// P-02, P-03: the first acceptable offer is accepted, over all header lines in order, and only that.
#[test]
fn the_first_acceptable_offer_is_taken() {
    let taken = |offers: &[&str]| answer(&DeflateConfig::new(), offers).map(|(sent, _)| sent);
    let plain = Some(PLAIN.to_owned());
    assert_eq!(taken(&[]), None);
    assert_eq!(taken(&[""]), None);
    assert_eq!(taken(&["x-foo, x-bar; a=1"]), None);
    assert_eq!(taken(&["Permessage-deflate, permessage-deflate2, x-webkit-deflate-frame"]), None);
    assert_eq!(taken(&[PLAIN]), plain);
    assert_eq!(taken(&["permessage-deflate, permessage-deflate"]), plain);
    assert_eq!(taken(&["x-foo, permessage-deflate"]), plain);
    assert_eq!(taken(&["permessage-deflate; server_max_window_bits=99, permessage-deflate"]), plain);
    assert_eq!(taken(&["permessage-deflate; server_max_window_bits=8, permessage-deflate"]), plain);
    let ten = Some("permessage-deflate; server_max_window_bits=10".to_owned());
    let offer = "permessage-deflate; server_max_window_bits=10";
    assert_eq!(taken(&[&format!("{offer}, {PLAIN}")]), ten);
    assert_eq!(taken(&[offer, PLAIN]), ten);
    assert_eq!(taken(&["x-foo", "permessage-deflate; foo", offer, PLAIN]), ten);
    assert_eq!(taken(&[PLAIN, offer]), plain);
    assert_eq!(taken(&[" ,, permessage-deflate ;\tserver_max_window_bits = 10 ,,"]), ten);
}

/// P-18, P-32: there is no compressor for a window of 256 bytes, so an offer that asks for one is declined, and no
/// answer has it.
#[test]
fn a_server_window_of_256_bytes_is_declined() {
    for bits in ["8", "\"8\"", "\"\\8\""] {
        assert_eq!(answer(&DeflateConfig::new(), &[&format!("{PLAIN}; server_max_window_bits={bits}")]), None);
    }
    let (sent, parameters) = answer(&DeflateConfig::new(), &["permessage-deflate; client_max_window_bits=8"]).unwrap();
    assert_eq!(
        (sent.as_str(), parameters.3),
        ("permessage-deflate; client_max_window_bits=8", 8),
        "receiving is no matter"
    );
}

/// P-30, P-36: a value may be quoted, and escaped.
#[test]
fn values_may_be_quoted() {
    for ten in ["10", "\"10\"", "\"1\\0\"", "\"\\1\\0\"", " \"10\" "] {
        let sent = format!("{PLAIN}; server_max_window_bits={ten}; client_max_window_bits={ten}");
        let expected = (false, false, 10, 10);
        assert_eq!(answer(&DeflateConfig::new(), &[&sent]).unwrap().1, expected, "{ten}");
        assert_eq!(check(&[DeflateConfig::new()], &[&sent]), Ok(Some(expected)), "{ten}");
    }
    for (bits, expected) in (8..=15).map(|bits| (bits.to_string(), bits)) {
        let sent = format!("{PLAIN}; client_max_window_bits={bits}");
        assert_eq!(answer(&DeflateConfig::new(), &[&sent]).unwrap().1.3, expected);
        let sent = format!("{PLAIN}; server_max_window_bits={bits}");
        assert_eq!(check(&[DeflateConfig::new()], &[&sent]).unwrap().unwrap().2, expected);
    }
}

/// P-01: a client's offers have the order of its settings, and an answer to any of them is accepted.
#[test]
fn a_client_offers_in_the_order_of_preference() {
    let first = settings((true, false, 10, 12));
    let second = settings((false, true, 12, 15));
    let both = [first, second];
    assert_eq!(
        offer(&both).unwrap(),
        "permessage-deflate; server_no_context_takeover; server_max_window_bits=10; client_max_window_bits=12, \
         permessage-deflate; client_no_context_takeover; server_max_window_bits=12; client_max_window_bits"
    );
    assert_eq!(offer(&[]), None);
    for (answer, agreed) in [
        ("permessage-deflate; server_no_context_takeover; server_max_window_bits=10", Ok(Some((true, false, 10, 12)))),
        ("permessage-deflate; server_max_window_bits=10", Ok(Some((false, true, 10, 15)))),
        ("permessage-deflate; server_max_window_bits=12; client_max_window_bits=13", Ok(Some((false, true, 12, 13)))),
        ("permessage-deflate; server_max_window_bits=13", Err(HandshakeError::ExtensionParameters)),
        ("permessage-deflate; server_no_context_takeover", Err(HandshakeError::ExtensionParameters)),
    ] {
        assert_eq!(check(&both, &[answer]), agreed, "{answer}");
    }
    assert_eq!(check(&both, &[]), Ok(None), "a server may decline");
}

/// P-04, P-05, P-39: an answer names one extension, and one that was offered.
#[test]
fn a_client_fails_on_what_it_did_not_offer() {
    let error = Err(HandshakeError::ExtensionNotOffered);
    for answers in [
        &["permessage-deflate, permessage-deflate"][..],
        &[PLAIN, PLAIN],
        &["permessage-deflate; server_max_window_bits=10, permessage-deflate"],
        &["permessage-deflate, x-foo"],
        &["x-foo, permessage-deflate"],
        &["x-foo"],
        &["permessage-deflate2"],
        &["x-webkit-deflate-frame"],
    ] {
        assert_eq!(check(&[DeflateConfig::new()], answers), error, "{answers:?}");
    }
    for answer in [PLAIN, "permessage-deflate; client_max_window_bits=10", "permessage-deflate; foo"] {
        assert_eq!(check(&[], &[answer]), error, "{answer}");
    }
    assert_eq!(check(&[DeflateConfig::new()], &["", " , "]), Ok(None));
}

/// P-38, P-39: every offer of this crate says that a limit of the client's window is understood, with a value or
/// without; to an offer that doesn't, a server answers none.
#[test]
fn a_limit_of_the_clients_window_is_offered_first() {
    for bits in 9..=15 {
        let sent = offer(&[DeflateConfig::new().client_max_window_bits(bits)]).unwrap();
        let parameter =
            if bits < 15 { format!("client_max_window_bits={bits}") } else { "client_max_window_bits".into() };
        assert_eq!(sent, format!("{PLAIN}; {parameter}"));
        let server = DeflateConfig::new().client_max_window_bits(bits);
        assert_eq!(answer(&server, &[PLAIN]).unwrap(), (PLAIN.to_owned(), (false, false, 15, 15)));
    }
}

/// P-33, P-40: an answer's window for the server is no larger than the offer allows, and a limit that was asked for is
/// answered.
#[test]
fn a_client_fails_on_more_than_it_offered() {
    let offered = [settings((false, false, 10, 10))];
    let error = Err(HandshakeError::ExtensionParameters);
    for (answer, agreed) in [
        ("server_max_window_bits=11", error),
        ("server_max_window_bits=15; client_max_window_bits=9", error),
        ("client_max_window_bits=9", error),
        // The offer's value for the client's own window was a hint.
        ("server_max_window_bits=10; client_max_window_bits=11", Ok(Some((false, false, 10, 10)))),
        ("server_max_window_bits=10; client_max_window_bits=12", Ok(Some((false, false, 10, 10)))),
        ("server_max_window_bits=10", Ok(Some((false, false, 10, 10)))),
        ("server_max_window_bits=9; client_max_window_bits=9", Ok(Some((false, false, 9, 9)))),
        ("server_max_window_bits=8; client_max_window_bits=8", Ok(Some((false, false, 8, 8)))),
    ] {
        assert_eq!(check(&offered, &[&format!("{PLAIN}; {answer}")]), agreed, "{answer}");
    }
    assert_eq!(check(&offered, &[PLAIN]), error);
    assert_eq!(check(&[settings((true, false, 15, 15))], &[PLAIN]), error, "so is that a window isn't kept");
}

/// P-05, P-14, P-24, P-40: after the handshake, two endpoints compress as negotiated, and send plain messages if one of
/// them doesn't want compression.
#[test]
fn what_was_agreed_on_is_what_is_done() {
    for client in
        [vec![], vec![settings((false, true, 11, 15))], vec![settings((true, false, 15, 10)), DeflateConfig::new()]]
    {
        for server in [vec![], vec![settings((false, false, 15, 9))], vec![settings((true, true, 12, 12))]] {
            let compresses = !client.is_empty() && !server.is_empty();
            let config = |all: &[DeflateConfig]| all.iter().cloned().fold(Config::new(), Config::deflate);
            let request = websocket_proto::client::Request::new("ws://localhost/".parse().unwrap());
            let mut client = Connection::client(request, config(&client), seed()).unwrap();
            let mut server = Connection::server(config(&server));
            assert_eq!((client.deflate(), server.deflate()), (None, None));
            feed(&mut server, &drain(&mut client));
            assert_eq!(server.deflate(), None, "nothing is agreed on before the answer");
            server.accept(server::Response::new()).unwrap();
            assert!(matches!(feed(&mut client, &drain(&mut server))[..], [Event::Open(_)]));
            assert_eq!(client.deflate(), server.deflate());
            assert_eq!(client.deflate().is_some(), compresses);
            let parameters = client.deflate().map_or((true, true, 15, 15), crate::negotiation_paths::parameters);
            let ends = [(&mut client, parameters.1, parameters.3), (&mut server, parameters.0, parameters.2)];
            for (conn, forgets, bits) in ends {
                let mut receiver = Receiver::new(bits, !forgets);
                let long = prose(3000, 1);
                for _ in 0..3 {
                    conn.send_text(&long).unwrap();
                    let message = receiver.message(conn);
                    assert_eq!((message.compressed, &message.bytes[..]), (compresses, long.as_bytes()));
                }
            }
        }
    }
}

/// P-08, P-15: without an agreement, RSV1 stays forbidden, and nothing is compressed.
#[test]
fn a_declined_offer_leaves_nothing() {
    let mut conn = Connection::server(Config::new().deflate(DeflateConfig::new()));
    feed(&mut conn, &request_with("Sec-WebSocket-Extensions: permessage-deflate; foo\r\n"));
    conn.accept(server::Response::new()).unwrap();
    drain(&mut conn);
    conn.set_compression(true);
    conn.send_text(&prose(1000, 1)).unwrap();
    assert!(!Receiver::new(15, true).message(&mut conn).compressed);
    for role in ROLES {
        let mut plain = if role == conn.role() { server() } else { crate::support::client() };
        let received = receive(&mut plain, &peer(role, &[(0x81, b"a"), (0xc1, HELLO)]));
        assert_eq!(received, [text("a"), failed(websocket_proto::ProtocolError::ReservedBits)]);
    }
    assert_eq!(conn.deflate(), None);
}
