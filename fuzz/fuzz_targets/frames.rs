//! An open connection of either role accepts any bytes as frames, over and over: it ends once, its output is
//! well-formed, and its memory stays in proportion to the bytes received and within its limits.
//!
//! Input: one byte of choices, then the bytes received. Bits of the first byte: 1 a client, 2 small limits, 4 no
//! automatic pongs, 8 large messages in chunks, 16 a scratch attached while bytes are received; the highest three say
//! how often (as a power of two) the same bytes are received.
#![no_main]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use libfuzzer_sys::fuzz_target;
use websocket_proto::{Cause, CloseCode, Connection, Negotiated, Role, Scratch, Seed};
use websocket_proto_fuzz::{PIECES_FROM, SMALL_MESSAGE, Watched, config, payload};

#[path = "../../tests/support/mod.rs"]
mod support;

fuzz_target!(|data: &[u8]| {
    let Some((choice, bytes)) = data.split_first() else { return };
    let [client, small, quiet, in_pieces, lends] = [1, 2, 4, 8, 16].map(|bit| choice & bit != 0);
    let times = 1 << (choice >> 5);
    let config = config(small).auto_pong(!quiet);
    let config = if in_pieces { config.chunk_threshold(PIECES_FROM) } else { config };

    let before = LIVE.load(Relaxed);
    let mut open = Watched::new(if client {
        Connection::upgraded_client(Negotiated::new(), config, Seed::new([7; 32]))
    } else {
        Connection::upgraded_server(Negotiated::new(), config)
    });
    for time in 1..=times {
        if lends {
            open.conn.attach_scratch(Scratch::new());
        }
        open.receive(bytes, |conn, event| conn.recycle(payload(event)));
        drop(open.conn.detach_scratch());
        let kept = LIVE.load(Relaxed) - before;
        let arrived = bytes.len() * time;
        // The answer to an empty ping is three times as long, and a growing buffer doubles.
        assert!(kept <= FIXED + 12 * arrived, "{kept} bytes are kept of {arrived}");
        let message = if small { 4 * SMALL_MESSAGE as usize } else { usize::MAX / 2 };
        let output = if small { 2 * 1024 } else { 4 * PONGS };
        assert!(kept <= FIXED + message + output, "{kept} bytes are kept");
    }

    let output = open.end();
    let closed = open.closed().unwrap();
    let sent = support::frames(&output);
    let masks = open.conn.role() == Role::Client;
    for (i, frame) in sent.iter().enumerate() {
        assert_eq!(frame.key.is_some(), masks);
        let is_last = i + 1 == sent.len();
        assert!(frame.first == 0x8a && !quiet || frame.first == 0x88 && is_last, "only pongs and one Close");
        assert!(frame.payload.len() <= 125);
    }
    let said_close = sent.last().filter(|frame| frame.first == 0x88).map(|frame| &frame.payload[..]);
    match closed.cause {
        Cause::Eof => assert_eq!(said_close, None),
        Cause::Protocol(error) => {
            assert_eq!(said_close, Some(&u16::from(error.close_code()).to_be_bytes()[..]));
        }
        Cause::Peer => {
            // The answer repeats the code and the reason.
            let code = Some(closed.code).filter(|&code| code != CloseCode::NO_STATUS).map(u16::from);
            let body =
                [&code.map(u16::to_be_bytes).map(Vec::from).unwrap_or_default(), closed.reason.as_bytes()].concat();
            assert_eq!(said_close, Some(&body[..]));
        }
        cause => panic!("{cause}"),
    }
});

/// The connection itself, its `Arc`, an incomplete control frame, the generator of masking keys, and the event
/// `Closed`, which the watch keeps as well.
const FIXED: usize = 2 * 1024;

/// An approximate bound on pending automatic answers.
const PONGS: usize = 64 << 10;

/// Bytes allocated and not freed.
static LIVE: AtomicUsize = AtomicUsize::new(0);

struct Counted;

#[global_allocator]
static ALLOCATOR: Counted = Counted;

// SAFETY: every call is passed on to the system's allocator.
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(layout.size(), Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Relaxed);
        unsafe { System.dealloc(pointer, layout) }
    }
}
