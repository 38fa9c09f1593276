"""Clients that wait and clients that keep a server waiting: at its limit, before the request, while it is stopped."""

import os
import selectors
import signal
import time

from faulty import PING, PONG, Client, Fault, frame, request
from watching import cpu, state, until


def leaves_those_it_has_no_room_for_waiting(server, bounds):
    """At its limit, a server that retries immediately spins, and one that never retries forgets the waiting clients."""
    clients = [Client(server) for _ in range(bounds.clients_at_the_limit)]
    for client in clients:
        client.send(request())
    served = answered(clients, len(clients), 2)
    waiting = [client for client in clients if client not in served]
    if not waiting:
        raise Fault(f"{len(served)} of {len(clients)} clients were served: this isn't the server's limit")

    before, start = cpu(server), time.monotonic()
    time.sleep(3)
    share = (cpu(server) - before) / (time.monotonic() - start)
    if share > bounds.cpu_at_the_limit:
        raise Fault(
            f"the server uses {share:.0%} of a CPU while {len(waiting)} clients wait (bound: {bounds.cpu_at_the_limit:.0%})"
        )

    leaving, staying = served[: len(waiting)], served[len(waiting) :]
    for client in leaving:
        client.close()
    late = answered(waiting, len(waiting), bounds.served)
    cut_off = [client for client in [*staying, *waiting] if is_cut_off(client)]
    for client in [*staying, *waiting]:
        client.close()
    if cut_off or len(late) < len(waiting):
        raise Fault(
            f"{len(leaving)} of {len(served)} clients disconnected to free descriptors for {len(waiting)} waiting ones: "
            f"{len(late)} of these were served within {bounds.served} s, {len(cut_off)} others cut off"
        )
    return f"{len(served)} served, {len(waiting)} waiting, {share:.1%} of a CPU"


def answered(clients, count, seconds):
    """The clients whose request is accepted, until there are so many or the time is up."""
    done, until_then = [], time.monotonic() + seconds
    with selectors.DefaultSelector() as selector:
        for client in clients:
            selector.register(client.socket, selectors.EVENT_READ, client)
        while len(done) < count and (left := until_then - time.monotonic()) > 0:
            for key, _ in selector.select(left):
                client = key.data
                is_over = not client.receive()
                is_open = client.received.startswith(b"HTTP/1.1 101 ") and b"\r\n\r\n" in client.received
                if is_open:
                    done.append(client)
                if is_open or is_over:
                    selector.unregister(client.socket)
    return done


def is_cut_off(client):
    client.socket.settimeout(0)
    try:
        while client.receive():
            pass
    except BlockingIOError:
        return False
    return True


def drops_those_who_never_ask(server, bounds):
    """Silent, half of a request, a byte a second, half of the preface of HTTP/2: no such client may stay for long."""
    slow = {
        "silent": Client(server),
        "half of a request": Client(server),
        "a byte a second": Client(server),
        "half of the preface of HTTP/2": Client(server),
    }
    slow["half of a request"].send(request()[:60])
    slow["half of the preface of HTTP/2"].send(b"PRI * HTTP/2.0\r\n\r\n")
    if server.ssl:
        slow["silent, before TLS"] = Client(server, secure=False)
    start = time.monotonic()
    dropped = {}
    bytes_sent = 0
    with selectors.DefaultSelector() as selector:
        for name, client in slow.items():
            selector.register(client.socket, selectors.EVENT_READ, (name, client))
        while len(dropped) < len(slow) and (passed := time.monotonic() - start) < bounds.never_asked:
            if passed > bytes_sent and "a byte a second" not in dropped:
                try:
                    slow["a byte a second"].send(request()[bytes_sent : bytes_sent + 1])
                except ConnectionError:
                    pass
                bytes_sent += 1
            for key, _ in selector.select(0.1):
                name, client = key.data
                if not client.receive():
                    selector.unregister(client.socket)
                    dropped[name] = time.monotonic() - start
    for client in slow.values():
        client.close()
    if left := [name for name in slow if name not in dropped]:
        raise Fault(f"clients not dropped within {bounds.never_asked} s: {', '.join(left)}")
    return f"the last after {max(dropped.values()):.1f} s"


def keeps_those_who_answered_while_it_was_stopped(server, bounds):
    """The pongs are in the sockets when the deadline for them has passed: a loop that checks the clock first, and closes
    connections before it reads, drops all clients."""
    clients = [Client(server).open() for _ in range(5)]
    pings = []
    for client in clients:
        found = client.frame(bounds.first_ping)
        if not found or found[0] != PING:
            raise Fault(f"{found} arrived instead of a ping")
        pings.append(found[1])
    # By then it waits for its sockets, and is stopped in that call, which fails with EINTR when the process continues.
    time.sleep(0.5)
    os.kill(server.process.pid, signal.SIGSTOP)
    if until(lambda: state(server) == "T", 2) is None:
        raise Fault("SIGSTOP doesn't stop the server")
    for client, payload in zip(clients, pings):
        client.send(frame(PONG, payload))
    time.sleep(bounds.stopped_for)
    os.kill(server.process.pid, signal.SIGCONT)
    lost = []
    for when in ["at once", "3 s later"]:
        for number, client in enumerate(clients):
            try:
                client.echo()
            except (Fault, OSError) as why:
                lost.append(f"client {number} {when}: {why}")
        if lost:
            raise Fault(
                f"stopped for {bounds.stopped_for} s with unanswered pings: "
                f"{len(lost)} of {len(clients)} clients lost; {lost[0]}"
            )
        time.sleep(3)
    for client in clients:
        client.leave()
    return f"all {len(clients)} of them"
