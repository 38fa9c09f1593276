"""The server and the client over TLS: `tls.py FOLDER`, where their programs are."""

import asyncio
import socket
import ssl
import sys

from harness import HOST, UNICODE, checks, example, expect
from secure import asked_securely, serving_securely
from serving import ALL, run, stops_in_order

server = [f"{sys.argv[1]}/example-tls", "127.0.0.1:0"]
client = f"{sys.argv[1]}/example-tls-client"


async def shows_a_certificate_for_its_names(server):
    for name in ["localhost", HOST]:
        async with server.connect(server_hostname=name) as client:
            expect(client.transport.get_extra_info("ssl_object").selected_alpn_protocol(), None)
    try:
        async with server.connect(server_hostname="chat.example"):
            raise AssertionError("it is trusted for any name")
    except ssl.SSLCertVerificationError:
        pass


async def takes_who_agrees_on_http_1(server):
    server.ssl.set_alpn_protocols(["h2", "http/1.1"])
    async with server.connect() as client:
        expect(client.transport.get_extra_info("ssl_object").selected_alpn_protocol(), "http/1.1")
    server.ssl.set_alpn_protocols(["h2"])
    try:
        async with server.connect():
            raise AssertionError("it speaks HTTP/2")
    except ssl.SSLError as error:
        expect("no application protocol" in str(error), True)


async def ends_with_close_notify(server):
    def to_the_end():
        address = HOST, server.port
        # Without that, an end that anybody could have caused would look like one of the server's.
        with socket.create_connection(address) as tcp, server.ssl.wrap_socket(
            tcp, server_hostname=HOST, suppress_ragged_eofs=False
        ) as stream:
            stream.sendall(
                b"GET /echo HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
                b"\x81\x82\0\0\0\0hi\x88\x82\0\0\0\0\x03\xe8"
            )
            received = b""
            while data := stream.recv(1 << 16):
                received += data
            return received

    expect((await asyncio.to_thread(to_the_end)).partition(b"\r\n\r\n")[2], b"\x81\x02hi\x88\x02\x03\xe8")


async def survives_those_who_speak_no_tls(server):
    reader, writer = await asyncio.open_connection(HOST, server.port)
    writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    await reader.read()
    writer.close()
    async with server.connect() as client:
        await client.send("hello")
        expect(await client.recv(), "hello")


async def check_client_talks():
    async with serving_securely(*server) as serves:
        for host in ["localhost", HOST]:
            uri = f"wss://{host}:{serves.port}/echo"
            async with example(client, uri, "--ca", serves.file) as talks:
                expect(await talks.line(), "open")
                for text in [UNICODE, "long " * 100_000]:
                    await talks.type(text)
                    expect(await talks.line(), f"< {text}")
                talks.end_of_input()
                expect((await talks.line()).startswith("closed with 1000"), True)
                await talks.ends(0)


async def check_client_trusts_only_whom_it_should():
    async with serving_securely(*server) as one, serving_securely(*server) as other:
        uri = f"wss://localhost:{one.port}/echo"
        # Another way to write the same address, for which the certificate isn't.
        alias = f"wss://[::ffff:127.0.0.1]:{one.port}/echo"
        for arguments, why in [
            ([uri], "UnknownIssuer"),
            ([uri, "--ca", other.file], "invalid peer certificate"),
            ([alias, "--ca", one.file], "certificate not valid for name"),
        ]:
            async with example(client, *arguments) as refuses:
                line = await refuses.line()
                if why not in line:
                    raise AssertionError(f"{line!r}, without {why!r}")
                await refuses.ends(1)


async def check_client_asks_for_the_host_by_name():
    hello = asyncio.Queue()

    async def listen(reader, writer):
        await hello.put(await reader.read(1 << 12))
        writer.close()

    async with await asyncio.start_server(listen, HOST, 0) as listener:
        port = listener.sockets[0].getsockname()[1]
        for host, is_sent in [("localhost", True), (HOST, False)]:
            async with example(client, f"wss://{host}:{port}/"):
                expect(host.encode() in await hello.get(), is_sent)


mine = [
    shows_a_certificate_for_its_names,
    takes_who_agrees_on_http_1,
    ends_with_close_notify,
    survives_those_who_speak_no_tls,
]
asked = [asked_securely(check, *server) for check in [*ALL, stops_in_order, *mine]]
run("tls", [*asked, *checks(globals())])
