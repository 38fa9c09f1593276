"""The server and the client on tokio: `tokio.py FOLDER`, where the programs are."""

import sys

import websockets.asyncio.server
from harness import HOST, LENGTHS, UNICODE, checks, example, expect
from serving import ALL, asked, run, stops_in_order

folder = sys.argv[1]
server = [f"{folder}/example-tokio", "127.0.0.1:0"]


def serve(handler, **options):
    return websockets.asyncio.server.serve(handler, HOST, 0, max_size=None, **options)


def client(server, *options):
    host, port = server.sockets[0].getsockname()
    return example(f"{folder}/example-tokio-client", f"ws://{host}:{port}/path", *options)


async def echo(connection):
    async for message in connection:
        await connection.send(message)


async def check_client_talks():
    async with serve(echo) as server, client(server) as typing:
        expect(await typing.line(), "open")
        for line in ["hello", "", UNICODE, *map(str, range(1_000))]:
            await typing.type(line)
            expect(await typing.line(), f"< {line}")
        typing.end_of_input()
        expect(await typing.line(), "closed with 1000 (normal closure): we closed with 1000 (normal closure)")
        await typing.ends(0)


async def check_client_sends_and_receives_at_the_same_time():
    """More than fits into all buffers on the way, so whoever only sends holds up both."""
    async with serve(echo) as server, client(server) as typing:
        expect(await typing.line(), "open")
        length = LENGTHS[-1]
        await typing.type(*("x" * length for _ in range(8)))
        for _ in range(8):
            expect(len(await typing.line()), len("< ") + length)


async def check_client_closes_with_a_code():
    async with serve(echo) as server, client(server) as typing:
        expect(await typing.line(), "open")
        await typing.type("/close 1005", "/close 3001 再见")
        expect((await typing.line()).startswith("not sent: "), True)
        code = "3001 (library or framework)"
        expect(await typing.line(), f'closed with {code} "再见": we closed with {code}')
        await typing.ends(0)


async def check_client_is_told_why_it_is_refused():
    def forbid(connection, request):
        return connection.respond(401, "who are you? 🚪\n")

    async with serve(echo, process_request=forbid) as server, client(server) as typing:
        expect(await typing.rest(), ["the server answered with status 401 Unauthorized", "who are you? 🚪"])
        expect(await typing.process.wait(), 1)


async def check_client_follows_redirects():
    def move(connection, request):
        if request.path == "/path":
            response = connection.respond(307, "moved\n")
            response.headers["Location"] = "/elsewhere"
            return response

    async def tell(connection):
        await connection.send(connection.request.path)

    async with serve(tell, process_request=move) as server, client(server) as typing:
        expect(await typing.line(), "open")
        expect(await typing.line(), "< /elsewhere")


async def check_client_is_not_sent_in_circles():
    def move(connection, request):
        response = connection.respond(302, "moved\n")
        response.headers["Location"] = request.path
        return response

    async with serve(echo, process_request=move) as server, client(server) as typing:
        [line] = await typing.rest()
        expect(line.endswith("/path has been requested before"), True)
        expect(await typing.process.wait(), 1)


async def check_client_comes_back_after_losses():
    endings = iter(["vanish", "refuse", "restart", "stay"])
    ending = None

    def admit(connection, request):
        nonlocal ending
        ending = next(endings)
        return connection.respond(503, "busy\n") if ending == "refuse" else None

    async def handle(connection):
        match ending:
            case "vanish":
                connection.transport.abort()
            case "restart":
                await connection.close(1012)
            case _:
                await echo(connection)

    async with serve(handle, process_request=admit) as server, client(server, "--reconnect") as typing:
        seen = []
        while not (seen and seen[-1] == "open" and seen.count("open") == 3):
            seen.append((await typing.line()).split(" in ")[0])
        expect(
            seen,
            [
                "open",
                "closed with 1006 (abnormal closure): the transport ended without a Close frame",
                "connecting again",
                "the server answered with status 503 Service Unavailable, again",
                "open",
                "closed with 1012 (service restart): the peer closed",
                "connecting again",
                "open",
            ],
        )
        await typing.type("still there?")
        expect(await typing.line(), "< still there?")
        typing.end_of_input()
        expect(await typing.line(), "closed with 1000 (normal closure): we closed with 1000 (normal closure)")
        await typing.ends(0)


async def check_client_without_a_server():
    async with serve(echo) as server:
        nobody = client(server)
    async with nobody as typing:
        expect((await typing.line()).startswith("client: ws://"), True)
        await typing.ends(1)


run("tokio", [*(asked(check, *server) for check in [*ALL, stops_in_order]), *checks(globals())])
