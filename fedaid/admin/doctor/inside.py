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
from fedaid.foundation.said import said
from fedaid.network import queries as network
from fedaid.timebank import audit as timebank
from inbox import queries as letters
from inbox.tables import State
from outbox import health

FREE_BYTES_MIN = 200 * 1024 * 1024
OVERDUE_MAX = timedelta(minutes=10)
PROXY_SENTENCE = "All visitors count as one address, the proxy's: set trusted_proxies to it, such as 127.0.0.1."
_OVERDUE_SENTENCES = (
    "Letters that came in wait since %(minutes)s minutes and no worker takes them up: "
    "is fedaid serve, or fedaid worker, running?",
    "Messages that go out wait since %(minutes)s minutes and no worker takes them up: "
    "is fedaid serve, or fedaid worker, running?",
)


def look_at_ground(patient: Patient) -> list[Finding]:
    """Disk and database: what everything else stands on. The disk comes first."""
    return [_disk(patient), _schema(patient)]


def _disk(patient: Patient) -> Finding:
    free = shutil.disk_usage(patient.data).free
    megabytes = free // (1024 * 1024)
    if free < FREE_BYTES_MIN:
        return Finding(
            False,
            said(
                "Only %(megabytes)s MB are free in %(data)s: make room, or nothing can be stored.",
                megabytes=megabytes,
                data=patient.data,
            ),
        )
    return Finding(True, said("%(megabytes)s MB are free in %(data)s.", megabytes=megabytes, data=patient.data))


def _schema(patient: Patient) -> Finding:
    try:
        present, newest = schema.revision(patient.database), schema.newest_revision()
    except SQLAlchemyError as error:
        return Finding(
            False,
            said(
                "The database cannot be opened (%(name)s): check database_url and its server.",
                name=type(error).__name__,
            ),
        )
    if present == newest:
        return Finding(True, said("The database answers; its schema is %(present)s.", present=present))
    return Finding(
        False,
        said(
            "The schema is %(present)s, this version needs %(newest)s: start fedaid serve once.",
            present=present,
            newest=newest,
        ),
    )


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
    return [Finding(False, PROXY_SENTENCE)]


def _database(connection: Connection) -> Iterator[Finding]:
    if connection.dialect.name == "sqlite":
        told = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
        if told != "ok":
            yield Finding(
                False,
                said("The database file is damaged (%(told)s): stop fedaid and restore the last backup.", told=told),
            )
    elif connection.exec_driver_sql("SHOW fsync").scalar_one() != "on":
        yield Finding(False, "PostgreSQL runs with fsync off and can lose hours in a power cut: set fsync = on.")


_ACTOR_SENTENCES = {
    Kind.SERVER: (
        "The server actor exists.",
        "There is no server actor: found the neighbourhood with fedaid init.",
    ),
    Kind.LEDGER: ("The ledger exists.", "There is no ledger: found the neighbourhood with fedaid init."),
    Kind.GROUP: ("The board exists.", "There is no board: found the neighbourhood with fedaid init."),
}


def _actors(connection: Connection) -> Iterator[Finding]:
    for kind, (there, missing) in _ACTOR_SENTENCES.items():
        found = actors.of_kind(connection, kind)
        yield Finding(bool(found), there if found else missing)


def _ledger(connection: Connection) -> Iterator[Finding]:
    report = timebank.verify_ledger(connection)
    if report.findings:
        yield Finding(
            False, said("The ledger does not verify: %(value)s See fedaid ledger verify.", value=report.findings[0])
        )
    else:
        yield Finding(
            True,
            said(
                "The ledger verifies: %(postings)s postings, %(facts)s signed messages.",
                postings=report.postings,
                facts=report.facts,
            ),
        )


def _letters(connection: Connection) -> Iterator[Finding]:
    counts = letters.counts(connection)
    failed = counts.get(State.FAILED, 0)
    if failed:
        newest = letters.failed_letters(connection, 1)[0]
        yield Finding(
            False,
            said(
                "%(failed)s letters could not be applied; the newest: %(value)s. Mend that, then: "
                "fedaid letters retry --all-failed",
                failed=failed,
                value=newest.sentence or newest.code,
            ),
        )
    else:
        yield Finding(True, said("Incoming letters: %(value)s waiting, none failed.", value=counts.get(State.NEW, 0)))


def _queues(connection: Connection, now_ms: int) -> Iterator[Finding]:
    """Mail whose time has come and that nobody has taken up: then nobody works."""
    waiting = (
        (_OVERDUE_SENTENCES[0], letters.overdue_since_ms(connection, now_ms)),
        (_OVERDUE_SENTENCES[1], health.overdue_since_ms(connection, now_ms)),
    )
    for what, since_ms in waiting:
        minutes = (now_ms - since_ms) // 60_000 if since_ms is not None else 0
        if minutes > OVERDUE_MAX.total_seconds() / 60:
            yield Finding(False, said(what, minutes=minutes))


def _hosts(connection: Connection) -> Iterator[Finding]:
    for host in health.hosts(connection):
        if host.asleep:
            yield Finding(
                False,
                said(
                    "%(host)s does not answer; %(waiting)s messages wait. Last: %(last_error)s. Ask their "
                    "admin; when it is back: fedaid deliveries resume %(host)s",
                    host=host.host,
                    waiting=host.waiting,
                    last_error=host.last_error,
                ),
            )


def _reports(connection: Connection) -> Iterator[Finding]:
    waiting = network.count_open_reports(connection)
    if waiting:
        yield Finding(True, said("%(waiting)s reports wait for a moderator, at /reports.", waiting=waiting))
