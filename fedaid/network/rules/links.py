"""What may become of a link with a neighbouring network; pure."""

from enum import StrEnum

from activitypub.errors import MalformedUrl
from activitypub.identifiers import Origin, UrlRules, is_loopback_address
from fedaid.foundation.refused import Refused


class Status(StrEnum):
    """Where a link stands: ``proposed`` by us, ``asked`` for by them."""

    PROPOSED = "proposed"
    ASKED = "asked"
    ACCEPTED = "accepted"
    PAUSED = "paused"
    ENDED = "ended"


# From the moment that one side asked until one of them ends it; what such a network sends is looked at.
LINKED = frozenset({Status.PROPOSED, Status.ASKED, Status.ACCEPTED, Status.PAUSED})


class Step(StrEnum):
    """What an admin here does with a link, or what the other network tells us."""

    PROPOSE = "propose"
    ACCEPT = "accept"
    PAUSE = "pause"
    RESUME = "resume"
    END = "end"
    THEY_ASK = "they_ask"
    THEY_ACCEPT = "they_accept"
    THEY_END = "they_end"


# What each step makes of each status; None is a network that we have no link with. Everything else is refused.
# Steps of theirs may arrive twice, so they also lead to where they have led already.
_NEXT: dict[tuple[Status | None, Step], Status] = {
    (None, Step.PROPOSE): Status.PROPOSED,
    (Status.ENDED, Step.PROPOSE): Status.PROPOSED,
    (Status.ASKED, Step.ACCEPT): Status.ACCEPTED,
    (Status.ACCEPTED, Step.PAUSE): Status.PAUSED,
    (Status.PAUSED, Step.RESUME): Status.ACCEPTED,
    (Status.PROPOSED, Step.END): Status.ENDED,
    (Status.ASKED, Step.END): Status.ENDED,
    (Status.ACCEPTED, Step.END): Status.ENDED,
    (Status.PAUSED, Step.END): Status.ENDED,
    (None, Step.THEY_ASK): Status.ASKED,
    (Status.ENDED, Step.THEY_ASK): Status.ASKED,
    (Status.PROPOSED, Step.THEY_ASK): Status.ASKED,  # both proposed at once: either admin can now accept
    (Status.ASKED, Step.THEY_ASK): Status.ASKED,
    (Status.ACCEPTED, Step.THEY_ASK): Status.ACCEPTED,
    (Status.PAUSED, Step.THEY_ASK): Status.PAUSED,
    (Status.PROPOSED, Step.THEY_ACCEPT): Status.ACCEPTED,
    (Status.ASKED, Step.THEY_ACCEPT): Status.ACCEPTED,  # both proposed at once, and they accepted ours
    (Status.ACCEPTED, Step.THEY_ACCEPT): Status.ACCEPTED,
    (Status.PAUSED, Step.THEY_ACCEPT): Status.PAUSED,
    (Status.PROPOSED, Step.THEY_END): Status.ENDED,
    (Status.ASKED, Step.THEY_END): Status.ENDED,
    (Status.ACCEPTED, Step.THEY_END): Status.ENDED,
    (Status.PAUSED, Step.THEY_END): Status.ENDED,
    (Status.ENDED, Step.THEY_END): Status.ENDED,
}

_WHY_NOT = {
    Step.PROPOSE: "There is a link with this network already.",
    Step.ACCEPT: "This network is not waiting for our answer.",
    Step.PAUSE: "Only an accepted link can be paused.",
    Step.RESUME: "Only a paused link can be resumed.",
    Step.END: "There is no link with this network that could end.",
    Step.THEY_ACCEPT: "This network was not asked.",
}


def next_status(status: Status | None, step: Step) -> Status:
    """The status after a step. Raises Refused (409) for a step that does not fit."""
    found = _NEXT.get((status, step))
    if found is None:
        raise Refused("link_status", _WHY_NOT.get(step, "There is no link with this network."), 409)
    return found


def origin_of(typed: str, rules: UrlRules) -> Origin:
    """The origin meant by what an admin typed: a host, ``host:port`` on one machine, or an address. Raises Refused.

    A loopback host without a scheme is reached by http, as nobody has a certificate for 127.0.0.1.
    """
    text = typed.strip().rstrip("/")
    if "://" not in text:
        scheme = "http" if rules.loopback and is_loopback_address(text.partition(":")[0]) else "https"
        text = f"{scheme}://{text}"
    try:
        url = rules.parse(text)
    except MalformedUrl:
        raise _unreadable() from None
    if url.text != str(url.origin):
        raise _unreadable()
    return url.origin


def _unreadable() -> Refused:
    return Refused("network_host", "A network is named by its host, such as riverside.example.")
