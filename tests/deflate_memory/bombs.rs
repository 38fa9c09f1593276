//! Small messages that inflate to large ones: exact limits, and memory that stays within them.

use websocket_proto::{Cause, Config, Connection, Event, MessageKind, ProtocolError, Role, Scratch};

use crate::deflate::{deflated, endpoint, noise, settings, without_takeover};
use crate::heap::heap_of;
use crate::inflate::Writer;
use crate::payloads::{BESIDE, bomb, message};
use crate::receive;
use crate::support::{ROLES, close_body, drain, feed, frame, frames, other, sent};

/// A message above the limit is rejected as soon as it shows, at the cost of the limit: in one frame or in a frame for
/// every byte, in one input or byte by byte.
#[test]
fn a_bomb_costs_the_limit() {
    const LIMIT: usize = 16 << 20;
    for (role, kind) in [(Role::Server, MessageKind::Binary), (Role::Client, MessageKind::Text)] {
        for (fragment, input) in [(usize::MAX, usize::MAX), (usize::MAX, 1), (1, 16 << 10)] {
            for settings in [settings(), without_takeover()] {
                let mut conn = endpoint(role, Config::new(), &settings);
                let wire = message(other(role), kind, bomb(), fragment.min(bomb().len()));
                let mut input = vec![0; input.min(wire.len())];
                let (cause, heap) = heap_of(|| {
                    let mut cause = None;
                    for chunk in wire.chunks(input.len()) {
                        let mut input = &mut input[..chunk.len()];
                        input.copy_from_slice(chunk);
                        while let Some(event) = conn.receive(&mut input) {
                            let Event::Closed(closed) = event else { panic!("{event:?}") };
                            cause = Some(closed.cause);
                        }
                    }
                    cause
                });
                assert_eq!(cause, Some(Cause::Protocol(ProtocolError::MessageTooLarge)));
                assert_eq!(sent(&mut conn)[0].payload, close_body(1009, ""));
                assert!(heap.peak <= LIMIT + BESIDE, "{heap:?}");
                assert!(heap.kept < 1024, "{heap:?}");
            }
        }
    }
}

/// The buffer of an inflated message doubles, but has no more space than the limit and the one byte that shows that it is
/// exceeded.
#[test]
fn an_inflated_message_has_no_more_space_than_the_limit() {
    const LIMIT: usize = 100_000;
    let letters: Vec<u8> = noise(LIMIT).iter().map(|byte| b'a' + byte % 26).collect();
    for kind in [MessageKind::Text, MessageKind::Binary] {
        for payload in [deflated(&vec![b'x'; LIMIT]), deflated(&letters)] {
            let mut conn = endpoint(Role::Server, Config::new().max_message_size(LIMIT as u64), &settings());
            let wire = message(Role::Client, kind, &payload, payload.len());
            let capacity = match feed(&mut conn, &wire).pop() {
                Some(Event::Text(text)) => text.into_owned().capacity(),
                Some(Event::Binary(data)) => data.into_owned().capacity(),
                other => panic!("{other:?}"),
            };
            assert!((LIMIT..=LIMIT + 1).contains(&capacity), "{kind:?}: {capacity}");
        }
    }
}

/// Limits apply to the inflated bytes, exactly: `n` passes, `n + 1` doesn't, whole or in chunks, compressible or not,
/// however it is framed and split.
#[test]
fn limits_are_exact() {
    const LIMIT: usize = 100_000;
    let config = |in_pieces| {
        let config = Config::new().max_frame_size(1 << 20);
        if in_pieces {
            config.max_message_size(10).chunk_threshold(1000).max_chunked_message_size(LIMIT as u64)
        } else {
            config.max_message_size(LIMIT as u64)
        }
    };
    let noise = noise(LIMIT + 1);
    let letters: Vec<u8> = noise.iter().map(|byte| b'a' + byte % 26).collect();
    for (kind, data) in [
        (MessageKind::Binary, &noise),
        (MessageKind::Binary, &vec![0; LIMIT + 1]),
        (MessageKind::Text, &letters),
        (MessageKind::Text, &vec![b'x'; LIMIT + 1]),
    ] {
        for length in [LIMIT, LIMIT + 1] {
            let payload = deflated(&data[..length]);
            for in_pieces in [false, true] {
                // The limit of a message in chunks applies to its frames, too: incompressible data comes in several.
                for (fragment, input) in [(90_000, usize::MAX), (1000, 100), (90_000, 7)] {
                    let mut conn = endpoint(Role::Server, config(in_pieces), &settings());
                    let wire = message(Role::Client, kind, &payload, fragment);
                    let (mut received, mut closed) = (Vec::new(), None);
                    receive(&mut conn, &wire, input, |_, event| match event {
                        Event::Text(text) => received = text.into_owned().into_bytes(),
                        Event::Binary(data) => received = data.into_owned(),
                        Event::Chunk(chunk) => received.extend(chunk.parts().concat()),
                        Event::Closed(end) => closed = Some(end.cause),
                        other => panic!("{other:?}"),
                    });
                    if length == LIMIT {
                        assert_eq!(closed, None);
                        assert!(received == data[..length]);
                    } else {
                        assert_eq!(closed, Some(Cause::Protocol(ProtocolError::MessageTooLarge)));
                        assert!(received.len() <= LIMIT && (in_pieces || received.is_empty()));
                        assert_eq!(sent(&mut conn)[0].payload, close_body(1009, ""));
                    }
                }
            }
        }
    }
}

/// With limits of 0, an empty message passes, and one of a byte doesn't.
#[test]
fn a_limit_of_nothing_is_exact() {
    for (data, passes) in [(&b""[..], true), (b"x", false)] {
        let mut conn = endpoint(Role::Server, Config::new().max_message_size(0), &settings());
        let events = feed(&mut conn, &frame(Role::Client, 0xc2, &deflated(data)));
        assert_eq!(matches!(events[..], [Event::Binary(_)]), passes, "{events:?}");
        assert_eq!(matches!(events[..], [Event::Closed(_)]), !passes, "{events:?}");
    }
}

/// Blocks that are empty, and streams that end and begin again, are part of a message, and cost nothing.
#[test]
fn a_thousand_empty_blocks() {
    for last in [false, true] {
        let empty = (0..1000).fold(Writer::default(), |blocks, _| blocks.stored(last, b""));
        let payload = empty.stored(false, b"x").message();
        for fragment in [payload.len(), 1] {
            for settings in [settings(), without_takeover()] {
                let mut conn = endpoint(Role::Server, Config::new(), &settings);
                let wire = message(Role::Client, MessageKind::Text, &payload, fragment);
                let mut texts = Vec::new();
                let ((), heap) = heap_of(|| {
                    receive(&mut conn, &wire, 16 << 10, |_, event| match event {
                        Event::Text(text) => texts.push(text.into_owned()),
                        other => panic!("{other:?}"),
                    });
                });
                assert_eq!(texts, ["x"]);
                assert!(heap.peak < BESIDE, "{heap:?}");
            }
        }
    }
}

/// Endless empty blocks are too large a message although they inflate to nothing.
#[test]
fn empty_blocks_without_end() {
    let mut conn = endpoint(Role::Server, Config::new().max_message_size(1000).max_fragments(u32::MAX), &settings());
    let mut wire = frame(Role::Client, 0x42, b"");
    wire.extend(frame(Role::Client, 0x00, &Writer::default().stored(false, b"").bytes()).repeat(10_000));
    let (events, heap) = heap_of(|| feed(&mut conn, &wire));
    assert!(
        matches!(&events[..], [Event::Closed(closed)] if closed.cause == Cause::Protocol(ProtocolError::MessageTooLarge))
    );
    assert!(heap.peak < wire.len() + BESIDE, "{heap:?}");
}

/// A hundred thousand messages of a few bytes take no more memory than one, and allocate nothing with a scratch.
#[test]
fn a_flood_of_tiny_messages() {
    for role in ROLES {
        for settings in [settings(), without_takeover()] {
            for payload in [&deflated(b"")[..], &deflated(b"Hello"), &Writer::default().stored(true, b"Hello").bytes()]
            {
                let wire = frame(other(role), 0xc1, payload).repeat(1000);
                let mut buffer = wire.clone();
                let mut conn = endpoint(role, Config::new(), &settings);
                let mut flood = |conn: &mut Connection, times: usize| {
                    let mut messages = 0;
                    for _ in 0..times {
                        buffer.copy_from_slice(&wire);
                        let mut input = &mut buffer[..];
                        while let Some(event) = conn.receive(&mut input) {
                            let Event::Text(text) = event else { panic!("{event:?}") };
                            conn.recycle(text);
                            messages += 1;
                        }
                    }
                    messages
                };
                let (messages, heap) = heap_of(|| flood(&mut conn, 1));
                assert_eq!(messages, 1000);
                assert!(heap.peak < BESIDE, "{heap:?}");
                conn.attach_scratch(Scratch::new());
                // Enough to fill the window.
                flood(&mut conn, 7);
                let (messages, heap) = heap_of(|| flood(&mut conn, 20));
                assert_eq!(messages, 20_000);
                assert_eq!((heap.allocations, heap.peak), (0, 0), "{settings:?}");
            }
        }
    }
}

/// The buffer of a large message, which went back to the thread, doesn't stay with another connection that has received
/// little.
#[test]
fn little_stays_behind_where_little_came_out() {
    for kind in [MessageKind::Binary, MessageKind::Text] {
        for settings in [settings(), without_takeover()] {
            let mut conn = endpoint(Role::Server, Config::new(), &settings);
            let mut scratch = Scratch::new();
            conn.attach_scratch(scratch);
            let large = message(Role::Client, kind, &deflated(&vec![b'x'; 3 << 19]), usize::MAX / 2);
            match feed(&mut conn, &large).pop() {
                Some(Event::Binary(data)) => conn.recycle(data),
                Some(Event::Text(text)) => conn.recycle(text),
                other => panic!("{other:?}"),
            }
            // The output has a buffer of its own, which the next connection finds first.
            conn.ping(b"").unwrap();
            drain(&mut conn);
            scratch = conn.detach_scratch().unwrap();

            let mut next = endpoint(Role::Server, Config::new(), &settings);
            let begun = message(Role::Client, kind, &deflated(b"begun"), 6);
            let (_scratch, heap) = heap_of(|| {
                next.attach_scratch(scratch);
                assert!(feed(&mut next, &begun[..begun.len() - 1]).is_empty());
                next.detach_scratch()
            });
            // The scratch has its buffers back, except for a small one.
            assert!(heap.kept < 4096, "{heap:?}");
            let ((), heap) = heap_of(|| drop(next));
            assert!(heap.kept > -(BESIDE.cast_signed()), "{heap:?}");
        }
    }
}

/// Messages from a client are rejected by the same limits: roles make no difference.
#[test]
fn a_message_of_our_own_making_hits_the_limit() {
    let mut client = endpoint(Role::Client, Config::new().max_pending_output(1 << 30), &settings());
    let mut server = endpoint(Role::Server, Config::new().max_message_size(1 << 20), &settings());
    for (length, passes) in [(1 << 20, true), ((1 << 20) + 1, false)] {
        client.send_text(&"x".repeat(length)).unwrap();
        let wire = drain(&mut client);
        assert_eq!(frames(&wire)[0].first, 0xc1);
        let events = feed(&mut server, &wire);
        assert_eq!(matches!(&events[..], [Event::Text(text)] if text.len() == length), passes);
    }
}
