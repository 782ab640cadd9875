"""Makes text safe to show: HTML from strangers through an allow-list, plain text as HTML, and HTML as plain text."""

import re
from html import escape, unescape
from typing import Final

import nh3

HTML_CHARACTERS_MAX: Final = 100_000
HTML_TAGS_MAX: Final = 1_000  # nh3 takes 77 s for 50,000 nested lists (attack S72)

_TAGS: Final = frozenset(
    {"a", "b", "blockquote", "br", "code", "del", "em", "h1", "h2", "h3", "h4", "h5", "h6", "i", "li", "ol", "p", "pre"}
    | {"rp", "rt", "ruby", "s", "span", "strong", "u", "ul"}
)
# Microformats and what Mastodon marks mentions and hashtags with; any other class could dress up as part of our page.
_CLASSES: Final = frozenset({"mention", "hashtag", "ellipsis", "invisible", "h-card", "u-url"})
_SCHEMES: Final = frozenset({"http", "https"})
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

    What is too long is cut; what has too many tags becomes escaped text.
    """
    cut = without_turning(html[:HTML_CHARACTERS_MAX])
    if cut.count("<") > HTML_TAGS_MAX:
        return escape(cut)
    return nh3.clean(
        cut,
        tags=set(_TAGS),
        attributes={"a": {"href"}},
        allowed_classes={"a": set(_CLASSES), "span": set(_CLASSES)},
        url_schemes=set(_SCHEMES),
        link_rel=_LINK_REL,
        strip_comments=True,
    )


def plain(html: str) -> str:
    """A stranger's HTML as plain text: line breaks where there were lines, a blank line where there were paragraphs."""
    cut = without_turning(html[:HTML_CHARACTERS_MAX])
    if cut.count("<") > HTML_TAGS_MAX:
        return cut
    broken = _BLOCK_END.sub(lambda found: f"{found[0]}\n\n", _LINE_END.sub("\n", cut))
    text = without_turning(unescape(nh3.clean(broken, tags=set())))
    lines = [" ".join(line.split()) for line in text.splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


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
