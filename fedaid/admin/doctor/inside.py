"""Looks at what the instance itself holds: disk, database, actors, books, and mail that waits too long."""

import shutil
from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from fedaid.actors import queries as actors
from fedaid.actors.rules import Kind
from fedaid.admin.doctor.patient import Finding, Patient
from fedaid.foundation import schema
from fedaid.foundation.clock import milliseconds
from fedaid.network import queries as network
from fedaid.timebank import audit as timebank
from inbox import queries as letters
from inbox.tables import State
from outbox import health

FREE_BYTES_MIN = 200 * 1024 * 1024
OVERDUE_MAX = timedelta(minutes=10)


def look_at_ground(patient: Patient) -> list[Finding]:
    """Disk and database: what everything else stands on. The disk comes first."""
    return [_disk(patient), _schema(patient)]


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


def look_inside(patient: Patient) -> list[Finding]:
    """Everything the database tells."""
    now_ms = milliseconds(patient.clock.now())
    proxy = _proxy(patient)
    with patient.database.read() as connection:
        found = [*_database(connection), *_actors(connection), *_ledger(connection), *_letters(connection)]
        return [*proxy, *found, *_queues(connection, now_ms), *_hosts(connection), *_reports(connection)]


def _proxy(patient: Patient) -> list[Finding]:
    """Over https there is always a proxy before us; unless we believe it, all the world has one address."""
    if not patient.names.origin.startswith("https://") or patient.trusts_a_proxy:
        return []
    told = "All visitors count as one address, the proxy's: set trusted_proxies to it, such as 127.0.0.1."
    return [Finding(False, told)]


def _database(connection: Connection) -> Iterator[Finding]:
    if connection.dialect.name == "sqlite":
        told = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
        if told != "ok":
            yield Finding(False, f"The database file is damaged ({told}): stop fedaid and restore the last backup.")
    elif connection.exec_driver_sql("SHOW fsync").scalar_one() != "on":
        yield Finding(False, "PostgreSQL runs with fsync off and can lose hours in a power cut: set fsync = on.")


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
        yield Finding(
            False,
            f"{failed} letters could not be applied; the newest: {newest.sentence or newest.code}. "
            "Mend that, then: fedaid letters retry --all-failed",
        )
    else:
        yield Finding(True, f"Incoming letters: {counts.get(State.NEW, 0)} waiting, none failed.")


def _queues(connection: Connection, now_ms: int) -> Iterator[Finding]:
    """Mail whose time has come and that nobody has taken up: then nobody works."""
    waiting = (
        ("Letters that came in", letters.overdue_since_ms(connection, now_ms)),
        ("Messages that go out", health.overdue_since_ms(connection, now_ms)),
    )
    for what, since_ms in waiting:
        minutes = (now_ms - since_ms) // 60_000 if since_ms is not None else 0
        if minutes > OVERDUE_MAX.total_seconds() / 60:
            advice = "no worker takes them up: is fedaid serve, or fedaid worker, running?"
            yield Finding(False, f"{what} wait since {minutes} minutes and {advice}")


def _hosts(connection: Connection) -> Iterator[Finding]:
    for host in health.hosts(connection):
        if host.asleep:
            yield Finding(
                False,
                f"{host.host} does not answer; {host.waiting} messages wait. Last: {host.last_error}. Ask their admin; "
                f"when it is back: fedaid deliveries resume {host.host}",
            )


def _reports(connection: Connection) -> Iterator[Finding]:
    waiting = network.count_open_reports(connection)
    if waiting:
        yield Finding(True, f"{waiting} reports wait for a moderator, at /reports.")
