"""The names of our own things on the wire; nothing else puts a URL of ours together. And where others' belong."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

_ORIGIN = re.compile(r"https?://[^/?#]+")


def origin_of(address: str) -> str:
    """Scheme and host of an id, as they are written there; empty for what is no address, and never a fault.

    For comparing with an id that was parsed: what could be read in two ways is spelled otherwise than any of those.
    """
    found = _ORIGIN.match(address)
    return found[0] if found is not None else ""


@dataclass(frozen=True)
class Names:
    """All ids and addresses under one origin, e.g. ``https://northside.example`` (no slash at the end)."""

    origin: str

    @property
    def host(self) -> str:
        """Host, with the port where it is not 443: the part after the @ in a handle."""
        return urlsplit(self.origin).netloc

    # actors
    @property
    def server(self) -> str:
        return f"{self.origin}/actor"

    @property
    def ledger(self) -> str:
        return f"{self.origin}/ledger"

    def person(self, handle: str) -> str:
        return f"{self.origin}/users/{handle}"

    def group(self, handle: str) -> str:
        return f"{self.origin}/groups/{handle}"

    def page_of(self, handle: str) -> str:
        """The page people see for a person or a board."""
        return f"{self.origin}/@{handle}"

    @property
    def shared_inbox(self) -> str:
        return f"{self.origin}/inbox"

    # what actors make
    def activity(self, number: int) -> str:
        return f"{self.origin}/activities/{number}"

    def listing(self, number: int) -> str:
        return f"{self.origin}/listings/{number}"

    def photo(self, listing: int) -> str:
        return f"{self.origin}/listings/{listing}/photo"

    def response(self, number: int) -> str:
        return f"{self.origin}/responses/{number}"

    def agreement(self, number: int) -> str:
        return f"{self.origin}/agreements/{number}"

    def note(self, number: int) -> str:
        return f"{self.origin}/notes/{number}"

    def category(self, slug: str) -> str:
        return f"{self.origin}/categories/{slug}"

    def tag(self, name: str) -> str:
        return f"{self.origin}/tags/{name}"

    @property
    def skills(self) -> str:
        """The directory, as far as neighbouring networks may read it."""
        return f"{self.origin}/skills"

    def transfer(self, key: str) -> str:
        return f"{self.ledger}/transfers/{key}"

    def peering(self, number: int) -> str:
        return f"{self.ledger}/peerings/{number}"

    def nodeinfo(self, version: str) -> str:
        return f"{self.origin}/nodeinfo/{version}"

    def is_ours(self, url: str) -> bool:
        """Whether the URL stands under this origin (attack S51: nobody else may claim such an id)."""
        return url == self.origin or url.startswith(self.origin + "/")
