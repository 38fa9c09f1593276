"""The bounds for the servers: the same for all, except for those in `DIFFERENT`, with the reason.

The bounds are generous on purpose. They catch "never", "only by the keepalive" and "all the time", not a slow machine.
"""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Bounds:
    """Times are in seconds."""

    # An end of the stream that arrives together with data.
    end_is_noticed: float = 2
    # Short connections that end at different stages, and consecutive ones.
    storm: int = 10_000
    in_turn: int = 2_000
    # For a healthy client while the server is crowded.
    served: float = 5
    # Until the descriptors of all closed connections are free: the servers give a peer 2 s to close its side.
    all_are_gone: float = 3
    # The number of descriptors (`ulimit -n`), of clients, and the share of a CPU that is used while some wait.
    descriptors: int = 64
    clients_at_the_limit: int = 100
    cpu_at_the_limit: float = 0.05
    # The opening deadline is 10 s. The handshake of TLS has a deadline of 10 s of its own, before it.
    never_asked: float = 14
    # The keepalive: a ping after 30 s of silence, 20 s for its pong.
    first_ping: float = 40
    stopped_for: float = 22
    # A client that never reads is dropped by the keepalive, or 20 s after the last byte that it has received.
    never_reads: float = 75
    # The memory for that client, of 30 MiB, and the memory of a chat for all slow members, of 256 MiB.
    memory: int = 16 << 20
    memory_of_a_chat: int = 96 << 20
    # The memory for two clients that read slowly, one of which has sent a message of 15 MiB.
    memory_of_long_messages: int = 64 << 20
    # 30 MiB at this rate take 210 s.
    slow_rate: int = 150_000
    slow_patience: float = 260
    # After SIGTERM: the closing handshake has 5 s.
    stopped: float = 6
    # Echoes while others flood, who must have sent this much.
    echo_median: float = 0.05
    echo_at_most: float = 0.25
    flood: int = 1 << 20


DIFFERENT = {
    "tls": [
        ({"storm": 1_500}, "each connection costs a TLS handshake, on both sides"),
    ],
    "io-uring": [
        ({"in_turn": 20_000}, "a slot is reused immediately, while the kernel may still work for the last connection"),
    ],
}


def bounds_of(server):
    bounds = Bounds()
    for values, _ in DIFFERENT.get(server, []):
        bounds = replace(bounds, **values)
    return bounds
