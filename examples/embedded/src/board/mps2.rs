//! A Cortex-M4 board: ARM's MPS2 with the image AN386, as QEMU emulates it (`qemu-system-arm -M mps2-an386`). Its first
//! serial line is the wire, its second the log, its tick counter the clock.

use core::fmt::{self, Write};
use core::ptr;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};
use core::time::Duration;

use cortex_m::peripheral::syst::SystClkSource;
use cortex_m::peripheral::{Peripherals, SCB};
use cortex_m_rt::exception;

use crate::wire::Wire;

/// The frequency of the processor's clock.
const CLOCK: u32 = 25_000_000;

const TICKS_PER_SECOND: u32 = 1000;

static TICKS: AtomicU32 = AtomicU32::new(0);

#[exception]
fn SysTick() {
    TICKS.fetch_add(1, Relaxed);
}

pub struct Board {
    wire: Uart,
    log: Uart,
    /// The time at the last call: the counter wraps every 49 days, time must not.
    ticks: u64,
}

impl Board {
    /// Call it once, at the start.
    pub fn new() -> Self {
        if let Some(Peripherals { mut SYST, .. }) = Peripherals::take() {
            SYST.set_clock_source(SystClkSource::Core);
            SYST.set_reload(CLOCK / TICKS_PER_SECOND - 1);
            SYST.clear_current();
            SYST.enable_counter();
            SYST.enable_interrupt();
        }
        Self::again()
    }

    /// For a peer that has lost its connection.
    pub fn again() -> Self {
        Self { wire: Uart::new(0x4000_4000), log: Uart::new(0x4000_5000), ticks: 0 }
    }

    /// Since the start.
    pub fn now(&mut self) -> Duration {
        let passed = TICKS.load(Relaxed).wrapping_sub(self.ticks as u32);
        self.ticks += u64::from(passed);
        Duration::from_millis(self.ticks * 1000 / u64::from(TICKS_PER_SECOND))
    }

    /// This board polls. A board that saves power sleeps until its lines interrupt it.
    pub fn wait(&self, _to_read: bool, _to_write: bool, _until: Option<Duration>) {}

    /// A predictable substitute: this board has no random number generator. A board on a real network needs
    /// one.
    pub fn entropy(&mut self) -> [u8; 32] {
        core::array::from_fn(|index| index as u8)
    }

    pub fn log(&mut self, line: fmt::Arguments<'_>) {
        let _ = writeln!(self.log, "{line}");
    }

    /// A serial line has no end.
    pub fn shut_down(&mut self) {}

    /// Starts over, for the next peer.
    pub fn end(&mut self, _well: bool) -> ! {
        SCB::sys_reset()
    }
}

impl Default for Board {
    fn default() -> Self {
        Self::new()
    }
}

impl Wire for Board {
    fn receive(&mut self, buffer: &mut [u8]) -> Option<usize> {
        Some(buffer.iter_mut().map_while(|byte| self.wire.read().map(|read| *byte = read)).count())
    }

    fn send(&mut self, bytes: &[u8]) -> usize {
        bytes.iter().take_while(|byte| self.wire.write(**byte)).count()
    }
}

/// ARM's CMSDK APB UART.
struct Uart {
    base: usize,
}

const DATA: usize = 0x0;
const STATE: usize = 0x4;
const CONTROL: usize = 0x8;
const DIVIDER: usize = 0x10;

const FULL_TO_WRITE: u32 = 1 << 0;
const FULL_TO_READ: u32 = 1 << 1;
const ENABLED: u32 = 0b11;

impl Uart {
    fn new(base: usize) -> Self {
        let uart = Self { base };
        uart.set(DIVIDER, CLOCK / 115_200);
        uart.set(CONTROL, ENABLED);
        uart
    }

    fn read(&self) -> Option<u8> {
        (self.get(STATE) & FULL_TO_READ != 0).then(|| self.get(DATA) as u8)
    }

    fn write(&self, byte: u8) -> bool {
        let is_free = self.get(STATE) & FULL_TO_WRITE == 0;
        if is_free {
            self.set(DATA, u32::from(byte));
        }
        is_free
    }

    fn get(&self, register: usize) -> u32 {
        // SAFETY: a register of the board; no Rust object has that address.
        unsafe { ptr::with_exposed_provenance::<u32>(self.base + register).read_volatile() }
    }

    fn set(&self, register: usize, value: u32) {
        // SAFETY: as above.
        unsafe { ptr::with_exposed_provenance_mut::<u32>(self.base + register).write_volatile(value) }
    }
}

impl Write for Uart {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            while !self.write(byte) {}
        }
        Ok(())
    }
}
