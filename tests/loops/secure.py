"""Servers over TLS, whose certificate clients are given."""

import ssl
from contextlib import asynccontextmanager
from tempfile import TemporaryDirectory

from serving import serving


@asynccontextmanager
async def serving_securely(*command):
    """Starts a server over TLS; `server.file` has the certificate that it has made, which `server.ssl` trusts."""
    with TemporaryDirectory() as folder:
        file = f"{folder}/certificate.pem"
        async with serving(*command, "--certificate", file, scheme="wss") as server:
            server.file, server.ssl = file, ssl.create_default_context(cafile=file)
            yield server


def asked_securely(check, *command):
    """A check with a server of its own."""

    async def with_server():
        async with serving_securely(*command) as server:
            await check(server)

    return f"{check.__name__.replace('_', ' ')}, over TLS", with_server
