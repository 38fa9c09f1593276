//! The head of an HTTP response, and not a byte of what follows it.

use std::io::{self, ErrorKind};

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use super::{ProxyError, Tunnel};

/// The bytes that the head of a proxy's response may have.
const MAX_HEAD: usize = 16 << 10;

/// Reads a head to the empty line that ends it. What follows remains in the stream: it is the server's.
pub(super) async fn read(stream: &mut Tunnel) -> Result<Vec<u8>, ProxyError> {
    let mut head = Vec::new();
    loop {
        let searched = head.len();
        match stream {
            Tunnel::Tcp(stream) => read_some(stream, &mut head).await?,
            // TLS shows nothing before it is read. A read takes a byte from what is decrypted.
            #[cfg(feature = "rustls")]
            Tunnel::Tls(stream) => head.push(stream.read_u8().await?),
        }
        if head.len() > MAX_HEAD {
            return Err(ProxyError::Head);
        }
        if find_end(&head, searched).is_some() {
            return Ok(head);
        }
    }
}

/// Reads what has come of a head.
async fn read_some(stream: &mut TcpStream, head: &mut Vec<u8>) -> io::Result<()> {
    let mut buffer = [0; 1024];
    let count = stream.peek(&mut buffer).await?;
    if count == 0 {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    let before = head.len();
    head.extend_from_slice(&buffer[..count]);
    head.truncate(find_end(head, before).unwrap_or(head.len()));
    stream.read_exact(&mut buffer[..head.len() - before]).await?;
    Ok(())
}

/// Returns the length of the head, if it is complete. Its first `searched` bytes alone are not.
fn find_end(head: &[u8], searched: usize) -> Option<usize> {
    // RFC 9112 section 2.2: a line may end without CR.
    let from = searched.saturating_sub(b"\n\r".len());
    (from..head.len()).find_map(|at| match &head[at..] {
        [b'\n', b'\n', ..] => Some(at + 2),
        [b'\n', b'\r', b'\n', ..] => Some(at + 3),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::find_end;

    #[test]
    fn the_end_is_found_at_every_split() {
        for (head, rest) in [
            ("HTTP/1.1 200 OK\r\n\r\n", "\r\n\r\n"),
            ("HTTP/1.1 200 OK\n\n", "\n\n"),
            ("HTTP/1.1 200 OK\r\nA: b\n\r\n", "x"),
            ("HTTP/1.1 200 OK\r\nA: b\r\n\n", ""),
        ] {
            let all = [head, rest].concat();
            for split in 0..head.len() {
                assert_eq!(find_end(&all.as_bytes()[..split], 0), None, "{all:?} at {split}");
                assert_eq!(find_end(all.as_bytes(), split), Some(head.len()), "{all:?} at {split}");
            }
        }
        assert_eq!(find_end(b"HTTP/1.1 200 OK\r\n\r", 0), None);
    }
}
