//! A peer that never stops sending leaves the thread to others, before the end and after it.

use std::io;
use std::ops::ControlFlow;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf, duplex};
use tokio::time::Instant;
use websocket_proto::{Cause, CloseCode, Config, ProtocolError};

use crate::support::{Result, server};

/// A transport that takes everything and always has more, whatever tokio thinks of that.
struct Endless {
    first: &'static [u8],
    again: &'static [u8],
    /// Bytes that may still be read before the task has to let others do something.
    left: usize,
}

/// More than a turn needs.
const FAIR: usize = 2 << 20;

impl Endless {
    fn new(first: &'static [u8], again: &'static [u8]) -> Self {
        Self { first, again, left: FAIR }
    }
}

impl AsyncRead for Endless {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let first = std::mem::take(&mut self.first);
        buf.put_slice(first);
        while first.is_empty() && buf.remaining() >= self.again.len() {
            buf.put_slice(self.again);
        }
        self.left = self.left.checked_sub(buf.filled().len()).expect("others have their turn");
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Endless {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

fn poll_once<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

#[tokio::test]
async fn messages_without_end_leave_the_thread_to_others() {
    let mut server = server(Endless::new(b"", b"\x81\x85\0\0\0\0hello"), Config::new());
    let polled = poll_once(server.run(|_, _| ControlFlow::<()>::Continue(())));
    assert!(polled.is_pending());
}

#[tokio::test(start_paused = true)]
async fn a_flood_after_the_end_is_bounded_in_a_turn_and_in_time() -> Result {
    for (first, code) in [(&b"\x88\x82\0\0\0\0\x03\xe8"[..], CloseCode::NORMAL), (b"\x81\x00", CloseCode::ABNORMAL)] {
        let mut server = server(Endless::new(first, b"\x81\x85\0\0\0\0hello"), Config::new());
        assert!(poll_once(server.recv()).is_pending());
        assert_eq!(server.closed().unwrap().code, code);
        tokio::time::advance(Duration::from_secs(3)).await;
        let Poll::Ready(ended) = poll_once(server.recv()) else { panic!("its two seconds are over") };
        match server.closed().unwrap().cause {
            Cause::Peer => assert_eq!(ended?, None),
            cause => assert_eq!(cause, Cause::Protocol(ProtocolError::UnmaskedFrame)),
        }
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn what_comes_after_the_end_is_read_to_its_end() -> Result {
    let (transport, mut peer) = duplex(4 << 20);
    let mut server = server(transport, Config::new());
    peer.write_all(b"\x88\x82\0\0\0\0\x03\xe8").await?;
    peer.write_all(&vec![0; 3 << 20]).await?;
    peer.shutdown().await?;
    let begun = Instant::now();
    assert_eq!(server.recv().await?, None);
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    Ok(())
}
