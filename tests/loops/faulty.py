"""A client on a blocking socket that does what others don't: half of a request, any bytes for a frame, an end anywhere.

It masks with a key of zeros, so that what is sent can be read here as it is.
"""

import socket
import ssl
import struct
import time

from harness import HOST

# Seconds to wait for an answer that is due at once: more means that it never comes.
PATIENCE = 10

REQUEST = (
    "GET {} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)

TEXT, BINARY, CLOSE, PING, PONG = 0x81, 0x82, 0x88, 0x89, 0x8A

# 1000, and an unmasked frame, which a server must refuse.
NORMAL, GOING_AWAY = b"\x03\xe8", b"\x03\xe9"
BAD_FRAME = b"\x81\x00"


class Fault(AssertionError):
    """Wrong behaviour of a server: the observation, and the bound."""


def request(path="/echo"):
    return REQUEST.format(path).encode()


def frame(first, payload=b""):
    length = len(payload)
    if length < 126:
        header = struct.pack(">BB", first, 0x80 | length)
    elif length < 1 << 16:
        header = struct.pack(">BBH", first, 0xFE, length)
    else:
        header = struct.pack(">BBQ", first, 0xFF, length)
    return header + bytes(4) + payload


class Client:
    """A connection over TCP, or over TLS if the server has a certificate.

    Nothing here waits for the handshake of TLS by itself: it goes on whenever something is received, and what is sent
    before it is done waits for it. So also a server that doesn't answer can be asked.
    """

    def __init__(self, server, receive_buffer=None, secure=True):
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(PATIENCE)
        self.socket.connect((HOST, server.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # Bytes that have arrived and aren't consumed yet; bytes that wait to be sent.
        self.received, self.unsent = bytearray(), bytearray()
        self.has_ended = False
        self.tls = None
        if server.ssl and secure:
            self.incoming, self.outgoing, self.early = ssl.MemoryBIO(), ssl.MemoryBIO(), b""
            self.tls = server.ssl.wrap_bio(self.incoming, self.outgoing, server_hostname=HOST)
            self.shake_hands()
            self.push()

    # Sending.

    def send(self, data):
        self.unsent += self.seal(data)
        self.push()

    def push(self):
        """Sends waiting bytes, if the socket doesn't block only as many as it accepts. Returns whether all were sent."""
        try:
            while self.unsent:
                sent = self.socket.send(memoryview(self.unsent)[: 1 << 18])
                del self.unsent[:sent]
        except BlockingIOError:
            return False
        return True

    def send_and_end(self, data):
        """Sends data and the end of the stream in one packet."""
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
        self.send(data)
        self.end()

    def end(self):
        """Sends the end of the stream."""
        if self.tls and self.is_secured:
            try:
                self.tls.unwrap()
            except ssl.SSLWantReadError:
                pass
            self.unsent += self.outgoing.read()
            self.push()
        self.socket.shutdown(socket.SHUT_WR)

    def close(self):
        self.socket.close()

    def reset(self):
        """Closes with a reset, like a process that dies with unread bytes."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    # Receiving.

    def receive(self, size=1 << 16):
        """Receives once. Returns the number of bytes, 0 at the end of the stream."""
        try:
            data = self.socket.recv(size)
        except ConnectionError:
            data = b""
        self.has_ended = self.has_ended or not data
        self.feed(data)
        return 0 if self.has_ended else len(data)

    def head(self):
        """The head of the response."""
        while b"\r\n\r\n" not in self.received:
            if self.has_ended:
                raise Fault(f"the connection ended before its response, after {bytes(self.received)!r:.100}")
            self.receive()
        head, _, rest = self.received.partition(b"\r\n\r\n")
        self.received = rest
        return bytes(head)

    def take_frame(self):
        """The next frame if it has arrived: its first byte and its payload."""
        if len(self.received) < 2:
            return None
        first, length, at = self.received[0], self.received[1], 2
        if length > 125:
            at = 4 if length == 126 else 10
            length = int.from_bytes(self.received[2:at])
        if len(self.received) < at + length:
            return None
        payload = bytes(memoryview(self.received)[at : at + length])
        del self.received[: at + length]
        return first, payload

    def frame(self, seconds=PATIENCE):
        """The next frame; `None` at the end of the stream."""
        until = time.monotonic() + seconds
        while not (found := self.take_frame()):
            if self.has_ended:
                return None
            self.socket.settimeout(max(until - time.monotonic(), 0.001))
            try:
                self.receive()
            except TimeoutError:
                raise Fault(f"no frame came within {seconds} s") from None
            finally:
                self.socket.settimeout(PATIENCE)
        return found

    def ends_within(self, seconds):
        """Reads until the end of the stream; `None` if that takes longer, or the seconds that it took."""
        start = time.monotonic()
        while not self.has_ended:
            left = start + seconds - time.monotonic()
            if left <= 0:
                return None
            self.socket.settimeout(left)
            try:
                self.receive()
            except TimeoutError:
                return None
        return time.monotonic() - start

    # Ordinary behaviour.

    def open(self, path="/echo"):
        """Opens a WebSocket."""
        self.send(request(path))
        head = self.head()
        if not head.startswith(b"HTTP/1.1 101 "):
            raise Fault(f"the server answered {head!r:.100} to a valid request")
        return self

    def echo(self, payload=b"hello"):
        """Waits for the echo of a message. Returns the seconds that it took."""
        start = time.monotonic()
        self.send(frame(BINARY, payload))
        while (found := self.frame()) and found[0] == PING:
            self.send(frame(PONG, found[1]))
        if found != (BINARY, payload):
            raise Fault(f"{found!r:.100} arrived, not the echo" if found else "the connection ended instead of an echo")
        return time.monotonic() - start

    def leave(self):
        """Closes properly."""
        self.send(frame(CLOSE, NORMAL))
        while (found := self.frame()) and found[0] != CLOSE:
            pass
        self.close()
        if found != (CLOSE, NORMAL):
            raise Fault(f"{found} arrived instead of the answer to a Close frame")

    # TLS.

    @property
    def is_secured(self):
        return self.early is None

    def wait_for_tls(self):
        while self.tls and not self.is_secured:
            if not self.receive():
                raise Fault("the connection ended during the TLS handshake")

    def seal(self, data):
        if not self.tls:
            return data
        if not self.is_secured:
            self.early += data
            return b""
        view = memoryview(data)
        while view:
            view = view[self.tls.write(view) :]
        return self.outgoing.read()

    def feed(self, data):
        """Consumes the bytes that the socket has received."""
        if not self.tls:
            self.received += data
            return
        self.incoming.write(data)
        if not self.is_secured:
            self.shake_hands()
            self.push()
        try:
            while self.is_secured and (plain := self.tls.read(1 << 16)):
                self.received += plain
            self.has_ended = self.has_ended or self.is_secured
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            self.has_ended = True

    def shake_hands(self):
        try:
            self.tls.do_handshake()
            early, self.early = self.early, None
            self.unsent += self.outgoing.read() + self.seal(early)
        except ssl.SSLWantReadError:
            self.unsent += self.outgoing.read()
