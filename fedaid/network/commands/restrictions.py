"""Writes about who is not welcome here: laying a restriction on a host or an actor, and lifting it again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, insert, update

from activitypub.errors import MalformedUrl
from activitypub.identifiers import parse_handle
from fedaid.actors import commands as actors
from fedaid.actors import queries as actor_queries
from fedaid.actors.commands import FollowAsked
from fedaid.foundation.federation import Federation
from fedaid.foundation.refused import NotFound, Refused
from fedaid.foundation.said import said
from fedaid.foundation.work import Announcer, Work
from fedaid.network import queries
from fedaid.network.commands.log import Decision, write_down
from fedaid.network.rules.restrictions import (
    Kind,
    Severity,
    Target,
    Terms,
    chosen_target,
    chosen_terms,
    covering,
    targets_of,
)
from fedaid.network.tables import restriction
from outbox.queue import withhold

BLOCKED_HERE = "blocked here"


@dataclass(frozen=True)
class Restricted:
    """Something was laid on a host or an actor, or what had been laid on it was changed."""

    target: Target
    terms: Terms


@dataclass(frozen=True)
class Lifted:
    """A host or an actor is welcome again, unless a domain above it is not."""

    target: Target


def chosen(work: Work, typed: str) -> Target:
    """What somebody typed as a host, the id of an actor, or the handle of one that we have met. Raises Refused."""
    try:
        handle = parse_handle(typed.strip())
    except MalformedUrl:
        return chosen_target(typed)
    met = actor_queries.remote_by_handle(work.connection, handle.name, handle.host)
    if met is None:
        raise Refused(
            "not_met",
            said("Nobody called %(handle)s was met here; give the address of their actor instead.", handle=handle),
        )
    return Target(Kind.ACTOR, met.uri)


def restrict(work: Work, target: Target, terms: Terms, by: str = "") -> None:
    """Lay this on a host with all domains below it, or on one actor; it replaces what was laid on it before.

    A block ends every follow between us at once, and nobody over there is told: nothing goes out any more.
    ``by`` is the admin's actor, empty for the command line. Raises Refused.
    """
    restrict_all(work, [(target, terms)], by)


def restrict_all(work: Work, restrictions: Sequence[tuple[Target, Terms]], by: str = "") -> None:
    """The same for many at once, all of them or none. Raises Refused."""
    laid = [(target, chosen_terms(terms)) for target, terms in restrictions]
    changed = [(target, terms) for target, terms in laid if _lay(work, target, terms, by)]
    _part(work, [target for target, terms in changed if terms.severity is Severity.BLOCK])
    for target, terms in changed:
        work.record(Restricted(target, terms))


def _lay(work: Work, target: Target, terms: Terms, by: str) -> bool:
    """Whether anything is different now."""
    _refuse_ourselves(work, target)
    known = queries.restriction_on(work.connection, target.name)
    if known is not None and known.terms == terms:
        return False
    values = {**vars(terms), "laid_by": by, "laid_at": work.now}
    if known is None:
        row = {"id": work.new_id(), "kind": target.kind, "target": target.name, **values}
        work.connection.execute(insert(restriction).values(row))
    else:
        laid_on = restriction.c.target == target.name
        work.connection.execute(update(restriction).where(laid_on).values(values))
    write_down(work, Decision.of(terms.severity), target.name, terms.reason, by)
    return True


def _part(work: Work, blocked: Sequence[Target]) -> None:
    """What still waits for a single actor is given up here; what waits for a host, when its turn comes."""
    if not blocked:
        return
    names = {target.name for target in blocked}
    actors.part(work, lambda uri: not names.isdisjoint(targets_of(uri)))
    for target in blocked:
        if target.kind is Kind.ACTOR:
            met = actor_queries.remote(work.connection, target.name)
            for inbox in (target.name, *([met.inbox] if met else [])):  # of one not met yet, mail waits under the id
                withhold(work.connection, inbox, BLOCKED_HERE)


def _refuse_ourselves(work: Work, target: Target) -> None:
    if target.name in covering(work.names.host) or work.names.is_ours(target.name):
        raise Refused("network_self", "This would shut out our own network.")


def lift(work: Work, target: Target, by: str = "") -> None:
    """Nothing is laid on this host or actor any more. Follows that ended stay ended. Raises NotFound."""
    gone = work.connection.execute(delete(restriction).where(restriction.c.target == target.name)).rowcount
    if not gone:
        raise NotFound(said("Nothing is laid on %(name)s.", name=target.name))
    write_down(work, Decision.LIFT, target.name, "", by)
    work.record(Lifted(target))


def announcers(federation: Federation) -> Mapping[type, Sequence[Announcer]]:
    """An actor of ours cannot follow anybody who is shut out: the whole unit of work is refused."""

    def refuse_shut_out(work: Work, fact: object) -> None:
        if isinstance(fact, FollowAsked):
            found = queries.verdict_on(work.connection, federation, fact.follow.followee)
            if found.is_shut_out:
                raise Refused(found.code, found.sentence, 403)

    return {FollowAsked: (refuse_shut_out,)}
