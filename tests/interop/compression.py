"""permessage-deflate: `websockets` and echo.rs, each as the server and as the client, with a tap on the wire.

What our end sends is inflated once more by zlib, in a window of exactly the size agreed on.
"""

import asyncio
import json
import random
import zlib
from contextlib import asynccontextmanager
from functools import partial

import websockets.asyncio.client
import websockets.asyncio.server
from harness import HOST, MIB, UNICODE, example, expect
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory, ServerPerMessageDeflateFactory
from wire import TAIL, Inflater, Message, messages, tapped

WINDOWS = range(9, 16)
KIB = 1 << 10

TAKEOVER = {
    "takeover": {},
    "no takeover of ours": None,
    "no takeover of theirs": None,
    "no takeover": {"server_no_context_takeover": True, "client_no_context_takeover": True},
}


def checks(echo, server):
    yield "compression, the inflater that checks ours notices what is too far back", the_inflater_is_strict
    for role in ["server", "client"]:
        talk = partial(exchange, role, echo)
        for title, settings in TAKEOVER.items():
            if settings is None:
                settings = {f"{role if 'ours' in title else other(role)}_no_context_takeover": True}
            yield f"compression, our {role}: every window, {title}", partial(every_window, talk, settings)
            yield f"compression, our {role}: 5 MiB, {title}", partial(giants, talk, settings)
        for name, check in globals().items():
            if name.startswith("check_"):
                title = name.removeprefix("check_").replace("_", " ")
                yield f"compression, our {role}: {title}", partial(check, role, talk)
    for name, check in globals().items():
        if name.startswith("chat_"):
            yield f"compression, {name.replace('_', ' ')}", partial(check, server)


def other(role):
    return {"server": "client", "client": "server"}[role]


# --- Two endpoints


@asynccontextmanager
async def their_client(echo, ours, theirs):
    """Yields their endpoint, the output of ours, and the wire."""
    extension = ClientPerMessageDeflateFactory(**theirs)
    async with example(echo, *words(ours)) as started:
        port = int((await started.line()).rsplit(":", 1)[1])
        async with tapped(port) as (tap, wires), client(tap, extension) as connection:
            yield connection, started, wires


@asynccontextmanager
async def their_server(echo, ours, theirs):
    arrived = asyncio.get_running_loop().create_future()

    async def hold(connection):
        arrived.set_result(connection)
        await connection.wait_closed()

    extension = ServerPerMessageDeflateFactory(**theirs)
    async with websockets.asyncio.server.serve(
        hold, HOST, 0, max_size=None, compression=None, extensions=[extension]
    ) as server:
        async with tapped(server.sockets[0].getsockname()[1]) as (tap, wires):
            async with example(echo, f"ws://{HOST}:{tap}/", *words(ours)) as started:
                connection = await arrived
                yield connection, started, wires
                await connection.close()
                await started.process.wait()


def client(port, extension, path="/"):
    extensions = [extension] if extension else None
    return websockets.asyncio.client.connect(
        f"ws://{HOST}:{port}{path}", proxy=None, max_size=None, compression=None, extensions=extensions
    )


def words(settings):
    return [name if value is True else f"{name}={value}" for name, value in settings.items()]


def agreement(ours, theirs):
    """The expected parameters: the smaller window, and context takeover unless one of the two forbids it."""
    text = "permessage-deflate"
    for side in ["server", "client"]:
        name = f"{side}_no_context_takeover"
        if ours.get(name) or theirs.get(name):
            text += f"; {name}"
    for side in ["server", "client"]:
        name = f"{side}_max_window_bits"
        text += f"; {name}={min(ours.get(name, 15), theirs.get(name, 15))}"
    return text


async def exchange(role, echo, sent, ours=None, theirs=None, strict=True):
    """Sends everything from their endpoint and expects it back. Returns the messages of ours, as on the wire."""
    ours, theirs = ours or {}, theirs or {}
    wanted = [whole(message) for message in sent]
    async with (their_client if role == "server" else their_server)(echo, ours, theirs) as (end, started, wires):
        expect(await started.line(), f"open, {agreement(ours, theirs)}")

        async def send():
            for message in sent:
                await end.send(message)

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(send())
            for message in wanted:
                expect(await end.recv(), message)
        await end.close()
        expect(await started.line(), "closed with 1000 (normal closure): the peer closed")
    [wire] = wires
    assert wire.agreed().startswith("permessage-deflate"), wire.agreed()
    there, here = messages(wire.to_server), messages(wire.to_client)
    if role == "client":
        there, here = here, there
    expect([message.compressed for message in there], [True] * len(sent))
    bits = min(side.get(f"{role}_max_window_bits", 15) for side in [ours, theirs])
    takeover = not any(side.get(f"{role}_no_context_takeover") for side in [ours, theirs])
    inflater = Inflater(bits, takeover, strict)
    for message, expected in zip(here, wanted, strict=True):
        # The inflater keeps this thread busy; let others run.
        await asyncio.sleep(0)
        encoded = expected.encode() if isinstance(expected, str) else expected
        expect((message.opcode, inflater.message(message)), (1 if isinstance(expected, str) else 2, encoded))
    return here


async def the_inflater_is_strict():
    for bits in WINDOWS[:-1]:
        for distance, fits in [(1 << bits, True), ((1 << bits) + 1, False)]:
            data = random.randbytes(distance)
            stream = zlib.compressobj(wbits=-15)
            compressed = stream.compress(2 * data) + stream.flush(zlib.Z_SYNC_FLUSH)
            inflater = Inflater(bits, takeover=True)
            try:
                inflated = inflater.message(Message(2, True, compressed.removesuffix(TAIL), 1))
                expect((inflated, fits), (2 * data, True))
            except zlib.error:
                expect(fits, False)


def whole(message):
    return message[0][:0].join(message) if isinstance(message, list) else message


def size(sent):
    return sum(len(message.payload) for message in sent)


# --- Messages


def text(length):
    """Chinese and emoji, of about that many bytes."""
    return ("中文压缩测试 👋🏽 再见 🧑‍🚀, " * (length // 40 + 1))[: length // 4 + length % 4]


def records(count):
    def record(number):
        return {"id": number, "name": f"客户 {number % 7}", "at": number * 1.5, "city": "上海", "mood": "🙂", "paid": True}

    return [json.dumps(record(number), ensure_ascii=False) for number in range(count)]


def fragmented():
    return [["你", "", "好" * 300, "🙂"], [b"", b"\xff" * 3_000, b"", random.randbytes(100)], records(50)]


def with_far_repeats(count, seed):
    """Messages that repeat data from up to 40 KB before, at every distance."""
    source, said = random.Random(seed), bytearray()
    for _ in range(count):
        start = len(said)
        for _ in range(source.randrange(1, 9)):
            back = int(2 ** source.uniform(2, 15.3))
            if back > len(said) or source.random() < 0.4:
                said += source.randbytes(source.randrange(1, 400))
            else:
                at = len(said) - back
                for place in range(at, at + source.randrange(3, 300)):
                    said.append(said[place])
        yield bytes(said[start:])


# --- Both roles


async def every_window(talk, settings):
    sent = ["", b"", "x", b"\0", text(125), "a" * 125, bytes(125), text(64 * KIB), bytes(64 * KIB)]
    sent += [random.randbytes(2_000), UNICODE * 20, *fragmented(), *records(100)]
    for bits in WINDOWS:
        limits = {"server_max_window_bits": bits, "client_max_window_bits": bits}
        # The two endpoints ask in turn.
        ours, theirs = (settings, limits) if bits % 2 else (limits, settings)
        here = await talk(sent, ours, theirs)
        short = [message.compressed for message in here if len(message.payload) < 9]
        assert not all(short) and any(message.compressed for message in here)
        assert size(here) < 30_000, size(here)


async def giants(talk, settings):
    sent = [text(5 * MIB), bytes(5 * MIB), random.randbytes(5 * MIB)]
    sent += [[b"0123456789" * 300_000, random.randbytes(2 * MIB)]]
    for bits in [10, 15]:
        limits = {"server_max_window_bits": bits, "client_max_window_bits": bits}
        here = await talk(sent, limits, settings, strict=False)
        expect(here[0].compressed and here[1].compressed, True)


async def check_windows_of_two_sizes(role, talk):
    for server, client, theirs in [
        (9, 15, {"server_max_window_bits": 12}),
        (12, 10, {"server_max_window_bits": 10, "client_max_window_bits": 14}),
        (15, 9, {"client_max_window_bits": 15}),
    ]:
        ours = {"server_max_window_bits": server, "client_max_window_bits": client}
        await talk([*records(200), *with_far_repeats(50, server)], ours, theirs)


async def check_the_window_is_never_exceeded(role, talk):
    sent = list(with_far_repeats(120, 1))
    sizes = {}
    for bits in WINDOWS:
        for takeover in [True, False]:
            for level in [1, 3, 9]:
                ours = {"server_max_window_bits": bits, "client_max_window_bits": bits, "level": level, "min_size": 0}
                if not takeover:
                    ours[f"{role}_no_context_takeover"] = True
                sizes[bits, takeover, level] = size(await talk(sent, ours))
    # The window is used.
    for level in [1, 3, 9]:
        assert sizes[15, True, level] < sizes[12, True, level] < sizes[9, True, level], sizes
        assert sizes[15, True, level] < 0.9 * sizes[15, False, level], sizes


async def check_every_level_and_memory_level(role, talk):
    sent = [*with_far_repeats(30, 2), *records(20)]
    for number in range(10):
        ours = {"level": number, "memory_level": max(1, number), f"{role}_max_window_bits": 10 + number % 6}
        await talk(sent, ours)


async def check_prepared_and_plain_and_fragments_by_turns(role, talk):
    sent = [*with_far_repeats(100, 3), *records(100), text(20_000), bytes(20_000), "", b""]
    for bits in WINDOWS:
        for settings in [{}, {f"{role}_no_context_takeover": True}]:
            limits = {"server_max_window_bits": bits, "client_max_window_bits": bits}
            here = await talk(sent, limits | {"mixed": True}, settings)
            assert not any(message.compressed for message in here[3::5])
            # A prepared message isn't compressed if it would only grow.
            assert sum(message.compressed for message in here[1::5]) > 20
            assert any(message.frames > 1 for message in here[2::5])


async def check_many_messages_share_a_context(role, talk):
    sent = records(3_000)
    apart = size(await talk(sent, {f"{role}_no_context_takeover": True}))
    shared = size(await talk(sent))
    assert shared < apart / 2, (shared, apart)


async def check_a_window_of_8_is_not_compressed_into(role, talk):
    _, echo = talk.args
    sent = records(100)
    if role == "server":
        # The offer is declined.
        ends, agreed = their_client(echo, {}, {"server_max_window_bits": 8}), "open"
    else:
        ends = their_server(echo, {}, {"client_max_window_bits": 8})
        agreed = "open, permessage-deflate; server_max_window_bits=15; client_max_window_bits=8"
    async with ends as (end, started, wires):
        expect(await started.line(), agreed)
        for message in sent:
            await end.send(message)
            expect(await end.recv(), message)
    here, there = messages(wires[0].to_client), messages(wires[0].to_server)
    if role == "client":
        here, there = there, here
        expect(all(message.compressed for message in there), True)
    expect([message.payload.decode() for message in here], sent)


async def check_an_offer_without_parameters(role, talk):
    # For servers that decline every offer with a parameter. It has no effect on a server of this crate.
    await talk(records(100), {"offer_client_max_window_bits": 0}, {})


# --- The chat of examples/chat, which prepares its messages


async def chat_reaches_every_window(server):
    async with example(server, f"{HOST}:0", "--quiet") as started:
        port = int((await started.line()).split(":")[1])
        guests = [
            None,
            ClientPerMessageDeflateFactory(),
            ClientPerMessageDeflateFactory(server_max_window_bits=10, client_max_window_bits=10),
            ClientPerMessageDeflateFactory(server_no_context_takeover=True, client_no_context_takeover=True),
            ClientPerMessageDeflateFactory(server_max_window_bits=9),
        ]
        async with tapped(port) as (tap, wires):
            connections, heard = [], [[] for _ in guests]

            async def listen(count):
                for connection, lines in zip(connections, heard):
                    lines += [await connection.recv() for _ in range(count)]
                for lines in heard[1 : len(connections)]:
                    expect(lines[-count:], heard[0][-count:])
                return heard[0][-1]

            try:
                for number, guest in enumerate(guests, 1):
                    connections.append(await client(tap, guest, "/chat"))
                    expect(await listen(1), f"* guest-{number} joined, {number} here")
                for turn, said in enumerate([*records(100), text(900), text(64 * KIB), text(5 * MIB), "", UNICODE]):
                    speaker = turn % len(guests)
                    await connections[speaker].send(said)
                    expect(await listen(1), f"guest-{speaker + 1}: {said}")
                for said in [b"", bytes(5 * MIB), random.randbytes(5 * MIB), b"0123456789" * 100]:
                    await connections[-1].send(said)
                    expect(await listen(1), said)
                # Faster than they are read.
                for said in records(200):
                    await connections[1].send(said)
                await listen(200)
            finally:
                for connection in connections:
                    await connection.close()
    agreed = [(15, True), (15, True), (10, True), (15, False), (9, True)]
    for wire, lines, (bits, takeover) in zip(wires, heard, agreed):
        inflater, here = Inflater(bits, takeover, strict=False), messages(wire.to_client)
        got = [inflater.message(message) for message in here[: len(lines)]]
        expect(got, [line.encode() if isinstance(line, str) else line for line in lines])
        compressed = sum(message.compressed for message in here)
        assert compressed > 100 if wire.agreed() else compressed == 0, compressed
        giants = [message.compressed for message in here if message.opcode == 2 and len(message.payload) > MIB]
        # Data that refers further back than the window is sent uncompressed, and so is data that doesn't shrink.
        expect(len(giants), 1 if bits == 15 and wire.agreed() else 2)
        expect(any(giants), False)
