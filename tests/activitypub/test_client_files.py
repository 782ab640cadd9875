"""Files are fetched through the same guard as documents: vetted addresses, few redirects, counted bytes, known types."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

import httpx2
import pytest

from activitypub.client import Client, FetchLimits
from activitypub.errors import FetchFailed
from activitypub.identifiers import UrlRules

pytestmark = pytest.mark.anyio
KINDS = {"image/png", "image/webp"}
URL = "https://files.example/1.png"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class _Parts(httpx2.AsyncByteStream):
    def __init__(self, content: bytes) -> None:
        self._content = content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self._content), 1000):
            yield self._content[start : start + 1000]


@dataclass
class Web(httpx2.AsyncBaseTransport):
    """Answers by address: status, headers, content."""

    pages: Mapping[str, tuple[int, dict[str, str], bytes]]
    asked: list[httpx2.Request] = field(default_factory=list)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request)
        status, headers, content = self.pages[str(request.url)]
        return httpx2.Response(status, headers=headers, stream=_Parts(content))


def client(web: Web) -> Client:
    return Client(UrlRules(), FetchLimits(), transport=web)


def a_file(kind: str = "image/png", content: bytes = b"pixels", **more: str) -> tuple[int, dict[str, str], bytes]:
    return 200, {"content-type": kind, **more}, content


async def test_a_file_is_fetched_as_one_of_the_kinds_that_are_wanted() -> None:
    web = Web({URL: a_file()})
    assert await client(web).fetch_file(URL, KINDS, 100) == b"pixels"
    (request,) = web.asked
    assert request.headers["accept"] == "image/png, image/webp"
    assert request.headers["accept-encoding"] == "identity"
    assert "signature" not in request.headers


async def test_a_file_is_found_behind_a_redirect() -> None:
    web = Web({URL: (302, {"location": "/2.png"}, b""), "https://files.example/2.png": a_file()})
    assert await client(web).fetch_file(URL, KINDS, 100) == b"pixels"


@pytest.mark.attack("S01", "S03", "S04", "S07", "S60")
@pytest.mark.parametrize(
    ("page", "code"),
    [
        (a_file("image/svg+xml"), "content_type"),
        (a_file("text/html"), "content_type"),
        (a_file(content=b"x" * 101), "too_large"),
        (a_file(content=b"x", **{"content-encoding": "gzip"}), "encoding"),
        ((404, {}, b""), "not_found"),
        ((302, {"location": URL}, b""), "redirects"),
        ((302, {"location": "http://127.0.0.1/"}, b""), "url_scheme"),
        ((302, {"location": "https://127.0.0.1/"}, b""), "url_host"),
        ((302, {"location": "file:///etc/passwd"}, b""), "url_scheme"),
    ],
)
async def test_what_is_not_wanted_is_refused(page: tuple[int, dict[str, str], bytes], code: str) -> None:
    """Attacks S01, S03, S04, S07, S60."""
    web = Web({URL: page})
    with pytest.raises(FetchFailed) as refused:
        await client(web).fetch_file(URL, KINDS, 100)
    assert refused.value.code == code
    assert [str(request.url) for request in web.asked] == [URL]


@pytest.mark.attack("S01", "S04", "S05")
@pytest.mark.parametrize("url", ["https://10.0.0.1/x", "http://files.example/1.png", "https://localhost/1.png", "x"])
async def test_an_address_that_is_not_public_is_not_even_asked(url: str) -> None:
    """Attacks S01, S04, S05."""
    web = Web({})
    with pytest.raises(FetchFailed):
        await client(web).fetch_file(url, KINDS, 100)
    assert web.asked == []
