"""Writes about neighbouring networks: the steps of a link."""

from dataclasses import dataclass

from sqlalchemy import insert, update

from fedaid.actors import commands as actors
from fedaid.foundation.refused import NotFound, Refused
from fedaid.foundation.work import Work
from fedaid.network import queries, rules
from fedaid.network.queries import Neighbour, NeighbourFacts
from fedaid.network.rules import Status, Step
from fedaid.network.tables import neighbour


@dataclass(frozen=True)
class LinkChanged:
    """A link with a neighbouring network came to a new status, by our step or theirs."""

    neighbour: Neighbour
    before: Status | None
    step: Step


def propose(work: Work, facts: NeighbourFacts) -> Neighbour:
    """Our admin proposes a link. Raises Refused when it is blocked, is ourselves, or has a link already."""
    return _step_with(work, facts, Step.PROPOSE)


def asked(work: Work, facts: NeighbourFacts) -> Neighbour:
    """Their admin proposes a link; asking twice changes nothing. Raises Refused when it is blocked or is ourselves."""
    return _step_with(work, facts, Step.THEY_ASK)


def _step_with(work: Work, facts: NeighbourFacts, step: Step) -> Neighbour:
    if work.names.is_ours(facts.origin):
        raise Refused("network_self", "This is our own network.")
    if queries.is_blocked(work.connection, facts.host):
        raise Refused("network_blocked", "This host is blocked here.", 403)
    for actor in facts.actors:
        actors.remember(work, actor)
    known = queries.by_host(work.connection, facts.host)
    status = rules.next_status(known.status if known else None, step)
    if known is None:
        return _begin(work, facts, status, step)
    if status is not known.status:  # a new handshake: what they say of themselves now counts
        _describe(work, known, facts)
    return _settle(work, known, status, step)


def _begin(work: Work, facts: NeighbourFacts, status: Status, step: Step) -> Neighbour:
    row = {"id": work.new_id(), **_described(facts), "status": status, "created_at": work.now, "changed_at": work.now}
    work.connection.execute(insert(neighbour).values(host=facts.host, **row))
    return _changed(work, facts.host, None, step)


def _described(facts: NeighbourFacts) -> dict[str, object]:
    return {
        "origin": facts.origin,
        "server_actor": facts.server_actor,
        "ledger_actor": facts.ledger_actor,
        "board_actor": facts.board_actor,
    }


def _describe(work: Work, known: Neighbour, facts: NeighbourFacts) -> None:
    changed = update(neighbour).where(neighbour.c.id == known.id).values(**_described(facts))
    work.connection.execute(changed)


def take(work: Work, host: str, step: Step) -> Neighbour:
    """One step of a link that exists, ours or theirs. Raises NotFound, Refused (409) when it does not fit."""
    known = queries.by_host(work.connection, host)
    if known is None:
        raise NotFound("There is no link with this network.")
    return _settle(work, known, rules.next_status(known.status, step), step)


def accept(work: Work, host: str) -> Neighbour:
    """Our admin accepts what they asked."""
    return take(work, host, Step.ACCEPT)


def accepted(work: Work, host: str) -> Neighbour:
    """Their admin accepted what we proposed."""
    return take(work, host, Step.THEY_ACCEPT)


def pause(work: Work, host: str) -> Neighbour:
    """Nothing new goes between us until the link is resumed; what is under way still finishes."""
    return take(work, host, Step.PAUSE)


def resume(work: Work, host: str) -> Neighbour:
    """The paused link works again."""
    return take(work, host, Step.RESUME)


def end(work: Work, host: str) -> Neighbour:
    """Our admin ends the link."""
    return take(work, host, Step.END)


def ended(work: Work, host: str) -> Neighbour:
    """Their admin ended the link."""
    return take(work, host, Step.THEY_END)


def _settle(work: Work, known: Neighbour, status: Status, step: Step) -> Neighbour:
    if status is known.status:
        return known
    changed = update(neighbour).where(neighbour.c.id == known.id).values(status=status, changed_at=work.now)
    work.connection.execute(changed)
    return _changed(work, known.host, known.status, step)


def _changed(work: Work, host: str, before: Status | None, step: Step) -> Neighbour:
    found = queries.by_host(work.connection, host)
    if found is None:
        raise NotFound
    work.record(LinkChanged(found, before, step))
    return found
