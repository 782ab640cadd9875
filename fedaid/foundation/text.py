"""Makes text safe to show: HTML from strangers through an allow-list, plain text as HTML, and HTML as plain text."""

import re
from html import escape, unescape
from html.parser import HTMLParser
from typing import Final

import nh3

from activitypub.errors import MalformedUrl
from activitypub.identifiers import UrlRules

HTML_CHARACTERS_MAX: Final = 100_000
HTML_TAGS_MAX: Final = 1_000  # nh3 takes 77 s for 50,000 nested lists (attack S72)
HTML_REFERENCES_MAX: Final = 20_000  # each costs some microseconds (S88); a text of nothing but “&#39;” has as many

_TAGS: Final = frozenset(
    {"a", "b", "blockquote", "br", "code", "del", "em", "h1", "h2", "h3", "h4", "h5", "h6", "i", "li", "ol", "p", "pre"}
    | {"rp", "rt", "ruby", "s", "span", "strong", "u", "ul"}
)
# Microformats and what Mastodon marks mentions and hashtags with; any other class could dress up as part of our page.
_CLASSES: Final = frozenset({"mention", "hashtag", "ellipsis", "invisible", "h-card", "u-url"})
_SCHEMES: Final = frozenset({"http", "https"})
_LINKED: Final = UrlRules(loopback=True)  # neighbours on one machine have addresses without a name
_LINK_REL: Final = "nofollow noopener noreferrer ugc"
# Marks that turn the direction of the text around them, and control characters other than line breaks and tabs (S63).
_TURNING: Final = re.compile("[\u202a-\u202e\u2066-\u2069\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_LINE_END: Final = re.compile(r"<br\s*/?>", re.IGNORECASE)
_BLOCK_END: Final = re.compile(r"</(?:p|div|li|h[1-6]|blockquote|pre|ul|ol)>", re.IGNORECASE)


def without_turning(text: str) -> str:
    """The text without control characters and without marks that make it read backwards."""
    return _TURNING.sub("", text)


def sanitised(html: str) -> str:
    """A stranger's HTML with only harmless tags, http(s) links and known classes left (attacks S70 to S72).

    What is too long is cut; what has too many tags or references becomes escaped text. Behind a link stands the host
    that it leads to, unless its words begin with it (attack S74).
    """
    cut = without_turning(html[:HTML_CHARACTERS_MAX])
    if _is_siege(cut):
        return escape(cut)
    return _honest(_allowed(cut))


def _is_siege(html: str) -> bool:
    """Whether it has so many tags or references that nobody wrote it to be read."""
    return html.count("<") > HTML_TAGS_MAX or html.count("&") > HTML_REFERENCES_MAX


def _allowed(html: str) -> str:
    return nh3.clean(
        html,
        tags=set(_TAGS),
        attributes={"a": {"href"}},
        allowed_classes={"a": set(_CLASSES), "span": set(_CLASSES)},
        url_schemes=set(_SCHEMES),
        link_rel=_LINK_REL,
        strip_comments=True,
    )


def _honest(clean: str) -> str:
    """What the sanitiser wrote, with the host of every link; a link that no server of ours would ask is only words."""
    reader = _Links()
    reader.feed(clean)
    reader.close()
    return "".join(reader.written)


class _Links(HTMLParser):
    """Writes clean HTML again as it was, but for its links."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.written: list[str] = []
        self._host: str | None = None  # of the link that is open
        self._words = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag != "a":
            self._write(self.get_starttag_text() or "")
            return
        self._host, self._words = _host_of(dict(attrs).get("href")), ""
        if self._host is not None:
            self._write(self.get_starttag_text() or "")

    def handle_endtag(self, tag: str) -> None:
        if tag != "a":
            self._write(f"</{tag}>")
        elif self._host is not None:
            begins = re.match(rf"(?:https?://)?{re.escape(self._host)}(?![\w.:@-])", unescape(self._words).strip())
            self._write("</a>" if begins else f"</a> ({escape(self._host)})")
            self._host = None

    def handle_data(self, data: str) -> None:
        self._write(data, words=data)

    def handle_entityref(self, name: str) -> None:
        self._write(f"&{name};", words=f"&{name};")

    def handle_charref(self, name: str) -> None:
        self._write(f"&#{name};", words=f"&#{name};")

    def _write(self, markup: str, words: str = "") -> None:
        self.written.append(markup)
        self._words += words


def _host_of(href: str | None) -> str | None:
    """Where a link leads, in ASCII (attack S66); None for what is no plain address, whose host may be misread."""
    try:
        return _LINKED.parse(re.sub(r"^http://", "https://", href or "")).origin.netloc
    except MalformedUrl:
        return None


def plain(html: str) -> str:
    """A stranger's HTML as plain text: line breaks where there were lines, a blank line where there were paragraphs."""
    cut = without_turning(html[:HTML_CHARACTERS_MAX])
    if _is_siege(cut):
        return cut
    broken = _BLOCK_END.sub(lambda found: f"{found[0]}\n\n", _LINE_END.sub("\n", cut))
    text = broken if _is_bare(broken) else without_turning(unescape(nh3.clean(broken, tags=set())))
    lines = [" ".join(line.split()) for line in text.splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _is_bare(text: str) -> bool:
    """Whether there is nothing to clean, as in most names: no tag, no reference, no mark of the order of bytes."""
    return "<" not in text and "&" not in text and not text.startswith("\ufeff")


def excerpt(text: str, characters_max: int) -> str:
    """The text, shortened at a word with an ellipsis when it is too long."""
    if len(text) <= characters_max:
        return text
    cut = text[: characters_max - 1]
    return f"{cut.rpartition(' ')[0] or cut}…"


def one_line(text: str) -> str:
    """The text on one line, without turning marks, spaces folded."""
    return " ".join(without_turning(text).split())


def paragraphs(text: str) -> str:
    """Plain text as HTML: escaped, a paragraph for each blank line, ``<br>`` for each line."""
    parts = [part.strip("\n") for part in re.split(r"\n\s*\n", text.replace("\r\n", "\n").strip())]
    return "".join(f"<p>{'<br>'.join(escape(line) for line in part.splitlines())}</p>" for part in parts if part)
