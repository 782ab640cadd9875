"""A server of somebody else's, small but real: it serves its actors, keeps the letters it gets, and can sign some."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from activitypub.keys import PrivateKey, SigningKey, generate_rsa
from tests.inbox.world import actor_document


class Elsewhere:
    """``asked`` are the paths fetched from it, ``received`` the letters posted to it, both in the order they came."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.received: list[dict[str, Any]] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(self))

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    @property
    def board(self) -> str:
        return f"{self.origin}/groups/board"

    def person(self, handle: str) -> str:
        return f"{self.origin}/users/{handle}"

    def key(self, actor: str) -> SigningKey:
        """The key of an actor here; all of them share one pair, as making RSA keys is slow."""
        return SigningKey(f"{actor}#main-key", actor, self._private)

    def document(self, path: str) -> dict[str, Any] | None:
        """The document of whoever lives at the path: a board or any person."""
        kind = {"groups": "Group", "users": "Person"}.get(path.split("/")[1])
        actor = f"{self.origin}{path}"
        return actor_document(actor, self.key(actor), type=kind) if kind else None

    @cached_property
    def _private(self) -> PrivateKey:
        return generate_rsa()


@contextmanager
def elsewhere() -> Iterator[Elsewhere]:
    """Such a server on a free port of 127.0.0.1, for as long as the block."""
    made = Elsewhere()
    thread = Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield made
    finally:
        made.server.shutdown()
        thread.join()
        made.server.server_close()


def _handler_of(place: Elsewhere) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            place.asked.append(self.path)
            document = place.document(self.path)
            self._answer(404 if document is None else 200, json.dumps(document).encode())

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            place.received.append(json.loads(body))
            self._answer(202, b"")

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("content-type", "application/activity+json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the library names it
            """Say nothing: what came in is in the lists."""

    return Handler
