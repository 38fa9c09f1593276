//! The memory that the server's connections may hold: the chapter on memory of the guide (`src/guide/memory.md`), and the table of
//! `DeflateConfig`, as bounds.

use websocket_proto::{Connection, State};

use crate::heap::heap_of;
use crate::plan::MOST_MESSAGE;

/// A buffer is four times as large as what is in it, or so large.
const LEAST_BUFFER: usize = 4 << 10;
/// The boxes of a control frame that is cut, of a pong that is owed, of the list of payloads that are chained.
const BOXES: usize = 600;
/// A request's head until it is answered, beside its bytes.
const REQUEST: usize = 4 << 10;
/// The inflater of a compressed message that is unfinished.
const INFLATER: usize = 49 << 10;
/// A window, beside its bytes.
const WINDOW: usize = 300;
/// A compressor beside the window, with a memory level of up to 8.
const COMPRESSOR: usize = 250_000;
/// The widest window for which a scratch shares the compressor.
const SHARED_BITS: u8 = 12;

/// A thread's scratch: buffers, an inflater, and one compressor for every window size, level and memory level.
pub(crate) const SCRATCH: usize = (4 << 20) + INFLATER + 7 * 2 * 2 * (COMPRESSOR + (4 << 15));

/// Does the work of the engine, and counts what it keeps of the heap.
pub(crate) fn counted<T>(held: &mut isize, work: impl FnOnce() -> T) -> T {
    let (result, heap) = heap_of(work);
    *held += heap.kept;
    result
}

/// The bound of what a connection holds between its turns. `unfinished` bytes belong to a message that it receives;
/// `sends_fragments` says whether it has sent fragments of a message, but not the last.
pub(crate) fn bound(conn: &Connection, unfinished: usize, sends_fragments: bool) -> usize {
    let pending = conn.pending_output();
    let mut bound = buffer(pending);
    match conn.state() {
        State::Connecting => bound += buffer(unfinished) + REQUEST,
        State::Open | State::Closing => bound += buffer(unfinished) + compression(conn, unfinished, sends_fragments),
        State::Closed => {}
    }
    bound + if bound > 0 { BOXES } else { 0 }
}

fn buffer(bytes: usize) -> usize {
    if bytes == 0 { 0 } else { (4 * bytes).max(LEAST_BUFFER) }
}

fn compression(conn: &Connection, unfinished: usize, sends_fragments: bool) -> usize {
    let Some(params) = conn.deflate() else { return 0 };
    let sends = (params.server_max_window_bits(), params.server_no_context_takeover());
    let receives = (params.client_max_window_bits(), params.client_no_context_takeover());
    let sending = match sends {
        (bits, _) if sends_fragments => COMPRESSOR + (4 << bits),
        (_, true) => 0,
        (bits, _) if bits <= SHARED_BITS => (1 << bits) + WINDOW,
        (bits, _) => COMPRESSOR + (4 << bits),
    };
    let receiving = if receives.1 { 0 } else { (1 << receives.0) + WINDOW };
    // What came out of it so far is counted as if it were all.
    let message = if unfinished > 0 { INFLATER + 4 * MOST_MESSAGE } else { 0 };
    sending + receiving + message
}
