"""The slot in the door: an ASGI application that takes letters for every inbox of this server."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

import structlog

from activitypub.errors import ProtocolError
from activitypub.identifiers import Origin, UrlRules
from activitypub.keys import SigningKey
from activitypub.signatures import Request
from inbox.authenticate import Authenticator
from inbox.floods import Floods
from inbox.gate import Head, Message, Receive, Scope, Send, check_head, read_body
from inbox.journal import Journal, JournalUnavailable, entry_of
from inbox.keyring import Keyring
from inbox.limits import InboxLimits
from inbox.memory import Memory
from inbox.newcomers import Newcomers
from inbox.origins import Origins
from inbox.ports import Clock, Correspondents, Fetcher, Followers, Recipients
from inbox.refusal import ACCEPTED, Answer, MailRefused, answer_to, refusal_of

_log = structlog.get_logger()


@dataclass(frozen=True)
class InboxRoom:
    """All that the endpoint stands on. ``server_signer`` gives the key of the server's own actor, for fetching keys.

    ``count_answer`` is told of each letter: ``accepted``, or the code of the refusal.
    """

    origin: Origin
    rules: UrlRules
    limits: InboxLimits
    journal: Journal
    correspondents: Correspondents
    recipients: Recipients
    client: Fetcher
    server_signer: Callable[[], SigningKey]
    clock: Clock
    followers: Followers
    count_answer: Callable[[str], None] = lambda _code: None


def inbox_app(room: InboxRoom) -> "InboxApp":
    """The application for POST to the shared inbox and those of our actors; the path says which."""
    return InboxApp(room)


class InboxApp:
    """Answers 202 once a letter is durable, also when we had it already; else problem+json with the reason."""

    def __init__(self, room: InboxRoom) -> None:
        self._room = room
        newcomers = Newcomers(room.limits, room.clock)
        keyring = Keyring(
            room.correspondents, room.client, room.server_signer, room.rules, room.limits, room.clock, newcomers
        )
        origins = Origins(room.client, room.server_signer, room.limits, room.clock, newcomers)
        self.authenticator = Authenticator(
            room.origin, room.rules, room.limits, room.correspondents, keyring, origins, room.clock
        )
        self._floods = Floods(room.limits, room.clock)
        self._bytes_in_hand = 0
        self._inboxes: Memory[bool] = Memory(
            room.clock, seconds=room.limits.inbox_memory_seconds, entries_max=room.limits.memory_entries_max
        )
        self._told: Memory[bool] = Memory(
            room.clock, seconds=room.limits.followers_told_seconds, entries_max=room.limits.memory_entries_max
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = await self._answer(scope, receive)
        await send({"type": "http.response.start", "status": answer.status, "headers": list(answer.headers)})
        await send({"type": "http.response.body", "body": answer.body})

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        try:
            await self._take(scope, receive)
        except MailRefused as refused:
            return self._refuse(scope, refused)
        except ProtocolError as error:
            return self._refuse(scope, refusal_of(error))
        except JournalUnavailable:
            return self._refuse(scope, self._come_back("unavailable", "The letter could not be kept safe just now."))
        except Exception:  # noqa: BLE001 - a fault of ours: the sender keeps the letter and comes back
            _log.exception("inbox.fault", path=scope["path"])
            return self._refuse(scope, self._come_back("fault", "Something went wrong here, not with the letter."))
        self._room.count_answer("accepted")
        return ACCEPTED

    async def _take(self, scope: Scope, receive: Receive) -> None:
        head = check_head(scope, self._room.origin, self._room.limits)
        await self._check_inbox(head)
        await self._check_room_left()
        held = 0

        async def receive_counted() -> Message:
            nonlocal held
            message = await receive()
            size = len(message.get("body", b""))
            held += size
            self._bytes_in_hand += size
            return message

        try:
            await self._take_body(head, await read_body(receive_counted, self._room.limits))
        finally:
            self._bytes_in_hand -= held

    async def _take_body(self, head: Head, body: bytes) -> None:
        room = self._room
        proved = await self.authenticator.authenticate(Request("POST", head.path, head.headers, body))
        if proved is None:
            _log.info("inbox.thanked_and_forgotten", path=head.path)
            return
        self._floods.check(proved.sender.actor.origin.netloc, proved.activity.type)
        await room.journal.append(entry_of(proved.activity, proved.sender, head.path, proved.body, room.clock.now()))
        if proved.synchronization:
            await self._hear_of_followers(proved.sender.actor.text, proved.synchronization)

    async def _hear_of_followers(self, actor: str, header: str) -> None:
        if self._told.get(actor):
            return
        self._told.put(actor, True)
        try:
            await asyncio.to_thread(self._room.followers.told, actor, header)
        except Exception:  # noqa: BLE001 - the letter is safe, and the next one will say it again
            _log.exception("inbox.followers_failed", actor=actor)

    async def _check_inbox(self, head: Head) -> None:
        if self._inboxes.get(head.path):
            return
        if not await asyncio.to_thread(self._room.recipients.has_inbox, head.path):
            raise MailRefused(HTTPStatus.NOT_FOUND, "no_inbox", "There is no inbox at this address.")
        self._inboxes.put(head.path, True)

    async def _check_room_left(self) -> None:
        """Asked before the body is read, so that a refusal costs little however many come."""
        if self._bytes_in_hand >= self._room.limits.in_hand_bytes_max:
            raise self._come_back("full", "Too many letters are being taken in here; please come back later.")
        journal = self._room.journal
        if journal.is_full:
            await journal.refresh()
            if journal.is_full:
                raise self._come_back("full", "Too many letters are waiting here; please come back later.")

    def _come_back(self, code: str, sentence: str) -> MailRefused:
        return MailRefused(HTTPStatus.SERVICE_UNAVAILABLE, code, sentence, self._room.limits.come_back_seconds)

    def _refuse(self, scope: Scope, refused: MailRefused) -> Answer:
        status = int(refused.status)
        _log.info("inbox.refused", path=scope["path"], status=status, code=refused.code, why=refused.sentence)
        self._room.count_answer(refused.code)
        return answer_to(refused)
