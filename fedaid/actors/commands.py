"""Writes about actors: making ours, remembering those we met, and following."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from sqlalchemy import delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from activitypub.capabilities import RFC_9421, implements
from activitypub.documents import Actor
from activitypub.keys import (
    VerificationKey,
    generate_ed25519,
    generate_rsa,
    private_to_pem,
    public_to_multibase,
    public_to_pem,
)
from activitypub.webfinger import name_said_by
from fedaid.actors import queries, rules
from fedaid.actors.limits import ActorLimits
from fedaid.actors.queries import Block, Follow, LocalActor
from fedaid.actors.rules import FollowState, Kind
from fedaid.actors.tables import actor_block, local_actor, remote_actor, remote_key
from fedaid.actors.tables import follow as follow_table
from fedaid.foundation.names import Names
from fedaid.foundation.refused import NotAllowed, NotFound, Refused
from fedaid.foundation.said import said
from fedaid.foundation.work import Work
from outbox.queue import withhold

SERVER_TERM, LEDGER_TERM, BOARD_TERM = "fa:server", "fa:ledger", "fa:board"


@dataclass(frozen=True)
class ActorKeys:
    """The two private keys of a new actor, as PKCS#8 PEM; making them takes about 50 ms."""

    rsa_pem: str
    ed25519_pem: str


@dataclass(frozen=True)
class FollowAsked:
    """An actor of ours wants to follow one elsewhere."""

    follow: Follow


@dataclass(frozen=True)
class FollowAnswered:
    """An actor of ours lets a remote one follow it, or does not."""

    follow: Follow
    accepted: bool


@dataclass(frozen=True)
class FollowWithdrawn:
    """An actor of ours no longer follows one elsewhere."""

    follow: Follow


@dataclass(frozen=True)
class ActorBlocked:
    """An actor of ours wants nothing more to do with one elsewhere."""

    block: Block


@dataclass(frozen=True)
class ActorUnblocked:
    """An actor of ours takes a block of one elsewhere back."""

    block: Block


@dataclass(frozen=True)
class FollowConfirmed:
    """An actor elsewhere lets one of ours follow it."""

    follow: Follow


@dataclass(frozen=True)
class FollowLost:
    """A follow of ours is unknown to the server of the actor we followed; here it is over now, too."""

    follow: Follow


@dataclass(frozen=True)
class ActorChanged:
    """What an actor of ours says about itself has changed."""

    uri: str


def make_keys() -> ActorKeys:
    """New keys; call it before the unit of work is opened where a page waits for it."""
    return ActorKeys(private_to_pem(generate_rsa()), private_to_pem(generate_ed25519()))


def uri_of(names: Names, kind: Kind, handle: str) -> str:
    """The id of an actor of ours on the wire."""
    if kind is Kind.PERSON:
        return names.person(handle)
    if kind is Kind.GROUP:
        return names.group(handle)
    return names.ledger if kind is Kind.LEDGER else names.server


def create_actor(
    work: Work,
    kind: Kind,
    handle: str,
    *,
    name: str = "",
    summary: str = "",
    manually_approves: bool = False,
    keys: ActorKeys | None = None,
) -> LocalActor:
    """A new actor of ours. Raises Refused when the handle is malformed, kept or taken.

    ``handle`` is ignored for the server and the ledger, whose handles are fixed.
    """
    chosen = rules.chosen_handle(kind, handle, rules.host_without_port(work.names.origin))
    if queries.handle_is_taken(work.connection, chosen):
        raise _taken(chosen)
    pair = keys or make_keys()
    shown = rules.chosen_name(name, chosen)
    about = rules.chosen_summary(summary)
    uri = uri_of(work.names, kind, chosen)
    actor = LocalActor(work.new_id(), uri, chosen, kind, shown, about, manually_approves, work.now, None)
    try:
        with work.attempt():
            work.connection.execute(insert(local_actor).values(_row(actor, pair)))
    except IntegrityError:  # somebody was quicker
        raise _taken(chosen) from None
    return actor


def _taken(handle: str) -> Refused:
    return Refused("handle_taken", said("The handle %(handle)s is taken.", handle=handle), 409)


def _row(actor: LocalActor, keys: ActorKeys) -> dict[str, object]:
    pems = {"rsa_pem": keys.rsa_pem, "ed25519_pem": keys.ed25519_pem}
    return {**vars(actor), "also_known_as": orjson.dumps(list(actor.also_known_as)).decode(), **pems}


@dataclass(frozen=True)
class NewKey:
    """An Ed25519 key that was made and is not in use yet: its private half as PEM, and what others see of it."""

    number: int
    key_id: str
    pem: str
    multibase: str


def make_ed25519(ledger: str, number: int) -> NewKey:
    """A key for our ledger, the how-manieth by ``number``."""
    key = generate_ed25519()
    key_id = f"{ledger}#{queries.assertion_key_name(Kind.LEDGER, number)}"
    return NewKey(number, key_id, private_to_pem(key), public_to_multibase(key.public_key()))


def use_ed25519(work: Work, ledger: str, key: NewKey) -> None:
    """Sign documents with this key from now on, and show it in the actor's document. The one before is forgotten."""
    values = {"ed25519_pem": key.pem, "key_number": key.number}
    work.connection.execute(update(local_actor).where(local_actor.c.uri == ledger).values(values))
    work.record(ActorChanged(ledger))


def describe_actor(work: Work, uri: str, name: str, summary: str) -> None:
    """Change what an actor of ours shows; its followers are told. Raises NotFound, Refused."""
    actor = _ours(work, uri)
    values = {"name": rules.chosen_name(name, actor.handle), "summary": rules.chosen_summary(summary)}
    work.connection.execute(update(local_actor).where(local_actor.c.uri == uri).values(values))
    work.record(ActorChanged(uri))


def _ours(work: Work, uri: str) -> LocalActor:
    actor = queries.by_uri(work.connection, uri)
    if actor is None or actor.gone_at is not None:
        raise NotFound
    return actor


def remember(work: Work, actor: Actor) -> None:
    """Store or refresh an actor that we ourselves fetched from its own address (attacks S10, S17, S42).

    Its keys replace the ones we had. Ids under our own origin are ours alone and are refused (attack S51).
    """
    if work.names.is_ours(actor.id.text):
        raise Refused("not_remote", "This id belongs to this server.")
    values = _remote_values(actor, work)
    known = update(remote_actor).where(remote_actor.c.uri == actor.id.text).values(values)
    if work.connection.execute(known).rowcount == 0:
        try:
            with work.attempt():
                row = {"id": work.new_id(), "uri": actor.id.text, **values}
                work.connection.execute(insert(remote_actor).values(row))
        except IntegrityError:  # met at the same moment by another worker
            work.connection.execute(known)
    _replace_keys(work, actor)


def _remote_values(actor: Actor, work: Work) -> dict[str, object]:
    return {
        "host": actor.id.origin.netloc,
        "type": actor.type,
        "handle": name_said_by(actor.raw, actor.preferred_username, actor.id) or "",
        "name": actor.name or actor.preferred_username or actor.id.origin.netloc,
        "page": actor.url or actor.id.text,
        "inbox": str(actor.inbox),
        "shared_inbox": str(actor.shared_inbox) if actor.shared_inbox else None,
        "followers": str(actor.followers) if actor.followers else None,
        "server": _named_actor(actor, SERVER_TERM),
        "ledger": _named_actor(actor, LEDGER_TERM),
        "board": _named_actor(actor, BOARD_TERM),
        "indexable": _consents(actor, "indexable"),
        "discoverable": _consents(actor, "discoverable"),
        "rfc9421": implements(actor.raw, RFC_9421),
        "document": orjson.dumps(dict(actor.raw)).decode(),
        "fetched_at": work.now,
        "gone_at": None,
    }


def _consents(actor: Actor, term: str) -> bool:
    """Whether it says yes to being found (FEP-5feb); Takahe writes the terms with their prefix."""
    return any(actor.raw.get(key) is True for key in (term, f"toot:{term}"))


def _named_actor(actor: Actor, term: str) -> str | None:
    """The ledger or board that a server actor names; one at another origin is not its to name (attack S12)."""
    named: Any = actor.raw.get(term)
    return named if isinstance(named, str) and named.startswith(f"{actor.id.origin}/") else None


def _replace_keys(work: Work, actor: Actor) -> None:
    work.connection.execute(delete(remote_key).where(remote_key.c.owner == actor.id.text))
    for found in actor.keys:
        if queries.key(work.connection, found.key_id) is None:  # a key that is somebody else's stays theirs
            work.connection.execute(insert(remote_key).values(_key_row(found, work)))


def _key_row(found: VerificationKey, work: Work) -> Mapping[str, object]:
    is_rsa = isinstance(found.public_key, RSAPublicKey)
    text = (
        public_to_pem(found.public_key)
        if isinstance(found.public_key, RSAPublicKey)
        else public_to_multibase(found.public_key)
    )
    return {
        "key_id": found.key_id,
        "owner": found.owner,
        "algorithm": "rsa" if is_rsa else "ed25519",
        "public_key": text,
        "asserts": found.asserts,
        "expires_at": found.expires_at,
        "fetched_at": work.now,
    }


def forget_gone(work: Work, uri: str) -> None:
    """A remote actor has deleted itself: it follows nobody, nobody follows it, and its keys speak for nobody."""
    gone = update(remote_actor).where(remote_actor.c.uri == uri).values(gone_at=work.now)
    work.connection.execute(gone)
    work.connection.execute(delete(remote_key).where(remote_key.c.owner == uri))
    either = or_(follow_table.c.follower == uri, follow_table.c.followee == uri)
    work.connection.execute(delete(follow_table).where(either))


def follow(work: Work, follower: str, followee: str) -> Follow:
    """An actor of ours follows another; asking twice changes nothing. Raises NotFound, Refused.

    Following one of our own is accepted at once; following elsewhere waits for the Accept.
    """
    _ours(work, follower)
    if follower == followee:
        raise Refused("follow_self", "Nobody can follow themselves.")
    if queries.is_block_between(work.connection, follower, followee):
        raise NotAllowed("One of you blocks the other.")
    known = queries.follow_between(work.connection, follower, followee)
    if known is not None:
        return known
    activity_id = work.names.activity(work.new_id())
    if work.names.is_ours(followee):
        _ours(work, followee)
        return _store(work, follower, followee, FollowState.ACCEPTED, activity_id)
    asked = _store(work, follower, followee, FollowState.ASKED, activity_id)
    work.record(FollowAsked(asked))
    return asked


def _store(work: Work, follower: str, followee: str, state: FollowState, activity_id: str) -> Follow:
    made = Follow(work.new_id(), follower, followee, state, activity_id, work.now)
    try:
        with work.attempt():
            work.connection.execute(insert(follow_table).values(vars(made)))
    except IntegrityError:  # asked twice at the same moment
        known = queries.follow_between(work.connection, follower, followee)
        if known is None:
            raise
        return known
    return made


def unfollow(work: Work, follower: str, followee: str) -> None:
    """An actor of ours stops following another; harmless when it did not follow."""
    known = queries.follow_between(work.connection, follower, followee)
    if known is None:
        return
    _drop(work, known)
    if not work.names.is_ours(followee):
        work.record(FollowWithdrawn(known))


def _drop(work: Work, known: Follow) -> None:
    work.connection.execute(delete(follow_table).where(follow_table.c.id == known.id))


def part(work: Work, is_meant: Callable[[str], bool]) -> int:
    """End every follow, asked or accepted, with an actor elsewhere that is meant, and say how many; nobody is told."""
    rows = work.connection.execute(select(follow_table.c.id, follow_table.c.follower, follow_table.c.followee)).all()
    ours = work.names.is_ours
    over = [row.id for row in rows if any(is_meant(end) for end in (row.follower, row.followee) if not ours(end))]
    for start in range(0, len(over), queries.URIS_PER_QUERY):
        these = follow_table.c.id.in_(over[start : start + queries.URIS_PER_QUERY])
        work.connection.execute(delete(follow_table).where(these))
    return len(over)


def receive_follow(work: Work, follower: str, followee: str, activity_id: str) -> Follow:
    """A remote actor asks to follow one of ours; asked again, it is answered again (Mastodon forgets answers).

    Raises NotFound for an actor we do not have, Refused for the server and the ledger.
    """
    actor = _ours(work, followee)
    if queries.is_block_between(work.connection, follower, followee):
        raise NotAllowed("One of the two blocks the other.")
    if actor.kind not in (Kind.PERSON, Kind.GROUP):
        raise Refused("not_followable", "The server and the ledger have no followers.")
    known = queries.follow_between(work.connection, follower, followee)
    if known is None:
        state = FollowState.ASKED if actor.manually_approves else FollowState.ACCEPTED
        known = _store(work, follower, followee, state, activity_id)
    else:
        known = _asked_again(work, known, activity_id)
    if known.state is FollowState.ACCEPTED:
        work.record(FollowAnswered(known, accepted=True))
    return known


def _asked_again(work: Work, known: Follow, activity_id: str) -> Follow:
    work.connection.execute(update(follow_table).where(follow_table.c.id == known.id).values(activity_id=activity_id))
    return Follow(known.id, known.follower, known.followee, known.state, activity_id, known.created_at)


def answer_follow(work: Work, followee: str, follower: str, *, accept: bool) -> None:
    """The owner of an actor that approves its followers by hand decides. Raises NotFound when nobody asked."""
    known = queries.follow_between(work.connection, follower, followee)
    if known is None or not work.names.is_ours(followee):
        raise NotFound
    if accept:
        _accept(work, known)
    else:
        _drop(work, known)
    work.record(FollowAnswered(known, accepted=accept))


def _accept(work: Work, known: Follow) -> None:
    accepted = update(follow_table).where(follow_table.c.id == known.id).values(state=FollowState.ACCEPTED)
    work.connection.execute(accepted)


def receive_answer(work: Work, known: Follow, sender: str, *, accept: bool) -> None:
    """A remote actor answered a Follow. Only the one we asked may, and only about a follow of ours (attack S43)."""
    if not work.names.is_ours(known.follower) or known.followee != sender:
        raise Refused("not_asked", "This Follow was not asked of you.", 403)
    if accept:
        _confirm(work, known)
    else:
        _drop(work, known)


def _confirm(work: Work, known: Follow) -> None:
    if known.state is FollowState.ASKED:
        _accept(work, known)
        work.record(FollowConfirmed(replace(known, state=FollowState.ACCEPTED)))


def agree_on_followers(work: Work, followee: str, theirs: Collection[str], limits: ActorLimits) -> None:
    """Make our view of who of ours follows a remote actor that of its own server, which decides (FEP-8fcf).

    Only our own follows change. ``theirs`` are the ids that its server names; those that are not ours mean nothing.
    """
    ours = {one.follower: one for one in queries.follows_to(work.connection, followee)}
    settled = work.now - timedelta(seconds=limits.follow_grace_seconds)
    for known in ours.values():
        if known.follower in theirs:
            _confirm(work, known)
        elif known.state is FollowState.ACCEPTED and known.created_at <= settled:
            _drop(work, known)
            work.record(FollowLost(known))
    for uri in theirs:
        if uri not in ours and queries.by_uri(work.connection, uri) is not None:
            unknown = (work.new_id(), uri, followee, FollowState.ACCEPTED, work.names.activity(work.new_id()), work.now)
            work.record(FollowWithdrawn(Follow(*unknown)))


def receive_undo(work: Work, known: Follow, sender: str) -> None:
    """A remote actor withdraws its own Follow; nobody else's (attack S44)."""
    if known.follower != sender:
        raise Refused("not_yours", "Only the one who followed can undo it.", 403)
    _drop(work, known)


def block(work: Work, blocker: str, blocked: str) -> Block:
    """A person of ours wants nothing more to do with another actor, here or elsewhere; twice changes nothing.

    What one follows of the other ends. Somebody elsewhere is told, as everywhere in the fediverse, so that their
    server keeps them apart too. Raises NotFound, and Refused for oneself or for a board of one's own neighbourhood.
    """
    _ours(work, blocker)
    if blocker == blocked:
        raise Refused("block_self", "Nobody can block themselves.")
    if work.names.is_ours(blocked) and _ours(work, blocked).kind is not Kind.PERSON:
        raise Refused("block_board", "The boards of one's own neighbourhood cannot be blocked.")
    known = queries.block_between(work.connection, blocker, blocked)
    if known is not None:
        return known
    made = _store_block(work, blocker, blocked, work.names.activity(work.new_id()))
    if not work.names.is_ours(blocked):
        work.record(ActorBlocked(made))
    return made


def _store_block(work: Work, blocker: str, blocked: str, activity_id: str) -> Block:
    made = Block(work.new_id(), blocker, blocked, activity_id, work.now)
    work.connection.execute(insert(actor_block).values(vars(made)))
    for one, other in ((blocker, blocked), (blocked, blocker)):
        known = queries.follow_between(work.connection, one, other)
        if known is not None:
            _drop(work, known)
    return made


def unblock(work: Work, blocker: str, blocked: str) -> None:
    """A person of ours takes a block back; harmless when there was none. Follows that ended stay ended."""
    known = queries.block_between(work.connection, blocker, blocked)
    if known is None:
        return
    _drop_block(work, known)
    if not work.names.is_ours(blocked):
        work.record(ActorUnblocked(known))


def _drop_block(work: Work, known: Block) -> None:
    work.connection.execute(delete(actor_block).where(actor_block.c.id == known.id))


def receive_block(work: Work, blocker: str, blocked: str, activity_id: str) -> None:
    """A remote actor wants nothing more to do with one of ours: their follow ends, and nothing is sent to them.

    Raises NotFound for an actor we do not have, Refused for the server and the ledger, whose mail is not personal.
    """
    if _ours(work, blocked).kind not in (Kind.PERSON, Kind.GROUP):
        raise Refused("not_blockable", "The server and the ledger are nobody, and cannot be blocked.")
    if queries.block_between(work.connection, blocker, blocked) is None:
        _store_block(work, blocker, blocked, activity_id)
    met = queries.remote(work.connection, blocker)
    if met is not None:
        withhold(work.connection, met.inbox, "they block the sender", sender=blocked)


def receive_unblock(work: Work, known: Block, sender: str) -> None:
    """A remote actor takes its own block back; nobody else's (attack S44)."""
    if known.blocker != sender:
        raise Refused("not_yours", "Only the one who blocked can undo it.", 403)
    _drop_block(work, known)
