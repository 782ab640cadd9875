"""Examines an instance the way an admin would at night, and says what to mend."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from activitypub.client import Client
from activitypub.errors import ProtocolError
from fedaid.actors import queries as actors
from fedaid.actors.rules import Kind
from fedaid.foundation import schema
from fedaid.foundation.database import Database
from fedaid.foundation.names import Names
from fedaid.timebank import audit as timebank
from inbox import queries as letters
from inbox.tables import State
from outbox import health

FREE_BYTES_MIN = 200 * 1024 * 1024


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: whether it is in order, and what was seen or is to be done."""

    ok: bool
    what: str


@dataclass(frozen=True)
class Patient:
    """What the doctor looks at. ``data`` is the instance's folder."""

    data: str
    names: Names
    database: Database
    client: Client


async def examine(patient: Patient) -> list[Finding]:
    """All findings, in the order to mend them."""
    findings = [_disk(patient), _schema(patient)]
    if not all(finding.ok for finding in findings[1:]):
        return findings
    with patient.database.read() as connection:
        for look in (_actors, _ledger, _letters, _hosts):
            findings += look(connection)
    findings.append(await _reach(patient))
    return findings


def _disk(patient: Patient) -> Finding:
    free = shutil.disk_usage(patient.data).free
    megabytes = free // (1024 * 1024)
    if free < FREE_BYTES_MIN:
        return Finding(False, f"Only {megabytes} MB are free in {patient.data}: make room, or nothing can be stored.")
    return Finding(True, f"{megabytes} MB are free in {patient.data}.")


def _schema(patient: Patient) -> Finding:
    try:
        present, newest = schema.revision(patient.database), schema.newest_revision()
    except SQLAlchemyError as error:
        return Finding(
            False, f"The database cannot be opened ({type(error).__name__}): check database_url and its server."
        )
    if present == newest:
        return Finding(True, f"The database answers; its schema is {present}.")
    return Finding(False, f"The schema is {present}, this version needs {newest}: start fedaid serve once.")


def _actors(connection: Connection) -> Iterator[Finding]:
    for kind, called in ((Kind.SERVER, "server actor"), (Kind.LEDGER, "ledger"), (Kind.GROUP, "board")):
        found = actors.of_kind(connection, kind)
        advice = "" if found else ": found the neighbourhood with fedaid init"
        yield Finding(bool(found), f"The {called} exists{advice}." if found else f"There is no {called}{advice}.")


def _ledger(connection: Connection) -> Iterator[Finding]:
    report = timebank.verify_ledger(connection)
    if report.findings:
        yield Finding(False, f"The ledger does not verify: {report.findings[0]} See fedaid ledger verify.")
    else:
        yield Finding(True, f"The ledger verifies: {report.postings} postings, {report.facts} signed messages.")


def _letters(connection: Connection) -> Iterator[Finding]:
    counts = letters.counts(connection)
    failed = counts.get(State.FAILED, 0)
    if failed:
        newest = letters.failed_letters(connection, 1)[0]
        yield Finding(False, f"{failed} letters could not be applied; the newest: {newest.sentence or newest.code}.")
    else:
        yield Finding(True, f"Incoming letters: {counts.get(State.NEW, 0)} waiting, none failed.")


def _hosts(connection: Connection) -> Iterator[Finding]:
    for host in health.hosts(connection):
        if host.asleep:
            yield Finding(False, f"{host.host} does not answer; {host.waiting} messages wait. Last: {host.last_error}.")


async def _reach(patient: Patient) -> Finding:
    """The whole way round: name, proxy, TLS, host header, WebFinger, as another server would take it."""
    address = f"{patient.names.origin}/.well-known/nodeinfo"
    try:
        await patient.client.fetch_json(address, "application/json")
    except ProtocolError as error:
        return Finding(
            False,
            f"{patient.names.origin} cannot be reached from here ({error.sentence}): "
            "is fedaid serve running, and does the proxy pass the Host header on?",
        )
    return Finding(True, f"{patient.names.origin} answers from here at {datetime.now(UTC):%H:%M} UTC.")
