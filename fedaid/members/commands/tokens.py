"""Writes about tokens: a member makes one for a program, sees when it was used, and ends it."""

from collections.abc import Collection

from sqlalchemy import select, update

from fedaid.foundation.refused import NotFound, Refused
from fedaid.foundation.said import said
from fedaid.foundation.viewer import TokenHolder
from fedaid.foundation.work import Work
from fedaid.members import queries
from fedaid.members.commands import issue_token
from fedaid.members.limits import MemberLimits
from fedaid.members.rules import chosen_token_name
from fedaid.members.tables import member, token


def make_token(work: Work, member_id: int, name: str, scopes: Collection[str], limits: MemberLimits) -> str:
    """A token for a program, with a name; its secret is said this once. Raises Refused, also for one too many."""
    called = chosen_token_name(name)
    work.connection.execute(select(member.c.id).where(member.c.id == member_id).with_for_update())
    if len(queries.tokens(work.connection, member_id)) >= limits.tokens_per_member_max:
        raise Refused(
            "too_many_tokens",
            said("You have %(count)s tokens already; end one first.", count=limits.tokens_per_member_max),
            409,
        )
    return issue_token(work, member_id, " ".join(scopes), called)


def end_token(work: Work, member_id: int, token_sha256: str) -> None:
    """One of the member's own is good for nothing from now on. Raises NotFound for anybody else's."""
    mine = (token.c.member_id == member_id) & (token.c.token_sha256 == token_sha256) & token.c.revoked_at.is_(None)
    if work.connection.execute(update(token).where(mine).values(revoked_at=work.now)).rowcount != 1:
        raise NotFound("This token has ended already.")


def token_used(work: Work, holder: TokenHolder) -> None:
    """Note that a program used it now."""
    this = token.c.token_sha256 == holder.token_sha256
    work.connection.execute(update(token).where(this).values(last_used_at=work.now))
