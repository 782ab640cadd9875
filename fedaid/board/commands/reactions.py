"""Writes about what people elsewhere press below a listing of ours: favourites, emoji, boosts, and their undoing."""

from sqlalchemy import delete, func, insert, select

from fedaid.board import queries
from fedaid.board.rules import REACTIONS_MAX, ReactionKind
from fedaid.board.tables import reaction
from fedaid.foundation.refused import NotAllowed
from fedaid.foundation.work import Work


def receive_reaction(work: Work, actor: str, uri: str, listing_uri: str, kind: ReactionKind, emoji: str = "") -> bool:
    """Keep it, once per person and kind; False when it is not about a listing of ours. Nobody else is told."""
    about = queries.listing_by_uri(work.connection, listing_uri)
    if about is None or not about.local or about.hidden:
        return False
    same = (reaction.c.actor == actor) & (reaction.c.kind == kind) & (reaction.c.emoji == emoji)
    here = reaction.c.listing_id == about.id
    known = select(reaction.c.id).where((here & same) | (reaction.c.uri == uri)).limit(1)
    kept = select(func.count()).select_from(reaction).where(here)
    if work.connection.execute(known).first() is None and work.connection.execute(kept).scalar_one() < REACTIONS_MAX:
        row = {"listing_id": about.id, "actor": actor, "kind": kind, "emoji": emoji, "created_at": work.now}
        work.connection.execute(insert(reaction).values({"id": work.new_id(), "uri": uri, **row}))
    return True


def undo_reaction(work: Work, sender: str, uri: str) -> bool:
    """Take back the one with this id; False when there is none. Raises NotAllowed for others (attack S44)."""
    actor = work.connection.execute(select(reaction.c.actor).where(reaction.c.uri == uri)).scalar_one_or_none()
    if actor is None:
        return False
    if actor != sender:
        raise NotAllowed
    work.connection.execute(delete(reaction).where(reaction.c.uri == uri))
    return True


def undo_reactions(work: Work, sender: str, listing_uri: str, kind: ReactionKind) -> bool:
    """Take back all of the sender's own of a kind about a listing of ours, whose ids got lost; harmless without any."""
    about = queries.listing_by_uri(work.connection, listing_uri)
    if about is None or not about.local:
        return False
    theirs = (reaction.c.listing_id == about.id) & (reaction.c.actor == sender) & (reaction.c.kind == kind)
    work.connection.execute(delete(reaction).where(theirs))
    return True
