"""The chat page in headless Chromium over every transport that a browser has: see `transports`, which builds the servers.

    transports.py FOLDER SCRATCH [--screenshots DIR]
"""

import contextlib
import os
import re
import signal
import subprocess
import sys

from browser import CHINESE, Browser, Failed, check, phone, until

ENGLISH = "Such fine weather, let us go for a walk in the park! 🌳"
BOTH = "今天天气真好,我们去公园散步吧。Shall we? 🚶🏽‍♀️"


class Transport:
    """A running server, with the transports of its pages and sockets."""

    def __init__(self, name, page, said, *command):
        self.name, self.page, self.said, self.command = name, page, said, command

    @contextlib.contextmanager
    def serving(self, scratch):
        self.file = f"{scratch}/{self.name}"
        with open(self.file, "w") as log:
            server = subprocess.Popen(self.command, stdout=log, stderr=subprocess.STDOUT)
        try:
            self.url = until(lambda: re.search(r"https?://\S+:\d+/", self.log()), lambda: "the server doesn't listen")[0]
            yield
            server.terminate()
            check(server.wait(20), 0)
        finally:
            server.kill()
            server.wait()

    def log(self):
        with open(self.file, encoding="utf-8") as log:
            return log.read()


def chat(browser, transport, folder):
    """Two pages join and exchange messages, and one of them leaves. Returns the one that stays."""
    one = browser.tab(transport.url)
    check(one.run("return performance.getEntriesByType('navigation')[0].nextHopProtocol"), transport.page)
    address = one.run("return document.querySelector('#address').value")
    check(address, transport.url.replace("http", "ws", 1) + "chat")
    one.sees("open", re.compile("Open .*"))
    one.sees("received", re.compile(r"\* guest-\d+ joined, 1 here"))
    two = browser.tab(transport.url)
    two.sees("received", re.compile(r"\* guest-\d+ joined, 2 here"))

    one.say(CHINESE)
    two.sees("received", re.compile(f"guest-\\d+: {re.escape(CHINESE)}"))
    two.say(ENGLISH)
    one.sees("received", re.compile(f"guest-\\d+: {re.escape(ENGLISH)}"))
    one.say(BOTH)
    two.sees("received", re.compile(f"guest-\\d+: {re.escape(BOTH)}"))
    if folder:
        take_screenshots(browser, one, folder, f"{transport.name}-open")

    two.close("3001", "再见 👋")
    two.sees("closed", re.compile("Closed code 3001, .*, wasClean true"))
    one.sees("received", re.compile(r"\* guest-\d+ left, 1 here"))
    if transport.said:
        check(transport.log().count(transport.said), 2)
    return one, two


def the_server_stops(one, two, browser, transport, folder):
    one.sees("closed", re.compile("Closed code 1001, reason “.*”, wasClean true"))
    one.is_in("closed")
    if folder:
        take_screenshots(browser, one, folder, f"{transport.name}-stopped")


def take_screenshots(browser, tab, folder, name):
    def shoot(name):
        for theme in "light", "dark":
            browser.devtools("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}])
            browser.shoot(os.path.join(folder, f"{name}-{theme}.png"))

    tab.call("GET", "/url")
    shoot(f"desktop-{name}")
    with phone(tab, 390, 844):
        check(tab.run("return document.documentElement.scrollWidth"), 390)
        tab.run("document.querySelector('#log').scrollTop = 1e9")
        shoot(f"phone-{name}")


def main():
    programs, scratch, *rest = sys.argv[1:]
    folder = rest[1] if rest else None
    hyper, certificate = f"{programs}/example-hyper", f"{scratch}/certificate.pem"
    transports = [
        Transport("ws", "http/1.1", "HTTP/1.1 GET /chat", hyper, "127.0.0.1:0"),
        Transport("wss", "http/1.1", None, f"{programs}/example-tls", "127.0.0.1:0"),
        # A browser with an HTTP/2 connection to the server opens a stream of it.
        Transport("http2", "h2", "HTTP/2.0 CONNECT /chat", hyper, "127.0.0.1:0", "--certificate", certificate),
    ]
    # The servers' certificates are self-signed.
    browser = Browser(scratch, acceptInsecureCerts=True)
    try:
        for transport in transports:
            try:
                with transport.serving(scratch):
                    tabs = chat(browser, transport, folder)
                the_server_stops(*tabs, browser, transport, folder)
                check(browser.uncaught(), [])
            except Failed as failed:
                sys.exit(f"transports: failed: {transport.name}: {failed}\n{transport.log()}")
            how = f", of which the server says: {transport.said}" if transport.said else ""
            print(f"transports: {transport.name}: page over {transport.page}{how}", flush=True)
        print(f"transports: {len(transports)} transports passed", flush=True)
    finally:
        browser.quit()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("transports: stopped"))
    main()
