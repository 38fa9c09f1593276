//! The cases, and how close to its floor each should be.

use bytes::Bytes;

use crate::data::{BROWSER_REQUEST, Content, REQUEST, Random, json_messages};
use crate::entries::compress_twice;
use crate::jobs::{Accept, Connect, Deflate, Echo, Inflate, Job, Many, Receive, Send, Task};
use crate::pipe::Sink;
use crate::tally::Tally;
use crate::wire::{Frame, Role, Wire, written};

/// Work that every entry does.
pub(crate) struct Case {
    pub(crate) name: String,
    /// The goal: at most that many times the floor.
    pub(crate) goal: Option<f64>,
    prepare: Box<dyn Fn(bool) -> Task>,
}

impl Case {
    /// Makes the input; `thorough` if every byte of the results is to be checked.
    pub(crate) fn prepare(&self, thorough: bool) -> Task {
        (self.prepare)(thorough)
    }

    fn new(name: String, goal: impl Into<Option<f64>>, prepare: impl Fn(bool) -> Task + 'static) -> Self {
        Self { name, goal: goal.into(), prepare: Box::new(prepare) }
    }
}

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

/// Inputs: one that stays in the first-level cache, one that doesn't, and the payload of a TCP packet.
const INPUTS: [usize; 3] = [16 * KIB, 64 * KIB, 1460];

pub(crate) fn all() -> Vec<Case> {
    let mut cases = Vec::new();
    for size in [0, 16, 125, 126, KIB] {
        let goal = if size == KIB { 1.3 } else { 1.5 };
        cases.extend(INPUTS.map(|input| receive("A", Role::Server, Content::Binary, Size::Each(size), input, goal)));
    }
    cases.extend(INPUTS.map(|input| receive("A", Role::Server, Content::Binary, Size::Mix, input, 1.3)));
    for size in [16 * KIB, 64 * KIB, MIB] {
        let inputs = [16 * KIB, 64 * KIB];
        cases.extend(inputs.map(|input| receive("A", Role::Server, Content::Binary, Size::Each(size), input, 1.15)));
    }
    for (content, goal) in [(Content::Ascii, 1.3), (Content::Chinese, 1.2), (Content::Mixed, 1.2)] {
        for size in [16, 125, KIB, 16 * KIB, 64 * KIB] {
            cases.push(receive("B", Role::Server, content, Size::Each(size), 16 * KIB, goal));
        }
        cases.push(receive("B", Role::Server, content, Size::Each(64 * KIB), 64 * KIB, goal));
    }
    for content in [Content::Binary, Content::Ascii, Content::Chinese] {
        for size in [16, 125, KIB, 16 * KIB, 64 * KIB] {
            cases.push(receive("C", Role::Client, content, Size::Each(size), 16 * KIB, 1.3));
        }
    }
    for role in [Role::Server, Role::Client] {
        for size in [16, 125, KIB, 16 * KIB, 64 * KIB, MIB] {
            let goal = match role {
                Role::Server => 1.2,
                Role::Client if size < KIB => 1.5,
                Role::Client => 1.15,
            };
            cases.extend([1, 16].map(|batch| send(role, size, batch, goal)));
        }
    }
    for content in [Content::Binary, Content::Ascii, Content::Chinese] {
        cases.push(receive("E", Role::Server, content, Size::Fragments, 16 * KIB, 1.15));
    }
    cases.push(accept("F accept, 152 B request", REQUEST));
    cases.push(accept("F accept, 630 B request", BROWSER_REQUEST));
    cases.push(connect());
    for size in [KIB, 64 * KIB] {
        for takeover in [true, false] {
            cases.push(inflate(size, takeover));
            cases.push(deflate(size, takeover));
        }
    }
    cases.extend([16, KIB, 64 * KIB].map(echo));
    cases.extend([10_000, 100_000].map(many));
    cases
}

/// Lengths of a wire's messages.
#[derive(Clone, Copy)]
enum Size {
    Each(usize),
    /// 0 to 4 KiB.
    Mix,
    /// 64 KiB in 64 frames.
    Fragments,
}

impl Size {
    fn name(self) -> String {
        match self {
            Self::Each(size) => bytes(size),
            Self::Mix => "0 to 4 KiB".into(),
            Self::Fragments => "64 x 1 KiB".into(),
        }
    }

    /// The sizes of the messages of a pass, about 256 KiB together.
    fn all(self, random: &mut Random) -> Vec<usize> {
        match self {
            Self::Each(size) => vec![size; (256 * KIB / (size + 8)).max(1)],
            Self::Mix => (0..128).map(|_| random.next() as usize % (4 * KIB + 1)).collect(),
            Self::Fragments => vec![64 * KIB; 4],
        }
    }
}

/// The input of a case, and what an entry should see of it.
fn wire(role: Role, content: Content, size: Size, input: usize, thorough: bool) -> (Wire, Tally) {
    let mut random = Random::new();
    let (mut pass, mut expected) = (Vec::new(), Tally::new(thorough));
    for size_of_this in size.all(&mut random) {
        let payload = content.payload(size_of_this, &mut random);
        expected.visit(&payload);
        let length = if let Size::Fragments = size { KIB } else { size_of_this };
        let count = size_of_this.checked_div(length).unwrap_or(1);
        for i in 0..count {
            let frame = Frame {
                fin: i + 1 == count,
                opcode: if i == 0 { content.opcode() } else { 0 },
                key: (role == Role::Server).then(|| random.key()),
                payload: &payload[i * length..(i + 1) * length],
            };
            frame.append_to(&mut pass);
        }
    }
    (Wire::new(pass, expected.messages, input, thorough), expected)
}

fn receive(section: &str, role: Role, content: Content, size: Size, input: usize, goal: f64) -> Case {
    let name = format!("{section} receive {}, {}, input {}", content.name(), size.name(), bytes(input));
    Case::new(name, goal, move |thorough| {
        let (wire, expected) = wire(role, content, size, input, thorough);
        let fragmented = matches!(size, Size::Fragments);
        Task::exactly(Job::Receive(Receive { role, wire, fragmented }), expected)
    })
}

fn echo(size: usize) -> Case {
    Case::new(format!("H echo binary, {}", bytes(size)), None, move |thorough| {
        let (wire, expected) = wire(Role::Server, Content::Binary, Size::Each(size), 16 * KIB, thorough);
        Task::exactly(Job::Echo(Echo { wire, sink: sink(thorough) }), expected)
    })
}

/// Frames of 64 bytes, each for another connection. The order is mixed, so that no prefetcher knows the next connection.
fn many(connections: usize) -> Case {
    let name = format!("J receive binary, 64 B, {},000 connections in turn", connections / 1000);
    Case::new(name, None, move |thorough| {
        let connections = if thorough { connections / 100 } else { connections };
        let mut random = Random::new();
        let (mut pass, mut expected) = (Vec::new(), Tally::new(thorough));
        for _ in 0..connections {
            let payload = random.bytes(64);
            expected.visit(&payload);
            Frame { fin: true, opcode: 2, key: Some(random.key()), payload: &payload }.append_to(&mut pass);
        }
        let mut order: Vec<_> = (0..connections as u32).collect();
        for i in (1..connections).rev() {
            order.swap(i, random.next() as usize % (i + 1));
        }
        let input = pass.len() / connections;
        let wire = Wire::new(pass, expected.messages, input, thorough);
        Task::exactly(Job::Many(Many { wire, order: order.into() }), expected)
    })
}

fn send(role: Role, size: usize, batch: u64, goal: f64) -> Case {
    let who = if role == Role::Server { "server" } else { "client" };
    Case::new(format!("D {who} send, {}, drained after {batch}", bytes(size)), goal, move |thorough| {
        let payload = Bytes::from(Random::new().bytes(size));
        let messages = if size <= KIB { 256 } else { 16 };
        let mut frame = Vec::new();
        let key = (role == Role::Client).then_some([0; 4]);
        Frame { fin: true, opcode: 2, key, payload: &payload }.append_to(&mut frame);
        let expected = Tally::sent(messages, messages * frame.len() as u64);
        Task::exactly(Job::Send(Send { role, payload, messages, batch, sink: sink(thorough) }), expected)
    })
}

fn accept(name: &str, request: &'static str) -> Case {
    Case::new(name.into(), 1.3, move |thorough| {
        let count = 64;
        // One read delivers one request.
        let request = Wire::new(request.repeat(count).into_bytes(), count as u64, request.len(), thorough);
        Task::at_least(Job::Accept(Accept { request, sink: sink(thorough) }), count as u64)
    })
}

fn connect() -> Case {
    Case::new("F connect, request and response".into(), 1.3, |thorough| {
        let job = Connect { host: "localhost", path: "/chat", sink: sink(thorough) };
        Task::at_least(Job::Connect(job), Connect::PASS)
    })
}

fn inflate(size: usize, takeover: bool) -> Case {
    let name = format!("G inflate JSON, {}, {}", bytes(size), takeover_name(takeover));
    Case::new(name, 1.15, move |thorough| {
        let messages = json_messages(size);
        let mut expected = Tally::new(thorough);
        messages.iter().for_each(|message| expected.visit(message));
        // From the second pass on, every pass begins with the same window.
        let [first, pass] = compress_twice(&messages, takeover);
        let payloads =
            [&first, &pass].map(|pass| written(pass).into_iter().map(|frame| frame.payload.into()).collect());
        let wire = Wire::with_first(&first, &pass, messages.len() as u64, 16 * KIB, thorough);
        Task::exactly(Job::Inflate(Inflate { wire, payloads, size, takeover }), expected)
    })
}

fn deflate(size: usize, takeover: bool) -> Case {
    let name = format!("G deflate JSON, {}, {}", bytes(size), takeover_name(takeover));
    Case::new(name, 1.15, move |thorough| {
        let messages = json_messages(size);
        let count = messages.len() as u64;
        Task::at_least(Job::Deflate(Deflate { messages, takeover, sink: sink(thorough) }), count)
    })
}

fn takeover_name(takeover: bool) -> &'static str {
    if takeover { "takeover" } else { "no takeover" }
}

fn sink(thorough: bool) -> Sink {
    if thorough { Sink::recording() } else { Sink::default() }
}

fn bytes(count: usize) -> String {
    match count {
        0..KIB => format!("{count} B"),
        1460 => "1,460 B".into(),
        KIB..MIB => format!("{} KiB", count / KIB),
        _ => format!("{} MiB", count / MIB),
    }
}
