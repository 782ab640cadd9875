"""Ten thousand servers that take every letter, in one program: each address of 127.0.0.0/8 is one of them.

Over TLS each has a certificate of its own for its address, of an authority that is made anew: its certificate is
written into FILE before anything is answered. The first ``--slow`` addresses answer only after ``--pause`` seconds.
"""

import argparse
import asyncio
import ssl
import tempfile
from pathlib import Path
from typing import cast

import uvloop

from tests.bench.certificates import Authority

ANSWER = b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n"
READ_BYTES = 64 * 1024
SLOW_SECONDS = 10.0
NETWORK = "127.1"


def address_of(number: int) -> str:
    """Where the server of this number is."""
    return f"{NETWORK}.{number // 250}.{number % 250 + 1}"


class Taker(asyncio.Protocol):
    """One connection: each whole request is answered."""

    def __init__(self, slow: int, pause: float) -> None:
        self._slow = slow
        self._slow_pause = pause
        self._transport: asyncio.Transport | None = None
        self._received = b""
        self._pause = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        third, fourth = map(int, str(transport.get_extra_info("sockname")[0]).split(".")[2:])
        self._pause = self._slow_pause if third * 250 + fourth - 1 < self._slow else 0.0

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            _, _, rest = self._received[:end].lower().partition(b"content-length:")
            whole = end + 4 + int(rest.partition(b"\r\n")[0] or 0)
            if len(self._received) < whole:
                return
            self._received = self._received[whole:]
            if self._pause:
                asyncio.get_running_loop().call_later(self._pause, self.write, ANSWER)
            else:
                self.write(ANSWER)

    def write(self, data: bytes) -> None:
        assert self._transport is not None
        self._transport.write(data)


class TlsTaker(Taker):
    """The same over TLS, with the certificate of the address that was called."""

    def __init__(self, slow: int, pause: float, authority: Authority) -> None:
        super().__init__(slow, pause)
        self._authority = authority
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls: ssl.SSLObject | None = None
        self._is_shaken = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        context = _context(self._authority, str(transport.get_extra_info("sockname")[0]))
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)

    def data_received(self, data: bytes) -> None:
        assert self._tls is not None
        self._incoming.write(data)
        try:
            if not self._is_shaken:
                self._tls.do_handshake()
                self._is_shaken = True
            while plain := self._tls.read(READ_BYTES):
                super().data_received(plain)
        except ssl.SSLWantReadError:
            pass
        self._flush()

    def write(self, data: bytes) -> None:
        assert self._tls is not None
        self._tls.write(data)
        self._flush()

    def _flush(self) -> None:
        if self._outgoing.pending:
            super().write(self._outgoing.read())


def _context(authority: Authority, address: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile() as file:
        Path(file.name).write_bytes(authority.for_address(address))
        context.load_cert_chain(file.name)
    return context


async def take(asked: argparse.Namespace) -> None:
    """Until it is ended."""
    authority = Authority() if asked.authority else None
    if authority:
        for number in range(asked.count):
            authority.for_address(address_of(number))
        authority.write(Path(asked.authority))

    def connected() -> Taker:
        return TlsTaker(asked.slow, asked.pause, authority) if authority else Taker(asked.slow, asked.pause)

    server = await asyncio.get_running_loop().create_server(connected, "0.0.0.0", asked.port, backlog=4096)  # noqa: S104 - all of 127.0.0.0/8
    await server.serve_forever()


def main() -> None:
    """The program."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("port", type=int)
    asked.add_argument("--authority", default="", metavar="FILE", help="speak TLS")
    asked.add_argument("--count", type=int, default=0, help="of servers for which certificates are made beforehand")
    asked.add_argument("--slow", type=int, default=0)
    asked.add_argument("--pause", type=float, default=SLOW_SECONDS)
    uvloop.run(take(asked.parse_args()))


if __name__ == "__main__":
    main()
