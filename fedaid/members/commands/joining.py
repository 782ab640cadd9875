"""Writes about how people come in: invitations, joining by oneself, and applications that coordinators decide."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import orjson
from sqlalchemy import insert, select, update

from fedaid.actors import queries as actors
from fedaid.actors.commands import ActorKeys
from fedaid.actors.rules import Kind, chosen_handle, chosen_name, host_without_port
from fedaid.foundation.refused import NotAllowed, NotFound, Refused
from fedaid.foundation.said import said
from fedaid.foundation.viewer import Role, Viewer
from fedaid.foundation.work import Work
from fedaid.members import rules
from fedaid.members.commands import SECRET_BYTES, add_member
from fedaid.members.commands.neighbourhood import accept_agreement
from fedaid.members.facts import ApplicationMade
from fedaid.members.limits import MemberLimits
from fedaid.members.queries import Member, digest
from fedaid.members.queries import joining as queries
from fedaid.members.queries.joining import Application
from fedaid.members.rules.joining import (
    SENTENCE_CHARACTERS_MAX,
    ApplicationState,
    Joining,
    check_agreed,
    checked_answers,
    checked_days,
    checked_uses,
    chosen_words,
)
from fedaid.members.tables import application, invitation


@dataclass(frozen=True)
class Newcomer:
    """Somebody who joins: what they typed, their password hashed already. ``agreed_to`` is a version."""

    handle: str
    name: str
    password_hash: str
    email: str = ""
    time_zone: str = "UTC"
    agreed_to: int | None = None


@dataclass(frozen=True)
class Terms:
    """What an invitation is: a line about it, for how many people and days, and what they may do."""

    note: str = ""
    uses: int = 1
    days: int = 14
    role: Role = Role.MEMBER


# invitations


def invite(work: Work, by: Viewer | None, terms: Terms, limits: MemberLimits) -> str:
    """A new invitation; its secret is said this once, only its digest is stored. ``by`` is None at the terminal.

    Raises NotAllowed, Refused.
    """
    if by is not None and not (by.is_admin or (by.is_coordinator and terms.role is Role.MEMBER)):
        raise NotAllowed("Coordinators invite members; only an admin invites others.")
    if by is not None and queries.our_neighbourhood(work.connection).joining is Joining.CLOSED:
        raise Refused("joining_closed", "Nobody can join just now: an admin has closed the door.", 409)
    if queries.count_good_invitations(work.connection, work.now) >= limits.invitations_max:
        raise Refused("too_many_invitations", "There are too many open invitations; take some back first.", 409)
    secret = secrets.token_urlsafe(SECRET_BYTES)
    row = {
        "id": work.new_id(),
        "secret_sha256": digest(secret),
        "note": chosen_words("note", terms.note, rules.NOTE_CHARACTERS_MAX),
        "role": terms.role,
        "uses": 0,
        "uses_max": checked_uses(terms.uses, limits.invitation_uses_max),
        "made_by": by.member_id if by is not None else None,
        "made_at": work.now,
        "expires_at": work.now + timedelta(days=checked_days(terms.days, limits.invitation_days_max)),
    }
    work.connection.execute(insert(invitation).values(row))
    return secret


def revoke_invitation(work: Work, by: Viewer, invitation_id: int) -> None:
    """Nobody comes with it any more; harmless when nobody could. Raises NotAllowed."""
    _check_coordinator(by)
    mine = (invitation.c.id == invitation_id) & invitation.c.revoked_at.is_(None)
    work.connection.execute(update(invitation).where(mine).values(revoked_at=work.now))


def join_by_invitation(work: Work, secret: str, newcomer: Newcomer, keys: ActorKeys) -> Member:
    """A new member. Raises Refused; the invitation is not used up then. All that is not good is answered alike."""
    table = invitation.c
    good = table.revoked_at.is_(None) & (table.expires_at > work.now) & (table.uses < table.uses_max)
    mine = table.secret_sha256 == digest(secret)
    used = work.connection.execute(update(invitation).where(mine, good).values(uses=table.uses + 1))
    if used.rowcount != 1:
        raise invitation_over()
    role = Role(work.connection.execute(select(table.role).where(mine)).scalar_one())
    if role is not Role.ADMIN and queries.our_neighbourhood(work.connection).joining is Joining.CLOSED:
        raise joining_closed()
    return _enter(work, newcomer, keys, role)


def invitation_over() -> Refused:
    """Whatever was wrong with it: unknown, taken back, too old or used up."""
    return Refused("invitation_over", "This invitation is not good any more. Please ask for another.", 404)


def joining_closed() -> Refused:
    """Nobody can join just now."""
    return Refused("joining_closed", "Nobody can join just now. Please ask the people who run this.", 409)


# by oneself


def join_openly(work: Work, newcomer: Newcomer, keys: ActorKeys, limits: MemberLimits) -> Member:
    """A new member, where everybody may join. Raises Refused."""
    if queries.our_neighbourhood(work.connection).joining is not Joining.OPEN:
        raise joining_closed()
    lately = queries.count_joined_since(work.connection, work.now - timedelta(days=1))
    if lately >= limits.joined_openly_per_day_max:
        raise Refused("too_many_joined", "Very many people joined today. Please come back tomorrow.", 429)
    return _enter(work, newcomer, keys, Role.MEMBER)


def _enter(work: Work, newcomer: Newcomer, keys: ActorKeys, role: Role) -> Member:
    newest = queries.agreement(work.connection)
    check_agreed(newest.version if newest is not None else None, newcomer.agreed_to)
    added = add_member(
        work,
        newcomer.handle,
        newcomer.password_hash,
        name=newcomer.name,
        email=newcomer.email,
        role=role,
        time_zone=newcomer.time_zone,
        keys=keys,
    )
    if newest is not None:
        accept_agreement(work, added.id, newest.version)
    return added


# applications


def apply(work: Work, newcomer: Newcomer, answers: Sequence[str], limits: MemberLimits) -> str:
    """Ask to join; the secret with which the answer is read later is said this once. Raises Refused."""
    here = queries.our_neighbourhood(work.connection)
    if here.joining is not Joining.APPLICATION:
        raise joining_closed()
    newest = queries.agreement(work.connection)
    check_agreed(newest.version if newest is not None else None, newcomer.agreed_to)
    if queries.count_applications(work.connection) >= limits.applications_waiting_max:
        raise Refused("too_many_applications", "Very many people wait already. Please come back in some days.", 429)
    handle = _free_handle(work, newcomer.handle)
    secret = secrets.token_urlsafe(SECRET_BYTES)
    answered = checked_answers(here.questions, answers)
    application_id = work.new_id()
    row = {
        "id": application_id,
        "secret_sha256": digest(secret),
        "handle": handle,
        "name": chosen_name(newcomer.name, handle),
        "email": rules.chosen_email(newcomer.email),
        "password_hash": newcomer.password_hash,
        "time_zone": rules.chosen_time_zone(newcomer.time_zone),
        "agreed_to": newcomer.agreed_to if newest is not None else None,
        "answers": orjson.dumps([vars(one) for one in answered]).decode(),
        "state": ApplicationState.WAITING,
        "made_at": work.now,
        "sentence": "",
    }
    work.connection.execute(insert(application).values(row))
    work.record(ApplicationMade(application_id))
    return secret


def _free_handle(work: Work, typed: str) -> str:
    handle = chosen_handle(Kind.PERSON, typed, host_without_port(work.names.origin))
    if actors.handle_is_taken(work.connection, handle) or queries.is_asked_for(work.connection, handle):
        raise Refused("handle_taken", said("The handle %(handle)s is taken.", handle=handle), 409)
    return handle


def accept_application(work: Work, by: Viewer, application_id: int, keys: ActorKeys) -> Member:
    """Let somebody in; they sign in with the password they chose. Raises NotAllowed, NotFound, Refused."""
    _check_coordinator(by)
    found = _waiting(work, application_id)
    added = add_member(
        work,
        found.handle,
        found.password_hash,
        name=found.name,
        email=found.email,
        time_zone=found.time_zone,
        keys=keys,
    )
    newest = queries.agreement(work.connection)
    if newest is not None and newest.version == found.agreed_to:
        accept_agreement(work, added.id, newest.version)
    _decide(work, found, ApplicationState.ACCEPTED, by, "")
    return added


def decline_application(work: Work, by: Viewer, application_id: int, sentence: str) -> Application:
    """Say no, with a sentence that they will read. Raises NotAllowed, NotFound, Refused."""
    _check_coordinator(by)
    words = chosen_words("sentence", sentence, SENTENCE_CHARACTERS_MAX)
    if not words:
        raise Refused("sentence_missing", "Please say in a sentence why; they will read it.")
    found = _waiting(work, application_id)
    _decide(work, found, ApplicationState.DECLINED, by, words)
    return found


def withdraw_application(work: Work, secret: str) -> None:
    """Whoever sent it takes it back, and nothing of it is kept but that it was. Raises NotFound, Refused."""
    known = queries.application_of(work.connection, secret)
    if known is None:
        raise NotFound
    _decide(work, _waiting(work, known.id), ApplicationState.WITHDRAWN, None, "")


def _waiting(work: Work, application_id: int) -> Application:
    """The application, locked. Raises NotFound, and Refused when it is decided."""
    lock = select(application.c.id).where(application.c.id == application_id).with_for_update()
    if work.connection.execute(lock).first() is None:
        raise NotFound
    found = queries.application_by_id(work.connection, application_id)
    if found is None or found.state is not ApplicationState.WAITING:
        raise Refused("application_decided", "This application is decided already.", 409)
    return found


def _decide(work: Work, found: Application, state: ApplicationState, by: Viewer | None, sentence: str) -> None:
    forgotten: Mapping[str, object] = {"email": "", "password_hash": "", "answers": "[]"}
    decided = {"state": state, "decided_at": work.now, "decided_by": by.member_id if by is not None else None}
    values = {**forgotten, **decided, "sentence": sentence}
    work.connection.execute(update(application).where(application.c.id == found.id).values(values))


def _check_coordinator(by: Viewer) -> None:
    if not by.is_coordinator:
        raise NotAllowed("This is for the coordinators of this neighbourhood.")
