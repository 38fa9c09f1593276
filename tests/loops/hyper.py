"""The HTTP servers by hyper and axum, and the client over HTTP/2: `hyper.py FOLDER`, where their programs are."""

import asyncio
import sys

from harness import HOST, MIB, UNICODE, checks, example, expect
from secure import asked_securely, serving_securely
from serving import ALL, asked, run, serving, stops_in_order

folder = sys.argv[1]
server = [f"{folder}/example-hyper", "127.0.0.1:0"]
axum = [f"{folder}/example-axum", "127.0.0.1:0"]


def http2(server, path):
    """The client over HTTP/2, which is given the server's certificate if it has one."""
    trust = ["--ca", server.file] if server.ssl else []
    return example(f"{folder}/example-http2-client", f"{server.scheme}://localhost:{server.port}{path}", *trust)


async def echoes_over_http_2(server):
    async with http2(server, "/echo") as client:
        expect(await client.line(), "open over HTTP/2")
        for text in ["", UNICODE, "x" * 5 * MIB, *map(str, range(1_000))]:
            await client.type(text)
            expect(await client.line(), f"< {text}")
        # Both ways at the same time, more than all windows on the way hold.
        await client.type(*("y" * 5 * MIB for _ in range(8)))
        for _ in range(8):
            expect(await client.line(), "< " + "y" * 5 * MIB)
        client.end_of_input()
        expect(await client.line(), "closed with 1000 (normal closure): we closed with 1000 (normal closure)")
        await client.ends(0)


async def chats_over_both_versions(server):
    async with server.connect("/chat") as one, http2(server, "/chat") as other:
        await other.type("大家好 👋")
        while "大家好 👋" not in await one.recv():
            pass
        await one.send("你好!")
        while "你好!" not in await other.line():
            pass


async def stops_over_http_2(server):
    async with http2(server, "/chat") as one, http2(server, "/echo") as other:
        for client in [one, other]:
            expect(await client.line(), "open over HTTP/2")
        server.process.terminate()
        for client in [one, other]:
            lines = await client.rest()
            expect("closed with 1001" in lines[-1], True)
            expect(await client.process.wait(), 0)
    expect(await server.process.wait(), 0)


async def stops_without_those_who_ask_for_nothing(server):
    """Half of a request, half of the preface of HTTP/2, nothing at all."""
    waiting = [await asyncio.open_connection(HOST, server.port) for _ in range(3)]
    for (_, writer), half in zip(waiting, [b"GET / HTTP/1.1\r\nHost", b"PRI * HTTP", b""]):
        writer.write(half)
    async with server.connect():
        server.process.terminate()
    async with asyncio.timeout(4):
        expect(await server.process.wait(), 0)
    for _, writer in waiting:
        writer.close()


async def serves_pages_next_to_sockets(server):
    for path, status, kind in [("/", 200, "text/html"), ("/elsewhere", 404, ""), ("/?query", 200, "text/html")]:
        head = await get(server, path)
        expect((int(head.split()[1]), kind in head), (status, True))


async def refuses_what_is_wrong(server):
    upgrade = {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    for wrong, status in [
        ({}, 101),
        ({"Sec-WebSocket-Version": "8"}, 426),
        ({"Sec-WebSocket-Key": "short"}, 400),
        ({"Connection": "close"}, 400),
    ]:
        head = await get(server, "/echo", **(upgrade | wrong))
        expect((int(head.split()[1]), "sec-websocket-version: 13" in head.lower()), (status, status == 426))


async def get(server, path, **headers):
    """The head of the response."""
    reader, writer = await asyncio.open_connection(HOST, server.port)
    lines = [f"GET {path} HTTP/1.1", "Host: localhost", *(f"{name}: {value}" for name, value in headers.items())]
    writer.write("".join(f"{line}\r\n" for line in [*lines, ""]).encode())
    head = await reader.readuntil(b"\r\n\r\n")
    writer.close()
    return head.decode()


async def check_http_2_is_chosen_where_both_speak_it():
    async with serving_securely(*server) as serves:
        for offered, chosen in [([], None), (["h2", "http/1.1"], "h2"), (["http/1.1"], "http/1.1")]:
            if offered:
                serves.ssl.set_alpn_protocols(offered)
            _, writer = await asyncio.open_connection(HOST, serves.port, ssl=serves.ssl)
            expect(writer.get_extra_info("ssl_object").selected_alpn_protocol(), chosen)
            writer.close()


async def check_the_server_says_which_version_it_was():
    async with serving(*server) as serves:
        async with serves.connect("/echo"):
            expect(await serves.line(), "HTTP/1.1 GET /echo")
        async with http2(serves, "/chat"):
            expect(await serves.line(), "HTTP/2.0 CONNECT /chat")


over_http_2 = [echoes_over_http_2, chats_over_both_versions, stops_over_http_2]
all_of_both = [*ALL, stops_in_order, stops_without_those_who_ask_for_nothing, *over_http_2]
run(
    "hyper",
    [
        *(asked(check, *server) for check in [*all_of_both, serves_pages_next_to_sockets, refuses_what_is_wrong]),
        *(asked_securely(check, *server) for check in all_of_both),
        *((f"{title}, by axum", check) for title, check in (asked(check, *axum) for check in all_of_both)),
        *checks(globals()),
    ],
)
