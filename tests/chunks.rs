//! Messages in chunks: the same bytes as whole messages, in constant memory, with their own limit.

#[path = "support/heap.rs"]
mod heap;
#[path = "support/mod.rs"]
mod support;

use bytes::Buf;
use heap::{Counting, heap_of};
use support::{ROLES, feed, feed_chunks, frame, other, sent, server_with};
use websocket_proto::{Cause, Chunk, Config, Connection, Event, MessageKind, Negotiated, ProtocolError, Role};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// However a message is framed and split, its chunks together are its bytes. The first and the last are marked, and no
/// text is split inside a character.
#[test]
fn pieces_are_the_message() {
    let text = "聊天室 κόσμε 👋🏽 plain";
    for role in ROLES {
        for (opcode, kind) in [(1, MessageKind::Text), (2, MessageKind::Binary)] {
            for cut in 0..=text.len() {
                let (head, tail) = text.as_bytes().split_at(cut);
                let from = other(role);
                let whole = frame(from, 0x80 | opcode, text.as_bytes());
                let fragments = [frame(from, opcode, head), frame(from, 0x89, b"?"), frame(from, 0x80, tail)].concat();
                for wire in [whole, fragments] {
                    for size in [1, 2, 3, 5, 7, wire.len()] {
                        let mut conn = support::open_with(role, Config::new().chunk_threshold(0));
                        let chunks = chunks(feed_chunks(&mut conn, &wire, size));
                        let joined: Vec<u8> = chunks.iter().flat_map(|chunk| chunk.parts().concat()).collect();
                        assert_eq!(joined, text.as_bytes());
                        let last = chunks.len() - 1;
                        for (i, chunk) in chunks.iter().enumerate() {
                            assert_eq!(chunk.kind(), kind);
                            assert_eq!((chunk.is_first(), chunk.is_last()), (i == 0, i == last));
                            assert!(i == last || !chunk.is_empty());
                            assert_eq!(chunk.len(), chunk.parts().concat().len());
                            assert_eq!(chunk.is_empty(), chunk.parts().concat().is_empty());
                            let text = chunk.text().concat();
                            assert_eq!(
                                text.as_bytes(),
                                if kind == MessageKind::Text { chunk.parts().concat() } else { vec![] }
                            );
                        }
                    }
                }
            }
        }
    }
}

/// A message that is too large to be whole comes in chunks, even if it is below the threshold.
#[test]
fn a_message_too_large_to_be_whole_comes_in_pieces() {
    for (length, expected) in
        [(9, "binary 9"), (10, "binary 10"), (11, "first last 11"), (12, "first last 12"), (999, "first last 999")]
    {
        let whole = frame(Role::Client, 0x82, &vec![b'x'; length]);
        let (head, tail) = (vec![b'x'; 4], vec![b'x'; length - 4]);
        let fragments = [frame(Role::Client, 0x02, &head), frame(Role::Client, 0x80, &tail)].concat();
        for wire in [whole, fragments] {
            let mut conn = server_with(Config::new().chunk_threshold(1000).max_message_size(10));
            assert_eq!(feed(&mut conn, &wire).iter().map(describe).collect::<Vec<_>>(), [expected]);
        }
    }
}

/// Messages below the threshold are whole, others come in chunks. The size of a fragmented message shows only as its
/// frames arrive.
#[test]
fn whole_below_a_size_and_in_pieces_from_it() {
    let config = Config::new().chunk_threshold(10);
    let describe_all = |wire: &[u8], size| {
        let mut conn = server_with(config.clone());
        feed_chunks(&mut conn, wire, size).iter().map(describe).collect::<Vec<_>>()
    };
    let client = |first, length| frame(Role::Client, first, &vec![b'x'; length]);
    assert_eq!(describe_all(&client(0x81, 9), 100), ["text 9"]);
    assert_eq!(describe_all(&client(0x81, 9), 1), ["text 9"]);
    assert_eq!(describe_all(&client(0x82, 10), 100), ["first last 10"]);
    assert_eq!(describe_all(&client(0x82, 10), 12), ["first 6", "last 4"]);
    let fragments = [client(0x02, 4), client(0x00, 5), client(0x00, 1), client(0x80, 3)].concat();
    assert_eq!(describe_all(&fragments, 1000), ["first 10", "last 3"]);
    let fragments = [client(0x02, 4), client(0x80, 5)].concat();
    assert_eq!(describe_all(&fragments, 1000), ["binary 9"]);
    let fragments = [client(0x02, 4), client(0x80, 100)].concat();
    assert_eq!(describe_all(&fragments, 1000), ["first last 104"]);
    let fragments = [client(0x01, 20), client(0x80, 0)].concat();
    assert_eq!(describe_all(&fragments, 1000), ["first 20", "last 0"]);
    assert_eq!(describe_all(&[client(0x82, 30), client(0x82, 3)].concat(), 1000), ["first last 30", "binary 3"]);
    assert_eq!(describe_all(&client(0x81, 0), 1000), ["text 0"]);
}

/// With a threshold of 0, an empty message is a chunk, too.
#[test]
fn an_empty_message_is_one_empty_piece() {
    let mut conn = server_with(Config::new().chunk_threshold(0));
    let events: Vec<_> = feed(&mut conn, &frame(Role::Client, 0x81, b"")).iter().map(describe).collect();
    assert_eq!(events, ["first last 0"]);
}

/// Chunks have a limit of their own, which is exact and decided from the header; the limits for whole messages don't
/// apply.
#[test]
fn pieces_have_their_own_limit() {
    let config =
        || Config::new().max_message_size(5).max_frame_size(5).chunk_threshold(4).max_chunked_message_size(100);
    for (sizes, fails) in [(&[100][..], false), (&[101], true), (&[60, 40], false), (&[60, 41], true), (&[3], false)] {
        let mut conn = server_with(config());
        let last = sizes.len() - 1;
        let wire: Vec<u8> = (0..=last)
            .flat_map(|i| {
                let first = if i == 0 { 0x02 } else { 0x00 } | if i == last { 0x80 } else { 0x00 };
                frame(Role::Client, first, &vec![0; sizes[i]])
            })
            .collect();
        let events = feed(&mut conn, &wire);
        let failed = matches!(events.last(), Some(Event::Closed(closed))
            if matches!(closed.cause, Cause::Protocol(ProtocolError::FrameTooLarge | ProtocolError::MessageTooLarge)));
        assert_eq!(failed, fails, "{sizes:?}");
        if fails {
            assert_eq!(sent(&mut conn)[0].payload, [3, 241]);
        }
    }
}

/// A message in chunks may have any number of fragments; one that is assembled may not.
#[test]
fn pieces_may_have_any_number_of_fragments() {
    let fragments = |size| {
        let mut conn = server_with(Config::new().max_fragments(3).chunk_threshold(5));
        let wire = [frame(Role::Client, 0x02, &vec![1; size]), frame(Role::Client, 0x00, b"").repeat(10)].concat();
        let events = feed(&mut conn, &wire);
        matches!(events.last(), Some(Event::Closed(closed))
            if closed.cause == Cause::Protocol(ProtocolError::TooManyFragments))
    };
    assert!(fragments(4));
    assert!(!fragments(5));
}

/// Text is validated as it arrives: what precedes an invalid byte is delivered, the chunk with the byte isn't.
#[test]
fn pieces_of_text_are_checked_on_the_way() {
    let mut conn = server_with(Config::new().chunk_threshold(0));
    let wire = frame(Role::Client, 0x81, b"good\xe4\xbdbad");
    let events: Vec<_> = feed_chunks(&mut conn, &wire, 10).iter().map(describe).collect();
    assert_eq!(events, ["first 4", "closed"]);
    let mut conn = server_with(Config::new().chunk_threshold(0));
    let events: Vec<_> = feed(&mut conn, &frame(Role::Client, 0x81, b"cut\xe4\xbd")).iter().map(describe).collect();
    assert_eq!(events, ["closed"]);
}

/// 100 MiB through two endpoints take no more memory than the bytes in transit.
#[test]
fn a_large_upload_runs_in_constant_memory() {
    let mut client = support::client();
    let config = Config::new().chunk_threshold(1 << 20);
    let mut server = Connection::upgraded_server(Negotiated::new(), config);
    let block = vec![7; 64 << 10];
    let blocks = 1600;
    let mut buffer = vec![0; 16 << 10];
    let (received, heap) = heap_of(|| {
        let mut received = 0;
        for i in 0..blocks {
            client.send_fragment(MessageKind::Binary, &block, i + 1 == blocks).unwrap();
            while client.output().has_remaining() {
                let length = client.output().chunk().len().min(buffer.len());
                client.output().copy_to_slice(&mut buffer[..length]);
                let mut input = &mut buffer[..length];
                while let Some(event) = server.receive(&mut input) {
                    let Event::Chunk(chunk) = event else { panic!("{event:?}") };
                    received += chunk.len();
                }
            }
        }
        received
    });
    assert_eq!(received, blocks * block.len());
    // The bytes assembled before the message turns out to be large, at most four times over, and the client's output.
    assert!(heap.peak < 6 << 20, "{heap:?}");
}

fn chunks(events: Vec<Event<'static>>) -> Vec<Chunk<'static>> {
    let chunk = |event| match event {
        Event::Chunk(chunk) => Some(chunk),
        Event::Ping(_) => None,
        other => panic!("{other:?}"),
    };
    events.into_iter().filter_map(chunk).collect()
}

fn describe(event: &Event<'_>) -> String {
    match event {
        Event::Text(text) => format!("text {}", text.len()),
        Event::Binary(data) => format!("binary {}", data.len()),
        Event::Chunk(chunk) => {
            let (first, last) = (chunk.is_first(), chunk.is_last());
            format!("{}{}{}", if first { "first " } else { "" }, if last { "last " } else { "" }, chunk.len())
        }
        Event::Closed(_) => "closed".into(),
        other => panic!("{other:?}"),
    }
}
