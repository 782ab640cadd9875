"""Requests sent byte for byte over a socket, so that a test decides what a client library would decide for it."""

import json
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPResponse
from typing import Any
from urllib.parse import urlsplit

ANSWER_SECONDS_MAX = 30


@dataclass(frozen=True)
class Answer:
    """What came back; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def code(self) -> str:
        """The stable word of problem details (RFC 9457), empty where there are none."""
        if self.headers.get("content-type") != "application/problem+json":
            return ""
        problem: dict[str, Any] = json.loads(self.body)
        return str(problem["code"])


def head(method: str, path: str, headers: Mapping[str, str]) -> bytes:
    """The request line and the headers, with the empty line that ends them."""
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("ascii")


def chunk(part: bytes) -> bytes:
    """One chunk of a body that does not say its length (RFC 9112, section 7.1)."""
    return f"{len(part):x}\r\n".encode() + part + b"\r\n"


def exchange(origin: str, *parts: bytes) -> Answer:
    """Send the parts and read one answer."""
    where = urlsplit(origin)
    assert where.hostname
    with socket.create_connection((where.hostname, where.port or 80), ANSWER_SECONDS_MAX) as connection:
        with suppress(BrokenPipeError, ConnectionResetError):  # it may answer before it has everything, and hang up
            for part in parts:
                connection.sendall(part)
        with HTTPResponse(connection) as response:
            response.begin()
            headers = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, headers, response.read())
