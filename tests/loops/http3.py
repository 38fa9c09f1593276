"""The server and the client over HTTP/3, against `aioquic` and `wsproto`: `http3.py FOLDER`, where their programs are."""

import asyncio
import sys
from contextlib import asynccontextmanager

from harness import LENGTHS, MIB, UNICODE, checks, example, expect
from over_http3 import CANCELLED, MALFORMED, Ended, accept, client, connect_head, deflate, get_head, server
from secure import serving_securely
from serving import run
from wsproto.events import CloseConnection, Pong

folder = sys.argv[1]


@asynccontextmanager
async def our_server():
    """Our server, and a connection of aioquic to it."""
    async with serving_securely(f"{folder}/example-http3", "127.0.0.1:0") as started:
        async with client(started.port, started.file) as peer:
            yield started, peer


def our_client(port, certificate, *options, path="/echo"):
    program = f"{folder}/example-http3-client"
    return example(program, f"wss://localhost:{port}{path}", "--ca", certificate, *options)


def messages():
    """Text and binary of every length, and in fragments."""
    for length in LENGTHS:
        yield (UNICODE * (length // len(UNICODE.encode()) + 1))[: length // 2]
        yield bytes(length)
    yield ["再", "见", " 👋🏽"]
    yield [b"a", b"", bytes(70_000)]


def whole(message):
    return message[0][:0].join(message) if isinstance(message, list) else message


def expect_close(actual, code, reason=""):
    expect((type(actual), actual.code, actual.reason or ""), (CloseConnection, code, reason))


# Our server


async def check_server_announces_extended_connect():
    async with our_server() as (_, peer):
        await peer.is_ready.wait()
        expect(peer.http.received_settings.get(8), 1)


async def check_server_echoes():
    async with our_server() as (_, peer):
        for compression in [None, deflate()]:
            socket, head = await peer.open(deflate=compression)
            expect(head.get(b"sec-websocket-extensions", b"").startswith(b"permessage-deflate"), bool(compression))
            expect([name for name in head if name in [b"upgrade", b"connection", b"sec-websocket-accept"]], [])
            for message in messages():
                socket.send(message)
                expect(await socket.recv(), whole(message))


async def check_server_echoes_more_than_all_windows_hold():
    async with our_server() as (_, peer):
        socket, _ = await peer.open()
        for _ in range(4):
            socket.send(bytes(5 * MIB))
        for _ in range(4):
            expect(len(await socket.recv()), 5 * MIB)


async def check_server_reads_frames_however_they_are_cut():
    async with our_server() as (_, peer):
        socket, _ = await peer.open()
        frame = socket.frames.send(whole_text("再见 👋"))
        for at in range(len(frame)):
            socket.put(frame[at : at + 1])
            socket.put(b"")
        expect(await socket.recv(), "再见 👋")


async def check_server_answers_pings():
    async with our_server() as (_, peer):
        socket, _ = await peer.open()
        socket.ping(b"hello")
        expect(await socket.recv(), Pong(b"hello"))


async def check_server_closes_as_it_is_closed():
    async with our_server() as (started, peer):
        for code, reason in [(1000, ""), (3001, "再见"), (4999, "x" * 123)]:
            socket, _ = await peer.open()
            socket.close(code, reason)
            expect_close(await socket.recv(), code, reason)
            expect(await socket.ends(), None)
            socket.end()
            # The connection is for others still.
            expect((await peer.request(get_head("/")))[1][b":status"], b"200")


async def check_server_refuses_bad_frames():
    async with our_server() as (_, peer):
        for wrong, code in [(b"\xff\x80\0\0\0\0", 1002), (b"\x81\x00", 1002), (b"\x81\x81\0\0\0\0\xff", 1007)]:
            socket, _ = await peer.open()
            socket.put(wrong)
            expect((await socket.recv()).code, code)
            expect(await socket.ends(), None)


async def check_server_selects_a_subprotocol():
    async with our_server() as (_, peer):
        for offered, selected in [("b, echo, chat", b"chat"), ("echo", b"echo"), ("b", None)]:
            _, head = await peer.open(sec_websocket_protocol=offered)
            expect(head.get(b"sec-websocket-protocol"), selected)


async def check_server_rejects():
    async with our_server() as (_, peer):
        for headers, status in [
            ({"origin": "https://evil.example"}, b"403"),
            ({"origin": "null"}, b"403"),
            ({"origin": "https://localhost"}, b"200"),
            ({"protocol": "connect-udp"}, b"501"),
            ({"protocol": "WebSocket"}, b"501"),
            ({"sec_websocket_version": "8"}, b"426"),
            ({"upgrade": "websocket"}, b"400"),
            ({"host": "other.example"}, b"400"),
        ]:
            stream, head = await peer.request(connect_head(**headers), end=False)
            expect((headers, head[b":status"]), (headers, status))
            if status == b"426":
                expect(head[b"sec-websocket-version"], b"13")
            if status != b"200":
                expect((await peer.rest(stream))[1], None)


async def check_server_serves_pages_on_the_same_connection():
    async with our_server() as (_, peer):
        socket, _ = await peer.open()
        for path, status in [("/", b"200"), ("/?query", b"200"), ("/elsewhere", b"404")]:
            stream, head = await peer.request(get_head(path))
            body, how = await peer.rest(stream)
            expect((head[b":status"], b"WebSocket" in body, how), (status, status == b"200", None))
        _, head = await peer.request([(b":method", b"CONNECT"), (b":authority", b"other.example:25")], end=False)
        expect(head[b":status"], b"501")
        socket.send("still there")
        expect(await socket.recv(), "still there")


async def check_server_resets_what_is_malformed():
    async with our_server() as (_, peer):
        head = connect_head()
        get_with_protocol = [(b":method", b"GET"), *head[1:]]
        for wrong in [[*head[:2], *head[3:]], [*head, (b":late", b"x")], get_with_protocol]:
            try:
                await peer.request(wrong, end=False)
                raise AssertionError("the server answered")
            except Ended as ended:
                expect(ended.how, MALFORMED)
        socket, _ = await peer.open()
        socket.send("still there")
        expect(await socket.recv(), "still there")


async def check_server_takes_a_reset_as_an_abort():
    async with our_server() as (started, peer):
        lost, _ = await peer.open("/lost")
        other, _ = await peer.open("/other")
        expect(await lines(started, 2), ["CONNECT /lost 200", "CONNECT /other 200"])
        peer.reset(lost.stream)
        expect("1006" in await started.line(), True)
        expect(await lost.ends(), CANCELLED)
        other.send("still there")
        expect(await other.recv(), "still there")


async def check_server_takes_a_fin_as_the_end():
    async with our_server() as (started, peer):
        socket, _ = await peer.open()
        await started.line()
        socket.end()
        expect("1006" in await started.line(), True)
        expect(await socket.ends(), None)


async def check_server_gives_up_when_nobody_reads():
    async with our_server() as (started, peer):
        socket, _ = await peer.open()
        await started.line()
        peer._quic.stop_stream(socket.stream, CANCELLED)
        peer.transmit()
        expect("1006" in await started.line(), True)
        expect(peer.stopped.get(socket.stream), CANCELLED)


async def check_server_serves_many_on_one_connection():
    async def talk(peer, number):
        socket, _ = await peer.open()
        for turn in range(20):
            socket.send(f"{number}.{turn}")
            expect(await socket.recv(), f"{number}.{turn}")
        socket.close(1000)
        expect_close(await socket.recv(), 1000)
        socket.end()

    async with our_server() as (_, peer):
        # More than there may be at a time: the limit grows as streams end.
        for _ in range(3):
            await asyncio.gather(*(talk(peer, number) for number in range(60)))


async def check_server_stops():
    async with our_server() as (started, peer):
        sockets = [(await peer.open())[0] for _ in range(3)]
        await lines(started, 3)
        started.process.terminate()
        for socket in sockets:
            expect_close(await socket.recv(), 1001, "the server stops")
            expect(await socket.ends(), None)
            socket.end()
        rest = await started.rest()
        expect(rest[-1], "http3: stopped, all connections are closed")
        expect(await started.process.wait(), 0)


# Our client


async def check_client_asks_as_it_should():
    heads = []

    async def answer(peer, stream):
        expect(peer.http.received_settings.get(8), None)
        socket, head = await accept(peer, stream)
        heads.append(head)
        socket.close(1000)
        expect_close(await socket.recv(), 1000)
        socket.end()
        expect(await socket.ends(), None)

    async with server(answer) as (port, certificate), our_client(port, certificate, path="/a?b=c") as ours:
        expect(await ours.line(), "open over HTTP/3")
        expect((await ours.line()).startswith("closed with 1000"), True)
        await ours.ends(0)
    expect(list(heads[0])[:5], [b":method", b":protocol", b":scheme", b":authority", b":path"])
    expect(heads[0], {
        b":method": b"CONNECT", b":protocol": b"websocket", b":scheme": b"https",
        b":authority": f"localhost:{port}".encode(), b":path": b"/a?b=c",
        b"sec-websocket-version": b"13", b"sec-websocket-extensions": heads[0][b"sec-websocket-extensions"],
    })  # fmt: skip


async def check_client_echoes():
    for compression in [None, deflate()]:

        async def answer(peer, stream):
            socket, _ = await accept(peer, stream, compression)
            for message in messages():
                socket.send(message)
                expect(await socket.recv(), whole(message))
            socket.close(3001, "再见")
            expect_close(await socket.recv(), 3001, "再见")
            socket.end()
            expect(await socket.ends(), None)

        async with server(answer) as (port, certificate), our_client(port, certificate, "--echo") as ours:
            expect(await ours.line(), "open over HTTP/3" + (", permessage-deflate" if compression else ""))
            expect((await ours.line()).startswith("closed with 3001"), True)
            await ours.ends(0)


async def check_client_sends_and_closes():
    async def answer(peer, stream):
        socket, _ = await accept(peer, stream, deflate(), sec_websocket_protocol="echo")
        while not isinstance(message := await socket.recv(), CloseConnection):
            socket.send(message)
        expect_close(message, 3001, "再见")
        socket.end()
        expect(await socket.ends(), None)

    options = ["--subprotocol", "chat", "--subprotocol", "echo"]
    async with server(answer) as (port, certificate), our_client(port, certificate, *options) as ours:
        expect(await ours.line(), "open over HTTP/3, echo, permessage-deflate")
        for text in ["", UNICODE, "大家好", "x" * MIB, *map(str, range(200))]:
            await ours.type(text)
            expect(await ours.line(), f"< {text}")
        await ours.type("/close 3001 再见")
        expect((await ours.line()).startswith("closed with 3001"), True)
        await ours.ends(0)


async def check_client_closes_at_the_end_of_its_input():
    async def answer(peer, stream):
        socket, _ = await accept(peer, stream)
        expect_close(await socket.recv(), 1000)
        socket.end()
        expect(await socket.ends(), None)

    async with server(answer) as (port, certificate), our_client(port, certificate) as ours:
        expect(await ours.line(), "open over HTTP/3")
        ours.end_of_input()
        expect((await ours.line()).startswith("closed with 1000"), True)
        await ours.ends(0)


async def check_client_waits_for_the_settings():
    async def answer(peer, stream):
        raise AssertionError("a request, although the settings don't allow it")

    async with server(answer, allows_connect=False) as (port, certificate), our_client(port, certificate) as ours:
        expect("accepts no WebSocket over HTTP/3" in await ours.line(), True)
        await ours.ends(1)


async def check_client_reports_rejections():
    for response, reason in [
        ([(b":status", b"403")], "403"),
        ([(b":status", b"501")], "501"),
        ([(b":status", b"302"), (b"location", b"https://localhost/")], "302"),
        ([(b":status", b"200"), (b"sec-websocket-protocol", b"other")], "didn't offer"),
        ([(b":status", b"200"), (b"sec-websocket-extensions", b"other")], "didn't offer"),
        ([(b"a", b"b")], "malformed"),
    ]:

        async def answer(peer, stream):
            await peer.get(stream)
            peer.send_head(stream, response)

        async with server(answer) as (port, certificate), our_client(port, certificate) as ours:
            line = await ours.line()
            expect((reason in line, line), (True, line))
            await ours.ends(1)


async def check_client_ignores_interim_responses():
    async def answer(peer, stream):
        await asyncio.sleep(0)
        peer.send_head(stream, [(b":status", b"103"), (b"link", b"</style.css>")])
        socket, _ = await accept(peer, stream)
        socket.send("你好")
        socket.close(1000)
        expect_close(await socket.recv(), 1000)
        socket.end()

    async with server(answer) as (port, certificate), our_client(port, certificate) as ours:
        expect([await ours.line(), await ours.line()], ["open over HTTP/3", "< 你好"])
        expect((await ours.line()).startswith("closed with 1000"), True)
        await ours.ends(0)


async def check_client_notices_how_a_stream_ends():
    async def resets(peer, stream):
        socket, _ = await accept(peer, stream)
        peer.reset(stream)
        expect(await socket.ends(), CANCELLED)

    async def ends(peer, stream):
        socket, _ = await accept(peer, stream)
        socket.end()
        expect(await socket.ends(), None)

    for answer in [resets, ends]:
        async with server(answer) as (port, certificate), our_client(port, certificate) as ours:
            expect(await ours.line(), "open over HTTP/3")
            expect("1006" in await ours.line(), True)
            await ours.ends(0)


async def check_client_trusts_nobody_else():
    async def answer(peer, stream):
        raise AssertionError("a request to a server that it doesn't trust")

    async with server(answer) as (port, _), server(answer) as (_, other), our_client(port, other) as ours:
        expect((await ours.line()).startswith(f"http3: wss://localhost:{port}/echo: "), True)
        await ours.ends(1)


async def check_our_client_and_our_server():
    async with serving_securely(f"{folder}/example-http3", "127.0.0.1:0") as started:
        async with our_client(started.port, started.file, "--subprotocol", "chat") as ours:
            expect(await ours.line(), "open over HTTP/3, chat, permessage-deflate")
            for text in ["", UNICODE, "x" * 5 * MIB, *map(str, range(200))]:
                await ours.type(text)
                expect(await ours.line(), f"< {text}")
            started.process.terminate()
            expect("closed with 1001" in await ours.line(), True)
            await ours.ends(0)
        expect(await started.process.wait(), 0)


def whole_text(text):
    from wsproto.events import TextMessage

    return TextMessage(data=text)


async def lines(started, count):
    return [await started.line() for _ in range(count)]


run("http3", list(checks(globals())))
