"""Servers of `websockets` against the client of examples/chat."""

import asyncio
from contextlib import asynccontextmanager
from functools import partial

import websockets.asyncio.server
import websockets.sync.server
from harness import HOST, LENGTHS, MIB, UNICODE, example, expect
from harness import checks as named


def checks(binary):
    for name, check in named(globals()):
        yield f"client: {name}", partial(check, binary)


def uri(server):
    host, port = server.sockets[0].getsockname()
    return f"ws://{host}:{port}/path?query"


def serve(handler=None, **options):
    return websockets.asyncio.server.serve(handler, HOST, 0, max_size=None, **options)


@asynccontextmanager
async def session(binary, *subprotocols, **options):
    """An example's client, and the server's side of its connection."""
    arrived = asyncio.get_running_loop().create_future()

    async def hold(connection):
        arrived.set_result(connection)
        await connection.wait_closed()

    async with serve(hold, **options) as server, example(binary, uri(server), *subprotocols) as client:
        expect(await client.line(), "open" + "".join(f", {name}" for name in subprotocols[:1]))
        yield client, await arrived


async def check_echo(binary):
    async def echo(connection):
        async for message in connection:
            await connection.send(message)

    async with serve(echo) as server, example(binary, uri(server)) as client:
        expect(await client.line(), "open")
        lines = ["hello", "", UNICODE, "/unknown is text", *map(str, range(1_000))]
        await client.type(*lines)
        for line in lines:
            expect(await client.line(), f"< {line}")


async def check_server_push_and_close(binary):
    async with session(binary) as (client, server):
        expect(server.request.path, "/path?query")
        for text in ["hello", UNICODE]:
            await server.send(text)
            expect(await client.line(), f"< {text}")
        await server.close(1001, "下班了 👋")
        expect(await client.line(), 'closed with 1001 (going away) "下班了 👋": the peer closed')
        await client.ends(0)


async def check_close_with_a_code_and_a_reason(binary):
    async with session(binary) as (client, server):
        await client.type("/close 3001 bye")
        await server.wait_closed()
        expect((server.close_code, server.close_reason), (3001, "bye"))
        expect(await client.line(), 'closed with 3001 (library or framework) "bye": we closed with 3001 (library or framework)')
        await client.ends(0)


async def check_close_with_a_unicode_reason(binary):
    async with session(binary) as (client, server):
        await client.type("/close 4999 再见 👋🏽")
        await server.wait_closed()
        expect((server.close_code, server.close_reason), (4999, "再见 👋🏽"))
        expect(await client.line(), 'closed with 4999 (private use) "再见 👋🏽": we closed with 4999 (private use)')
        await client.ends(0)


async def check_end_of_input_closes_with_1000(binary):
    async with session(binary) as (client, server):
        await client.type("last words")
        client.end_of_input()
        expect(await server.recv(), "last words")
        await server.wait_closed()
        expect((server.close_code, server.close_reason), (1000, ""))
        expect(await client.line(), "closed with 1000 (normal closure): we closed with 1000 (normal closure)")
        await client.ends(0)


async def check_what_may_not_be_sent_is_said(binary):
    async with session(binary) as (client, server):
        await client.type("/close 1005", "/close", "/ping " + "!" * 126, "still open")
        for _ in range(3):
            line = await client.line()
            assert line.startswith("not sent: "), line
        expect(await server.recv(), "still open")


async def check_long_reason_is_cut(binary):
    async with session(binary) as (client, server):
        await client.type("/close 3001 " + "再" * 42)
        await server.wait_closed()
        expect((server.close_code, server.close_reason), (3001, "再" * 41))
        assert (await client.line()).startswith("closed with 3001")
        await client.ends(0)


async def check_server_that_vanishes_is_1006(binary):
    async with session(binary) as (client, server):
        server.transport.abort()
        expect(await client.line(), "closed with 1006 (abnormal closure): the transport ended without a Close frame")
        await client.ends(1)


async def check_ping_both_ways(binary):
    async with session(binary) as (client, server):
        for ping in ["/ping", "/ping 你好"]:
            await client.type(ping)
            line = await client.line()
            assert line.startswith("pong, round trip "), line
        for payload in [b"", bytes(range(125))]:
            assert await (await server.ping(payload)) > 0


async def check_binary_is_printed(binary):
    async with session(binary) as (client, server):
        await server.send(b"")
        expect(await client.line(), "< 0 bytes: []")
        await server.send(b"\x00\x7f\xff")
        expect(await client.line(), "< 3 bytes: [00, 7f, ff]")
        for length in LENGTHS[2:]:
            await server.send(b"\x0a" * length)
            expect(await client.line(), f"< {length} bytes: [{', '.join(['0a'] * 16)}]")


async def check_messages_of_every_length(binary):
    async with session(binary) as (client, server):
        for length in LENGTHS:
            await server.send("x" * length)
            expect(await client.line(), f"< {'x' * length}")
            await client.type("y" * length)
            expect(await server.recv(), "y" * length)


async def check_fragments(binary):
    async with session(binary) as (client, server):

        async def with_pings(fragments):
            for fragment in fragments:
                yield fragment
                await (await server.ping())

        await server.send(["你", "", "好", "🙂"])
        expect(await client.line(), "< 你好🙂")
        await server.send(map(str, range(1_000)))
        expect(await client.line(), f"< {''.join(map(str, range(1_000)))}")
        await server.send(with_pings(["one ", "two ", "three"]))
        expect(await client.line(), "< one two three")
        await server.send([b"\x01" * MIB, b"\x02" * MIB])
        expect(await client.line(), f"< {2 * MIB} bytes: [{', '.join(['01'] * 16)}]")


async def check_subprotocol(binary):
    async with session(binary, "chat", "echo", subprotocols=["chat"]) as (_, server):
        expect(server.request.headers["Sec-WebSocket-Protocol"], "chat, echo")
        expect(server.subprotocol, "chat")


async def check_subprotocol_that_is_missing(binary):
    async with serve(subprotocols=["chat"]) as server, example(binary, uri(server)) as client:
        expect(await client.line(), "refused: 400 Bad Request")
        assert "missing subprotocol" in await client.line()
        expect(await client.process.wait(), 1)


async def check_refusal(binary):
    def forbid(connection, request):
        return connection.respond(403, "members only 🚪\n")

    async with serve(process_request=forbid) as server, example(binary, uri(server)) as client:
        expect(await client.line(), "refused: 403 Forbidden")
        expect(await client.line(), "members only 🚪")
        await client.ends(1)


async def check_redirection_is_a_refusal(binary):
    def move(connection, request):
        response = connection.respond(301, "moved\n")
        response.headers["Location"] = "/elsewhere"
        return response

    async with serve(process_request=move) as server, example(binary, uri(server)) as client:
        expect(await client.line(), "refused: 301 Moved Permanently")
        expect(await client.line(), "moved")
        await client.ends(1)


async def check_server_with_threads(binary):
    def echo(connection):
        for message in connection:
            connection.send(message)
            if message == "enough":
                connection.close(3000, "够了")

    with websockets.sync.server.serve(echo, HOST, 0, subprotocols=["echo"]) as server:
        serving = asyncio.create_task(asyncio.to_thread(server.serve_forever))
        port = server.socket.getsockname()[1]
        async with example(binary, f"ws://{HOST}:{port}", "echo") as client:
            expect(await client.line(), "open, echo")
            await client.type(UNICODE, "enough")
            expect(await client.line(), f"< {UNICODE}")
            expect(await client.line(), "< enough")
            expect(await client.line(), 'closed with 3000 (library or framework) "够了": the peer closed')
            await client.ends(0)
        server.shutdown()
        await serving


async def check_nobody_listens(binary):
    async with serve() as server:
        address = uri(server)
    async with example(binary, address) as client:
        line = await client.line()
        assert line.startswith(f"chat-client: {address}: "), line
        await client.ends(1)
