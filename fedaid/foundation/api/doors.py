"""The doors of the API: who asks and whether they may, what is asked read once, the answer or why not.

A cookie never opens one: whoever is signed in in a browser is nobody here without a token (attack S82).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol
from urllib.parse import urlencode

from pydantic import BaseModel, ValidationError
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from activitypub.errors import ProtocolError
from activitypub.strict_json import parse_json
from fedaid.foundation.api import answers, document, problems
from fedaid.foundation.api.answers import KEY_CHARACTERS_MAX, Answer, Running
from fedaid.foundation.api.limits import ApiLimits
from fedaid.foundation.api.operations import BASE, Asked, Listed, Model, Nothing, Operation, Operations
from fedaid.foundation.clock import Clock
from fedaid.foundation.pages import AgreementNeeded, house
from fedaid.foundation.refused import NotFound, Refused
from fedaid.foundation.said import said
from fedaid.foundation.viewer import SIGNED_OUT, TokenHolder
from fedaid.foundation.work import Work
from inbox.memory import Counter

JSON: Final = "application/json"
_CHALLENGE: Final = 'Bearer realm="fedaid"'
_KEY: Final = re.compile(rf'"?([A-Za-z0-9._~:-]{{1,{KEY_CHARACTERS_MAX}}})"?')
_ACCEPTED: Final = frozenset({"*/*", "application/*", JSON, problems.MEDIA_TYPE})
_NOTHING: Final = frozenset({b"", b"{}"})


class Tokens(Protocol):
    """Whose token it is; the room of members knows."""

    def find(self, connection: Connection, secret: str) -> TokenHolder | None:
        """Who holds it; None when it is unknown or has ended."""
        ...

    def used(self, work: Work, holder: TokenHolder) -> None:
        """Note that it was used now."""
        ...


@dataclass(frozen=True)
class Doors:
    """What the doors share: limits, whose tokens there are, how often each asked, and what is being carried out."""

    limits: ApiLimits
    tokens: Tokens
    counter: Counter
    running: Running


def routes(
    operations: Operations, scopes: Mapping[str, str], limits: ApiLimits, tokens: Tokens, clock: Clock
) -> Sequence[BaseRoute]:
    """Every operation under its address, the document that says so, and problem details for all else below ``BASE``.

    scopes  what a token may be good for, each with what that means
    """
    counter = Counter(clock, seconds=limits.window_seconds, entries_max=limits.tokens_counted_max)
    doors = Doors(limits, tokens, counter, Running())
    every = [*operations, document.operation(operations, scopes)]
    addresses: dict[str, dict[str, Operation[Any, Any]]] = {}
    for one in every:
        addresses.setdefault(one.address, {})[one.method] = one
    # The more exact address is asked first: /hours/statement before /hours/{transfer}.
    ordered = sorted(addresses.items(), key=lambda item: [part.startswith("{") for part in item[0].split("/")])
    found: list[BaseRoute] = [Route(address, _Door(methods, doors)) for address, methods in ordered]
    return [Mount(BASE, routes=[*found, Route("/{rest:path}", _Door({}, doors))])]


class _Door:
    """One address. An ASGI app rather than a function, so that Starlette lets every method through to it."""

    def __init__(self, methods: Mapping[str, Operation[Any, Any]], doors: Doors) -> None:
        self._methods = methods
        self._doors = doors

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        request = Request(scope, receive)
        answer = await self._answer(request)
        await answer(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        try:
            return await self._carried_out(request)
        except ProtocolError as error:
            refused = Refused(error.code, error.sentence, 413 if error.code == "body_too_large" else 400)
        except Refused as error:
            refused = error
        return problems.answer(house(request).names.origin, refused)

    async def _carried_out(self, request: Request) -> Response:
        operation = self._operation(request)
        _check_accept(request)
        token = await run_in_threadpool(self._token, request)
        _check_scope(operation, token)
        who = token.viewer if token is not None else replace(SIGNED_OUT, time_zone=house(request).time_zone)
        request.scope["viewer"] = who  # and not whoever a cookie names
        operation.check_parts(request.path_params)
        if operation.write is not None and who.owes_agreement:
            raise AgreementNeeded
        query = _read_query(request, operation.query)
        asked = Asked(
            name=operation.name,
            home=house(request),
            who=who,
            token=token,
            path=request.path_params,
            query=query,
            body=await self._body(request, operation),
            key=_key(request, operation),
            rows_max=self._doors.limits.page_rows_max,
        )
        if operation.before is not None:
            await operation.before(asked)
        return await run_in_threadpool(self._done, request, operation, asked)

    def _operation(self, request: Request) -> Operation[Any, Any]:
        if not self._methods:
            raise NotFound
        method = "GET" if request.method == "HEAD" else request.method
        if method not in self._methods:
            allowed = sorted({*self._methods, *(["HEAD"] if "GET" in self._methods else [])})
            raise Refused(
                "method",
                "This address does not take that kind of request.",
                405,
                {"Allow": ", ".join(allowed)},
            )
        return self._methods[method]

    # who asks

    def _token(self, request: Request) -> TokenHolder | None:
        given = request.headers.get("authorization")
        if given is None:
            return None
        scheme, _, secret = given.partition(" ")
        home = house(request)
        found = None
        if scheme.lower() == "bearer" and secret.strip():
            with home.database.read() as connection:
                found = self._doors.tokens.find(connection, secret.strip())
        if found is None:
            raise Refused(
                "token",
                "This token is not good here, or not any more.",
                401,
                {"WWW-Authenticate": f'{_CHALLENGE}, error="invalid_token"'},
            )
        self._count(found)
        now = home.units.clock.now()
        if (
            found.last_used_at is None
            or (now - found.last_used_at).total_seconds() >= self._doors.limits.token_seen_seconds
        ):
            with home.units.begin() as work:
                self._doors.tokens.used(work, found)
        return found

    def _count(self, token: TokenHolder) -> None:
        limits, counter = self._doors.limits, self._doors.counter
        if counter.add(token.token_sha256) > limits.requests_per_token_max:
            seconds = max(1, counter.seconds_left(token.token_sha256))
            raise Refused(
                "too_many_requests",
                said("This program asks too much at once. Please come back in %(count)s seconds.", count=seconds),
                429,
                {"Retry-After": str(seconds)},
            )

    # what is asked

    async def _body(self, request: Request, operation: Operation[Any, Any]) -> Model:
        body = await self._bytes(request)
        if not operation.takes_body:
            if body.strip() not in _NOTHING:
                raise Refused("body_unwanted", "Nothing is to be sent with this request.", 400)
            return Nothing()
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != JSON:
            raise Refused("media_type", "What is sent here is JSON, and says so: Content-Type: application/json.", 415)
        parse_json(body)
        try:
            found: Model = operation.body.model_validate_json(body)
        except ValidationError as error:
            raise problems.unfit("body", error) from None
        return found

    async def _bytes(self, request: Request) -> bytes:
        most, read = self._doors.limits.body_bytes_max, bytearray()
        try:
            async for part in request.stream():
                read += part
                if len(read) > most:
                    raise Refused("body_too_large", said("At most %(count)s bytes can be sent.", count=most), 413)
        except ClientDisconnect:
            raise Refused("body_cut_off", "What was sent did not arrive whole.", 400) from None
        return bytes(read)

    # the answer

    def _done(self, request: Request, operation: Operation[Any, Any], asked: Asked[Any, Any]) -> Response:
        if operation.read is not None:
            with asked.home.database.read() as connection:
                found = operation.read(connection, asked)
            return self._sent(_answer_of(operation, found, asked), _next_link(request, operation, found, asked))
        assert operation.write is not None  # noqa: S101 - one of the two is there
        answer, again = self._written(request, operation, asked)
        return self._sent(answer, {"Idempotency-Replayed": "true"} if again else {})

    def _written(self, request: Request, operation: Operation[Any, Any], asked: Asked[Any, Any]) -> tuple[Answer, bool]:
        """The effect and, with a key, its answer in one transaction; whether it was given before."""
        if not asked.key:
            with asked.home.units.begin() as work:
                return _write(work, operation, asked), False
        member_id = asked.who.member_id or 0
        print_of = answers.fingerprint(
            request.method, request.url.path, request.url.query, asked.body.model_dump_json()
        )
        with self._doors.running.hold(member_id, asked.key):
            try:
                return _written_once(operation, asked, member_id, print_of)
            except _AnotherWasQuicker:
                return _written_once(operation, asked, member_id, print_of)

    def _sent(self, answer: Answer, headers: Mapping[str, str]) -> Response:
        more = {"Cache-Control": "private, no-store", "Vary": "Authorization"}
        if answer.location:
            more["Location"] = answer.location
        if answer.status == 204:
            return Response(status_code=204, headers={**more, **headers})
        return Response(answer.body, answer.status, {**more, **headers}, JSON)


class _AnotherWasQuicker(Exception):
    """Another process answered this key meanwhile; what was done here is undone."""


def _written_once(
    operation: Operation[Any, Any], asked: Asked[Any, Any], member_id: int, print_of: str
) -> tuple[Answer, bool]:
    with asked.home.units.begin() as work:
        known = answers.kept(work, member_id, asked.key, print_of)
        if known is not None:
            return known, True
        answer = _write(work, operation, asked)
        try:
            answers.keep(work, member_id, asked.key, print_of, answer)
        except IntegrityError as error:
            raise _AnotherWasQuicker from error
    return answer, False


def _write(work: Work, operation: Operation[Any, Any], asked: Asked[Any, Any]) -> Answer:
    assert operation.write is not None  # noqa: S101 - the caller looked
    return _answer_of(operation, operation.write(work, asked), asked)


def _answer_of(operation: Operation[Any, Any], found: BaseModel, asked: Asked[Any, Any]) -> Answer:
    if operation.answer is None:
        return Answer(204, "")
    body = found.model_dump_json()
    made_at = f"{asked.home.names.origin}{BASE}{operation.made_at.format_map(dict(found))}" if operation.made_at else ""
    return Answer(operation.status, body, made_at)


def _next_link(
    request: Request, operation: Operation[Any, Any], found: BaseModel, asked: Asked[Any, Any]
) -> Mapping[str, str]:
    """The page after this one (RFC 8288)."""
    if not isinstance(found, Listed) or found.next is None:
        return {}
    query = urlencode({**request.query_params, "cursor": found.next})
    return {"Link": f'<{asked.home.names.origin}{request.url.path}?{query}>; rel="next"'}


def _check_accept(request: Request) -> None:
    accept = request.headers.get("accept", "*/*")
    kinds = {one.partition(";")[0].strip().lower() for one in accept.split(",")}
    if kinds.isdisjoint(_ACCEPTED) and accept.strip():
        raise Refused("not_acceptable", "Answers here are JSON: Accept: application/json.", 406)


def _check_scope(operation: Operation[Any, Any], token: TokenHolder | None) -> None:
    if token is None:
        if not operation.public:
            raise Refused(
                "token_needed",
                "Please send a token of yours: Authorization: Bearer …",
                401,
                {"WWW-Authenticate": _CHALLENGE},
            )
    elif operation.scope and operation.scope not in token.scopes:
        raise Refused(
            "scope",
            said("This token is not good for this; it would need %(scope)s.", scope=operation.scope),
            403,
            {"WWW-Authenticate": f'{_CHALLENGE}, error="insufficient_scope", scope="{operation.scope}"'},
        )


def _read_query(request: Request, model: type[Any]) -> Any:
    given = request.query_params.multi_items()
    names = [name for name, _ in given]
    if twice := {name for name in names if names.count(name) > 1}:
        name = sorted(twice)[0][:40]
        raise problems.Unfit([problems.FieldError(field=f"query.{name}", code="twice", detail="It is said twice.")])
    try:
        return model.model_validate(dict(given))
    except ValidationError as error:
        raise problems.unfit("query", error) from None


def _key(request: Request, operation: Operation[Any, Any]) -> str:
    given = request.headers.getlist("idempotency-key")
    if operation.write is None or not given:
        if operation.needs_key:
            raise Refused("key_missing", "This needs an Idempotency-Key, so that hours never move twice.", 400)
        return ""
    found = _KEY.fullmatch(given[0]) if len(given) == 1 else None
    if found is None:
        raise Refused("key_form", "An Idempotency-Key has 1 to 128 letters, digits, dots, dashes and colons.", 400)
    return found[1]
