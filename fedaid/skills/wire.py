"""The directory on the wire: what members show to neighbouring networks, and what those show to us.

It is read, never sent: a linked network asks with its server's signature for what stands there now. So what somebody
takes out, or no longer shows to neighbours, is gone elsewhere as soon as it is looked at.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from activitypub.accessors import embedded, embedded_all, link, name_text, text
from activitypub.client import Client
from activitypub.errors import FetchFailed, MalformedDocument, MalformedUrl
from activitypub.identifiers import Origin, UrlRules
from activitypub.keys import SigningKey
from activitypub.vocabulary import AS2
from fedaid.foundation.clock import Clock
from fedaid.foundation.names import Names
from fedaid.foundation.text import excerpt, one_line, paragraphs, plain
from fedaid.network.queries import Neighbour
from fedaid.skills.queries import SharedEntry
from fedaid.skills.rules import DETAILS_CHARACTERS_MAX, SKILL_CHARACTERS_MAX

NAME_CHARACTERS_MAX: Final = 100
_CONTEXT: Final = [
    AS2,
    {
        "vf": "https://w3id.org/valueflows/ont/vf#",
        "Intent": "vf:Intent",
        "action": "vf:action",
        "provider": {"@id": "vf:provider", "@type": "@id"},
        "resourceConformsTo": {"@id": "vf:resourceConformsTo", "@type": "@id"},
    },
]


@dataclass(frozen=True)
class TheirEntry:
    """A skill of a member of a neighbouring network, as its server says it, already safe to show.

    category  the last word of their category's address: the same as ours, where they have one of the same name
    """

    title: str
    details: str
    category: str
    name: str
    page: str


def shared_directory(names: Names, entries: Sequence[SharedEntry]) -> dict[str, Any]:
    """What members show to neighbouring networks: each an Intent to give help, with the person who would."""
    return {
        "@context": _CONTEXT,
        "id": names.skills,
        "type": "OrderedCollection",
        "totalItems": len(entries),
        "orderedItems": [_intent(names, one) for one in entries],
    }


def _intent(names: Names, one: SharedEntry) -> dict[str, Any]:
    person = {"id": one.actor, "type": "Person", "name": one.name, "url": names.page_of(one.handle)}
    intent = {
        "id": f"{names.skills}/{one.entry.id}",
        "type": "Intent",
        "action": "deliverService",
        "provider": one.actor,
        "attributedTo": person,
        "name": one.entry.skill.title,
        "content": paragraphs(one.entry.skill.details),
    }
    category = one.entry.skill.category
    return {**intent, "resourceConformsTo": names.category(category)} if category else intent


def read_directory(document: Mapping[str, Any], origin: Origin, rules: UrlRules, most: int) -> Sequence[TheirEntry]:
    """The entries in a neighbour's directory that make sense, at most ``most``; each must be of its own people."""
    found = []
    for item in embedded_all(dict(document), "orderedItems")[:most]:
        try:
            found.append(_their_entry(item, origin, rules))
        except (MalformedDocument, MalformedUrl):
            continue  # one that cannot be read is no reason to show none
    return found


def _their_entry(item: dict[str, Any], origin: Origin, rules: UrlRules) -> TheirEntry:
    person = embedded(item, "attributedTo") or {}
    page = rules.parse(link(person.get("url")) or person.get("id"))
    if page.origin != origin or rules.parse(person.get("id")).origin != origin:
        raise MalformedDocument("author_origin", "A directory shows only people of its own network.")
    title = excerpt(one_line(name_text(item) or ""), SKILL_CHARACTERS_MAX)
    if not title:
        raise MalformedDocument("skill_missing", "A skill has a name.")
    details = excerpt(plain(text(item, "content") or ""), DETAILS_CHARACTERS_MAX)
    category = urlsplit(link(item.get("resourceConformsTo")) or "").path.rpartition("/")[2]
    name = excerpt(one_line(name_text(person) or ""), NAME_CHARACTERS_MAX) or page.text
    return TheirEntry(title, details, category, name, page.text)


@dataclass
class Directories:
    """Asks neighbouring networks for their directories, and remembers the answer for a while.

    keep_seconds  how long; so that a page that many open asks once
    entries_max   of one network that are shown
    """

    client: Client
    signer: Callable[[], SigningKey]
    rules: UrlRules
    clock: Clock
    keep_seconds: int
    entries_max: int
    _known: dict[str, tuple[datetime, Sequence[TheirEntry]]] = field(default_factory=dict)

    async def of(self, neighbour: Neighbour) -> Sequence[TheirEntry] | None:
        """What a network shows to us; None where it does not answer just now, or with what cannot be read."""
        try:
            return await self._asked(neighbour)
        except (FetchFailed, MalformedDocument, MalformedUrl):
            return None

    async def _asked(self, neighbour: Neighbour) -> Sequence[TheirEntry]:
        now = self.clock.now()
        known = self._known.get(neighbour.host)
        if known is not None and known[0] > now:
            return known[1]
        signer = await asyncio.to_thread(self.signer)
        fetched = await self.client.fetch(f"{neighbour.origin}/skills", signer)
        origin = self.rules.parse(neighbour.origin).origin
        found = read_directory(fetched.document, origin, self.rules, self.entries_max)
        self._known[neighbour.host] = (now + timedelta(seconds=self.keep_seconds), found)
        return found
