"""What a handle may look like, and what a follow may become; pure."""

from enum import StrEnum
from urllib.parse import urlsplit

from activitypub.identifiers import is_local_name
from fedaid.foundation.refused import Refused
from fedaid.foundation.said import said
from fedaid.foundation.text import one_line, without_turning

HANDLE_CHARACTERS_MAX = 30  # Mastodon's own limit for its accounts, so nobody cuts ours
HOST_CHARACTERS_MAX = 253
NAME_CHARACTERS_MAX = 100
SUMMARY_CHARACTERS_MAX = 5_000
DEFAULT_BOARD = "board"
PARTIAL = "followers_synchronization"  # where a server reads which of its people follow an actor of ours (FEP-8fcf)

# One namespace for persons, boards, the ledger and the server, because all of them answer as acct:HANDLE@HOST.
RESERVED_HANDLES = frozenset({"actor", "everyone", "inbox", "ledger", "server"})


class Kind(StrEnum):
    """What kind of actor of ours it is."""

    PERSON = "person"
    GROUP = "group"
    SERVER = "server"
    LEDGER = "ledger"


class FollowState(StrEnum):
    """Where a follow stands; a refused or withdrawn one leaves no row."""

    ASKED = "asked"
    ACCEPTED = "accepted"


def folded(handle: str) -> str:
    """The one spelling of a handle that is stored and compared; what no database can store folds to nothing."""
    return handle.strip().lower() if handle.isprintable() else ""


def chosen_handle(kind: Kind, handle: str, host: str) -> str:
    """The handle as it will be stored. Raises Refused for one that nobody of this kind may carry.

    ``host`` is the instance's host without a port: the server actor's own name (FEP-d556 practice).
    """
    wanted = folded(handle)
    if kind is Kind.SERVER:
        return host.lower()
    if kind is Kind.LEDGER:
        return "ledger"
    if len(wanted) > HANDLE_CHARACTERS_MAX or not wanted.isascii() or not is_local_name(wanted):
        raise Refused(
            "handle_form",
            said(
                "A handle has at most %(count)s letters a to z, digits and underscores; dots and "
                "hyphens may stand between them.",
                count=HANDLE_CHARACTERS_MAX,
            ),
        )
    if wanted in RESERVED_HANDLES or wanted == host.lower() or (wanted == DEFAULT_BOARD and kind is not Kind.GROUP):
        raise Refused(
            "handle_reserved", said("The handle %(wanted)s is kept for the neighbourhood itself.", wanted=wanted)
        )
    return wanted


def chosen_name(name: str, handle: str) -> str:
    """The name to show: what was given on one line, or the handle. Raises Refused when it is too long."""
    shown = one_line(name) or handle
    if len(shown) > NAME_CHARACTERS_MAX:
        raise Refused("name_length", said("A name has at most %(count)s characters.", count=NAME_CHARACTERS_MAX))
    return shown


def chosen_summary(summary: str) -> str:
    """What an actor says about itself, plain text. Raises Refused when it is too long."""
    if len(summary) > SUMMARY_CHARACTERS_MAX:
        raise Refused(
            "summary_length", said("A description has at most %(count)s characters.", count=SUMMARY_CHARACTERS_MAX)
        )
    return without_turning(summary).strip()


def origin_of(uri: str) -> str:
    """The origin in front of an id, without a slash at its end."""
    return "/".join(uri.split("/", 3)[:3])


def host_without_port(origin: str) -> str:
    """The bare host of an origin."""
    return urlsplit(origin).hostname or ""
