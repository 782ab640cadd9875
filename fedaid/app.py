"""Joins the parts of one instance: the only module that knows all rooms, and the place to see who is told what."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial

import httpx2
from anyio.to_thread import current_default_thread_limiter
from sqlalchemy import Connection
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

import fedaid.actors.pages
import fedaid.actors.wire
import fedaid.admin.moderation
import fedaid.admin.networks
import fedaid.admin.pages
import fedaid.board.api
import fedaid.board.commands
import fedaid.board.pages
import fedaid.board.queries
import fedaid.board.wire
import fedaid.follow_ups
import fedaid.groups.api
import fedaid.groups.commands
import fedaid.groups.pages
import fedaid.matching.commands
import fedaid.matching.pages
import fedaid.members.api
import fedaid.members.pages
import fedaid.members.queries
import fedaid.mentions.pages
import fedaid.mentions.wire
import fedaid.network.commands.restrictions
import fedaid.network.wire
import fedaid.notices.commands
import fedaid.notices.commands.mails
import fedaid.notices.commands.telling
import fedaid.notices.pages
import fedaid.notices.queries
import fedaid.skills.api
import fedaid.skills.pages
import fedaid.skills.queries
import fedaid.timebank.api
import fedaid.timebank.pages
import fedaid.timebank.queries
import fedaid.timebank.wire
import fedaid.web.api
import fedaid.web.hours
import fedaid.web.my_data
import fedaid.web.pages
from activitypub.client import Client, Resolver, Vet, anybody, system_resolver
from activitypub.keys import SigningKey
from fedaid import __version__
from fedaid.actors import rotation, synchronize
from fedaid.actors.pages import FromAbove
from fedaid.actors.ports import (
    OurRecipients,
    SignedReaders,
    StoredAddressBook,
    StoredCorrespondents,
    StoredSigners,
)
from fedaid.actors.rules import Kind
from fedaid.actors.synchronize import StoredFollowers
from fedaid.actors.wire.forward import FORWARDED_TYPES, Forwarding
from fedaid.admin.doctor import Patient
from fedaid.admin.metrics.tallies import Tallies
from fedaid.admin.moving import Moving
from fedaid.admin.networks import Desk
from fedaid.board.wire import catch_up
from fedaid.foundation import api
from fedaid.foundation.bells import Bell, Bells
from fedaid.foundation.clock import Clock, SystemClock, milliseconds
from fedaid.foundation.database import Database
from fedaid.foundation.errands import Errands
from fedaid.foundation.jobs import Chore, Round, keep_house
from fedaid.foundation.pages import House
from fedaid.foundation.renamed import Renamed
from fedaid.foundation.viewer import Viewer
from fedaid.foundation.work import Announcer, Announcers, UnitsOfWork, Work
from fedaid.media.cache import tidy
from fedaid.media.proxy import PictureProxy
from fedaid.members.queries.joining import our_neighbourhood
from fedaid.members.rules import SCOPE_WORDS
from fedaid.members.rules.joining import Joining
from fedaid.network.ports import Doorkeeper, LedgerPassage
from fedaid.notices.live import Live
from fedaid.notices.sending import Postman
from fedaid.settings import Settings
from fedaid.skills.wire import Directories
from fedaid.timebank import sync
from fedaid.timebank.api import Identify
from fedaid.timebank.resend import resend_due, state_due
from fedaid.web.assets import asset
from fedaid.web.counted import Answered, CountedAnswers
from fedaid.web.errors import exception_handlers
from fedaid.web.headers import OurHost, OwnForms, SpokenLanguage, StrictHeaders
from fedaid.web.limits import BodyLimits, RefusedLetters, RequestLimits, RequestsAtOnce
from fedaid.web.metrics import PATH as METRICS_PATH
from fedaid.web.metrics import MetricsDoor
from fedaid.web.people import Introductions
from fedaid.web.ready import ReadyDocuments
from fedaid.web.shell import build_templates
from inbox.endpoint import InboxRoom, inbox_app
from inbox.journal import Journal
from inbox.ports import Handler
from inbox.readers import Readers
from inbox.worker import Worker as InboxWorker
from outbox.worker import Worker as OutboxWorker

FEATURED_MAX = 5  # what a new follower sees first on a board's profile
Handlers = Mapping[str, Sequence[Handler[Work]]]


@dataclass(frozen=True)
class Instance:
    """One running neighbourhood, in parts. ``work_until`` does the work beside the web, ``web`` is its ASGI side.

    client  asks only servers that we speak with; what strangers and members make us fetch goes through it
    scout   asks anybody, for an admin who looks around
    patient what the doctor looks at
    postman brings mails to members
    live    the open pages of this process, to be ended before it stops
    bells   wake who waits for work, in all processes
    tallies what this process counts
    metrics shows that, to whom the admin allows
    """

    settings: Settings
    database: Database
    units: UnitsOfWork
    client: Client
    scout: Client
    patient: Patient
    desk: Desk
    moving: Moving
    inbox_worker: InboxWorker[Work]
    outbox_worker: OutboxWorker
    errands: Errands
    chores: Sequence[Chore | Round]
    live: Live
    postman: Postman
    bells: Bells
    tallies: Tallies
    metrics: MetricsDoor
    web: ASGIApp

    def begin(self) -> None:
        """Before the first request and the first letter: this process cannot know whether it was restored."""
        with self.units.begin() as work:
            sync.ask_all(work)

    async def work_until(self, stop: asyncio.Event) -> None:
        """Apply letters, deliver mail, run errands and do the chores until ``stop`` is set, woken by ``bells``."""
        await asyncio.gather(
            self.inbox_worker.run(stop),
            self.outbox_worker.run(stop),
            self.errands.run(stop),
            keep_house(self.chores, self.units, stop, self.tallies.chores.add),
        )

    async def close(self) -> None:
        """Give back connections."""
        await self.client.aclose()
        await self.scout.aclose()
        self.database.dispose()


def build(
    settings: Settings,
    *,
    works: bool,
    clock: Clock | None = None,
    transport: httpx2.AsyncBaseTransport | None = None,
    resolver: Resolver = system_resolver,
) -> Instance:
    """The instance that the settings describe, on a database that has its schema; nothing runs yet.

    works                whether the web side also does the work, in the same process (``serve``)
    transport, resolver  stand in for the network, for instances that meet inside one test
    """
    clock = clock or SystemClock()
    tallies = Tallies()
    database = Database(settings.database, pool_size=settings.database_connections_max, committed=tallies.commits.add)
    bells = Bells(database, settings.bells)
    units = UnitsOfWork(database, clock, settings.names, announcers(settings), partial(bells.ring, Bell.WORK))
    signers, doors = StoredSigners(database), doorkeeper(settings, database)
    client = _client(settings, transport, clock, vet=doors.vet)
    scout = _client(settings, transport, clock)  # sent by the admin alone, to whom we do not speak with yet

    def server_signer() -> SigningKey:
        return signers.signer(settings.names.server)

    correspondents = StoredCorrespondents(units, settings.url_rules, doors, settings.outbox)
    inbox_worker = InboxWorker(
        write=database.write,
        units=units,
        handlers=handlers(settings, database),
        correspondents=correspondents,
        client=client,
        signer=server_signer,
        rules=settings.url_rules,
        clock=clock,
        limits=settings.inbox,
        count_end=tallies.letters_settled.add,
    )
    outbox_worker = OutboxWorker(
        database.write,
        database.read,
        signers,
        StoredAddressBook(units, client, settings.url_rules, doors, server_signer),
        client,
        settings.url_rules,
        settings.outbox,
        lambda: milliseconds(clock.now()),
        random.random,
        tallies.deliveries.add,
    )
    repeatable = (fedaid.timebank.wire.LEDGER_INBOX,)
    journal = Journal(database.write, clock, settings.inbox, partial(bells.ring, Bell.LETTERS), repeatable)
    mail_slot = inbox_app(
        InboxRoom(
            origin=settings.url_rules.parse(settings.origin).origin,
            rules=settings.url_rules,
            limits=settings.inbox,
            journal=journal,
            correspondents=correspondents,
            recipients=OurRecipients(database, settings.names),
            client=client,
            server_signer=server_signer,
            clock=clock,
            followers=StoredFollowers(units, settings.url_rules),
            count_answer=tallies.letters_answered.add,
        )
    )
    board_handlers = fedaid.board.wire.handlers(settings.url_rules, fedaid.board.queries.FollowedBoards(database))
    errands = Errands(
        units,
        {
            synchronize.KIND: synchronize.synchronizer(client, server_signer, settings.actors),
            catch_up.KIND: catch_up.CatchUp(units, client, server_signer, board_handlers, settings.board),
        },
        settings.errands,
        tallies.errands.add,
    )
    asking = sync.Asking(
        units,
        client,
        lambda: signers.signer(settings.names.ledger),
        settings.timebank,
        fedaid.follow_ups.agreed_hours,
    )
    postman = _postman(settings, units)
    chores = _chores(settings, asking, postman)
    desk = Desk(units, scout, settings.url_rules, settings.timebank, server_signer)
    patient = Patient(
        str(settings.data), settings.names, database, scout, clock, resolver, bool(settings.trusted_proxies)
    )
    pictures = PictureProxy(units, client, settings.media)
    readers = SignedReaders(Readers(mail_slot.authenticator, settings.inbox))
    identify = partial(mail_slot.authenticator.identify, inbox=fedaid.timebank.wire.LEDGER_INBOX)
    live = Live(database, clock, settings.notices)
    bells.answer(Bell.LETTERS, inbox_worker.wake)
    for wake in (outbox_worker.wake, errands.wake, live.wake):
        bells.answer(Bell.WORK, wake)
    pages = _pages(settings, units, clock, readers, routes(settings, desk, patient, pictures, identify, live, postman))
    metrics = MetricsDoor(settings.metrics, _exposed(settings, database, clock, tallies))
    instance = Instance(
        settings,
        database,
        units,
        client,
        scout,
        patient,
        desk,
        Moving(units, client, server_signer, settings.actors),
        inbox_worker,
        outbox_worker,
        errands,
        chores,
        live,
        postman,
        bells,
        tallies,
        metrics,
        FrontDoor(RefusedLetters(mail_slot, settings.web, clock), metrics, pages, tallies.answers.add),
    )
    pages.router.lifespan_context = _lifespan(instance, journal, works=works)
    return instance


def doorkeeper(settings: Settings, database: Database) -> Doorkeeper:
    """Who is asked at both doors and before every fetch; the timebanks' letters pass where people are blocked."""
    wire, ledger_at = fedaid.timebank.wire, fedaid.timebank.queries.agreed_ledger_at
    passage = LedgerPassage(wire.LEDGER_INBOX, wire.LEDGER_TYPES, ledger_at)
    return Doorkeeper(database, settings.names, settings.federation, passage)


def _client(
    settings: Settings, transport: httpx2.AsyncBaseTransport | None, clock: Clock, vet: Vet = anybody
) -> Client:
    agent = f"fedaid/{__version__} (+{settings.origin})"
    rules = settings.url_rules
    trusted = settings.trusted_certificates
    return Client(
        rules, settings.fetch, user_agent=agent, transport=transport, trusted=trusted, clock=clock.now, vet=vet
    )


def _exposed(settings: Settings, database: Database, clock: Clock, tallies: Tallies) -> Callable[[], bytes]:
    """What writes the metrics down. Its library is loaded where somebody may read them, as it takes memory."""
    if not settings.metrics.is_open:
        return lambda: b""
    from fedaid.admin.metrics.exposition import Exposition

    letters_max, gauges_seconds = settings.inbox.queue_letters_max, settings.metrics.gauges_seconds
    return Exposition(database, clock, tallies, letters_max=letters_max, gauges_seconds=gauges_seconds).text


class FrontDoor:
    """Letters go straight to the mail slot, all else to the pages: the slot is what strangers hammer at.

    Metrics have a door of their own, as who gathers them asks for an address of this machine and not for our host.
    ``answered`` is told of every answer.
    """

    def __init__(self, mail_slot: ASGIApp, metrics: ASGIApp, pages: ASGIApp, answered: Answered) -> None:
        self._mail_slot = mail_slot
        self._metrics = metrics
        self._pages = pages
        self._counted = CountedAnswers(self._pass_on, answered)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._counted(scope, receive, send)

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._door(scope)(scope, receive, send)

    def _door(self, scope: Scope) -> ASGIApp:
        if scope["type"] != "http":
            return self._pages
        path: str = scope["path"]
        if path.endswith("/inbox"):
            return self._mail_slot
        return self._metrics if path == METRICS_PATH else self._pages


def announcers(settings: Settings) -> Announcers:
    """Who is told of each fact, in this order: who may refuse it, the wire, then the rooms that follow up on it."""
    return _joined(
        fedaid.network.commands.restrictions.announcers(settings.federation),
        fedaid.actors.wire.ANNOUNCERS,
        fedaid.network.wire.ANNOUNCERS,
        fedaid.groups.commands.ANNOUNCERS,
        fedaid.board.wire.ANNOUNCERS,
        fedaid.matching.commands.ANNOUNCERS,
        fedaid.mentions.wire.ANNOUNCERS,
        catch_up.ANNOUNCERS,
        fedaid.timebank.wire.announcers(settings.timebank),
        fedaid.admin.networks.announcers(settings.timebank),
        fedaid.follow_ups.ANNOUNCERS,
        fedaid.notices.commands.telling.ANNOUNCERS,
    )


def handlers(settings: Settings, database: Database) -> Handlers:
    """Who takes a letter of each type; the first that knows it does. Replies among them are then forwarded."""
    rules = settings.url_rules
    rooms = (
        fedaid.timebank.wire.handlers(rules, settings.timebank, fedaid.follow_ups.agreed_hours),
        fedaid.board.wire.handlers(rules, fedaid.board.queries.FollowedBoards(database)),
        fedaid.mentions.wire.handlers(rules),
        fedaid.network.wire.handlers(fedaid.admin.moderation.owners_of),
        fedaid.actors.wire.handlers(rules, settings.actors),
    )
    joined: dict[str, list[Handler[Work]]] = {}
    for room in rooms:
        for kind, takers in room.items():
            joined.setdefault(kind, []).extend(takers)
    for kind in FORWARDED_TYPES:
        joined[kind] = [Forwarding(joined[kind], settings.actors)]
    return joined


def _joined(*rooms: Mapping[type, Sequence[Announcer]]) -> Announcers:
    joined: dict[type, list[Announcer]] = {}
    for room in rooms:
        for fact, told in room.items():
            joined.setdefault(fact, []).extend(told)
    return joined


def _chores(settings: Settings, asking: sync.Asking, postman: Postman) -> Sequence[Chore | Round]:
    timebank, agreed = settings.timebank, fedaid.follow_ups.agreed_hours
    return (
        Round("sync_hours", timebank.sync_look_seconds, asking.ask_due),
        Round("send_mail", settings.mail.look_seconds, postman.go),
        Chore(
            "forget_mails",
            settings.notices.tidy_seconds,
            lambda work: fedaid.notices.commands.mails.forget_old(work, settings.mail),
        ),
        Chore("resend_hours", timebank.resend_look_seconds, lambda work: resend_due(work, timebank, agreed)),
        Chore("state_hours", timebank.resend_look_seconds, lambda work: state_due(work, timebank)),
        Chore("tidy_pictures", settings.media.tidy_seconds, lambda work: tidy(work, settings.media)),
        Chore(
            "forget_answers",
            settings.api.tidy_seconds,
            lambda work: api.forget_old(work, settings.api.answers_kept_hours),
        ),
        Chore("forget_tombstones", settings.board.tidy_seconds, fedaid.board.commands.forget_tombstones),
        Chore(
            "forget_waiting_photos",
            settings.board.tidy_seconds,
            lambda work: fedaid.board.commands.forget_waiting_photos(work, settings.board),
        ),
        Chore("forget_old_keys", settings.actors.old_keys_look_seconds, rotation.forget_old_keys),
        Chore(
            "index_listings",
            settings.matching.index_look_seconds,
            lambda work: fedaid.matching.commands.index_missing(work, settings.matching),
        ),
        Chore(
            "tell_searchers",
            settings.matching.alert_look_seconds,
            lambda work: fedaid.matching.commands.tell_searchers(work, settings.federation, settings.matching),
        ),
        Chore(
            "forget_notices",
            settings.notices.tidy_seconds,
            lambda work: fedaid.notices.commands.forget_old(work, settings.notices),
        ),
        Chore(
            "warn_of_ends",
            settings.board.expire_look_seconds,
            lambda work: fedaid.board.commands.warn_ending(work, settings.board),
        ),
        Chore("expire_listings", settings.board.expire_look_seconds, fedaid.board.commands.expire_due),
    )


def _postman(settings: Settings, units: UnitsOfWork) -> Postman:
    return Postman(
        units,
        build_templates(settings.source_url, __version__),
        lambda: _name_since(units.database) or settings.name,
        settings.federation,
        settings.mail,
        settings.members,
        settings.language,
    )


def _pages(
    settings: Settings, units: UnitsOfWork, clock: Clock, readers: SignedReaders, routes: Sequence[BaseRoute]
) -> Starlette:
    home = House(
        name=settings.name,
        names=settings.names,
        database=units.database,
        units=units,
        templates=build_templates(settings.source_url, __version__),
        recognise=fedaid.members.pages.recogniser(clock),
        time_zone=settings.time_zone,
        language=settings.language,
        federation=settings.federation,
        identify=readers,
        secure_mode=settings.secure_mode,
        renamed=Renamed(partial(_name_since, units.database), clock),
        position_of=_position_of,
        map_tiles=settings.map_tiles,
        map_credit=settings.map_credit,
        beside_listing=fedaid.matching.pages.beside_listing(settings.matching),
        on_cards=fedaid.matching.pages.on_cards(settings.matching),
        unread=fedaid.notices.queries.count_unread,
        mails=settings.mail.is_on,
    )
    app = Starlette(
        routes=routes,
        exception_handlers=exception_handlers(),
        middleware=[
            Middleware(
                ReadyDocuments,
                database=units.database,
                limits=settings.web,
                clock=clock,
                cookie_name=home.cookie_name,
                language=settings.language,
            ),
            Middleware(StrictHeaders),
            Middleware(SpokenLanguage, otherwise=settings.language),
            Middleware(OurHost, host=settings.names.host),
            Middleware(RequestsAtOnce, limits=settings.web),
            Middleware(RequestLimits, limits=settings.web, clock=clock),
            Middleware(OwnForms, origin=settings.origin),
            Middleware(
                BodyLimits,
                form_bytes_max=settings.form_bytes_max,
                photo_bytes_max=settings.board.photo_bytes_max,
            ),
        ],
    )
    app.state.house = home
    return app


def _position_of(connection: Connection, who: Viewer) -> tuple[float, float] | None:
    """Where a member said in their preferences that they live, roughly."""
    if who.member_id is None:
        return None
    return fedaid.skills.queries.preferences_of(connection, [who.member_id])[who.member_id].position


def _name_since(database: Database) -> str:
    with database.read() as connection:
        return our_neighbourhood(connection).name


def routes(
    settings: Settings,
    desk: Desk,
    patient: Patient,
    pictures: PictureProxy,
    identify: Identify,
    live: Live,
    postman: Postman,
) -> list[BaseRoute]:
    """Every address of the pages; the first that fits is asked, so what one look tells apart stands first."""
    directories = _directories(settings, desk)
    return [
        Route("/static/{name}", asset, methods=["GET"]),
        *api.routes(
            operations(settings, desk), SCOPE_WORDS, settings.api, fedaid.members.api.HeldTokens(), desk.units.clock
        ),
        *fedaid.web.pages.routes(settings.matching, settings.board),
        *fedaid.web.hours.routes(settings.timebank, Introductions(desk.units, desk.client, desk.rules)),
        *fedaid.web.my_data.routes(settings.members, settings.timebank),
        *fedaid.actors.pages.routes(_from_above(settings)),
        *fedaid.members.pages.routes(settings.members),
        *fedaid.board.pages.routes(settings.board, pictures),
        *fedaid.skills.pages.routes(settings.skills, fedaid.board.queries.categories, directories),
        *fedaid.matching.pages.routes(settings.matching, directories),
        *fedaid.mentions.pages.routes(settings.board, pictures),
        *fedaid.timebank.pages.routes(settings.timebank, settings.contact),
        *fedaid.timebank.api.routes(settings.timebank, identify),
        *fedaid.groups.pages.routes(settings.groups),
        *fedaid.notices.pages.routes(settings.notices, settings.mail, settings.members, settings.board, live),
        *fedaid.admin.pages.routes(desk, patient, settings.members, settings.groups, postman),
        fedaid.actors.pages.by_handle(
            {Kind.PERSON: fedaid.web.pages.profile, Kind.GROUP: fedaid.board.pages.group_board}
        ),
    ]


def operations(settings: Settings, desk: Desk) -> api.Operations:
    """Everything that programs of members can do; what each is good for stands in its room's ``api``."""
    return [
        *fedaid.members.api.operations(),
        *fedaid.board.api.operations(settings.board),
        *fedaid.skills.api.operations(settings.skills, _category_slugs),
        *fedaid.groups.api.operations(settings.groups),
        *fedaid.timebank.api.operations(settings.timebank),
        *fedaid.web.api.operations(settings.timebank, Introductions(desk.units, desk.client, desk.rules)),
    ]


def _category_slugs(connection: Connection) -> Collection[str]:
    return [one.slug for one in fedaid.board.queries.categories(connection)]


def _directories(settings: Settings, desk: Desk) -> Directories:
    limits, clock = settings.skills, desk.units.clock
    kept, most = limits.neighbours_kept_seconds, limits.shared_entries_max
    return Directories(desk.client, desk.server_signer, desk.rules, clock, kept, most)


def _from_above(settings: Settings) -> FromAbove:
    return FromAbove(
        featured=lambda connection, board: [
            one.uri for one in fedaid.board.queries.open_listings_of(connection, board, FEATURED_MAX)
        ],
        active_since=fedaid.members.queries.active_since,
        posts=fedaid.board.queries.count_local,
        everybody_may_join=lambda connection: our_neighbourhood(connection).joining is Joining.OPEN,
        source_url=settings.source_url,
    )


def _lifespan(
    instance: Instance, journal: Journal, *, works: bool
) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        stop = asyncio.Event()
        current_default_thread_limiter().total_tokens = instance.settings.web.threads_max
        await asyncio.to_thread(instance.begin)
        listening = asyncio.create_task(instance.bells.run(stop))
        working = asyncio.create_task(instance.work_until(stop)) if works else None
        try:
            yield
        finally:
            stop.set()
            instance.live.end()
            if working is not None:
                await working
            await journal.close()
            await listening
            await instance.close()

    return lifespan
