"""Floods that come after the end, and how long others wait meanwhile."""

import statistics
import subprocess
import sys
import time
from pathlib import Path

from faulty import Client, Fault

ROUNDS = 50
PAUSE = 0.08


def serves_others_while_two_flood_after_their_close(server, bounds):
    return serves_others(server, bounds, "after-a-close")


def serves_others_while_two_flood_after_bad_frames(server, bounds):
    return serves_others(server, bounds, "after-a-bad-frame")


def serves_others(server, bounds, how):
    clients = [Client(server).open() for _ in range(3)]
    program = [sys.executable, Path(__file__).with_name("flooding.py"), str(server.port), getattr(server, "file", ""), how]
    floods = [subprocess.Popen(program, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    try:
        for flood in floods:
            flood.stdout.readline()
        times = []
        for number in range(ROUNDS):
            times.append(clients[number % len(clients)].echo())
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
    if sent < bounds.flood:
        raise Fault(f"they have sent {sent} bytes: this is no flood")
    middle, most = statistics.median(times), max(times)
    if most > bounds.echo_at_most or middle > bounds.echo_median:
        raise Fault(
            f"an echo takes others {middle * 1000:.0f} ms (median, bound {bounds.echo_median * 1000:.0f}), "
            f"{most * 1000:.0f} ms at most (bound {bounds.echo_at_most * 1000:.0f})"
        )
    return f"{middle * 1000:.1f} ms (median), {most * 1000:.1f} ms at most, {sent >> 20} MiB of flood"
