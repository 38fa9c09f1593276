"""Peers that take their messages slowly, and one that takes none."""

import time

from faulty import BINARY, CLOSE, PING, PONG, Client, Fault, frame
from harness import expect
from watching import descriptors, resident, until

MIB = 1 << 20
MESSAGES = [bytes([number]) * MIB for number in range(30)]

# What is said in a chat, which takes no longer messages, and how often.
SAID, TIMES = bytes(32 << 10), 8192

# A slow link has no large buffers; the kernel doubles it.
RECEIVE_BUFFER = 64 << 10


class Memory:
    """What a server's memory has grown by, at most."""

    def __init__(self, server, bound):
        self.server, self.bound, self.before, self.most = server, bound, resident(server), 0

    def look(self):
        self.most = max(self.most, resident(self.server) - self.before)
        if self.most > self.bound:
            raise Fault(f"its memory grows by {self.most / MIB:.0f} MiB, bound {self.bound / MIB:.0f} MiB")

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
        raise Fault(f"one that never reads is still there after {bounds.never_reads} s; {taken:.1f} MiB were taken from it")
    return f"after {time.monotonic() - start:.1f} s and {taken:.1f} MiB taken from it, {memory}"


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
                raise Fault(f"the one that says it all has {found} instead of its own words")
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
        raise Fault(f"one that never reads is still there after {bounds.never_reads} s")
    return f"after {time.monotonic() - start:.1f} s, {memory}"


def gives_all_to_one_that_reads_slowly(server, bounds):
    """Takes what it is sent at a steady rate, and sends as fast as it is taken from: the server pings, and its pings wait
    behind what it has to send."""
    memory = Memory(server, bounds.memory)
    client = Client(server, RECEIVE_BUFFER).open()
    client.socket.settimeout(0)
    whole, sent, start, slice_ends = 0, 0, time.monotonic(), time.monotonic()
    taken = 0
    while whole < len(MESSAGES):
        memory.look()
        try:
            # A pong goes between two messages.
            if client.push() and sent < len(MESSAGES):
                client.send(frame(BINARY, MESSAGES[sent]))
                sent += 1
            due = int((time.monotonic() - start) * bounds.slow_rate) - taken
            while due > 0:
                data = client.socket.recv(due)
                taken, due = taken + len(data), due - len(data)
                client.has_ended = client.has_ended or not data
                client.feed(data)
                if client.has_ended:
                    break
        except BlockingIOError:
            # What wasn't there isn't made up for.
            start = time.monotonic() - taken / bounds.slow_rate
        except ConnectionError:
            client.has_ended = True
        while found := client.take_frame():
            if found[0] == PING:
                client.send(frame(PONG, found[1]))
            elif found == (BINARY, MESSAGES[whole]):
                whole += 1
            else:
                raise Fault(f"{found!r:.60} came instead of message {whole}")
        passed = time.monotonic() - slice_ends
        if client.has_ended and whole < len(MESSAGES):
            raise Fault(
                f"one that reads {bounds.slow_rate / 1000:.0f} KB/s was dropped after {passed:.0f} s, "
                f"{taken / MIB:.1f} MiB and {whole} of {len(MESSAGES)} messages"
            )
        if passed > bounds.slow_patience:
            raise Fault(f"{whole} of {len(MESSAGES)} messages came within {passed:.0f} s")
        time.sleep(0.05)
    client.close()
    return f"{len(MESSAGES)} MiB in {passed:.0f} s, {memory}"


def settled(server):
    """How many descriptors it has when nobody is connected, once it has served somebody."""
    Client(server).open().leave()
    time.sleep(1)
    return descriptors(server)
