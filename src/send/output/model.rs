//! A test of the output against a naive model that only holds the pending bytes.

use alloc::collections::VecDeque;
use alloc::vec;
use std::io::IoSlice;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    /// The bytes are sent in the order in which they were appended, whatever else is called in between.
    #[test]
    fn an_output_is_the_bytes_in_order(calls in vec(call(), 1..60)) {
        let mut pair = Pair::new();
        for call in calls {
            pair.apply(&call);
            pair.check()?;
        }
        // A pong that is deferred comes last.
        while pair.output.has_remaining() {
            pair.apply(&Call::Take);
            pair.check()?;
        }
        prop_assert!(pair.model.bytes.is_empty() && pair.model.pong.is_none());
    }
}

/// A call of the connection or of the caller.
#[derive(Clone, Debug)]
enum Call {
    /// Appends that many bytes. A connection reserves capacity first, except for the opening handshake.
    Extend {
        length: usize,
        reserve: bool,
    },
    Attach(usize),
    KeepPong(usize),
    DropPong,
    Advance(usize),
    AdvanceAll,
    Take,
    /// Writes at most this number of slices, and all but some bytes of the last one.
    WriteVectored {
        slices: usize,
        but: usize,
    },
    Borrow,
    Return,
    ReturnRecyclable,
    Clear,
}

fn call() -> impl Strategy<Value = Call> {
    let length = prop_oneof![8 => 0..200usize, 1 => 0..40_000usize];
    prop_oneof![
        8 => (length.clone(), any::<bool>()).prop_map(|(length, reserve)| Call::Extend { length, reserve }),
        8 => length.clone().prop_map(Call::Attach),
        2 => (1..126usize).prop_map(Call::KeepPong),
        1 => Just(Call::DropPong),
        8 => length.prop_map(Call::Advance),
        2 => Just(Call::AdvanceAll),
        4 => Just(Call::Take),
        4 => (0..9usize, 0..9usize).prop_map(|(slices, but)| Call::WriteVectored { slices, but }),
        3 => Just(Call::Borrow),
        3 => Just(Call::Return),
        1 => Just(Call::ReturnRecyclable),
        1 => Just(Call::Clear),
    ]
}

/// The limit of pending output for sending a pong.
const PONG_LIMIT: usize = 150;

/// The output as documented.
#[derive(Default)]
struct Model {
    bytes: VecDeque<u8>,
    pong: Option<Vec<u8>>,
}

impl Model {
    fn remove(&mut self, count: usize) {
        self.bytes.drain(..count.min(self.bytes.len()));
        if self.bytes.len() < PONG_LIMIT {
            self.bytes.extend(self.pong.take().into_iter().flatten());
        }
    }
}

struct Pair {
    output: Output,
    model: Model,
    pool: BufferPool,
    spare: Option<Box<Chain>>,
    next: u8,
}

impl Pair {
    fn new() -> Self {
        let mut pool = BufferPool::default();
        pool.set_max_total(usize::MAX);
        // Large enough that pending bytes move to another buffer when it is returned.
        pool.recycle(Vec::with_capacity(4 << 20));
        Self { output: Output::new(PONG_LIMIT), model: Model::default(), pool, spare: None, next: 0 }
    }

    /// Bytes that can be told apart from their neighbours.
    fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut next = || {
            self.next = (self.next + 1) % 251;
            self.next
        };
        (0..count).map(|_| next()).collect()
    }

    fn apply(&mut self, call: &Call) {
        match *call {
            Call::Extend { length, reserve } => {
                let bytes = self.bytes(length);
                if reserve {
                    self.output.reserve(length);
                }
                self.output.extend(&bytes);
                self.model.bytes.extend(bytes);
            }
            Call::Attach(length) => {
                let bytes = self.bytes(length);
                self.output.attach(bytes.clone().into());
                self.model.bytes.extend(bytes);
            }
            Call::KeepPong(length) => {
                // As a connection does.
                if !self.output.takes_pongs() {
                    let frame = self.bytes(length);
                    self.output.keep_pong(&frame);
                    self.model.pong = Some(frame);
                }
            }
            Call::DropPong => {
                self.output.drop_pong();
                self.model.pong = None;
            }
            Call::Advance(count) => {
                self.output.advance(count);
                self.model.remove(count);
            }
            Call::AdvanceAll => {
                let count = self.model.bytes.len();
                self.output.advance(count);
                self.model.remove(count);
            }
            Call::Take => match Output::take(&mut self.output) {
                Some(taken) => {
                    assert!(!taken.is_empty());
                    assert!(self.model.bytes.iter().take(taken.len()).eq(&taken));
                    self.model.remove(taken.len());
                }
                None => assert!(self.model.bytes.is_empty()),
            },
            Call::WriteVectored { slices, but } => {
                let written = first_slices(&self.output, slices).concat().len().saturating_sub(but);
                self.output.advance(written);
                self.model.remove(written);
            }
            Call::Borrow => self.output.borrow_from(&mut self.pool, &mut self.spare),
            Call::Return => self.output.return_to(&mut self.pool, &mut self.spare),
            Call::ReturnRecyclable => self.output.return_recyclable(&mut self.pool),
            Call::Clear => {
                self.output.clear();
                self.model = Model::default();
            }
        }
    }

    fn check(&mut self) -> Result<(), TestCaseError> {
        let pending = self.model.bytes.make_contiguous();
        prop_assert_eq!(self.output.remaining(), pending.len());
        prop_assert_eq!(self.output.takes_pongs(), pending.len() < PONG_LIMIT);
        let chunk = self.output.chunk();
        prop_assert_eq!(chunk.is_empty(), pending.is_empty());
        prop_assert!(pending.starts_with(chunk));
        for count in [0, 1, 2, 3] {
            let slices = first_slices(&self.output, count);
            prop_assert!(slices.iter().all(|slice| !slice.is_empty()));
            let written = slices.concat();
            prop_assert!(pending.starts_with(&written));
            prop_assert!(slices.len() == count || written.len() == pending.len());
        }
        prop_assert!(first_slices(&self.output, 1000).concat() == pending);
        Ok(())
    }
}

/// Returns the bytes that a vectored write of at most `count` slices writes.
fn first_slices(output: &Output, count: usize) -> Vec<Vec<u8>> {
    let mut slices = vec![IoSlice::new(&[]); count];
    let filled = output.chunks_vectored(&mut slices);
    slices[..filled].iter().map(|slice| slice.to_vec()).collect()
}
