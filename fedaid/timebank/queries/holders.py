"""Whose hours somebody may look after besides their own: a group's they spend for, the chest, a neighbour's offline."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from fedaid.actors import queries as actors
from fedaid.foundation.viewer import Viewer
from fedaid.groups import queries as groups
from fedaid.groups.tables import group, membership
from fedaid.members import queries as members
from fedaid.timebank import rows, tables
from fedaid.timebank.rules.books import AccountKind

CHEST = "chest"


@dataclass(frozen=True)
class Holder:
    """An account to act for.

    handle  what stands in addresses; empty for one's own account, ``chest`` for the community chest
    actor   whose account it is; of the chest our ledger
    """

    handle: str
    actor: str
    name: str

    @property
    def is_own(self) -> bool:
        return not self.handle


def holder(connection: Connection, viewer: Viewer, handle: str, ledger: str) -> Holder | None:
    """The account with this handle, if the viewer may act for it; without a handle their own."""
    wanted = handle.strip().removeprefix("@").lower()
    if wanted in ("", viewer.handle):
        return Holder("", viewer.actor, viewer.name)
    if wanted == CHEST:
        return Holder(CHEST, ledger, "the community chest") if viewer.is_admin else None
    found = actors.by_handle(connection, wanted)
    if found is None or not may_act_for(connection, viewer, found.uri):
        return None
    return Holder(found.handle, found.uri, found.name)


def may_act_for(connection: Connection, viewer: Viewer, actor: str) -> bool:
    """Whether the viewer may spend from this group's account, or enters hours for this neighbour."""
    account = rows.account_of(connection, actor)
    if account is None or not viewer.signed_in:
        return False
    if account.kind is AccountKind.GROUP:
        return any(one.actor == actor for one in purses(connection, viewer))
    return account.by_coordinator and viewer.is_coordinator


def purses(connection: Connection, viewer: Viewer) -> Sequence[Holder]:
    """The groups whose hours the viewer may spend: where they were named, or are the coordinator; by name."""
    named = select(tables.account.c.actor).join(tables.spender, tables.spender.c.account_id == tables.account.c.id)
    uris = set(connection.execute(named.where(tables.spender.c.actor == viewer.actor)).scalars())
    leads = select(group.c.id).join(membership, membership.c.group_id == group.c.id)
    leads = leads.where(membership.c.member_id == viewer.member_id, membership.c.role == "coordinator")
    for group_id in connection.execute(leads).scalars().all():
        board = groups.board_by_id(connection, group_id)
        if board is not None and rows.account_of(connection, board.actor) is not None:
            uris.add(board.actor)
    found = [actors.by_uri(connection, uri) for uri in uris]
    return sorted((Holder(one.handle, one.uri, one.name) for one in found if one), key=lambda one: one.name)


def represented(connection: Connection) -> Sequence[Holder]:
    """The neighbours for whom coordinators enter hours, by name."""
    query = select(tables.account.c.actor).where(tables.account.c.by_coordinator)
    found = [members.by_actor(connection, actor) for actor in connection.execute(query).scalars().all()]
    return sorted((Holder(one.handle, one.actor, one.name) for one in found if one), key=lambda one: one.name)


@dataclass(frozen=True)
class SharedAccount:
    """The account of a group or organisation; ``spenders`` are the handles of the members named for it."""

    handle: str
    name: str
    balance: int
    held: int
    floor: int
    spenders: Sequence[str]


def shared_accounts(connection: Connection) -> Sequence[SharedAccount]:
    """The accounts of our groups and organisations, by name."""
    query = select(tables.account).where(tables.account.c.kind == AccountKind.GROUP)
    accounts = [rows.account_of_row(row) for row in connection.execute(query)]
    found = []
    for account in accounts:
        board = groups.board_by_actor(connection, account.actor or "")
        if board is not None:
            figures = (account.balance, account.held, account.floor)
            found.append(SharedAccount(board.handle, board.name, *figures, _spenders(connection, account.id)))
    return sorted(found, key=lambda one: one.name)


def _spenders(connection: Connection, account_id: int) -> Sequence[str]:
    table = tables.spender
    query = select(table.c.actor).where(table.c.account_id == account_id).order_by(table.c.since, table.c.actor)
    known = [members.by_actor(connection, actor) for actor in connection.execute(query).scalars().all()]
    return [one.handle for one in known if one is not None]


def groups_without_account(connection: Connection) -> Sequence[groups.Board]:
    """Our groups that have no account of hours yet."""
    return [one for one in groups.boards(connection) if rows.account_of(connection, one.actor) is None]
