//! Builds the crate without `std`: this library has its own panic handler, and a program can have only one, so the
//! build fails as soon as anything in it links `std`.

#![no_std]

extern crate alloc;

use core::alloc::{GlobalAlloc, Layout};
use core::ptr;

use websocket_proto::{Config, Connection, Event, Negotiated};

/// Echoes messages, as a device without an operating system would.
#[unsafe(no_mangle)]
pub extern "C" fn echo() {
    let mut conn = Connection::upgraded_server(Negotiated::new(), Config::new());
    let mut arrived = *b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
    let mut input = &mut arrived[..];
    while let Some(event) = conn.receive(&mut input) {
        if let Event::Text(text) = event {
            let _ = conn.send_text(&text);
        }
    }
}

struct Nothing;

// SAFETY: it never returns memory.
unsafe impl GlobalAlloc for Nothing {
    unsafe fn alloc(&self, _: Layout) -> *mut u8 {
        ptr::null_mut()
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[global_allocator]
static ALLOCATOR: Nothing = Nothing;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
