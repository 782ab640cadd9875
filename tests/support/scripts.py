"""Finds whatever could run on a page beside the scripts of ours, which it has to name exactly and in order."""

import re
from collections.abc import Sequence
from html.parser import HTMLParser

from fedaid.web.assets import address

EVERYBODY = (address("htmx.min.js"), address("swaps.js"))
SIGNED_IN = (*EVERYBODY, address("notices.js"))

_FRAMES = frozenset({"iframe", "object", "embed", "applet", "base", "frame", "portal"})
_ADDRESSES = frozenset({"href", "src", "action", "formaction", "xlink:href", "data", "poster", "background"})
_RUNS = re.compile(r"\s*(?:javascript|vbscript|data:text/html)", re.IGNORECASE)
# htmx runs what stands behind these marks; our policy refuses it, and no page of ours asks for it.
_HTMX_RUNS = re.compile(r"^\s*(?:js|javascript):|\[", re.IGNORECASE)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.named: list[str] = []
        self.strange: list[str] = []
        self._in_script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "script":
            self._in_script = True
            self.named.append(given.get("src", ""))
            self.strange += [f"script {name}" for name in given if name not in ("src", "defer")]
        if tag in _FRAMES:
            self.strange.append(tag)
        if tag == "meta" and "http-equiv" in given:
            self.strange.append(f"meta {given['http-equiv']}")
        self.strange += [f"{tag} {name}={value}" for name, value in given.items() if _runs(name, value)]

    def handle_endtag(self, tag: str) -> None:
        if tag == "script":
            self._in_script = False

    def handle_data(self, data: str) -> None:
        if self._in_script and data.strip():
            self.strange.append(f"inline: {data.strip()[:80]}")


def _runs(name: str, value: str) -> bool:
    if name.startswith(("on", "hx-on", "data-hx-")) or name == "srcdoc":
        return True
    if name in _ADDRESSES:
        return _RUNS.match(re.sub(r"[\x00-\x20]", "", value)) is not None
    return name.startswith("hx-") and _HTMX_RUNS.search(value) is not None


def strange_scripts(html: str, expected: Sequence[str] = SIGNED_IN) -> Sequence[str]:
    """What could run besides ``expected``, and which of those is missing; empty where all is well."""
    reader = _Reader()
    reader.feed(html)
    if reader.named == list(expected):
        return reader.strange
    return [*reader.strange, f"scripts: {reader.named}"]
