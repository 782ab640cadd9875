"""Members for programs: for whom a token speaks, and what anybody may read of a member; and whose token it is."""

from typing import Any

from pydantic import Field
from sqlalchemy import Connection

from fedaid.foundation.api import Asked, Model, Moment, Operation, Operations
from fedaid.foundation.refused import NotFound
from fedaid.foundation.viewer import Role, TokenHolder
from fedaid.foundation.work import Work
from fedaid.members import queries
from fedaid.members.commands.tokens import token_used
from fedaid.members.rules import SCOPE_WORDS

ABOUT = "members"


class HeldTokens:
    """The tokens of members, as the doors of the API ask for them."""

    def find(self, connection: Connection, secret: str) -> TokenHolder | None:
        """Who holds it; None when it is unknown, ended, or good for nothing here."""
        found = queries.viewer_of_token(connection, secret)
        return found if found is not None and not found.scopes.isdisjoint(SCOPE_WORDS) else None

    def used(self, work: Work, holder: TokenHolder) -> None:
        """Note that it was used now."""
        token_used(work, holder)


class MemberShown(Model):
    """A member, as everybody may see them."""

    handle: str
    name: str
    about: str = Field(description="What they say of themselves.")
    address: str = Field(description="Their id on the wire.")
    page: str
    since: Moment


class Me(Model):
    """For whom a token speaks, and what it is good for."""

    handle: str
    name: str
    address: str
    role: Role
    time_zone: str
    owes_agreement: bool = Field(
        description="Whether the community agreement has changed; nothing can be done until it is accepted on a page."
    )
    token: str = Field(description="What the token is called.")
    scopes: list[str]


def show_me(_connection: Connection, asked: Asked[Any, Any]) -> Me:
    """For whom the token speaks, and what it is good for."""
    who, token = asked.who, asked.token
    if token is None or who.role is None:
        raise NotFound
    return Me(
        handle=who.handle,
        name=who.name,
        address=who.actor,
        role=who.role,
        time_zone=who.time_zone,
        owes_agreement=who.owes_agreement,
        token=token.name,
        scopes=sorted(token.scopes),
    )


def show_member(connection: Connection, asked: Asked[Any, Any]) -> MemberShown:
    """What a member shows everybody of themselves."""
    found = queries.by_handle(connection, asked.path["handle"])
    if found is None:
        raise NotFound
    return MemberShown(
        handle=found.handle,
        name=found.name,
        about=found.summary,
        address=found.actor,
        page=asked.home.names.page_of(found.handle),
        since=found.created_at,
    )


def operations() -> Operations:
    """What a program can ask about its member, and about others."""
    return [
        Operation("show_me", "GET", "/me", "", ABOUT, read=show_me, answer=Me),
        Operation(
            "show_member",
            "GET",
            "/members/{handle:handle}",
            "",
            ABOUT,
            read=show_member,
            answer=MemberShown,
            public=True,
        ),
    ]
