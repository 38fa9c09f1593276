"""Ends of connections, and the end of the server: with the last bytes, without them, thousands of them, on SIGTERM."""

import os
import signal
import time

from faulty import BAD_FRAME, BINARY, CLOSE, GOING_AWAY, NORMAL, PONG, TEXT, Client, Fault, frame, request
from watching import descriptors, settled, until

# How many connections exist at a time in a storm.
AT_A_TIME = 48

# After so many, the rest would fail as well.
ENOUGH = 10


def notices_an_end_that_comes_with_data(server, bounds):
    """If data and the end arrive together, one event of the kernel reports both: a loop that reads only the data waits
    for an event that never comes."""
    worst, missed, lost = 0, [], []
    close = frame(CLOSE, NORMAL)
    # The bytes to send, after the handshake or instead of it, and the answer. An HTTP server may leave a request
    # unanswered if nothing can follow it.
    for what, is_open, last, answer in [
        ("a pong", True, frame(PONG, b"x"), b""),
        ("a message", True, frame(TEXT, b"hello"), frame_of_server(TEXT, b"hello")),
        ("half of a frame", True, frame(BINARY, bytes(100))[:50], b""),
        ("a Close frame", True, close, frame_of_server(CLOSE, NORMAL)),
        ("a message and a Close frame", True, frame(TEXT, b"hello") + close, frame_of_server(CLOSE, NORMAL)),
        ("a bad frame", True, BAD_FRAME, b""),
        ("a request", False, request(), b""),
        ("half of a request", False, request()[:60], b""),
        ("a request for a page", False, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", b""),
    ]:
        client = Client(server)
        client.wait_for_tls()
        if is_open:
            client.open()
        client.send_and_end(last)
        took = client.ends_within(bounds.end_is_noticed)
        if took is None:
            missed.append(what)
        elif not client.received.endswith(answer):
            lost.append(f"{bytes(client.received)!r:.60} was the answer to {what}")
        worst = max(worst, took or 0)
        client.close()
    if missed:
        ends = ", ".join(missed)
        lost.append(f"the end that arrived together with {ends} wasn't noticed within {bounds.end_is_noticed} s")
    if lost:
        raise Fault("; ".join(lost))
    return f"within {worst:.3f} s"


def frame_of_server(first, payload):
    return bytes([first, len(payload)]) + payload


def survives_a_storm_of_short_connections(server, bounds):
    """Connections that end at every stage, and one healthy one between them: it is served, and no descriptor leaks."""
    before = settled(server)
    slowest = 0
    for start in range(0, bounds.storm, AT_A_TIME):
        storm = [Client(server) for _ in range(AT_A_TIME)]
        for number, client in enumerate(storm):
            live(client, number % len(STAGES))
        for number, client in enumerate(storm):
            die(client, number % len(STAGES))
        asked = time.monotonic()
        client = Client(server).open()
        client.echo()
        client.leave()
        slowest = max(slowest, time.monotonic() - asked)
        if slowest > bounds.served:
            raise Fault(f"after {start} short connections, a healthy one took {slowest:.1f} s (bound: {bounds.served} s)")
    took = until(lambda: descriptors(server) <= before, bounds.all_are_gone)
    if took is None:
        kept = descriptors(server) - before
        raise Fault(
            f"{kept} descriptors leaked: they are still open {bounds.all_are_gone} s after {bounds.storm} connections"
        )
    return f"{bounds.storm} connections, a healthy one between them served within {slowest:.3f} s, no descriptor leaked"


STAGES = ["connected", "half of a request", "a request", "open", "half of a frame", "closing"]


def live(client, stage):
    """Brings a connection to its stage, without waiting."""
    match STAGES[stage]:
        case "half of a request":
            client.send(request()[:60])
        case "a request" | "open" | "half of a frame" | "closing":
            client.send(request())


def die(client, stage):
    match STAGES[stage]:
        case "half of a request":
            client.wait_for_tls()
        case "a request":
            client.wait_for_tls()
            client.reset()
        case "open":
            client.head()
        case "half of a frame":
            client.head()
            client.send(frame(BINARY, bytes(1000))[:50])
        case "closing":
            client.head()
            client.send(frame(CLOSE, NORMAL))
    client.close()


def serves_each_of_many_in_turn(server, bounds):
    """A new connection often gets the descriptor, slot or token that the last one has just freed."""
    unopened, unclosed = 0, 0
    for number in range(bounds.in_turn):
        client = Client(server)
        client.socket.settimeout(2)
        client.send(request())
        try:
            client.head()
        except (Fault, TimeoutError):
            unopened += 1
        else:
            client.send(frame(CLOSE, NORMAL))
            client.end()
            if client.ends_within(2) is None or client.received != frame_of_server(CLOSE, NORMAL):
                unclosed += 1
        client.close()
        if unopened + unclosed >= ENOUGH:
            break
    if unopened or unclosed:
        raise Fault(
            f"of {number + 1} consecutive connections, {unopened} were not opened, "
            f"and {unclosed} got no answer to their Close frame"
        )
    return f"{bounds.in_turn} of them"


def says_goodbye_when_it_is_stopped(server, bounds):
    """SIGTERM: clients that read get a Close frame; clients that don't read can't delay the exit."""
    listening = [Client(server).open(path) for path in ["/echo", "/echo", "/chat"]]
    half_open = Client(server)
    half_open.send(request()[:60])
    in_a_frame = Client(server).open()
    in_a_frame.send(frame(BINARY, bytes(1000))[:50])
    deaf = Client(server, receive_buffer=4096).open()
    deaf.socket.settimeout(0)
    for _ in range(20):
        deaf.send(frame(BINARY, bytes(1 << 18)))
        time.sleep(0.02)

    os.kill(server.process.pid, signal.SIGTERM)
    start = time.monotonic()
    left = lambda: max(start + bounds.stopped - time.monotonic(), 0.01)
    wrong = []
    for number, client in enumerate(listening):
        try:
            while (found := client.frame(left())) and found[0] != CLOSE:
                pass
            if found and found[1][:2] == GOING_AWAY:
                client.send(frame(CLOSE, GOING_AWAY))
                client.end()
            else:
                wrong.append(f"client {number} received {found or 'the end of the stream'}")
        except (Fault, OSError) as why:
            wrong.append(f"client {number}: {why}")
    status = server.exit_status(left())
    took = time.monotonic() - start
    for client in [*listening, half_open, in_a_frame, deaf]:
        client.close()
    if status is None:
        wrong.append(f"the process is still running after {bounds.stopped} s")
    elif status != 0:
        wrong.append(f"the exit status is {status}")
    if wrong:
        raise Fault(f"{', '.join(wrong)}; expected Close frames with 1001 and status 0 within {bounds.stopped} s")
    return f"gone within {took:.1f} s"
