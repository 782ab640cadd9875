"""Reads the whole journal with its accounts, to be written in a format that others read."""

from zoneinfo import ZoneInfo

from sqlalchemy import Connection, func, select

from fedaid.actors import queries as actors
from fedaid.foundation.names import Names
from fedaid.timebank import rows, tables
from fedaid.timebank.rules.books import AccountKind
from fedaid.timebank.rules.journal import BookAccount, BookEntry, Journal


def journal(connection: Connection, names: Names, neighbourhood: str, zone: ZoneInfo) -> Journal:
    """Everything that was ever posted here."""
    hosts = {peer.id: peer for peer in rows.peers(connection)}
    accounts = []
    for row in connection.execute(select(tables.account).order_by(tables.account.c.id)):
        kind, uri = AccountKind(row.kind), row.actor or ""
        if kind is AccountKind.CLEARING:
            name, uri = hosts[row.peer_id].host, hosts[row.peer_id].actor
        elif kind is AccountKind.CHEST:
            name, uri = "Chest", names.ledger
        else:
            known = actors.by_uri(connection, uri)
            name = known.handle if known is not None else uri.rpartition("/")[2]
        accounts.append(BookAccount(row.id, kind, name, uri, row.balance, row.created_at))
    posting, transfer, entry = tables.posting, tables.transfer, tables.entry
    corrects = func.coalesce(entry.c.corrects, transfer.c.reverses).label("corrects")
    query = select(posting, corrects).join(transfer, transfer.c.id == posting.c.transfer_id)
    query = query.outerjoin(entry, entry.c.transfer_id == posting.c.transfer_id).order_by(posting.c.seq)
    entries = [
        BookEntry(
            row.seq,
            row.posted_at,
            row.debit,
            row.credit,
            row.minutes,
            row.transfer_id,
            row.corrects,
            row.evidence,
            row.prev,
            row.hash,
        )
        for row in connection.execute(query)
    ]
    return Journal(neighbourhood, names.ledger, zone, accounts, entries)
