"""Clients of `websockets`, and plainer ones, against examples/chat."""

import asyncio
import http.client
import inspect
import random
import re
import socket
import struct
import time
from contextlib import asynccontextmanager
from functools import partial

import websockets.asyncio.client
import websockets.sync.client
from harness import HOST, LENGTHS, MIB, PATIENCE, UNICODE, Example, example, expect
from harness import checks as named
from websockets.client import ClientProtocol
from websockets.exceptions import ConnectionClosed
from websockets.frames import Opcode
from websockets.uri import parse_uri
from wire import messages, tapped


def checks(binary):
    """Every check has a server of its own; checks that need a client run with each kind."""

    async def with_server(check, **client):
        async with running(binary) as server:
            await check(server, **client)

    for name, check in named(globals()):
        if "connect" in inspect.signature(check).parameters:
            for kind, connect in [("asyncio", asyncio_client), ("threads", threads_client)]:
                yield f"server: {name} ({kind})", partial(with_server, check, connect=connect)
        else:
            yield f"server: {name}", partial(with_server, check)


class Server(Example):
    def __init__(self, process, binary, port):
        super().__init__(process)
        self.binary, self.port = binary, port

    def uri(self, path="/echo"):
        return f"ws://{HOST}:{self.port}{path}"


@asynccontextmanager
async def running(binary):
    """A server on a free port; at the end it must still be running, and have printed nothing unexpected."""
    async with example(binary, f"{HOST}:0") as started:
        port = re.match(rf"listening on {HOST}:(\d+): ", await started.line())[1]
        yield Server(started.process, binary, port)
        expect(started.process.returncode, None)
        started.process.kill()
        await started.process.wait()
        unexpected = [line for line in await started.rest() if not re.match(r"guest-\d+ (opened /|closed with )|refused: ", line)]
        expect(unexpected, [])


def asyncio_client(uri, **options):
    return websockets.asyncio.client.connect(uri, **{"proxy": None, "max_size": None, **options})


@asynccontextmanager
async def threads_client(uri, **options):
    """The blocking client, its calls in threads."""
    connection = await asyncio.to_thread(websockets.sync.client.connect, uri, proxy=None, max_size=None, **options)
    blocking = await asyncio.to_thread(connection.__enter__)
    try:
        yield ThreadsClient(blocking)
    finally:
        await asyncio.to_thread(connection.__exit__, None, None, None)


class ThreadsClient:
    def __init__(self, blocking):
        self.blocking = blocking

    def __getattr__(self, name):
        value = getattr(self.blocking, name)
        return partial(asyncio.to_thread, value) if callable(value) else value

    async def recv(self):
        return await asyncio.to_thread(self.blocking.recv, timeout=PATIENCE)

    async def ping(self, data):
        pong = await asyncio.to_thread(self.blocking.ping, data)

        async def latency():
            assert await asyncio.to_thread(pong.wait, PATIENCE), "no pong"
            return self.blocking.latency

        return latency()


class RawClient:
    """The protocol of `websockets` on a plain stream, for what its clients don't do."""

    def __init__(self, uri, reader, writer):
        self.reader, self.writer = reader, writer
        self.protocol = ClientProtocol(parse_uri(uri), max_size=None)
        self.protocol.send_request(self.protocol.connect())

    def pending(self):
        return b"".join(self.protocol.data_to_send())

    async def flush(self, step=None):
        """Writes the pending bytes, in chunks of that size."""
        data = self.pending()
        step = step or len(data)
        for start in range(0, len(data), step):
            self.writer.write(data[start : start + step])
            await self.writer.drain()
            await asyncio.sleep(0)

    async def events(self, count):
        events = self.protocol.events_received()
        while len(events) < count:
            data = await self.reader.read(65536)
            assert data, f"the end after {events}"
            self.protocol.receive_data(data)
            events += self.protocol.events_received()
        expect(len(events), count)
        return events


@asynccontextmanager
async def raw_client(server):
    reader, writer = await asyncio.open_connection(HOST, server.port)
    try:
        yield RawClient(server.uri(), reader, writer)
    finally:
        writer.close()


# --- Deadlines: first, because they take longest


async def check_half_a_head_gets_408(server):
    start = time.monotonic()
    reader, writer = await asyncio.open_connection(HOST, server.port)
    silent_reader, silent_writer = await asyncio.open_connection(HOST, server.port)
    writer.write(b"GET /echo HTTP/1.1\r\nHost: local")
    head, body = (await reader.read()).split(b"\r\n\r\n")
    elapsed = time.monotonic() - start
    expect(head.splitlines()[0], b"HTTP/1.1 408 Request Timeout")
    expect(body, b"the opening handshake took too long\n")
    assert 9 < elapsed < 20, f"after {elapsed} s"
    # A client that sends nothing gets no response.
    expect(await silent_reader.read(), b"")
    writer.close()
    silent_writer.close()


async def check_chat_lets_go_who_never_reads(server):
    async with slow_and_fast(server) as (_, fast):
        async with asyncio.timeout(15):
            expect(await fast.recv(), "* guest-1 left, 1 here")
        lines = [await server.line() for _ in range(3)]
        expect(lines[2], "guest-1 closed with 1006 (abnormal closure): the closing handshake took too long")


# --- Messages


async def check_text_and_binary_of_every_length(server, connect):
    async with connect(server.uri()) as client:
        for length in LENGTHS:
            text = ("0123456789" * (length // 10 + 1))[:length]
            for message in [text, random.randbytes(length)]:
                await client.send(message)
                expect(await client.recv(), message)


async def check_text_in_every_script(server, connect):
    async with connect(server.uri("/")) as client:
        for text in ["你好，世界", "👩‍👩‍👧‍👦 👋🏽 🇨🇳", UNICODE, "\ufeff\0\x7f\u0080\u07ff\u0800\uffff", "中" * 100_000]:
            await client.send(text)
            expect(await client.recv(), text)


async def check_fragments(server, connect):
    async with connect(server.uri()) as client:
        for fragments in [
            ["你", "", "好", "🙂"],
            [b"", b"\xff" * 70_000, b""],
            [str(number) for number in range(1_000)],
        ]:
            await client.send(fragments)
            expect(await client.recv(), fragments[0][:0].join(fragments))


async def check_fragments_cut_inside_characters_with_pings_in_between(server):
    async with raw_client(server) as client:
        await client.flush()
        await client.events(1)
        text = "你好 👋".encode()
        client.protocol.send_text(b"", fin=False)
        for byte in text:
            client.protocol.send_continuation(bytes([byte]), fin=False)
            client.protocol.send_ping(bytes([byte]))
        client.protocol.send_continuation(b"", fin=True)
        await client.flush()
        *pongs, echo = await client.events(len(text) + 1)
        expect([(pong.opcode, bytes(pong.data)) for pong in pongs], [(Opcode.PONG, bytes([byte])) for byte in text])
        expect((echo.opcode, echo.fin, bytes(echo.data)), (Opcode.TEXT, True, text))


async def check_everything_byte_by_byte(server):
    async with raw_client(server) as client:
        await client.flush(step=1)
        await client.events(1)
        messages = ["x".encode(), UNICODE.encode(), b"0" * 126, b"1" * 65_536]
        for message in messages:
            client.protocol.send_text(message)
        # The long message's payload in larger steps: only its header matters here.
        data = client.pending()
        for byte in data[:-65_530]:
            client.writer.write(bytes([byte]))
            await asyncio.sleep(0)
        client.writer.write(data[-65_530:])
        expect([bytes(echo.data) for echo in await client.events(len(messages))], messages)
        client.protocol.send_close(1000, "done")
        await client.flush(step=1)
        await client.events(1)
        expect(await client.reader.read(), b"")
        expect(client.protocol.close_rcvd.code, 1000)


async def check_many_messages_in_flight(server, connect):
    async with connect(server.uri()) as client:
        messages = [f"{number} 🙂" for number in range(1_000)]
        for message in messages:
            await client.send(message)
        expect([await client.recv() for _ in messages], messages)


async def check_fifty_clients_at_once(server, connect):
    everybody_is_here = asyncio.Barrier(50)

    async def talk(number):
        async with connect(server.uri(f"/{number}")) as client:
            await everybody_is_here.wait()
            for message in [f"{number}: {turn}" for turn in range(20)]:
                await client.send(message)
                expect(await client.recv(), message)

    await asyncio.gather(*map(talk, range(50)))


async def check_who_reads_late_gets_every_echo_in_order(server):
    # Bytes that don't fit into the sockets' buffers wait in the client until the server reads.
    async with asyncio_client(server.uri(), write_limit=64 * MIB) as client:
        messages = [b"%08d" % number * 1_280 for number in range(2_000)]
        for message in messages:
            await client.send(message)
        await asyncio.sleep(1)
        for message in messages:
            expect(await client.recv(), message)


async def check_pings(server, connect):
    async with connect(server.uri()) as client:
        payloads = [b"", b"ping", "你好".encode(), bytes(range(125))]
        for pong in [await client.ping(payload) for payload in payloads]:
            latency = await pong
            assert 0 < latency < PATIENCE, latency


async def check_compression_is_negotiated(server, connect):
    async with tapped(server.port) as (port, wires):
        async with connect(f"ws://{HOST}:{port}/echo", compression="deflate") as client:
            agreed = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
            expect(client.response.headers["Sec-WebSocket-Extensions"], agreed)
            for message in ["0" * 10_000, UNICODE * 1_000, bytes(MIB)]:
                await client.send(message)
                expect(await client.recv(), message)
    for direction in [wires[0].to_server, wires[0].to_client]:
        sent = messages(direction)
        expect([message.compressed for message in sent], [True] * 3)
        assert sum(len(message.payload) for message in sent) < 5_000


async def check_no_compression_without_an_offer(server, connect):
    async with tapped(server.port) as (port, wires):
        async with connect(f"ws://{HOST}:{port}/echo", compression=None) as client:
            assert "Sec-WebSocket-Extensions" not in client.response.headers
            await client.send("0" * 10_000)
            expect(await client.recv(), "0" * 10_000)
    expect([message.compressed for message in messages(wires[0].to_client)], [False])


async def check_subprotocol_by_the_preference_of_the_server(server, connect):
    for offered, chosen in [
        (["echo", "chat"], "chat"),
        (["v2.example", "echo"], "echo"),
        (["v2.example"], None),
        (None, None),
    ]:
        async with connect(server.uri(), subprotocols=offered) as client:
            expect(client.subprotocol, chosen)


# --- Closing


async def check_close_codes_and_reasons(server, connect):
    for guest, (code, name, reason) in enumerate(
        [
            (1000, "normal closure", ""),
            (1001, "going away", "tab closed"),
            (3001, "library or framework", "再见 👋"),
            (4999, "private use", "é" * 61 + "!"),
        ],
        1,
    ):
        async with connect(server.uri()) as client:
            expect(await server.line(), f"guest-{guest} opened /echo")
            await client.close(code, reason)
            expect((client.close_code, client.close_reason), (code, reason))
            reason = reason and f' "{reason}"'
            expect(await server.line(), f"guest-{guest} closed with {code} ({name}){reason}: the peer closed")


async def check_close_without_a_code(server):
    async with raw_client(server) as client:
        await client.flush()
        await client.events(1)
        client.protocol.send_close()
        await client.flush()
        [close] = await client.events(1)
        expect((close.opcode, bytes(close.data)), (Opcode.CLOSE, b""))
        expect(await client.reader.read(), b"")
        expect(await server.line(), "guest-1 opened /echo")
        expect(await server.line(), "guest-1 closed with 1005 (no status received): the peer closed")


async def check_text_that_is_not_utf8_is_closed_with_1007(server, connect):
    async with connect(server.uri()) as client:
        await client.send(b"\xce\xba\xed\xa0\x80", text=True)
        try:
            await client.recv()
        except ConnectionClosed as closed:
            expect(closed.rcvd.code, 1007)
    expect(client.close_code, 1007)


async def check_a_message_over_16_mib_is_closed_with_1009(server):
    async with raw_client(server) as client:
        await client.flush()
        await client.events(1)
        client.protocol.send_binary(bytes(16 * MIB + 1))
        client.writer.write(client.pending()[:14])
        await client.events(1)
        expect(client.protocol.close_rcvd.code, 1009)


async def check_a_client_that_vanishes_hurts_nobody(server):
    async with asyncio_client(server.uri("/chat")) as stays, asyncio_client(server.uri("/chat")) as vanishes:
        expect([await stays.recv(), await stays.recv()], ["* guest-1 joined, 1 here", "* guest-2 joined, 2 here"])
        # Half a frame, then a reset.
        vanishes.transport.write(b"\x81\xfe\x10")
        vanishes.transport.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        vanishes.transport.abort()
        expect(await stays.recv(), "* guest-2 left, 1 here")
        await stays.send("alone")
        expect(await stays.recv(), "guest-1: alone")
    lines = [await server.line() for _ in range(3)]
    expect(lines[2], "guest-2 closed with 1006 (abnormal closure): the transport ended without a Close frame")


# --- The chat


async def check_chat(server, connect):
    async with connect(server.uri("/chat")) as one:
        expect(await one.recv(), "* guest-1 joined, 1 here")
        async with connect(server.uri("/chat?room=1")) as two:
            for message, said in [
                (None, "* guest-2 joined, 2 here"),
                ("你好 👋", "guest-1: 你好 👋"),
                (b"\x00\xff", b"\x00\xff"),
            ]:
                if message is not None:
                    await one.send(message)
                expect(await one.recv(), said)
                expect(await two.recv(), said)
        expect(await one.recv(), "* guest-2 left, 1 here")


@asynccontextmanager
async def slow_and_fast(server):
    """Two in the chat; more was sent than the sockets' buffers hold, and the first has read nothing."""
    small = socket.socket()
    small.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    small.setblocking(False)
    await asyncio.get_running_loop().sock_connect(small, (HOST, server.port))
    async with (
        asyncio_client(server.uri("/chat"), sock=small, compression=None, max_queue=1, close_timeout=1) as slow,
        asyncio_client(server.uri("/chat")) as fast,
    ):
        expect(await fast.recv(), "* guest-2 joined, 2 here")
        for _ in range(200):
            await fast.send("0" * (64 << 10))
            await fast.recv()
        yield slow, fast


async def check_chat_lets_go_who_reads_too_late(server):
    async with slow_and_fast(server) as (slow, fast):
        count = 0
        try:
            while await slow.recv():
                count += 1
        except ConnectionClosed as closed:
            expect((closed.rcvd.code, closed.rcvd.reason), (1013, "too slow"))
        assert 0 < count < 200, count
        expect(await fast.recv(), "* guest-1 left, 1 here")


# --- HTTP


def request(server, method, path, headers):
    connection = http.client.HTTPConnection(HOST, server.port, timeout=PATIENCE)
    connection.request(method, path, headers=headers)
    response = connection.getresponse()
    response.text = response.read().decode()
    connection.close()
    return response


async def check_http_page(server):
    for path in ["/", "/?x=1"]:
        page = await asyncio.to_thread(request, server, "GET", path, {})
        expect((page.status, page.reason), (200, "OK"))
        expect(page.getheader("Content-Type"), "text/html; charset=utf-8")
        assert page.text.startswith("<!doctype html>"), page.text


async def check_http_elsewhere_is_426(server):
    answer = await asyncio.to_thread(request, server, "GET", "/chat", {})
    expect((answer.status, answer.reason), (426, "Upgrade Required"))
    expect(answer.getheader("Upgrade"), "websocket")
    expect(answer.getheader("Sec-WebSocket-Version"), "13")
    expect(answer.text.count("\n"), 1)


async def check_http_post_is_405(server):
    answer = await asyncio.to_thread(request, server, "POST", "/", {})
    expect((answer.status, answer.reason), (405, "Method Not Allowed"))
    expect(answer.getheader("Allow"), "GET")


async def check_http_head_and_http_1_0_get_the_page(server):
    page = await asyncio.to_thread(request, server, "HEAD", "/", {})
    expect((page.status, page.text), (200, ""))
    assert int(page.getheader("Content-Length")) > 0
    for path, status in [(b"/", b"200 OK"), (b"/chat", b"505 HTTP Version Not Supported")]:
        reader, writer = await asyncio.open_connection(HOST, server.port)
        writer.write(b"GET " + path + b" HTTP/1.0\r\n\r\n")
        expect((await reader.read()).split(b"\r\n")[0], b"HTTP/1.1 " + status)
        writer.close()


UPGRADE = {
    "Host": HOST,
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version": "13",
}


async def check_chat_is_for_pages_of_its_own(server):
    own = f"{HOST}:{server.port}"
    for origin, status in [(f"http://{own}", 101), ("http://evil.example", 403), ("null", 403)]:
        for path, expected in [("/chat", status), ("/echo", 101)]:
            headers = UPGRADE | {"Host": own, "Origin": origin}
            answer = await asyncio.to_thread(request, server, "GET", path, headers)
            expect((origin, path, answer.status), (origin, path, expected))


async def check_http_version_8_is_426(server):
    answer = await asyncio.to_thread(request, server, "GET", "/echo", UPGRADE | {"Sec-WebSocket-Version": "8"})
    expect((answer.status, answer.getheader("Sec-WebSocket-Version")), (426, "13"))


async def check_http_malformed_is_400_with_a_line(server):
    def head(**changes):
        headers = UPGRADE | {name.replace("_", "-"): value for name, value in changes.items()}
        lines = [f"{name}: {value}\r\n" for name, value in headers.items() if value is not None]
        return f"GET /echo HTTP/1.1\r\n{''.join(lines)}\r\n".encode()

    for malformed in [
        b"hello\r\n\r\n",
        b"GET /echo HTTP/1.1\r\nHost: localhost\r\nno colon\r\n\r\n",
        b"GET /echo HTTP/1.1\r\nHost: localhost\r\nX: a\r\n folded\r\n\r\n",
        head(Host=None),
        head(Connection="close"),
        head(Sec_WebSocket_Key=None),
        head(Sec_WebSocket_Key="short"),
        head(Sec_WebSocket_Version="thirteen"),
        head(Sec_WebSocket_Protocol="a, a"),
        head(Content_Length="5"),
    ]:
        reader, writer = await asyncio.open_connection(HOST, server.port)
        writer.write(malformed)
        status, body = (await reader.read()).decode().split("\r\n\r\n")
        expect(status.splitlines()[0], "HTTP/1.1 400 Bad Request")
        assert re.fullmatch(r"[^\n]+\n", body), body
        writer.close()


# --- The process


async def check_port_already_taken_is_one_line(server):
    async with example(server.binary, f"{HOST}:{server.port}") as second:
        [line] = await second.rest()
        assert line.startswith(f"chat: can't listen on {HOST}:{server.port}: "), line
        expect(await second.process.wait(), 1)
