"""A server on this computer that misbehaves as its address asks: `/stall/file` stalls."""

from __future__ import annotations

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from pytest_tinytorch.datasets.remote import Remote
from pytest_tinytorch.datasets.transfer import Patience

HASTE = Patience(connect=2.0, stall=0.5, pauses=(0.0, 0.0))


class Mirrors(ThreadingHTTPServer):
    """Mirrors of one file; `asked` holds how each request began, with its Range."""

    daemon_threads = True

    def __init__(self, payload: bytes) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.payload = payload
        self.asked: list[tuple[str, str | None]] = []
        self.over = threading.Event()

    def url(self, behaviour: str) -> str:
        """The address of the mirror that behaves so."""
        return f"http://127.0.0.1:{self.server_address[1]}/{behaviour}/"

    def remote(self, *behaviours: str) -> Remote:
        """The file, with mirrors that behave so."""
        return Remote(
            name="Numbers",
            folder="numbers",
            file="numbers.bin",
            sha256=hashlib.sha256(self.payload).hexdigest(),
            size=len(self.payload),
            mirrors=tuple(self.url(behaviour) for behaviour in behaviours),
        )

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away is part of the game."""


class Answer(BaseHTTPRequestHandler):
    """One answer; the first part of the path names the method that gives it."""

    server: Mirrors

    def do_GET(self) -> None:
        """Answer as the address asks."""
        behaviour = self.path.split("/")[1]
        self.server.asked.append((behaviour, self.headers["Range"]))
        if behaviour.isdigit():
            self.send_error(int(behaviour))
        else:
            getattr(self, behaviour)()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- http.server's name
        """Keep quiet."""

    def begin(self, status: int = 200, length: int | None = None, **headers: str) -> None:
        """Send the head of an answer."""
        self.send_response(status)
        if length is not None:
            self.send_header("Content-Length", str(length))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def rest(self, body: bytes, upto: int | None = None) -> None:
        """The body from where the request asks, cut off at `upto`."""
        start = int((self.headers["Range"] or "bytes=0-")[len("bytes=") : -1])
        if start:
            self.begin(206, len(body) - start, Content_Range=f"bytes {start}-{len(body) - 1}/{len(body)}")
        else:
            self.begin(200, len(body))
        self.wfile.write(body[start:upto])

    def good(self) -> None:
        """The file, or the part that is asked for."""
        self.rest(self.server.payload)

    def slow(self) -> None:
        """The file, after a while."""
        self.server.over.wait(0.5)
        self.good()

    def plain(self) -> None:
        """Knows nothing of ranges."""
        self.begin(200, len(self.server.payload))
        self.wfile.write(self.server.payload)

    def cut(self) -> None:
        """Goes away after two thirds of the file."""
        self.rest(self.server.payload, len(self.server.payload) * 2 // 3)

    def stall(self) -> None:
        """Sends two thirds of the file and then nothing."""
        self.cut()
        self.wfile.flush()
        self.server.over.wait(30)

    def mute(self) -> None:
        """Says nothing at all."""
        self.server.over.wait(30)

    def corrupt(self) -> None:
        """One bit is wrong."""
        body = bytearray(self.server.payload)
        body[10] ^= 1
        self.rest(bytes(body))

    def corruptcut(self) -> None:
        """Goes away after two thirds of a wrong file."""
        self.rest(self.server.payload[::-1], len(self.server.payload) * 2 // 3)

    def page(self) -> None:
        """What a hotel's network answers to everything."""
        body = b"<html>Please log in</html>"
        self.begin(200, len(body), Content_Type="text/html")
        self.wfile.write(body)

    def endless(self) -> None:
        """More than there should be, of a length that is not said."""
        self.begin(200)
        self.wfile.write(self.server.payload * 2)

    def strangerange(self) -> None:
        """Another part than the one asked for."""
        if not self.headers["Range"]:
            return self.cut()
        size = len(self.server.payload)
        self.begin(206, 5, Content_Range=f"bytes 0-4/{size}")
        self.wfile.write(self.server.payload[:5])
        return None

    def redirect(self) -> None:
        """Knows who has the file."""
        self.begin(302, 0, Location="/good/numbers.bin")

    def circle(self) -> None:
        """Sends whoever asks back to itself."""
        self.begin(302, 0, Location=self.path)

    def onceill(self) -> None:
        """Is overloaded the first time."""
        if len(self.server.asked) == 1:
            return self.send_error(503)
        return self.good()
