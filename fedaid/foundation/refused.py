"""How a rule says no: with a code for machines and a sentence that is safe to show to anybody."""

from collections.abc import Mapping
from types import MappingProxyType


class Refused(Exception):
    """Raised by rules and commands; only a door turns it into a status.

    code      one word, stable, e.g. ``over_limit``; documented in docs/reference/refusals.md
    sentence  what was wrong and what to do next; never internal detail, never a private field
    status    the HTTP status a door answers with (RFC 9110), 422 unless the rule knows better
    headers   what belongs to the answer besides, such as Retry-After
    """

    def __init__(
        self, code: str, sentence: str, status: int = 422, headers: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence
        self.status = status
        self.headers = headers


class NotFound(Refused):
    """There is no such thing, or the asker may not know whether there is (attack S47: both answer alike)."""

    def __init__(self, sentence: str = "There is nothing here, or it is not yours to see.") -> None:
        super().__init__("not_found", sentence, 404)


class NotAllowed(Refused):
    """The asker is known, and this is not theirs to do."""

    def __init__(self, sentence: str = "You are not allowed to do this.") -> None:
        super().__init__("not_allowed", sentence, 403)
