"""The limits: uvicorn with an application that does only what no server of this kind can leave out.

``python -m tests.bench.bare post KEYS DATABASE PORT`` takes signed letters, checks digest and signature with a key that is ready,
writes many as rows in one durable commit, and answers 202. ``python -m tests.bench.bare get FILE PORT`` answers every
GET with the bytes of a file.
"""

import asyncio
import base64
import binascii
import hashlib
import pickle
import re
import sqlite3
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

import orjson
import psycopg
import uvicorn
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from activitypub.keys import private_from_pem

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Row = tuple[str, bytes]
Commit = Callable[[], None]

PARAMETER = re.compile(r'([A-Za-z]+)="([^"]*)"')
TABLE = "CREATE TABLE letter (id TEXT PRIMARY KEY, body {bytes} NOT NULL)"


class Post:
    """Verify inline, insert inline, and commit in a thread what came while the last commit ran."""

    def __init__(self, keys: dict[str, RSAPublicKey], database: str) -> None:
        self._keys = keys
        self._insert, self._commit = _sqlite(database) if database.startswith("/") else _postgresql(database)
        self._waiting: list[tuple[Row, asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        body = (await receive())["body"]
        headers = dict(scope["headers"])
        self._verify(headers, body)
        written = asyncio.get_running_loop().create_future()
        self._waiting.append(((orjson.loads(body)["id"], body), written))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
        await written
        await send({"type": "http.response.start", "status": 202, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    def _verify(self, headers: dict[bytes, bytes], body: bytes) -> None:
        said = dict(PARAMETER.findall(headers[b"signature"].decode()))
        digest = "SHA-256=" + base64.b64encode(hashlib.sha256(body).digest()).decode()
        assert headers[b"digest"].decode() == digest
        lines = [
            "(request-target): post /inbox" if name[0] == "(" else f"{name}: {headers[name.encode()].decode()}"
            for name in said["headers"].split()
        ]
        signature = binascii.a2b_base64(said["signature"])
        self._keys[said["keyId"]].verify(signature, "\n".join(lines).encode(), PKCS1v15(), SHA256())

    async def _write(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            self._insert([row for row, _ in batch])
            await asyncio.to_thread(self._commit)
            for _, written in batch:
                written.set_result(None)
        self._writing = None


def _sqlite(path: str) -> tuple[Callable[[list[Row]], None], Commit]:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute(TABLE.format(bytes="BLOB"))

    def insert(rows: list[Row]) -> None:
        connection.execute("BEGIN IMMEDIATE")
        marks = ", ".join(["(?, ?)"] * len(rows))
        connection.execute(f"INSERT INTO letter VALUES {marks}", [value for row in rows for value in row])  # noqa: S608 - marks only

    return insert, lambda: connection.execute("COMMIT") and None


def _postgresql(url: str) -> tuple[Callable[[list[Row]], None], Commit]:
    connection = psycopg.connect(url)
    connection.execute(TABLE.format(bytes="BYTEA").replace("TABLE", "TABLE IF NOT EXISTS").encode())
    connection.commit()

    def insert(rows: list[Row]) -> None:
        marks = ", ".join(["(%s, %s)"] * len(rows))
        connection.execute(f"INSERT INTO letter VALUES {marks}".encode(), [value for row in rows for value in row])  # noqa: S608

    return insert, connection.commit


class Get:
    """Always the same bytes."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._headers = [(b"content-type", b"application/activity+json"), (b"content-length", b"%d" % len(body))]

    async def __call__(self, scope: MutableMapping[str, Any], _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self._headers})
        await send({"type": "http.response.body", "body": self._body})


def main() -> None:
    """The program."""
    kind, *words, port = sys.argv[1:]
    app: Get | Post = Get(Path(words[0]).read_bytes()) if kind == "get" else _post(*words)
    uvicorn.run(
        app, port=int(port), lifespan="off", log_config=None, access_log=False, server_header=False, proxy_headers=False
    )


def _post(keys: str, database: str) -> Post:
    pems: dict[str, str] = pickle.loads(Path(keys).read_bytes())  # noqa: S301 - our own
    public = {key_id: private_from_pem(pem).public_key() for key_id, pem in pems.items()}
    return Post({key_id: key for key_id, key in public.items() if isinstance(key, RSAPublicKey)}, database)


if __name__ == "__main__":
    main()
