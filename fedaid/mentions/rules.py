"""Which words ask for a listing, what its title is, and how messages and suggestions move; pure."""

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final

from fedaid.board.rules import TITLE_CHARACTERS_MAX, Kind
from fedaid.foundation.refused import Refused
from fedaid.foundation.text import excerpt, one_line

WAITING_MAX: Final = 500  # messages and suggestions of everybody that no coordinator has answered yet
WAITING_OF_ONE_MAX: Final = 5  # of one person

# The hashtags that ask a board for a listing when they stand beside a mention of it, folded. Others are for talking.
SUGGESTING_TAGS: Final[Mapping[str, Kind]] = {
    **dict.fromkeys(
        (
            *("need", "needs", "needed", "request", "ask", "wanted", "helpwanted"),  # English
            *("necesito", "busco", "sebusca", "pido"),  # Spanish
            *("besoin", "cherche", "demande"),  # French
            *("gesucht", "suche", "brauche", "bitte"),  # German
            *("cerco", "cercasi", "bisogno"),  # Italian
            *("preciso", "procuro", "pedido"),  # Portuguese
            *("gezocht", "zoek", "nodig"),  # Dutch
            *("szukam", "potrzebuję", "potrzebuje"),  # Polish
        ),
        Kind.REQUEST,
    ),
    **dict.fromkeys(
        (
            *("offer", "offers", "offering", "offered", "giveaway"),  # English
            *("ofrezco", "oferta", "regalo"),  # Spanish
            *("offre", "propose", "jedonne"),  # French
            *("biete", "angebot", "verschenke"),  # German
            *("offro", "offresi"),  # Italian
            *("ofereço", "ofereco"),  # Portuguese
            *("aangeboden", "bied"),  # Dutch
            *("oferuję", "oferuje", "oddam"),  # Polish
        ),
        Kind.OFFER,
    ),
}

_TAGS_AND_MENTIONS: Final = re.compile(r"(?:^|(?<=\s))[@#]\S+")
_SENTENCE_END: Final = re.compile(r"(?<=[.!?])\s")


class MessageState(StrEnum):
    """Where a message to a board stands."""

    WAITING = "waiting"
    ANSWERED = "answered"
    CLOSED = "closed"


class SuggestionState(StrEnum):
    """Where a listing that somebody elsewhere asked for stands."""

    WAITING = "waiting"
    APPROVED = "approved"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


def suggested_kind(tags: Iterable[str]) -> Kind | None:
    """What the hashtags ask for; the first that says it counts."""
    return next((SUGGESTING_TAGS[tag] for tag in tags if tag in SUGGESTING_TAGS), None)


def title_of(text: str) -> str:
    """The first sentence of a suggestion, without mentions and hashtags."""
    for line in text.splitlines():
        bare = one_line(_TAGS_AND_MENTIONS.sub(" ", line))
        if bare:
            return excerpt(_SENTENCE_END.split(bare, maxsplit=1)[0], TITLE_CHARACTERS_MAX)
    return ""


def details_of(text: str) -> str:
    """A suggestion's words without the mentions and hashtags that only steer it."""
    lines = (" ".join(_TAGS_AND_MENTIONS.sub(" ", line).split()) for line in text.splitlines())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def check_waiting(state: MessageState | SuggestionState) -> None:
    """Raises Refused when somebody has seen to it already."""
    if state not in (MessageState.WAITING, SuggestionState.WAITING):
        raise Refused("seen_to", "A coordinator has seen to this already.", 409)
