"""Sends what is due: the words are looked up at the last moment, and no transaction is open over the network."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from email.message import EmailMessage

import structlog
from jinja2 import Environment
from sqlalchemy.exc import SQLAlchemyError

from fedaid.board import queries as board
from fedaid.foundation.federation import Federation
from fedaid.foundation.i18n import speaking
from fedaid.foundation.refused import Refused
from fedaid.foundation.said import said
from fedaid.foundation.viewer import Role
from fedaid.foundation.work import UnitsOfWork, Work
from fedaid.members import queries as members
from fedaid.members.commands import access
from fedaid.members.limits import MemberLimits
from fedaid.members.queries import Member
from fedaid.members.rules import chosen_email
from fedaid.notices.commands import mails as commands
from fedaid.notices.limits import MailLimits
from fedaid.notices.queries import Notice, mails
from fedaid.notices.queries.mails import Mail
from fedaid.notices.queries.shown import Reader, shown
from fedaid.notices.rules import Keeping, Kind, keeping_token, unsubscribe_token
from fedaid.notices.sending.letter import Letterhead, keeping_link, unsubscribe_link, with_unsubscribing, write
from fedaid.notices.sending.server import MailServer, NotTaken
from fedaid.notices.tables import MailState, Purpose

_log = structlog.get_logger()


def _keeping(work: Work, inside: Sequence[Notice]) -> Mapping[int, str]:
    """Links to keep listings longer that end, by the id of the notice."""
    links = {}
    for one in inside:
        listing = board.any_listing(work.connection, int(one.about)) if one.kind is Kind.ENDING else None
        if listing is not None and listing.expires_at is not None:
            token = keeping_token(commands.key(work), Keeping(listing.id, listing.expires_at))
            links[one.id] = keeping_link(work.names, token)
    return links


class Postman:
    """Goes round on any number of processes; a mail that two of them might send is leased to one.

    A mail can be sent twice when a process dies between sending and noting it; both have the same Message-ID.
    """

    def __init__(
        self,
        units: UnitsOfWork,
        templates: Environment,
        called: Callable[[], str],
        federation: Federation,
        limits: MailLimits,
        member_limits: MemberLimits,
        language: str,
    ) -> None:
        self._units = units
        self._templates = templates
        self._called = called
        self._federation = federation
        self._limits = limits
        self._member_limits = member_limits
        self._language = language  # of members who chose none
        self._server = MailServer(limits)

    @property
    def sender(self) -> str:
        """The address mails come from."""
        return self._limits.sender or f"no-reply@{self._units.names.host.partition(':')[0]}"

    async def go(self) -> int:
        """Send what is due; how many mails were taken. Nothing happens where no mail server is set."""
        if not self._limits.is_on:
            return 0
        due = await asyncio.to_thread(self._take)
        return sum([await self._deliver(one) for one in due])

    def _take(self) -> list[Mail]:
        with self._units.begin() as work:
            commands.gather(work, self._limits)
            return list(commands.claim(work, self._limits))

    async def _deliver(self, found: Mail) -> bool:
        try:
            return await asyncio.to_thread(self._send, found)
        except SQLAlchemyError as failure:  # it is sent again when its lease has ended
            _log.error("mail_database_failed", error=type(failure).__name__)
            return False

    def _send(self, found: Mail) -> bool:
        with self._units.database.read() as connection:
            reader = members.by_id(connection, found.member_id)
        if reader is None or not reader.email:
            self._note(found, None)
            return False
        try:
            with self._units.begin() as work, speaking(reader.language or self._language):
                message = self._written(work, found, reader)
            if message is not None:
                self._server.send(message)
        except NotTaken as not_taken:
            self._note_failure(found, reader, not_taken)
            return False
        self._note(found, reader if message is not None else None)
        return message is not None

    def _note(self, found: Mail, taken_for: Member | None) -> None:
        with self._units.begin() as work:
            if taken_for is None:
                commands.needless(work, found)
            else:
                commands.sent(work, found, taken_for)

    def _note_failure(self, found: Mail, reader: Member, why: NotTaken) -> None:
        with self._units.begin() as work:
            state = commands.failed(work, found, reader, why.why, self._limits, refused=why.refused)
        if state is MailState.FAILED:
            _log.warning("mail_given_up", mail=found.id, member=found.member_id, refused=why.refused)
        else:
            _log.info("mail_put_off", mail=found.id, member=found.member_id)

    def _written(self, work: Work, found: Mail, reader: Member) -> EmailMessage | None:
        head = Letterhead(self._templates, work.names, self.sender, self._called())
        if found.purpose is Purpose.RECOVERY:
            _, secret = access.offer_recovery(work, None, reader.handle, self._member_limits)
            minutes = self._member_limits.recovery_link_minutes
            return write(head, found.id, reader, "notices/recovery", work.now, secret=secret, minutes=minutes)
        viewer = Reader(members.viewer_of(reader), work.names.host, self._federation)
        inside = mails.in_mail(work.connection, found)
        looked_up = [shown(work.connection, viewer, one) for one in inside]
        notices = [one for one in looked_up if one.told is not None and (one.kind is not Kind.ENDING or one.told.yes)]
        if not notices:
            return None
        links = {"unsubscribe": unsubscribe_link(work.names, unsubscribe_token(commands.key(work), reader.id))}
        is_digest = found.purpose is Purpose.DIGEST
        message = write(
            head,
            found.id,
            reader,
            "notices/mail",
            work.now,
            notices=notices,
            keeping=_keeping(work, inside),
            links=links,
            is_digest=is_digest,
        )
        return with_unsubscribing(message, links)

    def test(self, typed: str) -> None:
        """Send one mail to an address at once. Each answer of the mail server is waited for ``try_seconds_max``.

        Raises Refused for what is no address, where no mail server is set, and with what the mail server said.
        """
        address = chosen_email(typed)
        if not address:
            raise Refused("email_form", "Say an e-mail address.")
        if not self._limits.is_on:
            raise Refused(
                "mail_off", "No mail server is set: write its name as host under [mail] in the settings.", 409
            )
        now = self._units.clock.now()
        head = Letterhead(self._templates, self._units.names, self.sender, self._called())
        reader = Member(0, 0, "", "", "", "", address, Role.MEMBER, "UTC", "", now)
        with speaking(self._language):
            message = write(head, int(now.timestamp()), reader, "notices/test", now)
        try:
            self._server.send(message)
        except NotTaken as not_taken:
            raise Refused("mail_failed", said("The mail was not taken: %(why)s", why=not_taken.why)) from None
