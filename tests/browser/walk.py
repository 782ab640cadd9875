"""Walks through all pages that somebody can reach by links, one of each kind."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from tests.browser.chromium import Window

_NUMBER = re.compile(r"\d{6,}")  # our ids; the rest of a path says what kind of page it is
_NOT_PAGES = re.compile(r"\.(csv|json|zip|css|beancount|ics|atom|xml|png|svg|txt)$|^/(sign-out|static)|^/me/data/")


def walk(window: Window, *more: str, start: str = "/", pages_max: int = 300) -> Iterator[str]:
    """Open every kind of page that links lead to from the start on, and ``more``, and stay there until the next is asked for.

    Yields the path of the page that is open. Raises AssertionError for a linked page that does not answer as pages do;
    ``more`` may be closed to whoever looks.
    """
    waiting, later, seen = [start], list(more), {kind(start)}
    while (waiting or later) and len(seen) < pages_max:
        is_linked = bool(waiting)
        path = waiting.pop(0) if is_linked else later.pop(0)
        if not is_linked and kind(path) in seen:
            continue  # a link led to one of its kind
        page = window.open(path)
        if not is_linked and (page.status != 200 or not page.url.endswith(path)):
            continue  # not for them, or not without a link
        seen.add(kind(path))
        assert page.status == 200, f"{path} answers {page.status}"
        if not window.shows_a_page():
            continue  # a document for machines
        yield path
        for link in page.links:
            target = _path(window.origin, page.url, link)
            if target is not None and kind(target) not in seen:
                seen.add(kind(target))
                waiting.append(target)


def kind(path: str) -> str:
    """What stands for all pages of its kind: filters make no other one, nor does which thing it is about."""
    return _NUMBER.sub("N", urlsplit(path).path)


def _path(origin: str, at: str, link: str) -> str | None:
    if link.startswith(("http://", "https://")) and not link.startswith(origin):
        return None
    parts = urlsplit(link)
    path = parts.path or urlsplit(at).path
    if parts.scheme not in ("", "http", "https") or not path.startswith("/") or _NOT_PAGES.search(path):
        return None
    return f"{path}?{parts.query}" if parts.query else path
