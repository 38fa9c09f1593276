"""Clients that flood after the end of the connection, and how long other clients wait meanwhile."""

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from faulty import Client, Fault
from watching import retransmissions

# The number of floods. A server that gets less CPU time than they do never reads everything they send: if it tries to, in
# one iteration, it never serves others.
FLOODS = 3
NICENESS = 5

ROUNDS = 50
PAUSE = 0.08


def serves_others_while_some_flood_after_their_close(server, bounds):
    return serves_others(server, bounds, "after-a-close")


def serves_others_while_some_flood_after_bad_frames(server, bounds):
    return serves_others(server, bounds, "after-a-bad-frame")


def serves_others(server, bounds, how):
    clients = [Client(server).open() for _ in range(3)]
    program = [sys.executable, Path(__file__).with_name("flooding.py"), str(server.port), getattr(server, "file", ""), how]
    for thread in os.listdir(f"/proc/{server.process.pid}/task"):
        os.setpriority(os.PRIO_PROCESS, int(thread), NICENESS)
    floods = [subprocess.Popen(program, stdout=subprocess.PIPE, text=True) for _ in range(FLOODS)]
    try:
        for flood in floods:
            flood.stdout.readline()
        times = []
        for number in range(ROUNDS):
            before = retransmissions()
            took = clients[number % len(clients)].echo()
            # A packet that the kernel has lost among so many is retransmitted after 200 ms or more.
            if retransmissions() == before:
                times.append(took)
            time.sleep(PAUSE)
    finally:
        for flood in floods:
            flood.terminate()
    sent = 0
    for flood in floods:
        lines = flood.communicate()[0].split()
        sent += int(lines[-1]) if lines else 0
    for client in clients:
        client.close()
    if len(times) < ROUNDS // 2:
        raise AssertionError(f"the kernel lost packets during {ROUNDS - len(times)} of {ROUNDS} echoes; run the check again")
    if sent < bounds.flood:
        raise Fault(f"the floods sent only {sent} bytes")
    middle, most = statistics.median(times), max(times)
    if most > bounds.echo_at_most or middle > bounds.echo_median:
        raise Fault(
            f"an echo for other clients takes {middle * 1000:.0f} ms (median, bound {bounds.echo_median * 1000:.0f}), "
            f"{most * 1000:.0f} ms at most (bound {bounds.echo_at_most * 1000:.0f})"
        )
    return f"{middle * 1000:.1f} ms (median), {most * 1000:.1f} ms at most, {sent >> 20} MiB of flood"
