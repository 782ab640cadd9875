"""How the inbox says no: which status answers which fault, and how the answer looks (RFC 9457)."""

import json
from dataclasses import dataclass
from http import HTTPStatus

from activitypub.errors import FetchFailed, OriginMismatch, ProtocolError, SignatureRefused

# What a signature must cover, said in both dialects (draft-cavage-12, section 3.1.1; RFC 9421, section 5.1).
CHALLENGES = (
    (b"www-authenticate", b'Signature realm="inbox",headers="(request-target) host date digest"'),
    (b"accept-signature", b'sig1=("@method" "@target-uri" "content-digest");created'),
)
_BAD_REQUEST_SIGNATURES = frozenset({"duplicate_header", "duplicate_parameter", "duplicate_component"})


class MailRefused(Exception):
    """A letter that is not taken.

    status               the HTTP status (RFC 9110)
    code, sentence       as everywhere: one stable word, and what was wrong, safe to show to the sender
    retry_after_seconds  when coming back may help, else None
    """

    def __init__(self, status: HTTPStatus, code: str, sentence: str, retry_after_seconds: int | None = None) -> None:
        super().__init__(f"{code}: {sentence}")
        self.status = status
        self.code = code
        self.sentence = sentence
        self.retry_after_seconds = retry_after_seconds


def refusal_of(error: ProtocolError) -> MailRefused:
    """The answer to a fault the language found: 401 where the sender is not proved, else 400."""
    unproved = isinstance(error, SignatureRefused | OriginMismatch | FetchFailed)
    if unproved and error.code not in _BAD_REQUEST_SIGNATURES:
        return MailRefused(HTTPStatus.UNAUTHORIZED, error.code, error.sentence)
    return MailRefused(HTTPStatus.BAD_REQUEST, error.code, error.sentence)


@dataclass(frozen=True)
class Answer:
    """What goes back over the wire."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


ACCEPTED = Answer(HTTPStatus.ACCEPTED, ((b"content-length", b"0"),), b"")


def answer_to(refused: MailRefused) -> Answer:
    """A refusal as problem+json with title, code and detail."""
    problem = {"title": refused.status.phrase, "code": refused.code, "detail": refused.sentence}
    body = json.dumps(problem).encode("utf-8")
    headers = [(b"content-type", b"application/problem+json"), (b"content-length", str(len(body)).encode("ascii"))]
    if refused.status == HTTPStatus.UNAUTHORIZED:
        headers.extend(CHALLENGES)
    if refused.status == HTTPStatus.METHOD_NOT_ALLOWED:
        headers.append((b"allow", b"POST"))
    if refused.status in (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.REQUEST_TIMEOUT):
        headers.append((b"connection", b"close"))  # the rest of the body is not read
    if refused.retry_after_seconds is not None:
        headers.append((b"retry-after", str(refused.retry_after_seconds).encode("ascii")))
    return Answer(refused.status, tuple(headers), body)
