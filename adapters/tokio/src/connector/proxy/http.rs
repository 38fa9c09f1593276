//! Tunnels through HTTP proxies: CONNECT (RFC 9110 section 9.3.6).

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use tokio::io::AsyncWriteExt;
use websocket_proto::client::Uri;

use super::uri::Credentials;
use super::{ProxyError, Tunnel, head};

/// The interim responses (1xx) that may come before the final one.
const MAX_INTERIM: usize = 8;

/// Asks the proxy for a tunnel to a server.
pub(super) async fn tunnel(
    stream: &mut Tunnel,
    server: &Uri,
    credentials: Option<&Credentials>,
) -> Result<(), ProxyError> {
    stream.write_all(request(server, credentials).as_bytes()).await?;
    // TLS may keep what is written.
    stream.flush().await?;
    for _ in 0..=MAX_INTERIM {
        let head = head::read(stream).await?;
        match parse_status_line(&head).ok_or(ProxyError::Head)? {
            // The head ends the response, whatever its fields say of a body.
            (200..=299, _) => return Ok(()),
            (100 | 102..=199, _) => {}
            (status, reason) => return Err(ProxyError::Status { status, reason }),
        }
    }
    Err(ProxyError::Head)
}

/// RFC 9112 section 3.2.3: the target is the host and, in any case, the port.
fn request(server: &Uri, credentials: Option<&Credentials>) -> String {
    let (host, port) = (server.host(), server.port());
    let target = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
    let authorization = credentials.map_or_else(String::new, |Credentials { user, password }| {
        // RFC 7617 section 2.
        let value = BASE64_STANDARD.encode([user, &b":"[..], password].concat());
        format!("Proxy-Authorization: Basic {value}\r\n")
    });
    format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{authorization}\r\n")
}

/// Returns status and reason. The reason has no control characters, since it is part of an error text.
fn parse_status_line(head: &[u8]) -> Option<(u16, String)> {
    let line = head.split(|byte| *byte == b'\n').next()?;
    let [b'0'..=b'9', b' ', status @ ..] = line.strip_prefix(b"HTTP/1.")? else { return None };
    let (status, reason) = status.split_at_checked(3)?;
    if !status.iter().all(u8::is_ascii_digit) || !matches!(reason, [] | [b' ' | b'\r', ..]) {
        return None;
    }
    let status = status.iter().fold(0, |status, digit| 10 * status + u16::from(digit - b'0'));
    let reason: String = String::from_utf8_lossy(reason).chars().filter(|character| !character.is_control()).collect();
    (100..600).contains(&status).then(|| (status, reason.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::{Credentials, parse_status_line, request};

    #[test]
    fn the_target_always_has_a_port() {
        for (uri, target) in [
            ("ws://example.com/chat", "example.com:80"),
            ("wss://example.com/chat", "example.com:443"),
            ("ws://[::1]:9001", "[::1]:9001"),
        ] {
            let expected = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n");
            assert_eq!(request(&uri.parse().unwrap(), None), expected);
        }
    }

    #[test]
    fn credentials_are_sent_as_basic() {
        // RFC 7617 section 2.
        let credentials = Credentials { user: b"Aladdin".to_vec(), password: b"open sesame".to_vec() };
        assert_eq!(
            request(&"wss://a".parse().unwrap(), Some(&credentials)),
            "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\nProxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n"
        );
    }

    #[test]
    fn a_status_line_is_parsed_or_malformed() {
        for (line, expected) in [
            ("HTTP/1.1 200 OK\r\n", Some((200, "OK"))),
            ("HTTP/1.0 200 Connection established\n", Some((200, "Connection established"))),
            ("HTTP/1.1 502\r\n", Some((502, ""))),
            ("HTTP/1.1 407 \r\n", Some((407, ""))),
            ("HTTP/1.1 403 \u{1b}[31mno\r\n", Some((403, "[31mno"))),
            ("HTTP/2 200 OK\r\n", None),
            ("HTTP/1.1 2000\r\n", None),
            ("HTTP/1.1 20\r\n", None),
            ("HTTP/1.1 099 \r\n", None),
            ("HTTP/1.1 600 \r\n", None),
            ("HTTP/1.1 +20 \r\n", None),
            ("HTTP/1.1200 OK\r\n", None),
            ("SSH-2.0\r\n", None),
            ("\r\n", None),
        ] {
            let expected = expected.map(|(status, reason)| (status, reason.to_owned()));
            assert_eq!(parse_status_line(line.as_bytes()), expected, "{line:?}");
        }
    }
}
