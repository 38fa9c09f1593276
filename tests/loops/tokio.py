"""The server on tokio: `tokio.py FOLDER`, where its program is."""

import sys

from serving import ALL, asked, run

server = [f"{sys.argv[1]}/example-tokio", "127.0.0.1:0"]
run("tokio", [asked(check, *server) for check in ALL])
