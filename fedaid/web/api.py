"""Giving and claiming hours for programs: it knows the board and the hours, and meets people of other networks."""

from typing import Annotated, Any

from pydantic import Field
from starlette.concurrency import run_in_threadpool

from fedaid.board import commands as board_commands
from fedaid.foundation.api import ROW_PATTERN, Asked, Model, NoQuery, Operation, Operations, Whole
from fedaid.foundation.ids import row_id
from fedaid.foundation.refused import Refused
from fedaid.foundation.work import Work
from fedaid.timebank.api import TransferShown, shown
from fedaid.timebank.api.hours import ABOUT, WRITE
from fedaid.timebank.limits import TimebankLimits
from fedaid.timebank.rules.books import MINUTES_MAX, NOTE_CHARACTERS_MAX
from fedaid.web import people
from fedaid.web.moving import CLAIM, GIVE, About, agreement_of, move, own_listing
from fedaid.web.people import Introductions

HANDLE_PATTERN = r"^(@?[A-Za-z0-9_.-]{1,64}(@[A-Za-z0-9.:-]{1,255})?)?$"


class Hours(Model):
    """Hours to be given or claimed: with somebody who is named, or with whom there is an agreement."""

    minutes: Annotated[int, Field(ge=1, le=MINUTES_MAX), Whole]
    to: str = Field(
        "",
        pattern=HANDLE_PATTERN,
        examples=["kim", "ben@riverside.example"],
        description="A handle here, a full one elsewhere, or chest; empty with an agreement.",
    )
    agreement: str = Field("", max_length=2048, description="The ``agreement`` of a match of yours that it settles.")
    listing: str | None = Field(None, pattern=ROW_PATTERN, description="The id of a listing of yours that it is for.")
    note: str = Field("", max_length=NOTE_CHARACTERS_MAX, examples=["Bread"])


def operations(limits: TimebankLimits, introductions: Introductions) -> Operations:
    """Giving hours, and claiming them."""

    async def meet(asked: Asked[NoQuery, Hours]) -> None:
        if not asked.body.to:
            return
        for handle in await run_in_threadpool(introductions.unknown, asked.body.to):
            await introductions.meet(handle)

    def give_hours(work: Work, asked: Asked[NoQuery, Hours]) -> TransferShown:
        """Give hours: at once where the other lives here, on hold until their network has taken them up elsewhere."""
        return _moved(work, limits, GIVE, asked)

    def claim_hours(work: Work, asked: Asked[NoQuery, Hours]) -> TransferShown:
        """Log help that you gave; whoever was helped confirms it."""
        return _moved(work, limits, CLAIM, asked)

    leads_to = ("show_transfer", "withdraw_hours")
    more: dict[str, Any] = {
        "body": Hours,
        "answer": TransferShown,
        "status": 201,
        "made_at": "/hours/{id}",
        "needs_key": True,
        "refusals": (404,),
        "before": meet,
    }
    return [
        Operation(
            "give_hours",
            "POST",
            "/hours/give",
            WRITE,
            ABOUT,
            write=give_hours,
            leads_to=(*leads_to, "correct_hours"),
            **more,
        ),
        Operation("claim_hours", "POST", "/hours/claim", WRITE, ABOUT, write=claim_hours, leads_to=leads_to, **more),
    ]


def _moved(work: Work, limits: TimebankLimits, kind: str, asked: Asked[NoQuery, Hours]) -> TransferShown:
    typed, who = asked.body, asked.who
    agreed = agreement_of(work.connection, who, typed.agreement, gives=kind == CLAIM) if typed.agreement else None
    if agreed is not None:
        other = agreed.other.uri
        about = About(agreed, agreed.listing.uri)
    else:
        (named, *more) = people.find(work.connection, work.names, typed.to)
        if more:
            raise Refused("too_many_people", "One person at a time.")
        other = named.actor
        chosen = work.names.listing(row_id(typed.listing)) if typed.listing else ""
        about = About(None, own_listing(work.connection, who, chosen))
    made = move(
        work,
        limits,
        kind,
        asked.form_key or "",
        holder=who.actor,
        other=other,
        minutes=typed.minutes,
        about=about,
        note=typed.note,
    )
    if agreed is not None:
        board_commands.log_hours(work, agreed.match.agreement_uri)
    return shown(work.connection, asked, made)
