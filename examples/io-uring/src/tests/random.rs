//! Many clients in few slots, with a kernel that completes operations in random order.

use std::time::Duration;

use websocket_proto::{CloseCode, Event};

use super::client::Client;
use super::simulated::Kernel;

const SEEDS: u64 = 300;
const SLOTS: usize = 3;
const GUESTS: usize = 30;

/// Splitmix64: enough to be different each time.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ mixed >> 31) % limit as u64) as usize
    }

    /// All of it half of the time, and less otherwise, but something if there is anything.
    pub fn part_of(&mut self, length: usize) -> usize {
        if length == 0 || self.below(2) == 0 { length } else { 1 + self.below(length) }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// Sends some messages, waits for the echo of each, closes, and ends when the server does.
    Polite { messages: usize },
    /// Closes after it has been sent so many pings, half a minute apart.
    Quiet { pings: usize },
    /// Sends everything at once, its end included.
    Hasty,
    /// Closes, and floods the server after that.
    Flooding,
    /// Sends a large message, and disconnects when the server has sent a part of the echo.
    Leaving,
    /// Sends a large message and never reads.
    Deaf,
}

/// A client with certain manners, and its state.
#[derive(Debug)]
pub struct Guest {
    client: Client,
    manner: Manner,
    to_send: Vec<u8>,
    sent: usize,
    heard: usize,
    pings: usize,
    is_open: bool,
    closed: Option<CloseCode>,
    /// The server has ended its side.
    server_has_ended: bool,
}

const LARGE: usize = 500_000;
const MESSAGES: usize = 3;

impl Guest {
    pub fn new(manner: Manner) -> Self {
        let mut client = Client::new("/echo");
        let to_send = client.output();
        let mut this = Self {
            client,
            manner,
            to_send,
            sent: 0,
            heard: 0,
            pings: 0,
            is_open: false,
            closed: None,
            server_has_ended: false,
        };
        if manner == Manner::Hasty {
            // The same as in the fault that this is for: a client that doesn't wait for the response. An empty message
            // and a Close with code 1000, masked with zeros.
            this.to_send.extend(b"\x81\x80\0\0\0\0".repeat(MESSAGES));
            this.to_send.extend(b"\x88\x82\0\0\0\0\x03\xe8");
            this.sent = MESSAGES;
        }
        this
    }

    pub fn output(&mut self) -> Vec<u8> {
        let mut bytes = std::mem::take(&mut self.to_send);
        bytes.extend(self.client.output());
        bytes
    }

    pub fn receive(&mut self, bytes: &[u8]) {
        for event in self.client.receive(bytes) {
            match event {
                Event::Open(_) => self.is_open = true,
                Event::Text(_) => self.heard += 1,
                Event::Ping(_) => self.pings += 1,
                Event::Closed(closed) => self.closed = Some(closed.code),
                _ => {}
            }
        }
        if self.is_open && self.closed.is_none() && self.heard == self.sent {
            self.go_on();
        }
    }

    fn go_on(&mut self) {
        if let Manner::Quiet { pings } = self.manner
            && self.pings < pings
        {
            return;
        }
        let messages = match self.manner {
            Manner::Polite { messages } => messages,
            Manner::Quiet { .. } => 0,
            Manner::Flooding | Manner::Leaving | Manner::Deaf => 1,
            Manner::Hasty => MESSAGES,
        };
        let is_large = matches!(self.manner, Manner::Leaving | Manner::Deaf);
        if self.sent < messages {
            self.sent += 1;
            let text = "x".repeat(if is_large { LARGE } else { self.sent * 100 });
            self.to_send = self.client.text(&text);
        } else if self.sent == messages && self.manner != Manner::Hasty {
            self.sent += 1;
            self.to_send = self.client.close();
            if self.manner == Manner::Flooding {
                self.to_send.extend([0; 200_000]);
            }
        }
    }

    pub fn receive_eof(&mut self) {
        self.server_has_ended = true;
    }

    /// It sends no more.
    pub fn has_ended(&self) -> bool {
        self.server_has_ended || self.manner == Manner::Hasty || self.is_gone()
    }

    /// It has reset the connection.
    pub fn is_gone(&self) -> bool {
        self.manner == Manner::Leaving && self.sent == 1
    }

    pub fn reads(&self) -> bool {
        self.manner != Manner::Deaf || self.sent == 0
    }

    /// Returns whether it was served as its manners allow.
    fn is_content(&self) -> bool {
        let expected = match self.manner {
            Manner::Polite { messages } => messages,
            Manner::Quiet { .. } => 0,
            Manner::Hasty => MESSAGES,
            Manner::Flooding => 1,
            Manner::Leaving | Manner::Deaf => return self.is_open,
        };
        self.is_open && self.heard == expected && self.closed == Some(CloseCode::NORMAL)
    }
}

fn manner(random: &mut Random) -> Manner {
    match random.below(9) {
        0..=2 => Manner::Polite { messages: random.below(4) },
        8 => Manner::Quiet { pings: random.below(4) },
        3..=4 => Manner::Hasty,
        5 => Manner::Flooding,
        6 => Manner::Leaving,
        _ => Manner::Deaf,
    }
}

/// Runs until all guests have gone. `pause` is the longest time for which the process may be stopped between two turns.
fn serves_all(seed: u64, pause: Option<Duration>) {
    let mut kernel = Kernel::new(seed, SLOTS);
    let mut to_come = GUESTS;
    for turn in 0.. {
        assert!(turn < 20_000, "it takes too long");
        if to_come > 0 && kernel.random.below(3) == 0 {
            to_come -= 1;
            let manner = manner(&mut kernel.random);
            kernel.connect(Guest::new(manner));
        }
        if to_come == 0 && kernel.is_over() {
            break;
        }
        if let Some(pause) = pause
            && kernel.random.below(20) == 0
        {
            kernel.now += pause.mul_f64(kernel.random.below(1000) as f64 / 1000.0);
        }
        kernel.turn();
    }
    let failed: Vec<_> = kernel.guests().filter(|guest| !guest.is_content()).collect();
    assert!(failed.is_empty(), "{failed:?}");
}

fn for_all_seeds(test: impl Fn(u64) + std::panic::RefUnwindSafe) {
    for seed in 0..SEEDS {
        if std::panic::catch_unwind(|| test(seed)).is_err() {
            panic!("with the seed {seed}");
        }
    }
}

#[test]
fn serves_everybody_whatever_completes_first() {
    for_all_seeds(|seed| serves_all(seed, None));
}

#[test]
fn serves_everybody_however_long_the_process_is_stopped() {
    for_all_seeds(|seed| serves_all(seed, Some(Duration::from_secs(100))));
}
