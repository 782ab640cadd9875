"""Who is welcome here: which hosts and actors a restriction covers, and what follows from all of them; pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

import idna

from activitypub.errors import MalformedUrl
from activitypub.identifiers import UrlRules, is_loopback_address
from fedaid.actors.rules import HOST_CHARACTERS_MAX
from fedaid.foundation.federation import Federation
from fedaid.foundation.refused import Refused
from fedaid.foundation.said import said
from fedaid.foundation.text import one_line

REASON_CHARACTERS_MAX = 500
_HOST = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?(?::[0-9]{1,5})?")
_ANY_ADDRESS = UrlRules(loopback=True)  # a target is only compared with others, never spoken to


class Severity(StrEnum):
    """What a restriction does, the strongest first.

    BLOCK  nothing in, nothing out, nothing shown
    LIMIT  it comes in, but only those who follow see it
    NONE   neither; only its ``rejects_…`` count
    """

    BLOCK = "block"
    LIMIT = "limit"
    NONE = "none"


class Kind(StrEnum):
    """What a restriction is laid on: a host with all domains below it, or a single actor."""

    HOST = "host"
    ACTOR = "actor"


@dataclass(frozen=True)
class Target:
    """What a restriction is laid on, in its one spelling: the host (with a port on one machine), or the actor's id."""

    kind: Kind
    name: str

    @property
    def host(self) -> str:
        """The host itself, or the actor's."""
        return host_of(self.name)

    def covers(self, address: str) -> bool:
        """Whether what is laid on this covers a host, or an actor by its id."""
        return self.name in targets_of(address)


@dataclass(frozen=True)
class Terms:
    """What a restriction says of its target.

    reason           may be told to the other side, and stands on lists given to others
    rejects_media    pictures and files of theirs are not fetched
    rejects_reports  reports of theirs are thrown away
    obfuscates       where a list is shown to anybody, parts of the name are to be starred (Mastodon's ``obfuscate``)
    """

    severity: Severity
    reason: str = ""
    rejects_media: bool = False
    rejects_reports: bool = False
    obfuscates: bool = False


def chosen_terms(terms: Terms) -> Terms:
    """The terms with their reason on one line. Raises Refused for a long reason, or when nothing is restricted."""
    reason = one_line(terms.reason)
    if len(reason) > REASON_CHARACTERS_MAX:
        raise Refused("reason_length", said("A reason has at most %(count)s characters.", count=REASON_CHARACTERS_MAX))
    if terms.severity is Severity.NONE and not (terms.rejects_media or terms.rejects_reports):
        raise Refused("restriction_empty", "Say what is restricted: block, limit, no media or no reports.")
    return replace(terms, reason=reason)


def chosen_target(typed: str) -> Target:
    """What somebody typed as a host, or as the id of an actor. Raises Refused."""
    text = typed.strip()
    try:
        url = _ANY_ADDRESS.parse(text)
    except MalformedUrl:
        return Target(Kind.HOST, _chosen_host(text))
    if url.target == "/":
        return Target(Kind.HOST, url.origin.netloc)
    return Target(Kind.ACTOR, url.without_fragment)


def _chosen_host(typed: str) -> str:
    """A host in ASCII (IDNA 2008, attack S66), lower case, without a dot at its end. Raises Refused."""
    text = typed.lower().rstrip(".")
    try:
        name = text if text.isascii() else idna.encode(text, uts46=True).decode("ascii")
    except idna.IDNAError:
        name = ""
    if not _HOST.fullmatch(name) or ".." in name or len(name) > HOST_CHARACTERS_MAX:
        raise Refused("network_host", "A host looks like riverside.example.")
    return name


def host_of(address: str) -> str:
    """The host of an id, in ASCII (attack S66), with the port where it is not the scheme's own; a bare host stays so.

    Of what no server would ask for, whatever stands where the host would be.
    """
    if "://" not in address:
        return address
    try:
        return _ANY_ADDRESS.parse(address).origin.netloc
    except MalformedUrl:
        return re.split(r"[/?#\\]", address.partition("://")[2], maxsplit=1)[0].rpartition("@")[2]


def covering(host: str) -> list[str]:
    """The hosts whose block covers this one: itself, with and without its port, and every parent (attack S48)."""
    bare = host.lower().partition(":")[0].rstrip(".")
    if is_loopback_address(bare):
        return list(dict.fromkeys((host.lower(), bare)))
    labels = bare.split(".")
    parents = [".".join(labels[start:]) for start in range(len(labels))]
    return list(dict.fromkeys((host.lower(), *parents)))


def targets_of(address: str) -> list[str]:
    """Every name whose restriction covers an actor, or whatever else has this id or host."""
    hosts = covering(host_of(address))
    return [*hosts, address] if "://" in address else hosts


class Standing(StrEnum):
    """Where a server, or somebody on it, stands with us."""

    WELCOME = "welcome"
    LIMITED = "limited"
    SHUT_OUT = "shut_out"


@dataclass(frozen=True)
class Laid:
    """A restriction as far as a verdict needs it."""

    target: Target
    severity: Severity
    reason: str = ""


@dataclass(frozen=True)
class Verdict:
    """A standing; for one that is shut out with a code, and a sentence that the other side may read.

    alone  whether it is this one actor that is meant, and not its whole server
    """

    standing: Standing
    code: str = ""
    sentence: str = ""
    alone: bool = False

    @property
    def is_shut_out(self) -> bool:
        return self.standing is Standing.SHUT_OUT


WELCOME = Verdict(Standing.WELCOME)
NOT_A_NEIGHBOUR = Verdict(
    Standing.SHUT_OUT, "not_a_neighbour", "This network speaks with the networks it is linked with, and no others."
)


def verdict(federation: Federation, linked: bool, laid: Iterable[Laid]) -> Verdict:
    """Where somebody stands whom these restrictions cover (attack S48).

    The strongest counts: nothing loose on a domain below opens what is shut above it. ``linked`` says whether our
    admin has a link with their network; that matters only to an instance which speaks with neighbours alone.
    """
    strongest = min(laid, key=_strength, default=None)
    if strongest is not None and strongest.severity is Severity.BLOCK:
        return _blocked(strongest)
    if federation is Federation.NEIGHBOURS and not linked:
        return NOT_A_NEIGHBOUR
    if strongest is not None and strongest.severity is Severity.LIMIT:
        return Verdict(Standing.LIMITED, alone=strongest.target.kind is Kind.ACTOR)
    return WELCOME


def _strength(one: Laid) -> tuple[int, bool]:
    return list(Severity).index(one.severity), one.target.kind is Kind.ACTOR


def _blocked(by: Laid) -> Verdict:
    why = f" The reason given: {by.reason}" if by.reason else ""
    sentence = f"{by.target.name} is blocked here.{why}"
    return Verdict(Standing.SHUT_OUT, "blocked", sentence, alone=by.target.kind is Kind.ACTOR)
