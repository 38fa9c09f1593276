"""Peers that read slowly, and one that reads nothing."""

import time

from faulty import BINARY, CLOSE, PING, PONG, Client, Fault, frame
from harness import expect
from watching import descriptors, resident, settled, until

MIB = 1 << 20
MESSAGES = [bytes([number]) * MIB for number in range(30)]

# It takes longer to write to a slow peer than a server waits for a pong.
LONG = bytes([255]) * (15 * MIB)

# A message for the chat, which accepts no longer ones, and how often it is sent.
SAID, TIMES = bytes(32 << 10), 8192

# A slow link has no large buffers; the kernel doubles it.
RECEIVE_BUFFER = 64 << 10


class Memory:
    """The most that a server's memory has grown by."""

    def __init__(self, server, bound):
        self.server, self.bound, self.before, self.most = server, bound, resident(server), 0

    def look(self):
        self.most = max(self.most, resident(self.server) - self.before)
        if self.most > self.bound:
            raise Fault(f"the server's memory grew by {self.most / MIB:.0f} MiB (bound: {self.bound / MIB:.0f} MiB)")

    def __str__(self):
        return f"{self.most / MIB:.0f} MiB of memory"


def drops_one_that_never_reads_its_echoes(server, bounds):
    before, memory = settled(server), Memory(server, bounds.memory)
    client = Client(server, RECEIVE_BUFFER).open()
    expect(descriptors(server) > before, True)
    client.socket.settimeout(0)
    for message in MESSAGES:
        client.unsent += client.seal(frame(BINARY, message))
    size, start, is_lost = len(client.unsent), time.monotonic(), False

    def is_dropped():
        nonlocal is_lost
        memory.look()
        try:
            is_lost or client.push()
        except ConnectionError:
            is_lost = True
        return descriptors(server) <= before

    took = until(is_dropped, bounds.never_reads)
    client.close()
    taken = (size - len(client.unsent)) / MIB
    if took is None:
        raise Fault(
            f"a client that never reads is still connected after {bounds.never_reads} s; {taken:.1f} MiB were read from it"
        )
    return f"after {time.monotonic() - start:.1f} s and {taken:.1f} MiB read from it, {memory}"


def drops_one_that_never_reads_what_others_say(server, bounds):
    before, memory = settled(server), Memory(server, bounds.memory_of_a_chat)
    deaf = Client(server, RECEIVE_BUFFER).open("/chat")
    says = Client(server).open("/chat")
    expect(descriptors(server) > before + 1, True)
    start = time.monotonic()
    for _ in range(TIMES):
        says.send(frame(BINARY, SAID))
        while (found := says.frame()) != (BINARY, SAID):
            if not found or found[0] == CLOSE:
                raise Fault(f"the sender received {found} instead of its own message")
            if found[0] == PING:
                says.send(frame(PONG, found[1]))
        memory.look()
    said = time.monotonic() - start
    says.leave()

    def is_dropped():
        memory.look()
        return descriptors(server) <= before

    took = until(is_dropped, bounds.never_reads - said)
    deaf.close()
    if took is None:
        raise Fault(f"a client that never reads is still connected after {bounds.never_reads} s")
    return f"after {time.monotonic() - start:.1f} s, {memory}"


def gives_all_to_those_that_read_slowly(server, bounds):
    """They read at a steady rate: one client has sent a long message and waits for its echo, the other sends many messages
    as fast as the server reads them. The server pings both, and its pings are queued after the echoes."""
    memory = Memory(server, bounds.memory_of_long_messages)
    readers = {
        "the echo of a long message": SlowReader(server, [LONG], bounds.slow_rate),
        "the echoes of many messages": SlowReader(server, MESSAGES, bounds.slow_rate),
    }
    began, wrong = time.monotonic(), []
    while readers:
        time.sleep(0.05)
        memory.look()
        passed = time.monotonic() - began
        for what, reader in list(readers.items()):
            reader.turn()
            if reader.has_all():
                reader.client.close()
                del readers[what]
            elif reader.client.has_ended or passed > bounds.slow_patience:
                how = "dropped" if reader.client.has_ended else "still waiting"
                wrong.append(f"the reader of {what} was {how} after {passed:.0f} s and {reader.taken / MIB:.1f} MiB")
                reader.client.close()
                del readers[what]
    if wrong:
        raise Fault(f"at {bounds.slow_rate / 1000:.0f} KB/s, {', '.join(wrong)}")
    return f"within {passed:.0f} s, {memory}"


class SlowReader:
    def __init__(self, server, messages, rate):
        self.client = Client(server, RECEIVE_BUFFER).open()
        self.client.socket.settimeout(0)
        self.messages, self.rate = messages, rate
        self.sent, self.whole, self.taken = 0, 0, 0
        # The time at which it would have started if there had always been something to read.
        self.start = time.monotonic()

    def has_all(self):
        return self.whole == len(self.messages)

    def turn(self):
        """Sends what the server reads, and reads as much as the rate allows."""
        try:
            # A pong goes between two messages.
            if self.client.push() and self.sent < len(self.messages):
                self.client.send(frame(BINARY, self.messages[self.sent]))
                self.sent += 1
        except ConnectionError:
            # Bytes that arrived before are read all the same.
            self.sent = len(self.messages)
            self.client.unsent.clear()
        try:
            while (due := int((time.monotonic() - self.start) * self.rate) - self.taken) > 0 and not self.client.has_ended:
                self.taken += self.client.receive(due)
        except BlockingIOError:
            self.start = time.monotonic() - self.taken / self.rate
        while not self.has_all() and (found := self.client.take_frame()):
            if found[0] == PING:
                self.client.unsent += self.client.seal(frame(PONG, found[1]))
            elif found == (BINARY, self.messages[self.whole]):
                self.whole += 1
            else:
                raise Fault(f"a frame {found[0]:#x} of {len(found[1])} bytes arrived instead of message {self.whole}")
