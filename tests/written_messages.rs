//! Messages that your code writes in parts: the frames that `send_text_with` and `send_binary_with` put on the wire,
//! and the state after a failed write.

#[cfg(feature = "deflate")]
#[path = "support/deflate.rs"]
mod deflate;
#[path = "support/heap.rs"]
mod heap;
#[path = "support/mod.rs"]
mod support;

use std::convert::Infallible;
use std::fmt;
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::{Buf, BufMut, Bytes};
use heap::{Counting, heap_of};
use support::{drain, open, open_with, server};
use websocket_proto::{Config, Connection, MessageKind, Role, Scratch, SendError, SendWithError, TextWriter};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The sizes around those at which a header becomes longer.
const SIZES: [usize; 11] = [0, 1, 2, 124, 125, 126, 127, 65_534, 65_535, 65_536, 200_000];

/// Output that is pending before the message.
type Pending = fn(&mut Connection);

const PENDING: [Pending; 5] = [
    |_| {},
    |conn| conn.send_text("pending").unwrap(),
    // The transport has written a part of it.
    |conn| {
        conn.send_text("pending").unwrap();
        conn.output().advance(4);
    },
    // The transport has written all of it.
    |conn| {
        conn.send_text("pending").unwrap();
        drain(conn);
    },
    // A payload that a server doesn't copy.
    |conn| {
        conn.send(vec![b'x'; 10_000]).unwrap();
        let header = if conn.role() == Role::Server { 4 } else { 8 };
        conn.output().advance(header);
    },
];

/// On the wire, a written message is the same as an ordinary one: at every size, whatever precedes or follows it.
#[test]
fn a_written_message_is_an_ordinary_one() {
    for role in support::ROLES {
        for (case, pending) in PENDING.iter().enumerate() {
            for size in SIZES {
                let text = "text, 聊天 ".repeat(size / 13) + &"x".repeat(size % 13);
                let wire = |send: &dyn Fn(&mut Connection)| {
                    let mut conn = open_with(role, Config::new().max_pending_output(1 << 20));
                    pending(&mut conn);
                    send(&mut conn);
                    conn.send_text("another").unwrap();
                    conn.send(Bytes::from(vec![b'y'; 5000])).unwrap();
                    drain(&mut conn)
                };
                let whole = wire(&|conn| conn.send_text(&text).unwrap());
                let written = wire(&|conn| conn.send_text_with(|writer| write_chars(writer, &text)).unwrap());
                assert!(whole == written, "{role:?}, case {case}, text of {size}");
                let written = wire(&|conn| conn.send_text_with(|writer| write_bytes(writer, text.as_bytes())).unwrap());
                assert!(whole == written, "{role:?}, case {case}, text of {size}");

                let whole = wire(&|conn| conn.send_binary(text.as_bytes()).unwrap());
                let written =
                    wire(&|conn| conn.send_binary_with(|writer| write_bytes(writer, text.as_bytes())).unwrap());
                assert!(whole == written, "{role:?}, case {case}, binary of {size}");
            }
        }
    }
}

fn write_chars(writer: &mut TextWriter<'_>, text: &str) -> fmt::Result {
    for character in text.chars() {
        fmt::Write::write_char(writer, character)?;
    }
    Ok(())
}

/// In parts of 7 bytes, which split characters.
fn write_bytes(mut writer: impl Write, bytes: &[u8]) -> io::Result<()> {
    for piece in bytes.chunks(7) {
        writer.write_all(piece)?;
    }
    writer.flush()
}

/// `write` takes all bytes, as it does for a `Vec`.
#[test]
fn a_write_takes_all_bytes() {
    fn writes(mut writer: impl Write) -> io::Result<usize> {
        Ok(writer.write(b"one")? + writer.write(b"")? + writer.write(b" two")?)
    }
    let mut conn = server();
    assert_eq!(conn.send_text_with(|writer| writes(writer)).unwrap(), 7);
    assert_eq!(conn.send_binary_with(|writer| writes(writer)).unwrap(), 7);
    assert_eq!(drain(&mut conn), b"\x81\x07one two\x82\x07one two");
}

/// A message that fails is not sent, whatever the reason: pending output stays as it is, and the next message is masked
/// with the key that this one would have had.
#[test]
fn a_message_that_fails_leaves_nothing_behind() {
    type Fail = fn(&mut Connection, usize);
    let fails: [Fail; 4] = [
        |conn, size| {
            let error = conn.send_text_with(|writer| {
                writer.push_str(&"x".repeat(size));
                Err::<(), _>("no")
            });
            assert_eq!(error, Err(SendWithError::Write("no")));
        },
        |conn, size| {
            let error = conn.send_binary_with(|writer| {
                writer.extend_from_slice(&vec![1; size]);
                Err::<(), _>("no")
            });
            assert_eq!(error, Err(SendWithError::Write("no")));
        },
        |conn, size| {
            let error = conn.send_text_with(|writer| {
                writer.push_str(&"x".repeat(size));
                writer.write_all("聊".as_bytes().split_last().unwrap().1)
            });
            assert!(matches!(error, Err(SendWithError::Send(SendError::InvalidUtf8))));
        },
        |conn, size| {
            let panic = catch_unwind(AssertUnwindSafe(|| {
                conn.send_text_with(|writer| -> Result<(), Infallible> {
                    writer.push_str(&"x".repeat(size));
                    panic!("on purpose");
                })
            }));
            assert!(panic.is_err());
        },
    ];
    for role in support::ROLES {
        for pending in PENDING {
            for fail in fails {
                for size in [0, 10, 100_000] {
                    let wire = |fails: bool| {
                        let mut conn = open(role);
                        pending(&mut conn);
                        if fails {
                            let before = conn.pending_output();
                            fail(&mut conn, size);
                            assert_eq!(conn.pending_output(), before);
                        }
                        conn.send_text("next").unwrap();
                        drain(&mut conn)
                    };
                    assert_eq!(wire(true), wire(false));
                }
            }
        }
    }
}

/// When no message can be sent, the closure isn't called.
#[test]
fn nothing_is_written_that_may_not_be_sent() {
    let refuse = |mut conn: Connection, reason: SendError| {
        let before = conn.pending_output();
        let result = conn.send_text_with(|_| -> Result<(), Infallible> { panic!("it was called") });
        assert_eq!(result, Err(reason.into()));
        let result = conn.send_binary_with(|_| -> Result<(), Infallible> { panic!("it was called") });
        assert_eq!(result, Err(reason.into()));
        assert_eq!(conn.pending_output(), before);
    };
    refuse(Connection::server(Config::new()), SendError::Connecting);
    let mut closing = server();
    closing.close(None, "").unwrap();
    refuse(closing, SendError::Closed);
    let mut full = open_with(Role::Server, Config::new().max_pending_output(10));
    full.send_binary(&[1; 10]).unwrap();
    refuse(full, SendError::OutputFull);
    let mut unfinished = server();
    unfinished.send_fragment(MessageKind::Text, b"x", false).unwrap();
    refuse(unfinished, SendError::UnfinishedMessage);
}

/// The value that `write` returns is returned.
#[test]
fn the_result_of_the_writing_is_returned() {
    let mut conn = server();
    let written = conn.send_text_with(|writer| {
        writer.push('聊');
        Ok::<_, Infallible>(3)
    });
    assert_eq!(written, Ok(3));
    assert_eq!(conn.send_binary_with(|_| Ok::<_, Infallible>(7)), Ok(7));
    assert_eq!(drain(&mut conn), [&b"\x81\x03"[..], "聊".as_bytes(), b"\x82\x00"].concat());
}

/// JSON is serialised without a buffer of its own: steady traffic allocates nothing.
#[test]
fn json_is_written_without_an_allocation() {
    let rows: Vec<_> = (0..100).map(|row| (row, "聊天", [1.5, 2.5])).collect();
    for role in support::ROLES {
        for has_scratch in [false, true] {
            let mut conn = open(role);
            if has_scratch {
                conn.attach_scratch(Scratch::new());
            }
            let mut turn = || {
                for _ in 0..2 {
                    conn.send_text_with(|writer| serde_json::to_writer(writer, &rows)).unwrap();
                }
                let pending = conn.pending_output();
                assert!(pending > 4000);
                conn.output().advance(pending);
            };
            turn();
            let ((), heap) = heap_of(|| (0..10).for_each(|_| turn()));
            assert_eq!((heap.allocations, heap.kept), (0, 0), "{role:?}, scratch: {has_scratch}");
        }
    }
}

/// The message is sent from where it was written: at the start of the output at every size, and after other bytes if
/// its header has the usual four bytes.
#[test]
fn a_written_message_is_not_copied() {
    for role in support::ROLES {
        let mask = if role == Role::Client { 4 } else { 0 };
        for (size, header, is_first) in
            [(10, 2, true), (1000, 4, true), (100_000, 10, true), (1000, 4, false), (65_535, 4, false)]
        {
            let mut conn = open(role);
            // Memory for all of it: a buffer that grows may move.
            conn.send_binary(&vec![0; 150_000]).unwrap();
            conn.attach_scratch(Scratch::new());
            drain(&mut conn);
            let mut before = 0;
            if !is_first {
                conn.send_text("pending").unwrap();
                before = conn.pending_output();
            }
            let place = conn.send_binary_with(|writer| {
                let place = writer.buf_mut().chunk_mut().as_mut_ptr();
                writer.extend_from_slice(&vec![1; size]);
                Ok::<_, Infallible>(place.cast_const())
            });
            let output = conn.output();
            let payload = &output.chunk()[before + header + mask..];
            assert_eq!(payload.len(), size);
            assert_eq!(payload.as_ptr(), place.unwrap(), "{role:?}, {size} bytes");
        }
    }
}

/// A large message that fails leaves no large buffer with a connection that may stay idle.
#[test]
fn a_large_message_that_fails_is_freed() {
    let mut conn = server();
    let ((), heap) = heap_of(|| {
        let result = conn.send_binary_with(|writer| {
            writer.extend_from_slice(&vec![1; 1 << 20]);
            Err::<(), _>(())
        });
        assert!(result.is_err());
    });
    assert!(heap.kept <= 16 << 10, "{heap:?}");
}

#[cfg(feature = "deflate")]
mod compression {
    use super::*;
    use crate::deflate::{endpoint, settings};

    /// If compression was negotiated, a written message is compressed like an ordinary one, and may fail like an
    /// uncompressed one.
    #[test]
    fn a_written_message_is_compressed() {
        for role in support::ROLES {
            for size in SIZES {
                let text = "text, 聊天 ".repeat(size / 13);
                let wire = |send: &dyn Fn(&mut Connection)| {
                    let mut conn = endpoint(role, Config::new(), &settings());
                    for _ in 0..2 {
                        send(&mut conn);
                        conn.send_text("another").unwrap();
                    }
                    drain(&mut conn)
                };
                let whole = wire(&|conn| conn.send_text(&text).unwrap());
                let written = wire(&|conn| conn.send_text_with(|writer| write_chars(writer, &text)).unwrap());
                assert!(whole == written, "{role:?}, {size}");
                let failed = wire(&|conn| {
                    let result = conn.send_text_with(|writer| {
                        writer.push_str(&text);
                        writer.write_all(b"\xff")
                    });
                    assert!(matches!(result, Err(SendWithError::Send(SendError::InvalidUtf8))));
                    assert!(conn.send_text_with(|_| Err::<(), _>(())).is_err());
                    conn.send_text(&text).unwrap();
                });
                assert!(whole == failed, "{role:?}, {size}");
            }
        }
        let mut conn = endpoint(Role::Server, Config::new(), &settings());
        conn.send_fragment(MessageKind::Text, b"x", false).unwrap();
        let result = conn.send_text_with(|_| -> Result<(), Infallible> { panic!("it was called") });
        assert_eq!(result, Err(SendError::UnfinishedMessage.into()));
    }

    /// With a scratch, a spare buffer holds the uncompressed message.
    #[test]
    fn a_message_that_is_compressed_needs_no_allocation() {
        let rows: Vec<_> = (0..100).map(|row| (row, "聊天", [1.5, 2.5])).collect();
        let mut conn = endpoint(Role::Server, Config::new(), &settings());
        conn.attach_scratch(Scratch::new());
        let mut turn = |fails: bool| {
            conn.send_text_with(|writer| {
                serde_json::to_writer(&mut *writer, &rows).unwrap();
                if fails { Err(()) } else { Ok(()) }
            })
            .unwrap_or_else(|_| assert!(fails));
            let pending = conn.pending_output();
            conn.output().advance(pending);
        };
        turn(false);
        turn(false);
        let ((), heap) = heap_of(|| (0..10).for_each(|at| turn(at % 2 == 0)));
        assert_eq!((heap.allocations, heap.kept), (0, 0));
    }
}
