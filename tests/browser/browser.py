"""Drives the example server's page in headless Chromium, by the WebDriver protocol: see `run`, which starts the servers.

    browser.py HOST:PORT HOST:PORT SCRATCH [--screenshots DIR]

The second server keeps the context of compression from message to message (`--context-takeover`).
"""

import base64
import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time

PATIENCE = 20
FLAGS = """
    --headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
    --disable-component-update --disable-sync --disable-dev-shm-usage --window-size=1100,760 --lang=en
""".split()
ENTER = "\ue007"
# Each message is compressed by itself.
ALONE = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
CHINESE = "你好,世界 👋🏽 🧑‍🚀"


class Failed(Exception):
    """An expectation that wasn't met."""


class Browser:
    """A session of chromedriver; `tab` makes the pages."""

    def __init__(self, scratch, **capabilities):
        self.driver = subprocess.Popen(["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.path = ""
        for line in self.driver.stdout:
            if port := re.search(rb"started successfully on port (\d+)", line):
                self.port = int(port[1])
                break
        else:
            raise Failed("chromedriver doesn't start")
        options = {
            "args": [*FLAGS, f"--user-data-dir={scratch}/profile"],
            "binary": "/usr/bin/chromium" if os.path.exists("/usr/bin/chromium") else "chromium",
        }
        wanted = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}, **capabilities}
        session = self.call("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        self.path = "/session/" + session["sessionId"]

    def call(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE * 2)
        with contextlib.closing(connection):
            connection.request(method, self.path + path, None if body is None else json.dumps(body))
            value = json.load(connection.getresponse())["value"]
        if isinstance(value, dict) and "error" in value:
            raise Failed(f"{path}: {value['error']}: {value.get('message')}")
        return value

    def devtools(self, command, **parameters):
        return self.call("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def tab(self, url, handle=None):
        handle = handle or self.call("POST", "/window/new", {"type": "tab"})["handle"]
        tab = Tab(self, handle)
        tab.call("POST", "/url", {"url": url})
        return tab

    def shoot(self, file):
        """A screenshot of the page that was used last."""
        with open(file, "wb") as png:
            png.write(base64.b64decode(self.devtools("Page.captureScreenshot", format="png")["data"]))

    def uncaught(self):
        """Uncaught errors of the pages, from the console."""
        log = self.call("POST", "/se/log", {"type": "browser"})
        return [entry["message"] for entry in log if entry["source"] in ("javascript", "security", "console-api")]

    def quit(self):
        with contextlib.suppress(Exception):
            if self.path:
                self.call("DELETE", "")
        self.driver.terminate()
        self.driver.wait()


class Tab:
    """A page, and the actions of its user."""

    def __init__(self, browser, handle):
        self.browser, self.handle, self.seen = browser, handle, 0

    def call(self, *args):
        self.browser.call("POST", "/window", {"handle": self.handle})
        return self.browser.call(*args)

    def run(self, script, *args):
        return self.call("POST", "/execute/sync", {"script": script, "args": args})

    def element(self, selector):
        (element,) = self.call("POST", "/element", {"using": "css selector", "value": selector}).values()
        return f"/element/{element}"

    def click(self, selector):
        self.call("POST", self.element(selector) + "/click", {})

    def press(self, selector, keys):
        self.call("POST", self.element(selector) + "/value", {"text": keys})

    def fill(self, selector, text):
        """Replaces the text, as an input method does: chromedriver's own keys have no emoji."""
        self.run("let e = document.querySelector(arguments[0]); e.focus(); e.select()", selector)
        if text:
            self.browser.devtools("Input.insertText", text=text)
        else:
            self.press(selector, "\ue017")

    def say(self, text):
        self.fill("#message", text)
        self.press("#message", ENTER)

    def connect(self, address, subprotocols=""):
        self.fill("#address", address)
        self.fill("#subprotocols", subprotocols)
        self.click("#connect .main")

    def close(self, code, reason):
        self.fill("#code", code)
        self.fill("#reason", reason)
        self.click("#close button")

    def log(self):
        return self.run(
            "return [...document.querySelectorAll('#log > *')].map(row => "
            "[row.className, row.querySelector('b') ? row.querySelector('b').textContent + ' ' "
            "+ row.querySelector('p').textContent : row.querySelector('p').textContent])"
        )

    def sees(self, kind, text):
        """Waits for a row of that kind whose text is or matches `text`; rows before the last one seen don't count."""
        def look():
            for place, (name, shown) in enumerate(self.log()[self.seen:], self.seen):
                if kind == name.removeprefix("event ") and (
                    text.fullmatch(shown) if isinstance(text, re.Pattern) else text == shown
                ):
                    self.seen = place + 1
                    return [shown]
            return None
        return until(look, lambda: f"no {kind} row {text!r} in {self.log()[self.seen:]}")[0]

    def is_in(self, state):
        until(lambda: self.run("return document.querySelector('#state').value") == state, lambda: f"not {state}")


def until(look, otherwise):
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.03)
    raise Failed(otherwise())


def check(actual, expected):
    if actual != expected:
        raise Failed(f"{actual!r} is not {expected!r}")


@contextlib.contextmanager
def refusing():
    """A server that answers every request with 403."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        def serve():
            with contextlib.suppress(OSError):
                while True:
                    client, _ = listener.accept()
                    with client:
                        client.recv(65536)
                        client.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        threading.Thread(target=serve, daemon=True).start()
        yield "ws://{}:{}/".format(*listener.getsockname())


@contextlib.contextmanager
def counting(host):
    """An address that forwards to that one, and the number of bytes in each direction."""
    counts = [0, 0]

    def pump(source, target, direction):
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                counts[direction] += len(data)
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        def serve():
            with contextlib.suppress(OSError):
                while True:
                    near, _ = listener.accept()
                    name, port = host.split(":")
                    far = socket.create_connection((name, int(port)))
                    for args in (near, far, 0), (far, near, 1):
                        threading.Thread(target=pump, args=args, daemon=True).start()
        threading.Thread(target=serve, daemon=True).start()
        yield "{}:{}".format(*listener.getsockname()), counts


def deserted():
    """An address where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return "ws://{}:{}/".format(*listener.getsockname())


STEPS = []


def step(function):
    STEPS.append(function)
    return function


# Two pages: `one` stays in the chat, `two` leaves it and tests the rest.


@step
def a_page_opens_and_joins_the_chat(one, host, **_):
    check(one.run("return [location.protocol, document.title, document.querySelector('#address').value]"),
          ["http:", "WebSocket chat", f"ws://{host}/chat"])
    one.sees("connecting", f"Connecting to ws://{host}/chat")
    one.sees("open", "Open no subprotocol")
    one.sees("received", re.compile(r"\* guest-\d+ joined, 1 here"))
    one.is_in("open")


@step
def it_needs_nothing_from_elsewhere(one, **_):
    check(one.run("return performance.getEntriesByType('resource').map(entry => entry.name)"), [])


@step
def a_second_page_joins_and_both_see_it(one, two, url, **_):
    two.call("POST", "/url", {"url": url})
    two.name = re.search(r"guest-\d+", two.sees("received", re.compile(r"\* guest-\d+ joined, 2 here")))[0]
    one.sees("received", f"* {two.name} joined, 2 here")


@step
def each_sees_what_the_other_says(one, two, **_):
    one.say(CHINESE)
    one.sees("sent", CHINESE)
    one.name = two.sees("received", re.compile(rf"guest-\d+: {CHINESE}")).split(":")[0]
    two.say("Grüß dich! 😀")
    one.sees("received", f"{two.name}: Grüß dich! 😀")


@step
def markup_stays_text(one, two, **_):
    text = "<img src=x onerror=alert(1)> <b>&amp;</b>\nsecond line"
    one.fill("#message", text)
    one.click("#send .main")
    two.sees("received", f"{one.name}: {text}")
    check(two.run("return document.querySelectorAll('#log img, #log p b').length"), 0)


@step
def binary_is_pushed_to_all(one, two, **_):
    two.run("document.querySelector('#kind').value = 'binary'")
    two.say("00 FFc0ee")
    one.sees("received binary", "00 ff c0 ee")
    two.sees("received binary", "00 ff c0 ee")


@step
def mistakes_are_shown_and_change_nothing(one, two, **_):
    two.say("c0 f")
    two.sees("error", "Not sent enter pairs of hex digits, such as c0 ff ee")
    two.run("document.querySelector('#kind').value = 'text'")
    two.close("999", "")
    two.sees("error", re.compile("Close InvalidAccessError: .*"))
    two.close("3000", "too long " * 14)
    two.sees("error", re.compile("Close SyntaxError: .*"))
    two.is_in("open")


@step
def closing_is_clean_with_code_and_reason(one, two, scratch, **_):
    two.close("3001", "再见 👋")
    # The reason is the server's, if it has one; the server's log has the one that was sent.
    two.sees("closed", re.compile("Closed code 3001, .*, wasClean true"))
    two.is_in("closed")
    one.sees("received", f"* {two.name} left, 1 here")
    with open(f"{scratch}/server", encoding="utf-8") as log:
        check(any(line.startswith(f"{two.name} closed with 3001") and "再见 👋" in line for line in log), True)


@step
def nothing_is_sent_once_closed(two, **_):
    two.say("anybody?")
    two.sees("error", "Not sent the connection is closed; connect again first")
    check(two.run("return document.querySelector('#message').value"), "anybody?")


@step
def a_subprotocol_is_chosen(two, host, **_):
    two.connect(f"ws://{host}/", "unheard-of, echo")
    two.sees("open", "Open subprotocol echo")


@step
def text_and_binary_are_echoed(two, scratch, **_):
    two.say(CHINESE)
    two.sees("received", CHINESE)
    two.say("")
    two.sees("received", "")
    with open(f"{scratch}/file", "wb") as file:
        file.write(bytes(range(256)))
    two.press("#file", f"{scratch}/file")
    two.sees("received binary", bytes(range(256)).hex(" "))


@step
def a_mebibyte_is_echoed(two, **_):
    unit, times = "0123456789 a世!", 1 << 16
    two.run("document.querySelector('#message').value = arguments[0].repeat(arguments[1])", unit, times)
    two.click("#send .main")
    two.sees("received", (unit * times)[:1000] + "…")
    same = "return fetch(document.querySelector('#log > :last-child a').href).then(saved => saved.text())" \
        ".then(text => [text === arguments[0].repeat(arguments[1]), new TextEncoder().encode(text).length])"
    check(two.run(same, unit, times), [True, 1 << 20])


# A script for a page, which sends messages on a socket and waits for the answers.
TALK = """
    const [url, done] = [arguments[0], arguments[arguments.length - 1]];
    const socket = new WebSocket(url);
    socket.binaryType = "arraybuffer";
    const heard = [], waiting = [];
    socket.onmessage = ({data}) => waiting.length ? waiting.shift()(data) : heard.push(data);
    socket.onclose = ({code}) => done({error: `closed with ${code}`});
    const hear = () => heard.length ? heard.shift() : new Promise(resolve => waiting.push(resolve));
    const same = (one, other) => typeof one == "string" ? one === other
        : one.byteLength === other.byteLength && new Uint8Array(one).every((byte, at) => byte === new Uint8Array(other)[at]);
    const echo = async message => {
        socket.send(message);
        if (!same(message, await hear())) throw `another echo than ${message.length ?? message.byteLength}`;
    };
    const random = length => {
        const bytes = new Uint8Array(length);
        for (let at = 0; at < length; at += 65536) crypto.getRandomValues(bytes.subarray(at, at + 65536));
        return bytes.buffer;
    };
    const record = id => JSON.stringify({id, name: "客户 " + id % 7, mood: "🙂", at: id * 1.5, city: "上海", paid: true});
    const KIB = 1024, MIB = KIB * KIB;
    socket.onopen = async () => {
        const said = await talk().catch(error => ({error: String(error)}));
        socket.onclose = () => done(said);
        socket.close();
    };
    const talk = async () => { SCRIPT };
"""


def talk(tab, url, script):
    tab.call("POST", "/timeouts", {"script": PATIENCE * 1000})
    result = tab.call("POST", "/execute/async", {"script": TALK.replace("SCRIPT", script), "args": [url]})
    if isinstance(result, dict) and "error" in result:
        raise Failed(result["error"])
    return result


@step
def the_browser_negotiates_compression(two, host, sharing, **_):
    check(talk(two, f"ws://{host}/", "return socket.extensions"), ALONE)
    check(talk(two, f"ws://{sharing}/", "return socket.extensions"), "permessage-deflate")


@step
def everything_is_echoed_compressed(two, host, **_):
    check(talk(two, f"ws://{host}/", """
        const text = "中文压缩测试 👋🏽 再见 🧑‍🚀, ";
        for (const times of [0, 1, 4, 2000, 150_000]) await echo(text.repeat(times));
        await echo(JSON.stringify(Array.from({length: 50_000}, (_, id) => record(id))));
        for (const length of [0, 1, 125, 126, 64 * KIB, MIB, 5 * MIB]) {
            await echo(new ArrayBuffer(length));
            await echo(random(length));
        }
        return socket.extensions;
    """), ALONE)


@step
def many_messages_share_a_context(two, sharing, **_):
    with counting(sharing) as (address, counts):
        count = talk(two, f"ws://{address}/", """
            const said = Array.from({length: 5_000}, (_, id) => id % 50 ? record(id) : random(100 + id));
            for (const message of said) socket.send(message);
            for (const message of said) if (!same(message, await hear())) throw "another echo";
            return said.reduce((sum, message) => sum + (message.byteLength || new Blob([message]).size), 0);
        """)
        for sent in counts:
            if not sent < 0.75 * count:
                raise Failed(f"{counts} bytes went over the wire for {count}")


@step
def the_chat_is_compressed(one, host, **_):
    with counting(host) as (address, counts):
        # The chat is for pages of its own origin.
        page = one.browser.tab(f"http://{address}/none")
        heard = talk(page, f"ws://{address}/chat", """
            await hear();
            const text = "大家好，今天天气真好 🌳 ".repeat(20_000);
            for (const message of [text, record(1), "short", new ArrayBuffer(5 * MIB), text]) {
                socket.send(message);
                const said = await hear();
                if (!(said instanceof ArrayBuffer ? same(message, said) : said.endsWith(": " + message))) throw "another";
            }
            return socket.extensions;
        """)
        page.call("DELETE", "/window")
        check(heard, ALONE)
        if max(counts) > 100_000:
            raise Failed(f"{counts} bytes went over the wire")
    one.sees("received", re.compile(r"\* guest-\d+ joined, 2 here"))
    one.sees("received", re.compile(r"guest-\d+: " + "大家好，今天天气真好 🌳 " * 20 + ".*…"))
    one.sees("received", re.compile(r"\* guest-\d+ left, 1 here"))


@step
def closing_without_a_code_is_1005(two, **_):
    two.close("", "")
    two.sees("closed", "Closed code 1005, no reason, wasClean true")


@step
def a_subprotocol_nobody_speaks_fails(two, host, **_):
    two.connect(f"ws://{host}/echo", "unheard-of")
    two.sees("error", re.compile("Error .*"))
    two.sees("closed", "Closed code 1006, no reason, wasClean false")


@step
def a_refusal_is_an_error_and_1006(two, **_):
    with refusing() as address:
        for address in address, deserted():
            two.connect(address)
            two.sees("error", re.compile("Error .*"))
            two.sees("closed", "Closed code 1006, no reason, wasClean false")
            two.is_in("closed")


@step
def an_impossible_address_is_shown(two, **_):
    two.connect("ws://[nowhere")
    two.sees("error", re.compile("Connect SyntaxError: .*"))
    two.is_in("closed")


@step
def a_page_that_is_left_leaves_the_chat(one, two, host, **_):
    two.connect(f"ws://{host}/chat", "chat")
    two.sees("open", "Open subprotocol chat")
    joined = one.sees("received", re.compile(r"\* guest-\d+ joined, 2 here"))
    two.call("POST", "/url", {"url": "about:blank"})
    one.sees("received", joined.replace("joined, 2", "left, 1"))


@step
def it_fits_a_phone(one, **_):
    with phone(one):
        check(one.run("return [innerWidth, document.documentElement.scrollWidth, document.body.scrollHeight]"),
              [360, 360, 740])


@step
def no_exception_was_left_uncaught(browser, **_):
    check(browser.uncaught(), [])


@contextlib.contextmanager
def phone(tab, width=360, height=740):
    tab.call("GET", "/url")
    size = {"width": width, "height": height, "deviceScaleFactor": 2, "mobile": True}
    tab.browser.devtools("Emulation.setDeviceMetricsOverride", **size)
    yield
    tab.browser.devtools("Emulation.clearDeviceMetricsOverride")


def take_screenshots(browser, url, folder):
    """A chat of two and further pages, on a desktop and on a phone, in light and dark colours."""
    one, two = browser.tab(url), browser.tab(url)
    one.sees("received", re.compile(".*2 here"))
    two.say("Hello! Who is there?")
    one.say(CHINESE)
    two.sees("received", re.compile(f".*{CHINESE}"))
    two.say("今天天气真好,我们去公园散步吧。Such fine weather, let us go for a walk in the park 🌳")
    one.run("document.querySelector('#kind').value = 'binary'")
    one.say("c0 ff ee 00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f")
    one.run("document.querySelector('#kind').value = 'text'")
    one.sees("received binary", re.compile(".*"))
    one.close("999", "")
    two.close("3001", "再见 👋")
    one.sees("received", re.compile(".*left.*"))
    one.fill("#message", "Bye, ")

    def shoot(name):
        for theme in "light", "dark":
            browser.devtools("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}])
            browser.shoot(os.path.join(folder, f"{name}-{theme}.png"))

    def shoot_both(name, tab):
        tab.call("GET", "/url")
        shoot(f"desktop-{name}")
        with phone(tab):
            tab.run("document.querySelector('#log').scrollTop = 1e9")
            shoot(f"phone-{name}")
            tab.click("summary")
            shoot(f"phone-{name}-settings")

    shoot_both("open", one)
    shoot_both("closed", two)


def main():
    host, sharing, scratch, *rest = sys.argv[1:]
    url = f"http://{host}/"
    browser = Browser(scratch)
    try:
        one = browser.tab(url, browser.call("GET", "/window"))
        two = browser.tab("about:blank")
        known = {"browser": browser, "one": one, "two": two, "host": host, "sharing": sharing, "url": url, "scratch": scratch}
        for try_it in STEPS:
            name = try_it.__name__.replace("_", " ")
            try:
                try_it(**known)
            except Failed as failed:
                sys.exit(f"browser: failed: {name}: {failed}")
            print(f"browser: {name}", flush=True)
        print(f"browser: {len(STEPS)} steps passed", flush=True)
        if rest:
            take_screenshots(browser, url, rest[1])
    finally:
        browser.quit()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("browser: stopped"))
    main()
