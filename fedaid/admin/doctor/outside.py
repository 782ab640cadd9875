"""Looks at the instance as another server would: its name, its proxy, WebFinger, its inbox, and its clock."""

import json
from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import quote, urlsplit

from activitypub import webfinger
from activitypub.client import is_public
from activitypub.errors import FetchFailed, MalformedDocument, ProtocolError
from activitypub.identifiers import is_loopback_address
from activitypub.vocabulary import CONTENT_TYPE
from fedaid.actors.rules import DEFAULT_BOARD
from fedaid.admin.doctor.patient import Finding, Patient
from fedaid.foundation.database import Database
from fedaid.foundation.said import said
from fedaid.foundation.wording import day_and_time
from fedaid.network import queries as network
from fedaid.network.rules import Status
from outbox import health

CLOCK_SKEW_MAX = timedelta(seconds=30)  # GoToSocial takes no more for the instants of its own signatures
CLOCKS_ASKED_MAX = 3
_MISDIRECTED = 421


async def look_from_outside(patient: Patient) -> list[Finding]:
    """Name, clocks and the way in; what needs the way in is looked at only when it is open."""
    name, clock, reach = await _name(patient), await _clock(patient), await _reach(patient)
    found = [one for one in (name, clock, reach) if one is not None]
    if not reach.ok:
        return found
    return [*found, await _webfinger(patient), await _inbox(patient)]


async def _name(patient: Patient) -> Finding | None:
    """Whether the origin's name leads to an address that others can reach."""
    host = urlsplit(patient.names.origin).hostname or ""
    if is_loopback_address(host):
        return None
    try:
        found = await patient.resolver(host)
    except OSError:
        found = ()
    if not found:
        return Finding(
            False, said("%(host)s has no address: add an A or AAAA record for it where the name is kept.", host=host)
        )
    private = [address for address in found if not is_public(address)]
    if private:
        return Finding(
            False,
            said(
                "%(host)s leads to %(value)s, which nobody outside reaches: point its record at the public address.",
                host=host,
                value=private[0],
            ),
        )
    return Finding(True, said("%(host)s leads to %(value)s.", host=host, value=", ".join(found)))


async def _clock(patient: Patient) -> Finding | None:
    """Our clock against those of servers we know: signatures carry the time, and a wrong one makes them worthless."""
    for host in _peers(patient.database):
        try:
            theirs = await patient.client.time_at(f"https://{host}/.well-known/nodeinfo")
        except FetchFailed:
            continue
        ours = patient.clock.now()
        apart = abs(ours - theirs)
        if apart > CLOCK_SKEW_MAX:
            return Finding(
                False,
                said(
                    "This machine says %(value)s UTC, %(host)s says %(value2)s UTC, %(value3)s s apart: "
                    "set the clock by NTP (timedatectl set-ntp true).",
                    value=day_and_time(ours, "UTC"),
                    host=host,
                    value2=day_and_time(theirs, "UTC"),
                    value3=int(apart.total_seconds()),
                ),
            )
        return Finding(True, said("The clock agrees with that of %(host)s.", host=host))
    return None


def _peers(database: Database) -> Sequence[str]:
    """Servers that answered lately, neighbours first. Those on this machine share our clock."""
    with database.read() as connection:
        linked = [one.host for one in network.neighbours(connection) if one.status is Status.ACCEPTED]
        known = [one.host for one in health.hosts(connection) if one.last_success_ms is not None and not one.asleep]
    hosts = dict.fromkeys([*linked, *known])
    return [host for host in hosts if not is_loopback_address(host.partition(":")[0])][:CLOCKS_ASKED_MAX]


async def _reach(patient: Patient) -> Finding:
    """The whole way round, as another server would take it: name, proxy, TLS, Host header."""
    origin = patient.names.origin
    try:
        await patient.client.fetch_json(f"{origin}/.well-known/nodeinfo", "application/json")
    except FetchFailed as error:
        if error.status == _MISDIRECTED:
            return Finding(
                False,
                said(
                    "Something answers at %(origin)s, but asks fedaid for another host: let the proxy "
                    "pass the Host header on (nginx: proxy_set_header Host $host;).",
                    origin=origin,
                ),
            )
        if error.status is not None:
            return Finding(
                False,
                said(
                    "%(origin)s answers %(status)s instead of fedaid: let the proxy pass everything on, "
                    "/.well-known too, and see that fedaid serve is running behind it.",
                    origin=origin,
                    status=error.status,
                ),
            )
        return Finding(
            False,
            said(
                "%(origin)s cannot be reached from here (%(sentence)s): is fedaid serve running, and the proxy?",
                origin=origin,
                sentence=error.sentence,
            ),
        )
    return Finding(
        True,
        said("%(origin)s answers from here at %(value)s UTC.", origin=origin, value=f"{patient.clock.now():%H:%M}"),
    )


async def _webfinger(patient: Patient) -> Finding:
    """Whether the board is found by its handle, as Mastodon looks for it."""
    names = patient.names
    board, handle = names.group(DEFAULT_BOARD), f"{DEFAULT_BOARD}@{names.host}"
    address = f"{names.origin}/.well-known/webfinger?resource={quote(f'acct:{handle}', safe='')}"
    try:
        found = webfinger.parse_jrd(await patient.client.fetch_json(address, webfinger.JRD_ACCEPT))
        actor = webfinger.actor_of(found)
    except (FetchFailed, MalformedDocument) as error:
        return Finding(
            False,
            said(
                "WebFinger does not find @%(handle)s (%(sentence)s): let the proxy pass "
                "/.well-known/webfinger on with its query, and answer nothing under /.well-known "
                "itself.",
                handle=handle,
                sentence=error.sentence,
            ),
        )
    if actor != board:
        return Finding(
            False,
            said(
                "WebFinger says @%(handle)s is %(actor)s, not %(board)s: check origin in the settings, and the proxy.",
                handle=handle,
                actor=actor,
                board=board,
            ),
        )
    return Finding(True, said("@%(handle)s is found by WebFinger.", handle=handle))


async def _inbox(patient: Patient) -> Finding:
    """Whether letters come through: one without a signature must be refused by fedaid itself, and for that reason."""
    inbox = patient.names.shared_inbox
    try:
        answer = await patient.client.post(inbox, b"{}", {"content-type": CONTENT_TYPE})
    except ProtocolError as error:
        return Finding(
            False,
            said(
                "Nothing can be posted to %(inbox)s (%(sentence)s): let the proxy pass POST on.",
                inbox=inbox,
                sentence=error.sentence,
            ),
        )
    code = _code_of(answer.text)
    if code == "unsigned":
        return Finding(True, "The inbox takes letters and refuses those without a signature.")
    if code == "unknown_host":
        return Finding(
            False, "Letters reach the inbox with another Host: let the proxy pass it on, or no signature will fit."
        )
    return Finding(
        False,
        said(
            "%(inbox)s answers %(status)s to a letter, which is not fedaid's answer: let the "
            "proxy pass POST with the type %(type)s on, unchanged.",
            inbox=inbox,
            status=answer.status,
            type=CONTENT_TYPE,
        ),
    )


def _code_of(text: str) -> str:
    try:
        problem = json.loads(text)
    except ValueError:
        return ""
    code = problem.get("code") if isinstance(problem, dict) else None
    return code if isinstance(code, str) else ""
