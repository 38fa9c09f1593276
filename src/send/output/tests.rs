//! Tests of the memory that an output retains, of the cost of its calls, and of the progress it reports.

use alloc::vec;

use super::*;

/// A whole `Connection` has 256 bytes.
#[test]
fn an_output_is_small() {
    assert!(size_of::<Output>() <= 56);
}

/// Creates an output with this many unsent bytes in its buffer.
fn filled(length: usize) -> Output {
    let mut output = Output::new(usize::MAX);
    output.reserve(length);
    output.extend(&vec![1; length]);
    output
}

/// Otherwise a connection that sends a little whenever the transport accepts a little would move all pending bytes each
/// time.
#[test]
fn each_byte_moves_at_most_once_for_each_that_was_sent() {
    let mut output = filled(1 << 20);
    let (mut sent, mut moved) = (0, 0);
    for _ in 0..50_000 {
        output.advance(100);
        sent += 100;
        let (start, pending) = (output.sent, output.remaining());
        output.reserve(100);
        if output.sent < start {
            moved += pending;
        }
        output.extend(&[2; 100]);
        assert!(moved <= sent, "{moved} bytes moved for {sent} sent");
    }
    assert!(moved > 0, "the buffer does not grow forever");
    assert!(output.buffer.capacity() <= 4 << 20, "{}", output.buffer.capacity());
}

/// A deferred pong reuses the space of bytes that were sent.
#[test]
fn a_promoted_pong_needs_no_larger_buffer() {
    let mut output = filled(1 << 20);
    let capacity = output.buffer.capacity();
    assert_eq!(capacity, output.buffer.len());
    output.keep_pong(b"\x8a\x04pong");
    output.advance((1 << 20) - 10);
    assert_eq!((output.remaining(), output.buffer.capacity()), (10 + 6, capacity));
    assert!(output.chunk().ends_with(b"\x8a\x04pong"));
}

/// A large buffer is freed however the last bytes are sent: from the buffer or from a chained payload.
#[test]
fn a_drained_output_frees_a_large_buffer() {
    type Drain = fn(&mut Output);
    let ways: [Drain; 3] = [
        |output| output.advance(usize::MAX),
        |output| {
            output.advance(MAX_RETAINED_BUFFER + 1);
            assert_eq!(output.take().unwrap(), "payload");
        },
        |output| while output.take().is_some() {},
    ];
    for way in ways {
        let mut output = filled(MAX_RETAINED_BUFFER + 1);
        output.attach("payload".into());
        way(&mut output);
        assert_eq!((output.remaining(), output.buffer.capacity()), (0, 0));
        assert!(output.chain.is_none());
    }
    let mut output = filled(MAX_RETAINED_BUFFER);
    output.advance(MAX_RETAINED_BUFFER);
    assert_eq!(output.buffer.capacity(), MAX_RETAINED_BUFFER);
}

/// The buffer of an opening handshake, or one that stayed with the connection when the scratch was detached, is freed.
#[test]
fn a_buffer_that_no_frame_was_sent_from_is_freed() {
    let mut output = Output::new(usize::MAX);
    output.buffer().extend_from_slice(b"HTTP/1.1 101 Switching Protocols");
    output.advance(usize::MAX);
    assert_eq!(output.buffer.capacity(), 0);

    let mut output = filled(100);
    output.return_to(&mut BufferPool::default(), &mut None);
    output.advance(100);
    assert_eq!(output.buffer.capacity(), 0);
}

/// When the connection is aborted, its borrowed buffers are returned and serve the next connection.
#[test]
fn clearing_an_output_returns_what_it_borrowed() {
    let (mut pool, mut spare) = (BufferPool::default(), Some(Box::default()));
    pool.recycle(Vec::with_capacity(100_000));
    let mut output = Output::new(usize::MAX);
    output.borrow_from(&mut pool, &mut spare);
    output.extend(b"header");
    output.attach("payload".into());
    output.clear();
    assert_eq!((output.remaining(), output.chunk()), (0, &b""[..]));

    // Another frame may follow.
    output.reserve(4);
    output.extend(b"\x88\x02\x03\xe8");
    output.advance(4);
    output.return_to(&mut pool, &mut spare);
    assert_eq!(output.buffer.capacity(), 0);
    assert_eq!((pool.get().capacity(), spare.is_some()), (100_000, true));

    let mut output = filled(100);
    output.attach("payload".into());
    output.clear();
    assert_eq!((output.buffer.capacity(), output.chain.is_none()), (0, true));
}

/// A chain that became long is freed when its last payload is sent, so that a pool does not hold it.
#[test]
fn a_long_chain_does_not_go_back() {
    for takes in [false, true] {
        let (mut pool, mut spare) = (BufferPool::default(), Some(Box::<Chain>::default()));
        let mut output = Output::new(usize::MAX);
        output.borrow_from(&mut pool, &mut spare);
        (0..1000).for_each(|_| output.attach("payload".into()));
        if takes {
            while Output::take(&mut output).is_some() {}
        } else {
            output.advance(usize::MAX);
        }
        output.return_to(&mut pool, &mut spare);
        assert_eq!(spare.unwrap().capacity(), 0);
    }
}

/// The buffer of a sent payload is reused for the next message, if there is a pool to return it to.
#[test]
fn the_buffer_of_a_sent_payload_goes_to_the_pool() {
    for is_borrowing in [false, true] {
        let mut pool = BufferPool::default();
        let mut output = Output::new(usize::MAX);
        if is_borrowing {
            output.borrow_from(&mut pool, &mut None);
        }
        output.attach(vec![1; 1000].into());
        output.attach("pending".into());
        output.advance(1000);
        output.return_recyclable(&mut pool);
        assert_eq!(pool.get().capacity(), if is_borrowing { 1000 } else { 0 });
    }
}

/// If the limit of pending output is higher, a peer that sends pings and never reads is not answered up to that limit.
#[test]
fn pings_are_answered_below_a_backlog() {
    for (limit, backlog) in [(100, 100), (64 << 10, 64 << 10), (1 << 20, 64 << 10), (usize::MAX, 64 << 10)] {
        let mut output = Output::new(limit);
        output.extend(&vec![1; backlog - 1]);
        assert!(output.takes_pongs());
        output.extend(&[1]);
        assert!(!output.takes_pongs());
    }
}

/// The keepalive checks whether the transport accepts anything.
#[test]
fn progress_is_what_the_transport_took() {
    let mut output = filled(10);
    output.attach("payload".into());
    output.advance(0);
    assert_eq!((output.take_progress(), output.was_drained()), (false, false));
    output.advance(1);
    assert_eq!((output.was_drained(), output.take_progress(), output.take_progress()), (false, true, false));
    assert_eq!(Output::take(&mut output).unwrap().len(), 9);
    assert_eq!((output.was_drained(), output.take_progress()), (false, true));
    output.advance(7);
    output.extend(b"next");
    assert_eq!((output.was_drained(), output.take_progress(), output.was_drained()), (true, true, false));
    output.advance(1);
    output.clear();
    assert_eq!((output.was_drained(), output.take_progress()), (true, false));
}
