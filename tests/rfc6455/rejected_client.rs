//! A client that is rejected: any status but 101, and the body of the response (RFC 9112 section 6).

use websocket_proto::{Config, Connection};

use crate::helpers::client::{FRAME, minimal_response, pass_the_handshake_deadline, rejected_response, splits};

/// C-30: any status but 101 is a rejection, even with all headers of a 101; bytes after it aren't read.
#[test]
fn any_other_status_refuses_the_connection() {
    for status in [200, 201, 204, 206, 299, 300, 301, 302, 304, 307, 400, 401, 403, 404, 426, 500, 503, 599] {
        for version in ["HTTP/1.1", "HTTP/1.0"] {
            let lines = format!("{version} {status} Some Words\r\nLocation: ws://other\r\nContent-Length: 4");
            let response = minimal_response().replace("HTTP/1.1 101 Switching Protocols", &lines) + "body";
            for chunks in splits(&[response.as_bytes(), FRAME].concat()) {
                let response = rejected_response(&Config::new(), chunks, |_| {});
                assert_eq!((response.status(), response.reason()), (status, "Some Words"));
                assert_eq!(response.header("location"), Some("ws://other"));
                assert_eq!(response.headers().next(), Some(("Location", &b"ws://other"[..])));
                let has_body = !matches!(status, 204 | 304);
                assert_eq!(response.body(), if has_body { &b"body"[..] } else { b"" }, "{status}");
            }
        }
    }
}

/// C-44: a rejected version comes with the versions that the server supports, on one line or several.
#[test]
fn a_refused_version_tells_those_that_the_server_speaks() {
    let response = "HTTP/1.1 426 Upgrade Required\r\nSec-WebSocket-Version: 13, 8\r\n\
                    sec-websocket-version: 7\r\nContent-Length: 0\r\n\r\n";
    for chunks in splits(response.as_bytes()) {
        let response = rejected_response(&Config::new(), chunks, |_| {});
        assert_eq!((response.status(), response.header("Sec-WebSocket-Version")), (426, Some("13, 8")));
        let is_version = |name: &str| name.eq_ignore_ascii_case("Sec-WebSocket-Version");
        let versions = response.headers().filter(|(name, _)| is_version(name)).map(|(_, value)| value);
        assert_eq!(versions.collect::<Vec<_>>(), [&b"13, 8"[..], b"7"]);
    }
}

/// C-30: a rejection whose lines end with a bare LF (RFC 9112 section 2.2) is reported with its headers and its body.
#[test]
fn a_rejection_may_have_bare_line_feeds() {
    let response = "HTTP/1.1 302 Found\nLocation: ws://other\nX-Empty:\nContent-Length: 3\n\nbye";
    for chunks in splits(&[response.as_bytes(), FRAME].concat()) {
        let response = rejected_response(&Config::new(), chunks, |_| {});
        assert_eq!((response.status(), response.reason(), response.body()), (302, "Found", &b"bye"[..]));
        let headers: [(&str, &[u8]); 3] = [("Location", b"ws://other"), ("X-Empty", b""), ("Content-Length", b"3")];
        assert!(response.headers().eq(headers), "{response:?}");
    }
}

/// C-30: the body of a rejection ends where its length or its last chunk says, at every split.
#[test]
fn the_body_of_a_refusal_ends_by_itself() {
    for (lines, wire, body) in [
        ("Content-Length: 5", "hello", "hello"),
        ("Content-Length: 0", "", ""),
        // RFC 9110 section 8.6: the same length, more than once.
        ("Content-Length: 5\r\nContent-Length: 5", "hello", "hello"),
        ("Content-Length: 5, 5", "hello", "hello"),
        ("Content-Length: 5,05\r\nX: y\r\ncontent-length: 5\r\nContent-Length: 005", "hello", "hello"),
        ("Content-Length: 0, 0", "", ""),
        ("Transfer-Encoding: chunked", "5\r\nhello\r\n0\r\n\r\n", "hello"),
        ("Transfer-Encoding: chunked", "0\r\n\r\n", ""),
        ("Transfer-Encoding: gzip, Chunked", "1\r\nh\r\n00003;a=\"b\"\r\nell\r\n1 \r\no\r\n0\r\nX: y\r\n\r\n", "hello"),
        ("Transfer-Encoding: gzip,\r\nX: y\r\ntransfer-encoding: , CHUNKED,", "5\r\nhello\r\n0\r\n\r\n", "hello"),
        ("Transfer-Encoding: chunked", "C\r\n\r\n0\r\n\r\nhello\r\n0\r\n\r\n", "\r\n0\r\n\r\nhello"),
        // RFC 9112 section 6.3: chunks take precedence over a length.
        ("Content-Length: 3\r\nTransfer-Encoding: chunked", "5\r\nhello\r\n0\r\n\r\n", "hello"),
    ] {
        let response = format!("HTTP/1.1 403 Forbidden\r\n{lines}\r\n\r\n{wire}");
        for chunks in splits(&[response.as_bytes(), FRAME].concat()) {
            let response = rejected_response(&Config::new(), chunks, |_| {});
            assert_eq!(str::from_utf8(response.body()), Ok(body), "{lines}");
        }
    }
}

/// C-30: a malformed chunk ends the body, too (RFC 9112 section 7.1), at every split.
#[test]
fn what_is_not_a_chunk_ends_the_body_of_a_refusal() {
    let endless = format!("5\r\nhello\r\n1;{}", "x".repeat(300));
    for wire in [
        "5\r\nhello\r\nx\r\n",
        "5\r\nhello\r\n-1\r\n",
        "5\r\nhello\r\nfffffffffffffffff\r\n",
        "5\r\nhello\r\n1\n",
        "5\r\nhello\n1\r\n!\r\n",
        &endless,
        "5\r\nhello6\r\nworld!\r\n",
    ] {
        let response = format!("HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n{wire}");
        for chunks in splits(&[response.as_bytes(), FRAME].concat()) {
            let response = rejected_response(&Config::new(), chunks, |_| {});
            assert_eq!(str::from_utf8(response.body()), Ok("hello"), "{wire:?}");
        }
    }
}

/// C-30: a rejection that is cut off by the transport or the deadline is reported with the part of its body that
/// arrived.
#[test]
fn the_body_of_a_refusal_may_be_cut_off() {
    for (lines, wire, body) in [
        ("X-Length: none", "hello", "hello"),
        ("X-Length: none", "", ""),
        ("Content-Length: 6", "hello", "hello"),
        ("Content-Length: 18446744073709551615", "hello", "hello"),
        ("Transfer-Encoding: chunked", "", ""),
        ("Transfer-Encoding: chunked", "6\r\nhello", "hello"),
        ("Transfer-Encoding: chunked", "5\r\nhello", "hello"),
        ("Transfer-Encoding: chunked", "5\r\nhello\r\n", "hello"),
        ("Transfer-Encoding: chunked", "5\r\nhello\r\n0", "hello"),
        ("Transfer-Encoding: chunked", "ffffffffffffffff\r\nhello", "hello"),
    ] {
        let response = format!("HTTP/1.1 503 Service Unavailable\r\n{lines}\r\n\r\n{wire}");
        for chunks in splits(response.as_bytes()) {
            for end in [Connection::receive_eof, pass_the_handshake_deadline] {
                let response = rejected_response(&Config::new(), chunks, end);
                assert_eq!(str::from_utf8(response.body()), Ok(body), "{lines}");
            }
        }
    }
}

/// C-30: an invalid length, or one that differs from another, is ignored (RFC 9110 section 8.6): the body extends to
/// the end.
#[test]
fn the_body_of_a_refusal_without_a_valid_length_goes_on_up_to_the_end() {
    for length in [
        "",
        "x",
        "-1",
        "3x",
        "3, 4",
        "0x3",
        "18446744073709551616",
        "3\r\nContent-Length: 4",
        "+3",
        "3, 3, 4",
        "3,",
        ",3",
        "3, x",
        "3\r\nContent-Length:",
        "3 3",
    ] {
        let response = format!("HTTP/1.1 403 Forbidden\r\nContent-Length: {length}\r\n\r\nhello");
        for chunks in splits(response.as_bytes()) {
            let response = rejected_response(&Config::new(), chunks, Connection::receive_eof);
            assert_eq!(str::from_utf8(response.body()), Ok("hello"), "{length:?}");
        }
    }
}

/// C-30: the body extends to the end if `chunked` is not its last coding, whatever its length is said to be (RFC 9112 section
/// 6.3, items 3 and 4).
#[test]
fn the_body_of_a_refusal_in_other_codings_goes_on_up_to_the_end() {
    for lines in [
        "Transfer-Encoding: gzip\r\nContent-Length: 3",
        "Content-Length: 3\r\nTransfer-Encoding: xchunked",
        "Transfer-Encoding: chunked, gzip",
        "Transfer-Encoding: chunked\r\nContent-Length: 3\r\ntransfer-encoding: gzip",
        "Transfer-Encoding:\r\nContent-Length: 3",
    ] {
        let body = "3\r\nend\r\n0\r\n\r\n";
        let response = format!("HTTP/1.1 403 Forbidden\r\n{lines}\r\n\r\n{body}");
        for chunks in splits(response.as_bytes()) {
            let response = rejected_response(&Config::new(), chunks, Connection::receive_eof);
            assert_eq!(str::from_utf8(response.body()), Ok(body), "{lines:?}");
        }
    }
}

/// C-30: a body is kept up to the limit, and reported without waiting for the rest of it.
#[test]
fn the_body_of_a_refusal_is_bounded() {
    for (lines, wire) in [
        ("X-Length: none", "hello"),
        ("Content-Length: 5", "hello"),
        ("Content-Length: 999999", "hello"),
        ("Transfer-Encoding: chunked", "5\r\nhello"),
        ("Transfer-Encoding: chunked", "2\r\nhe\r\n1\r\nl\r\n3\r\nlo!"),
    ] {
        let response = format!("HTTP/1.1 400 Bad Request\r\n{lines}\r\n\r\n{wire}");
        for limit in 0..=5 {
            for chunks in splits(response.as_bytes()) {
                let response = rejected_response(&Config::new().max_rejection_body(limit), chunks, |_| {});
                assert_eq!(response.body(), &b"hello"[..limit], "{lines}");
            }
        }
        // Nothing of it is waited for if nothing of it is kept.
        let head = format!("HTTP/1.1 400 Bad Request\r\n{lines}\r\n\r\n");
        let response = rejected_response(&Config::new().max_rejection_body(0), (head.as_bytes(), b""), |_| {});
        assert_eq!(response.body(), b"");
    }
}
