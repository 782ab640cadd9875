"""A bad network in front of a neighbourhood: requests are lost, repeated, delayed, and answers do not come back."""

import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from socketserver import BaseRequestHandler, ThreadingTCPServer

WAIT_SECONDS_MAX = 10
DELAY_SECONDS_MAX = 0.4
HEAD_END = b"\r\n\r\n"
FATES = {"passes": 80, "is late": 8, "is lost": 4, "comes twice": 4, "has no answer": 4}


class Proxy(ThreadingTCPServer):
    """Listens at a neighbourhood's address and passes requests on, one for each connection, to one of its servers."""

    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, port: int, backends: Sequence[int], chance: random.Random) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.backends = backends
        self.chance = chance
        self.is_bad = False
        self.fates: Counter[str] = Counter()
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()

    def fate(self) -> str:
        """What becomes of the next request."""
        chosen = self.chance.choices(list(FATES), list(FATES.values()))[0] if self.is_bad else "passes"
        self.fates[chosen] += 1
        return chosen

    def close(self) -> None:
        """Listen no more, and wait until every connection is closed."""
        self.shutdown()
        self.server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        """A connection that breaks is what this is for."""


class _Handler(BaseRequestHandler):
    server: Proxy

    def handle(self) -> None:
        asked = _read_request(self.request)
        if not asked:
            return
        fate = self.server.fate()
        if fate == "is late":
            time.sleep(self.server.chance.uniform(0, DELAY_SECONDS_MAX))
        if fate == "is lost":
            return
        answer = self._ask(asked)
        if fate == "comes twice":
            self._ask(asked)
        if fate != "has no answer":
            self.request.sendall(answer)

    def _ask(self, asked: bytes) -> bytes:
        """The answer of a server that is up; nothing, as when the connection breaks, where none is."""
        for port in self.server.chance.sample(self.server.backends, len(self.server.backends)):
            try:
                opened = socket.create_connection(("127.0.0.1", port), timeout=WAIT_SECONDS_MAX)
            except OSError:
                continue
            with opened, suppress(OSError):
                opened.sendall(asked)
                return _read_all(opened)
        return b""


def _read_request(connection: socket.socket) -> bytes:
    """One whole request, which asks that its connection be closed afterwards."""
    connection.settimeout(WAIT_SECONDS_MAX)
    read = b""
    while HEAD_END not in read:
        more = connection.recv(65536)
        if not more:
            return b""
        read += more
    head, _, body = read.partition(HEAD_END)
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"connection:")]
    sizes = [int(line.partition(b":")[2]) for line in lines if line.lower().startswith(b"content-length:")]
    while len(body) < sum(sizes):
        more = connection.recv(65536)
        if not more:
            return b""
        body += more
    return b"\r\n".join([*lines, b"Connection: close"]) + HEAD_END + body


def _read_all(connection: socket.socket) -> bytes:
    read = b""
    while more := connection.recv(65536):
        read += more
    return read
