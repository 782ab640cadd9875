"""Writes about the neighbourhood itself: its name and words, how people join it, and its agreement."""

from sqlalchemy import func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from fedaid.actors.commands import describe_actor
from fedaid.actors.queries import by_uri
from fedaid.actors.rules import DEFAULT_BOARD, NAME_CHARACTERS_MAX
from fedaid.foundation.refused import NotAllowed, Refused
from fedaid.foundation.viewer import Viewer
from fedaid.foundation.work import Work
from fedaid.members import tables
from fedaid.members.queries import joining as queries
from fedaid.members.rules.joining import (
    ABOUT_CHARACTERS_MAX,
    AGREEMENT_CHARACTERS_MAX,
    AREA_CHARACTERS_MAX,
    Joining,
    chosen_questions,
    chosen_text,
    chosen_words,
)


def describe(work: Work, by: Viewer, name: str, area: str, about: str) -> None:
    """What the neighbourhood is called, where it is and what it is in a sentence. Its actors are called so, too.

    Raises NotAllowed, Refused.
    """
    _check_admin(by)
    called = chosen_words("name", name, NAME_CHARACTERS_MAX)
    if not called:
        raise Refused("name_missing", "Please say what your neighbourhood is called.")
    where = chosen_words("area", area, AREA_CHARACTERS_MAX)
    _change(work, name=called, area=where, about=chosen_words("about", about, ABOUT_CHARACTERS_MAX))
    board = work.names.group(DEFAULT_BOARD)
    for uri, shown in ((work.names.server, called), (work.names.ledger, f"{called}: hours"), (board, called)):
        known = by_uri(work.connection, uri)
        if known is not None and known.name != shown:
            describe_actor(work, uri, shown, known.summary)


def choose_joining(work: Work, by: Viewer, joining: Joining, questions: str) -> None:
    """How people join from now on, and what they are asked, one question a line. Raises NotAllowed, Refused."""
    _check_admin(by)
    _change(work, joining=joining, questions="\n".join(chosen_questions(questions)))


def note_step(work: Work, by: Viewer, step: str) -> None:
    """A step of the first-run wizard is done, or was left out on purpose. Raises NotAllowed."""
    _check_admin(by)
    done = queries.our_neighbourhood(work.connection).steps_done | {step}
    _change(work, steps_done=" ".join(sorted(done)))


def _check_admin(by: Viewer) -> None:
    if not by.is_admin:
        raise NotAllowed("Only an admin can change the neighbourhood.")


def _change(work: Work, **values: str) -> None:
    nothing = {"name": "", "area": "", "about": "", "joining": Joining.CLOSED, "questions": "", "steps_done": ""}
    dialect = postgresql if work.connection.dialect.name == "postgresql" else sqlite
    row = dialect.insert(tables.neighbourhood).values(id=tables.THE_ONE, **nothing).on_conflict_do_nothing()
    work.connection.execute(row)
    work.connection.execute(update(tables.neighbourhood).values(values))


# the agreement


def publish_agreement(work: Work, by: Viewer, text: str, *, asks_again: bool) -> int:
    """A new version of the agreement, and its number. Whoever publishes it has accepted it.

    ``asks_again``: everybody is asked to accept it before they act again; the first version always is.
    Raises NotAllowed, Refused.
    """
    _check_admin(by)
    words = chosen_text("agreement", text, AGREEMENT_CHARACTERS_MAX)
    if not words:
        raise Refused("agreement_missing", "An agreement has some words.")
    newest = queries.agreement(work.connection)
    if newest is not None and newest.text == words:
        raise Refused("agreement_same", "These are the words that hold already.", 409)
    version = 1 if newest is None else newest.version + 1
    row = {
        "version": version,
        "text": words,
        "asks_again": asks_again or newest is None,
        "published_by": by.member_id,
        "published_at": work.now,
    }
    try:
        with work.attempt():
            work.connection.execute(insert(tables.community_agreement).values(row))
    except IntegrityError:
        raise Refused(
            "agreement_raced", "Somebody else has just changed the agreement. Please look again.", 409
        ) from None
    accept_agreement(work, by.member_id or 0, version)
    return version


def accept_agreement(work: Work, member_id: int, version: int) -> None:
    """The member keeps to this version; the same again is harmless. Raises Refused when it is not the newest."""
    table = tables.community_agreement
    newest = work.connection.execute(select(func.max(table.c.version))).scalar_one()
    if version != newest:
        raise Refused("agreement_changed", "The agreement has changed meanwhile. Please read it again.", 409)
    dialect = postgresql if work.connection.dialect.name == "postgresql" else sqlite
    row = {"member_id": member_id, "version": version, "accepted_at": work.now}
    work.connection.execute(dialect.insert(tables.agreement_acceptance).values(row).on_conflict_do_nothing())
