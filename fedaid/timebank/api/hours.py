"""My hours for programs: what I have, what moved, what waits, and my answers to it.

Giving and claiming hours stand in ``fedaid.web.api``, which knows the board too.
"""

from typing import Annotated, Any

from pydantic import Field
from sqlalchemy import Connection

from fedaid.actors.api import Person, person
from fedaid.foundation.api import (
    Asked,
    Digits,
    Listed,
    Model,
    Moment,
    NoQuery,
    Nothing,
    Operation,
    Operations,
    Query,
    Whole,
    given,
    or_empty,
)
from fedaid.foundation.refused import NotFound
from fedaid.foundation.work import Work
from fedaid.timebank import commands, queries
from fedaid.timebank.limits import TimebankLimits
from fedaid.timebank.queries import Hour, StatementLine
from fedaid.timebank.rules.books import MINUTES_MAX, NOTE_CHARACTERS_MAX, REASON_CHARACTERS_MAX

READ, WRITE, ABOUT = "hours:read", "hours:write", "hours"
KEY_PATTERN = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
ROWS = 20
TransferId = Annotated[
    str, Field(pattern=KEY_PATTERN, examples=["5d8f6d2e-3f0a-4c55-8f6c-1f4f0c7f2a11"], description="An id; opaque.")
]


class QuestionShown(Model):
    """What was asked about a claim, and the answer, empty until there is one."""

    asked_by: Person
    reason: str
    at: Moment
    answer: str


class TransferShown(Model):
    """Hours that go from one to another, as one of the two sees them."""

    id: str = Field(description="The last part of its address.")
    address: str = Field(description="Its id on the wire.")
    minutes: int
    other: Person
    you_helped: bool = Field(description="Whether the hours come to you.")
    state: str = Field(description="One of the states in the reference of the timebank's protocol.")
    state_in_words: str
    since: Moment
    note: str
    agreement: str | None
    listing: str | None = Field(description="The address of the listing that it is for.")
    can_withdraw: bool
    corrects: str | None = Field(description="The address of the transfer that it corrects.")
    question: QuestionShown | None


class Transfers(Model):
    """Transfers, the oldest first."""

    items: list[TransferShown]


class HoursShown(Model):
    """Your account, in minutes."""

    balance_minutes: int
    given_minutes: int = Field(description="For help that you gave.")
    received_minutes: int = Field(description="For help that you got.")
    held_minutes: int = Field(description="On hold for what is under way.")
    floor_minutes: int = Field(description="How low the balance may go.")


class MovementShown(Model):
    """One movement on your account."""

    transfer: str = Field(description="The id of the transfer.")
    at: Moment
    other: Person
    note: str
    minutes: int = Field(description="Positive for hours that came in.")
    state: str
    corrects: str | None


class Movements(Listed):
    """Movements on your account, the newest first."""

    items: list[MovementShown]


class StatementQuery(Query):
    """Which part of the statement."""

    limit: Annotated[int, Field(ge=1, le=1000), Digits] = Field(
        ROWS, description="How many at most; never more than the neighbourhood gives on one page."
    )
    cursor: str = Field("", pattern=or_empty(KEY_PATTERN), description="``next`` of the page before.")


class Reason(Model):
    """What is not clear, or how it was."""

    words: str = Field(min_length=1, max_length=REASON_CHARACTERS_MAX)


class Correction(Model):
    """How much of it is to be undone."""

    minutes: Annotated[int, Field(ge=1, le=MINUTES_MAX), Whole]
    note: str = Field("", max_length=NOTE_CHARACTERS_MAX)


def _name(transfer_id: str) -> str:
    return transfer_id.rpartition("/")[2]


def as_shown(one: Hour) -> TransferShown:
    """A transfer as it is answered."""
    question = one.question
    return TransferShown(
        id=one.name,
        address=one.id,
        minutes=one.minutes,
        other=person(one.other),
        you_helped=one.given,
        state=one.state.value,
        state_in_words=one.state_in_words,
        since=one.since,
        note=one.note,
        agreement=one.engagement,
        listing=one.proposal,
        can_withdraw=one.can_withdraw,
        corrects=one.corrects,
        question=QuestionShown(
            asked_by=person(question.asked_by), reason=question.reason, at=question.at, answer=question.answer
        )
        if question is not None
        else None,
    )


def shown(connection: Connection, asked: Asked[Any, Any], transfer_id: str) -> TransferShown:
    """A transfer of whoever asks, also one that waits for another network first. Raises NotFound."""
    actor, host = asked.who.actor, asked.home.names.host
    found = queries.transfer_for(connection, transfer_id, actor, host)
    if found is None:
        waiting = queries.under_way(connection, actor, host)
        found = next((one for one in waiting if one.id == transfer_id), None)
    if found is None:
        raise NotFound
    return as_shown(found)


def _transfer_id(asked: Asked[Any, Any]) -> str:
    return asked.home.names.transfer(asked.path["transfer"])


def show_hours(connection: Connection, asked: Asked[Any, Any]) -> HoursShown:
    """Your balance, what you gave and what you received."""
    found = queries.statement(connection, asked.who.actor, asked.home.names.host, lines_max=0)
    return HoursShown(
        balance_minutes=found.balance_minutes,
        given_minutes=found.given_minutes,
        received_minutes=found.received_minutes,
        held_minutes=found.held_minutes,
        floor_minutes=found.floor_minutes,
    )


def _movement(line: StatementLine) -> MovementShown:
    return MovementShown(
        transfer=_name(line.transfer_id),
        at=line.at,
        other=person(line.other),
        note=line.note,
        minutes=line.signed_minutes,
        state=line.state,
        corrects=line.corrects,
    )


def show_statement(connection: Connection, asked: Asked[StatementQuery, Nothing]) -> Movements:
    """What moved on your account."""
    query, names = asked.query, asked.home.names
    before = names.transfer(query.cursor) if query.cursor else ""
    rows = min(query.limit, asked.rows_max)
    found = queries.statement_page(connection, asked.who.actor, names.host, rows, before)
    more = _name(found.next_before) if found.next_before is not None else None
    return Movements(next=more, items=[_movement(one) for one in found.lines])


def list_waiting(connection: Connection, asked: Asked[Any, Any]) -> Transfers:
    """What waits for you to confirm or refuse."""
    found = queries.waiting_for(connection, asked.who.actor, asked.home.names.host)
    return Transfers(items=[as_shown(one) for one in found])


def list_under_way(connection: Connection, asked: Asked[Any, Any]) -> Transfers:
    """What you claimed or gave and is not decided yet."""
    found = queries.under_way(connection, asked.who.actor, asked.home.names.host)
    return Transfers(items=[as_shown(one) for one in found])


def show_transfer(connection: Connection, asked: Asked[Any, Any]) -> TransferShown:
    """One transfer, for the two at its ends."""
    return shown(connection, asked, _transfer_id(asked))


def confirm(limits: TimebankLimits, work: Work, asked: Asked[Any, Any]) -> TransferShown:
    """Say that the help was given: the hours go, for good."""
    actor, transfer_id = asked.who.actor, _transfer_id(asked)
    commands.make_room_for(work, actor, transfer_id, limits.max_transfer_minutes)
    commands.confirm(work, limits, transfer_id, actor)
    return shown(work.connection, asked, transfer_id)


def refuse(limits: TimebankLimits, work: Work, asked: Asked[Any, Any]) -> TransferShown:
    """Refuse a claim, or take back hours that were not claimed yet; nothing happens once it was confirmed."""
    transfer_id = _transfer_id(asked)
    commands.refuse(work, limits, transfer_id, asked.who.actor)
    return shown(work.connection, asked, transfer_id)


def withdraw(limits: TimebankLimits, work: Work, asked: Asked[Any, Any]) -> Model:
    """Take back what you claimed, or hours that are still on hold."""
    commands.withdraw(work, limits, _transfer_id(asked), asked.who.actor)
    return Nothing()


def question(work: Work, asked: Asked[NoQuery, Reason]) -> TransferShown:
    """Ask about a claim instead of confirming it: it goes on waiting, and a coordinator looks at it."""
    transfer_id = _transfer_id(asked)
    commands.ask(work, transfer_id, asked.who.actor, asked.body.words)
    return shown(work.connection, asked, transfer_id)


def answer(work: Work, asked: Asked[NoQuery, Reason]) -> Model:
    """Answer a question about what you claimed; coordinators may answer for others."""
    commands.explain(work, asked.who, _transfer_id(asked), asked.body.words)
    return Nothing()


def correct(limits: TimebankLimits, work: Work, asked: Asked[NoQuery, Correction]) -> TransferShown:
    """Give hours back, or ask for them back, by an opposite transfer that names the one it corrects."""
    typed = asked.body
    made = commands.correct(
        work,
        limits,
        asked.form_key or "",
        _transfer_id(asked),
        asked.who.actor,
        minutes=typed.minutes,
        note=typed.note,
    )
    return shown(work.connection, asked, made)


def operations(limits: TimebankLimits) -> Operations:
    """Everything that a program can do with hours that are there."""
    one = "/hours/{transfer:key}"

    return [
        Operation("show_hours", "GET", "/hours", READ, ABOUT, read=show_hours, answer=HoursShown),
        Operation(
            "show_statement",
            "GET",
            "/hours/statement",
            READ,
            ABOUT,
            read=show_statement,
            query=StatementQuery,
            answer=Movements,
        ),
        Operation("list_waiting", "GET", "/hours/waiting", READ, ABOUT, read=list_waiting, answer=Transfers),
        Operation("list_under_way", "GET", "/hours/under-way", READ, ABOUT, read=list_under_way, answer=Transfers),
        Operation("show_transfer", "GET", one, READ, ABOUT, read=show_transfer, answer=TransferShown),
        Operation(
            "confirm_hours", "POST", f"{one}/confirm", WRITE, ABOUT, write=given(confirm, limits), answer=TransferShown
        ),
        Operation(
            "refuse_hours", "POST", f"{one}/refuse", WRITE, ABOUT, write=given(refuse, limits), answer=TransferShown
        ),
        Operation("withdraw_hours", "POST", f"{one}/withdraw", WRITE, ABOUT, write=given(withdraw, limits)),
        Operation(
            "question_hours", "POST", f"{one}/question", WRITE, ABOUT, write=question, body=Reason, answer=TransferShown
        ),
        Operation("answer_question", "POST", f"{one}/answer", WRITE, ABOUT, write=answer, body=Reason),
        Operation(
            "correct_hours",
            "POST",
            f"{one}/correct",
            WRITE,
            ABOUT,
            write=given(correct, limits),
            body=Correction,
            answer=TransferShown,
            status=201,
            made_at="/hours/{id}",
            needs_key=True,
            leads_to=("show_transfer", "withdraw_hours"),
        ),
    ]
