"""Statements between two ledgers: what was settled since the last one, proposed by one side, checked by the other."""

from collections.abc import Sequence
from dataclasses import dataclass

import orjson
from sqlalchemy import ColumnElement, Connection, func, insert, select, update

from fedaid.foundation.refused import Refused
from fedaid.foundation.work import Work
from fedaid.timebank import rows, tables
from fedaid.timebank.commands import books, channel
from fedaid.timebank.commands.steps import MustWait
from fedaid.timebank.limits import TimebankLimits
from fedaid.timebank.rows import Peer, StoredFact, Transfer
from fedaid.timebank.rules import papers
from fedaid.timebank.rules.books import GENESIS
from fedaid.timebank.rules.messages import Document, Envelope
from fedaid.timebank.rules.papers import AnswerMessage, LedgerHead, Line, Statement, StatementMessage
from fedaid.timebank.rules.states import UNDECIDED, Alarm, Kind, Paper, PayeeState, PayerState, Side

SETTLED = (PayerState.SETTLED, PayeeState.CREDITED)
NAMED_MAX = 50  # of those in flight or undecided; the rest can be seen on the pages of either side


@dataclass(frozen=True)
class Standing:
    """Where the last countersigned statement left it: what we owe them, and the digest it is quoted by."""

    number: int
    digest: str
    we_owe: int


def make_due(work: Work, limits: TimebankLimits, peer_id: int, *, now: bool = False) -> StatementMessage | None:
    """Propose a statement to this peer, if that is for us to do and hours were settled since the last one.

    The side whose origin comes first in the alphabet proposes. ``now``: an admin asks for it. None when there is
    nothing to state, or an earlier one is not answered yet.
    """
    books.lock(work)
    peer = rows.peer(work.connection, peer_id)
    if not proposes(work, peer) or peer.must_wait or peer.status not in rows.SPEAKING:
        return None
    values = {"statement_at": work.now}
    work.connection.execute(update(tables.peer).where(tables.peer.c.id == peer_id).values(values))
    if _unanswered(work, peer) is not None:
        return None
    lines = unstated(work.connection, peer, limits.statement_lines_max)
    return _propose(work, limits, peer, lines) if lines or now else None


def proposes(work: Work, peer: Peer) -> bool:
    """Whether statements with this peer are ours to make."""
    return work.names.origin < peer.origin


def _propose(work: Work, limits: TimebankLimits, peer: Peer, lines: Sequence[Line]) -> StatementMessage:
    last = standing(work.connection, peer.id)
    number = 1 + _highest(work, peer)
    we_owe = last.we_owe + sum(line.minutes for line in lines)
    sign = 1 if we_owe > 0 else -1  # of "what the debtor owes", seen from "what we owe"
    statement = Statement(
        number=number,
        previous=last.digest,
        terms=peer.terms_digest or GENESIS,
        debtor=work.names.ledger if we_owe > 0 else peer.actor,
        creditor=peer.actor if we_owe > 0 else work.names.ledger,
        opening=sign * last.we_owe,
        lines=tuple(Line(line.transfer, sign * line.minutes, line.accept, line.receipt) for line in lines),
        closing=sign * we_owe,
        in_flight=_named(work, peer, tables.transfer.c.state == PayerState.ACCEPTED),
        undecided=_named(work, peer, tables.transfer.c.state.in_([state.value for state in UNDECIDED])),
        head=_our_head(work),
    )

    def write(envelope: Envelope) -> Document:
        return papers.write_statement(envelope, statement)

    about = papers.statement_id(work.names.ledger, peer.number, number)
    message = channel.sign_paper(work, limits, peer.id, about, write)
    assert isinstance(message, StatementMessage)  # noqa: S101 - written so
    _write_row(work, peer, message)
    return message


def _our_head(work: Work) -> LedgerHead:
    head = books.lock(work)
    return LedgerHead(head.seq, head.hash)


def _named(work: Work, peer: Peer, condition: ColumnElement[bool]) -> tuple[str, ...]:
    table = tables.transfer
    query = select(table.c.id).where(table.c.peer_id == peer.id, condition).order_by(table.c.created_at, table.c.id)
    return tuple(work.connection.execute(query.limit(NAMED_MAX)).scalars())


def standing(connection: Connection, peer_id: int) -> Standing:
    """What the last countersigned statement says."""
    table = tables.statement
    agreed = (table.c.peer_id == peer_id) & table.c.countersigned.is_not(None)
    row = connection.execute(select(table).where(agreed).order_by(table.c.number.desc()).limit(1)).one_or_none()
    return Standing(row.number, row.digest, row.closing) if row is not None else Standing(0, GENESIS, 0)


def unstated(connection: Connection, peer: Peer, lines_max: int) -> list[Line]:
    """What was settled with this peer and stands on no statement yet, oldest first; minutes: what we owe for it."""
    table, line = tables.transfer, tables.statement_line
    query = select(table).outerjoin(line, line.c.transfer_id == table.c.id).where(line.c.transfer_id.is_(None))
    query = query.where(table.c.peer_id == peer.id, table.c.state.in_([state.value for state in SETTLED]))
    found = connection.execute(query.order_by(table.c.created_at, table.c.id).limit(lines_max)).all()
    return [_line_of(connection, peer, rows.transfer_of(row)) for row in found]


def _line_of(connection: Connection, peer: Peer, found: Transfer) -> Line:
    facts = rows.facts_about(connection, peer.id, found.id)
    digests = {fact.kind: fact.digest for fact in facts if fact.counts}
    minutes = found.minutes if found.kind == Side.PAYER else -found.minutes
    return Line(found.id, minutes, digests[Kind.ACCEPT], digests[Kind.RECEIPT])


def _unanswered(work: Work, peer: Peer) -> int | None:
    table = tables.statement
    query = select(table.c.number).where(
        table.c.peer_id == peer.id, table.c.countersigned.is_(None), table.c.differs.is_(None)
    )
    return work.connection.execute(query).scalars().first()


def _highest(work: Work, peer: Peer) -> int:
    query = select(func.coalesce(func.max(tables.statement.c.number), 0)).where(tables.statement.c.peer_id == peer.id)
    return int(work.connection.execute(query).scalar_one())


# what the other side says


def receive_statement(
    work: Work, limits: TimebankLimits, peer: Peer, message: StatementMessage, *, final: bool = False
) -> None:
    """Check every line against our own messages, then countersign, or say which transfers differ.

    Before we say that something differs we look whether it is we who lack something: MustWait is raised, and it is
    answered (``final``) once the peer has shown us our common messages.
    """
    channel.keep(work, peer, message)
    known = _answers_to(work.connection, peer, message)
    for fact in known:
        channel.send_again(work, peer.actor, channel.document_of(fact))
    if known:
        return
    if peer.must_wait:
        raise MustWait
    differs, reason = _differences(work, limits, peer, message)
    if reason and not final:
        channel.need_sync(work, peer.id)
        raise MustWait
    if reason:
        _reject(work, limits, peer, message, differs, reason)
    else:
        _countersign(work, limits, peer, message)


def _answers_to(connection: Connection, peer: Peer, message: StatementMessage) -> list[StoredFact]:
    """What we have answered to this statement."""
    return [fact for fact in _answers(connection, peer) if orjson.loads(fact.doc)["fa:statement"] == message.digest]


def _answers(connection: Connection, peer: Peer) -> list[StoredFact]:
    table = tables.fact
    query = select(table).where(table.c.peer_id == peer.id, table.c.ours)
    query = query.where(table.c.kind.in_([Paper.COUNTERSIGNED, Paper.DIFFERS])).order_by(table.c.n)
    return [rows.fact_of(row) for row in connection.execute(query)]


def _next_answer_id(work: Work, peer: Peer) -> str:
    """Our answers are counted by ourselves: their maker may give one number to two unlike statements."""
    return papers.statement_id(work.names.ledger, peer.number, 1 + len(_answers(work.connection, peer)))


def _differences(
    work: Work, limits: TimebankLimits, peer: Peer, message: StatementMessage
) -> tuple[tuple[str, ...], str]:
    """The transfers that differ, and one word why; an empty word for a statement that is right."""
    statement, last = message.statement, standing(work.connection, peer.id)
    if proposes(work, peer) or len(statement.lines) > limits.statement_lines_max:
        return (), "not_yours"
    if statement.previous != last.digest or statement.number <= last.number:
        return (), "previous"
    we_owe = 1 if statement.debtor == work.names.ledger else -1
    if statement.opening * we_owe != last.we_owe:
        return (), "opening"
    names = [line.transfer for line in statement.lines]
    wrong = tuple(line.transfer for line in statement.lines if not _is_right(work, peer, line, we_owe))
    if wrong or len(set(names)) != len(names):
        return wrong, "lines"
    total = statement.opening + sum(line.minutes for line in statement.lines)
    return ((), "") if total == statement.closing else ((), "closing")


def _is_right(work: Work, peer: Peer, line: Line, we_owe: int) -> bool:
    """Whether we hold both messages of a line, it moves these minutes this way, and it was on no statement before."""
    found = rows.transfer(work.connection, line.transfer)
    if found is None or found.peer_id != peer.id or found.state not in SETTLED:
        return False
    stated = select(tables.statement_line.c.number).where(tables.statement_line.c.transfer_id == line.transfer)
    if work.connection.execute(stated).first() is not None:
        return False
    minutes = found.minutes if found.kind == Side.PAYER else -found.minutes
    digests = {fact.digest for fact in rows.facts_about(work.connection, peer.id, found.id)}
    return line.minutes * we_owe == minutes and {line.accept, line.receipt} <= digests


def _countersign(work: Work, limits: TimebankLimits, peer: Peer, message: StatementMessage) -> None:
    about, head = f"{message.transfer}/offer", _our_head(work)

    def write(envelope: Envelope) -> Document:
        return papers.write_countersignature(envelope, about, message.digest, head)

    answer = channel.sign_paper(work, limits, peer.id, _next_answer_id(work, peer), write)
    _write_row(work, peer, message)
    _agree(work, peer, message, answer.document)


def _reject(
    work: Work, limits: TimebankLimits, peer: Peer, message: StatementMessage, differs: tuple[str, ...], reason: str
) -> None:
    about = f"{message.transfer}/offer"

    def write(envelope: Envelope) -> Document:
        return papers.write_difference(envelope, about, message.digest, differs, reason)

    channel.sign_paper(work, limits, peer.id, _next_answer_id(work, peer), write)
    channel.alarm(work, peer.id, None, Alarm.DIFFERS)


def receive_answer(work: Work, peer: Peer, message: AnswerMessage) -> None:
    """The other side countersigned our statement, or says what differs. Raises Refused for one we did not make."""
    _check_answers_ours(work, message)
    channel.keep(work, peer, message)
    channel.acknowledge(work, message.about.removesuffix("/offer"), message.kind)
    proposed = _statement_of(work, message.statement)
    if proposed is None:
        return
    if message.kind is Paper.COUNTERSIGNED:
        _agree(work, peer, proposed, message.document)
        return
    table = tables.statement
    mine = (table.c.peer_id == peer.id) & (table.c.digest == message.statement) & table.c.countersigned.is_(None)
    work.connection.execute(update(table).where(mine).values(differs=channel.text_of(message.document)))
    channel.alarm(work, peer.id, None, Alarm.DIFFERS)
    channel.need_sync(work, peer.id)


def _check_answers_ours(work: Work, message: AnswerMessage) -> None:
    proposed = _statement_of(work, message.statement)
    if (
        proposed is None
        or proposed.envelope.actor != work.names.ledger
        or f"{proposed.transfer}/offer" != message.about
    ):
        raise Refused("unknown_statement", "This answers a statement that we did not make.", 409)


def _statement_of(work: Work, digest: str) -> StatementMessage | None:
    fact = rows.fact_by_digest(work.connection, digest)
    if fact is None or fact.kind is not Paper.STATEMENT:
        return None
    found = papers.read_paper(channel.document_of(fact))
    return found if isinstance(found, StatementMessage) else None


def recall(work: Work, limits: TimebankLimits, peer: Peer, message: StatementMessage | AnswerMessage) -> None:
    """A statement or an answer of ours that we had forgotten and are shown again."""
    channel.keep_ours(work, limits, peer, message)
    if isinstance(message, StatementMessage):
        _write_row(work, peer, message)
        return
    proposed = _statement_of(work, message.statement)
    if proposed is not None and message.kind is Paper.COUNTERSIGNED:
        _write_row(work, peer, proposed)
        _agree(work, peer, proposed, message.document)


# the rows


def _write_row(work: Work, peer: Peer, message: StatementMessage) -> None:
    """The statement in our own words: what we owe them. One number is used once."""
    statement, table = message.statement, tables.statement
    taken = select(table.c.number).where(table.c.peer_id == peer.id, table.c.number == statement.number)
    if work.connection.execute(taken).first() is not None:
        return
    sign = 1 if statement.debtor == work.names.ledger else -1
    work.connection.execute(
        insert(table).values(
            peer_id=peer.id,
            number=statement.number,
            opening=sign * statement.opening,
            closing=sign * statement.closing,
            doc=channel.text_of(message.document),
            digest=message.digest,
        )
    )


def _agree(work: Work, peer: Peer, message: StatementMessage, answer: Document) -> None:
    """Both have signed. One that does not follow on the last one both signed is only kept."""
    statement, table = message.statement, tables.statement
    mine = (table.c.peer_id == peer.id) & (table.c.digest == message.digest) & table.c.countersigned.is_(None)
    if statement.previous != standing(work.connection, peer.id).digest:
        return
    done = work.connection.execute(update(table).where(mine).values(countersigned=channel.text_of(answer)))
    if done.rowcount == 1:
        known = [line.transfer for line in statement.lines if rows.transfer(work.connection, line.transfer)]
        lines = [{"peer_id": peer.id, "number": statement.number, "transfer_id": one} for one in known]
        if lines:
            work.connection.execute(insert(tables.statement_line), lines)
