"""WebSockets of `wsproto` on streams of `aioquic`: a client and a server of HTTP/3 (RFC 9220)."""

import asyncio
import datetime
import ipaddress
from contextlib import asynccontextmanager
from tempfile import TemporaryDirectory

from aioquic.asyncio.client import connect
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.asyncio.server import serve
from aioquic.h3.connection import H3_ALPN, ErrorCode, H3Connection, Setting
from aioquic.h3.events import DataReceived, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import ConnectionTerminated, ProtocolNegotiated, StopSendingReceived, StreamReset
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from harness import HOST
from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Ping, Pong, TextMessage
from wsproto.extensions import PerMessageDeflate

CANCELLED = ErrorCode.H3_REQUEST_CANCELLED
MALFORMED = ErrorCode.H3_MESSAGE_ERROR
DEFLATE = b"permessage-deflate; client_max_window_bits"


class Ended(Exception):
    """The stream has ended: with FIN (`None`), a reset (its code), or with the connection ("lost")."""

    def __init__(self, how):
        super().__init__(how)
        self.how = how


class Peer(QuicConnectionProtocol):
    """One side of a connection of HTTP/3."""

    # Whether a server's settings allow an extended CONNECT.
    allows_connect = True

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.http = None
        self.streams = {}
        self.stopped = {}
        self.is_ready = asyncio.Event()

    def quic_event_received(self, event):
        match event:
            case ProtocolNegotiated():
                self.http = Http3(self._quic, self.allows_connect)
            case StreamReset():
                self.put(event.stream_id, Ended(event.error_code))
            case StopSendingReceived():
                self.stopped[event.stream_id] = event.error_code
            case ConnectionTerminated():
                for stream in self.streams.values():
                    stream.put_nowait(Ended("lost"))
        for event in self.http.handle_event(event) if self.http else []:
            match event:
                case HeadersReceived():
                    self.put(event.stream_id, dict(event.headers))
                case DataReceived():
                    self.put(event.stream_id, event.data)
            if event.stream_ended:
                self.put(event.stream_id, Ended(None))
        if self.http and self.http.received_settings is not None:
            self.is_ready.set()

    def put(self, stream, what):
        if stream not in self.streams:
            self.streams[stream] = asyncio.Queue()
            self.on_stream(stream)
        self.streams[stream].put_nowait(what)

    def on_stream(self, stream):
        """The other side has begun a stream."""

    async def get(self, stream):
        what = await self.streams[stream].get()
        if isinstance(what, Ended):
            raise what
        return what

    def send_head(self, stream, headers, end=False):
        self.http.send_headers(stream, headers, end)
        self.transmit()

    def send(self, stream, data, end=False):
        self.http.send_data(stream, data, end)
        self.transmit()

    def reset(self, stream, code=CANCELLED):
        self._quic.reset_stream(stream, code)
        self.transmit()

    async def request(self, headers, end=True):
        """Sends a request, and returns its stream and the head of the response."""
        await self.is_ready.wait()
        stream = self._quic.get_next_available_stream_id()
        self.streams[stream] = asyncio.Queue()
        self.send_head(stream, headers, end)
        return stream, await self.get(stream)

    async def rest(self, stream):
        """The rest of the content, up to the end of the stream, and how it ends."""
        data = b""
        while True:
            try:
                data += await self.get(stream)
            except Ended as ended:
                return data, ended.how

    async def open(self, path="/echo", deflate=None, **headers):
        """Opens a WebSocket, and returns it with the head of the response."""
        extensions = [(b"sec-websocket-extensions", DEFLATE)] if deflate else []
        stream, head = await self.request([*connect_head(path, **headers), *extensions], end=False)
        if head[b":status"] != b"200":
            return None, head
        if b"sec-websocket-extensions" in head:
            deflate.finalize(head[b"sec-websocket-extensions"].decode())
        return WebSocket(self, stream, ConnectionType.CLIENT, deflate), head


class Http3(H3Connection):
    def __init__(self, quic, allows_connect):
        self.allows_connect = allows_connect
        super().__init__(quic)

    def _get_local_settings(self):
        settings = super()._get_local_settings()
        if self._is_client or not self.allows_connect:
            del settings[Setting.ENABLE_CONNECT_PROTOCOL]
        return settings


def connect_head(path="/echo", protocol="websocket", **headers):
    """An extended CONNECT. Headers are given with `_` for `-`."""
    named = {"sec_websocket_version": "13"} | headers
    pseudo = [
        (b":method", b"CONNECT"),
        (b":protocol", protocol.encode()),
        (b":scheme", b"https"),
        (b":authority", b"localhost"),
        (b":path", path.encode()),
    ]
    return [*pseudo, *((name.replace("_", "-").encode(), value.encode()) for name, value in named.items())]


def get_head(path):
    return [(b":method", b"GET"), (b":scheme", b"https"), (b":authority", b"localhost"), (b":path", path.encode())]


class WebSocket:
    """A WebSocket on a stream: wsproto reads and writes the frames."""

    def __init__(self, peer, stream, role, deflate=None):
        self.peer, self.stream = peer, stream
        self.frames = Connection(role, [deflate] if deflate else [])
        self.message = []

    def send(self, message):
        """A message, or a list of its fragments."""
        fragments = message if isinstance(message, list) else [message]
        for at, data in enumerate(fragments):
            kind = TextMessage if isinstance(data, str) else BytesMessage
            self.put(self.frames.send(kind(data=data, message_finished=at == len(fragments) - 1)))

    def ping(self, payload):
        self.put(self.frames.send(Ping(payload)))

    def close(self, code, reason=""):
        self.put(self.frames.send(CloseConnection(code, reason)))

    def put(self, data, end=False):
        self.peer.send(self.stream, data, end)

    def end(self):
        self.put(b"", end=True)

    async def recv(self):
        """The next message, a pong, or the Close frame, which is answered."""
        while True:
            for event in self.frames.events():
                match event:
                    case TextMessage() | BytesMessage():
                        self.message.append(event.data)
                        if event.message_finished:
                            empty = "" if isinstance(event, TextMessage) else b""
                            message, self.message = empty.join(self.message), []
                            return message
                    case Ping():
                        self.put(self.frames.send(event.response()))
                    case Pong():
                        return event
                    case CloseConnection():
                        if self.frames.state.name == "REMOTE_CLOSING":
                            self.put(self.frames.send(event.response()))
                        return event
            self.frames.receive_data(bytes(await self.peer.get(self.stream)))

    async def ends(self):
        """How the stream ends, without more frames."""
        data, how = await self.peer.rest(self.stream)
        if data:
            raise AssertionError(f"{data!r:.100} before the end")
        return how


@asynccontextmanager
async def client(port, certificate):
    """A client that trusts this certificate."""
    configuration = QuicConfiguration(is_client=True, alpn_protocols=H3_ALPN, server_name="localhost")
    configuration.load_verify_locations(cafile=certificate)
    async with connect(HOST, port, configuration=configuration, create_protocol=Peer) as peer:
        yield peer


@asynccontextmanager
async def server(answer, allows_connect=True):
    """A server whose streams are each answered by `answer(peer, stream)`. Yields its port and its certificate."""
    tasks = []

    class Answering(Peer):
        def on_stream(self, stream):
            if stream % 4 == 0:
                tasks.append(asyncio.create_task(answer(self, stream)))

    Answering.allows_connect = allows_connect
    with TemporaryDirectory() as folder:
        certificate, key = f"{folder}/certificate.pem", f"{folder}/key.pem"
        write_certificate(certificate, key)
        configuration = QuicConfiguration(is_client=False, alpn_protocols=H3_ALPN)
        configuration.load_cert_chain(certificate, key)
        listener = await serve(HOST, 0, configuration=configuration, create_protocol=Answering)
        try:
            yield listener._transport.get_extra_info("sockname")[1], certificate
            for task in tasks:
                await task
        finally:
            for task in tasks:
                task.cancel()
            listener.close()


async def accept(peer, stream, deflate=None, **headers):
    """Accepts a request for a WebSocket, and returns it with the head of the request."""
    head = await peer.get(stream)
    response = [(b":status", b"200")]
    offer = head.get(b"sec-websocket-extensions")
    if deflate and offer:
        response.append((b"sec-websocket-extensions", f"permessage-deflate; {deflate.accept(offer.decode())}".encode()))
    response += [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    peer.send_head(stream, response)
    return WebSocket(peer, stream, ConnectionType.SERVER, deflate), head


def write_certificate(certificate, key):
    """A self-signed certificate for localhost, and its key."""
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a WebSocket test")])
    now = datetime.datetime.now(datetime.timezone.utc)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address(HOST))]
    builder = x509.CertificateBuilder(name, name, private.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - datetime.timedelta(hours=1)).not_valid_after(now + datetime.timedelta(days=1))
    signed = builder.add_extension(x509.SubjectAlternativeName(names), critical=False).sign(private, hashes.SHA256())
    with open(certificate, "wb") as file:
        file.write(signed.public_bytes(serialization.Encoding.PEM))
    with open(key, "wb") as file:
        pem = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        file.write(private.private_bytes(*pem))


def deflate():
    return PerMessageDeflate()
