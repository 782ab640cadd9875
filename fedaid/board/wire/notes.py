"""Reads what people elsewhere write to us: a Note, a question or an article of any server, as plain text."""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from activitypub.accessors import Document, embedded_all, flag, has_type, link, links, name_text, natural_text, text
from activitypub.accessors import types as types_of
from activitypub.documents import Activity, is_public
from activitypub.errors import MalformedDocument, MalformedUrl, OriginMismatch
from activitypub.identifiers import Url, UrlRules, same_origin
from activitypub.origin import owner_of, speaks_for
from fedaid.board.rules import (
    ALT_CHARACTERS_MAX,
    EMOJI_MAX,
    MESSAGE_CHARACTERS_MAX,
    PICTURES_MAX,
    WARNING_CHARACTERS_MAX,
    ForeignNote,
    Picture,
)
from fedaid.foundation.text import excerpt, one_line, plain
from inbox.ports import Letter

OPTIONS_MAX: Final = 20
SENSITIVE: Final = "Sensitive"  # what is said of pictures whose author gave no reason
Fetched = Mapping[str, Mapping[str, Any]]

# ChatMessage is what Pleroma sends as a private message, Page and Article what forums and blogs do.
_TYPES: Final = frozenset({"Note", "Question", "Article", "Page", "ChatMessage"})
_PICTURE_TYPES: Final = frozenset({"Image", "Document"})
_EMOJI_KINDS: Final = frozenset({"image/png", "image/gif", "image/webp", "image/avif"})
_SHORTCODE: Final = re.compile(r":?([a-zA-Z0-9_]{2,64}):?", re.ASCII)
_LEADING_MENTIONS: Final = re.compile(r"^(?:@\S+\s+)+")


def object_of(letter: Letter, fetched: Fetched) -> Document | None:
    """The object, embedded (the inbox has checked that it is the sender's) or as its own server gave it (S10, S11)."""
    activity = letter.activity
    if activity.object is not None:
        return activity.object if speaks_for(activity.actor, activity.object) else None
    found = fetched.get(activity.object_id or "")
    if found is None:
        return None
    if link(found) != activity.object_id or not speaks_for(activity.actor, found):
        raise OriginMismatch("not_the_author", "The object of this activity is not its actor's.")
    return found


def wanted(activity: Activity) -> Sequence[str]:
    """What must be fetched before the object can be read: the object itself, where only its id came."""
    return (activity.object_id,) if activity.object is None and activity.object_id else ()


def read_note(doc: Document, activity: Activity, rules: UrlRules) -> ForeignNote | None:
    """What the object of ``activity`` says; None when it is nothing to read, such as a vote in a poll, or has no id.

    Raises MalformedDocument or MalformedUrl when its id or author is none. What is optional and malformed is left out.
    """
    if link(doc) is None or _TYPES.isdisjoint(types_of(doc)):
        return None
    identity, author = rules.parse(link(doc)), rules.parse(owner_of(doc))
    found = _text(doc)
    pictures = pictures_of(doc, author, rules)
    if not found and not any(not one.is_emoji for one in pictures):
        return None
    return ForeignNote(
        uri=identity.text,
        author=author.text,
        page=page_of(doc, identity, rules),
        text=excerpt(found, MESSAGE_CHARACTERS_MAX),
        warning=warning_of(doc),
        is_public=is_readable_by_all(doc, activity),
        in_reply_to=_addresses(doc, "inReplyTo"),
        mentions=_mentions(doc),
        tags=_hashtags(doc),
        pictures=pictures,
    )


def is_answer(doc: Document) -> bool:
    """Whether it names something that it answers."""
    return bool(_addresses(doc, "inReplyTo"))


def is_readable_by_all(doc: Document, activity: Activity) -> bool:
    """Whether anybody may read it; objects that name no audience have that of their activity."""
    to, cc = links(doc, "to"), links(doc, "cc")
    return is_public(to, cc) if to or cc else is_public(activity.to, activity.cc)


def _text(doc: Document) -> str:
    """The words; a vote in a poll has a name and nothing else."""
    content = plain(_soft_natural(doc, "content"))
    title = "" if has_type(doc, "Note") else one_line(plain(_soft_name(doc)))
    options = [f"○ {name}" for name in _options(doc)]
    parts = [title, _LEADING_MENTIONS.sub("", content), "\n".join(options)]
    return "\n\n".join(part for part in parts if part).strip()


def _options(doc: Document) -> list[str]:
    """What a Question lets people choose from."""
    chosen = [one for key in ("oneOf", "anyOf") for one in _objects(doc, key)]
    names = (one_line(plain(_soft_name(one))) for one in chosen[:OPTIONS_MAX])
    return [name for name in names if name]


def warning_of(doc: Document) -> str:
    """The content warning: what a Note or Question has as its summary (other types summarise there)."""
    if not (has_type(doc, "Note") or has_type(doc, "Question")):
        return ""
    said = excerpt(one_line(plain(_soft_natural(doc, "summary"))), WARNING_CHARACTERS_MAX)
    with suppress(MalformedDocument):
        return said or (SENSITIVE if flag(doc, "sensitive") else "")
    return said


def page_of(doc: Document, identity: Url, rules: UrlRules) -> str:
    """Where people see it: an address of its own origin, else its id (attack S71)."""
    for address in _addresses(doc, "url"):
        with suppress(MalformedUrl):
            page = rules.parse(address)
            if same_origin(page, identity):
                return page.text
    return identity.text


def pictures_of(doc: Document, author: Url, rules: UrlRules) -> tuple[Picture, ...]:
    """The pictures beside a text and the emoji in it, nothing of them fetched yet."""
    beside = [one for one in (_picture(found, rules) for found in _objects(doc, "attachment")) if one is not None]
    emoji = [one for one in (_emoji(found, author, rules) for found in _objects(doc, "tag")) if one is not None]
    return (*beside[:PICTURES_MAX], *emoji[:EMOJI_MAX])


def _picture(found: Document, rules: UrlRules) -> Picture | None:
    with suppress(MalformedDocument, MalformedUrl):
        kind = text(found, "mediaType") or ("image/*" if has_type(found, "Image") else "")
        if not _PICTURE_TYPES.isdisjoint(types_of(found)) and kind.startswith("image/"):
            alt = natural_text(found, "name") or natural_text(found, "summary") or ""
            address = next(iter(links(found, "url")), None)
            return Picture(rules.parse(address).text, excerpt(one_line(plain(alt)), ALT_CHARACTERS_MAX))
    return None


def _emoji(found: Document, author: Url, rules: UrlRules) -> Picture | None:
    """A custom emoji of the author's own server; anything odd about it drops it (attack S54)."""
    with suppress(MalformedDocument, MalformedUrl):
        if not has_type(found, "Emoji"):
            return None
        named = _SHORTCODE.fullmatch(text(found, "name") or "")
        icon = next(iter(_objects(found, "icon")), {})
        kind = text(icon, "mediaType")
        identity = link(found)
        is_theirs = identity is None or same_origin(rules.parse(identity), author)
        if named and is_theirs and (kind is None or kind in _EMOJI_KINDS):
            return Picture(rules.parse(next(iter(links(icon, "url")), None)).text, f":{named[1]}:", is_emoji=True)
    return None


def _mentions(doc: Document) -> tuple[str, ...]:
    found = (_soft_href(tag) for tag in _objects(doc, "tag") if _soft_type(tag, "Mention"))
    return tuple(dict.fromkeys(address for address in found if address))


def _hashtags(doc: Document) -> tuple[str, ...]:
    names = (one_line(_soft_name(tag)) for tag in _objects(doc, "tag") if _soft_type(tag, "Hashtag"))
    return tuple(dict.fromkeys(name.lstrip("#").casefold() for name in names if name))


def _soft_type(doc: Document, name: str) -> bool:
    with suppress(MalformedDocument):
        return has_type(doc, name)
    return False


def _soft_href(doc: Document) -> str | None:
    with suppress(MalformedDocument):
        return link({"href": doc.get("href")})
    return None


def _objects(doc: Document, key: str) -> tuple[Document, ...]:
    with suppress(MalformedDocument):
        return embedded_all(doc, key)
    return ()


def _addresses(doc: Document, key: str) -> tuple[str, ...]:
    with suppress(MalformedDocument):
        return links(doc, key)
    return ()


def _soft_natural(doc: Document, key: str) -> str:
    with suppress(MalformedDocument):
        return natural_text(doc, key) or ""
    return ""


def _soft_name(doc: Document) -> str:
    with suppress(MalformedDocument):
        return name_text(doc) or ""
    return ""
