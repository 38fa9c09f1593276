"""What the servers are held to: the same for all, but for what stands in `DIFFERENT` with its reason.

The bounds are generous on purpose. They catch "never", "only by the keepalive" and "all the time", not a slow machine.
"""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Bounds:
    """Times are in seconds."""

    # The end that comes together with data.
    end_is_noticed: float = 2
    # Short connections that die at different stages, and those that come one after another.
    storm: int = 10_000
    in_turn: int = 2_000
    # For one that asks properly, while it is crowded.
    served: float = 5
    # Until the descriptors of all that have gone are closed: the servers give a peer 2 s to close its side.
    all_are_gone: float = 3
    # How many descriptors there are (`ulimit -n`), how many clients come, and how much of a CPU is used while some wait.
    descriptors: int = 64
    clients_at_the_limit: int = 100
    cpu_at_the_limit: float = 0.05
    # The opening deadline is 10 s. The handshake of TLS has a deadline of 10 s of its own, before it.
    never_asked: float = 14
    # The keepalive: a ping after 30 s of silence, 20 s for its pong.
    first_ping: float = 40
    stopped_for: float = 22
    # One that never reads is dropped by the keepalive, or 20 s after the last byte that it has taken.
    never_reads: float = 75
    # What it may keep for that one, of 30 MiB, and what a chat may keep for all who are slow, of 256 MiB.
    memory: int = 16 << 20
    memory_of_a_chat: int = 96 << 20
    # What it may keep for two that read slowly, of which one has sent a message of 15 MiB.
    memory_of_long_messages: int = 64 << 20
    # 30 MiB at this rate take 210 s.
    slow_rate: int = 150_000
    slow_patience: float = 260
    # After SIGTERM: the closing handshake has 5 s.
    stopped: float = 6
    # Echoes while others flood, who must have sent so much.
    echo_median: float = 0.05
    echo_at_most: float = 0.25
    flood: int = 1 << 20


DIFFERENT = {
    "tls": [
        ({"storm": 1_500}, "each connection costs a handshake of TLS, on both sides of it"),
    ],
    "io-uring": [
        ({"in_turn": 20_000}, "a slot is the next connection's at once, and the kernel may still work for the last one"),
    ],
}


def bounds_of(server):
    bounds = Bounds()
    for values, _ in DIFFERENT.get(server, []):
        bounds = replace(bounds, **values)
    return bounds
