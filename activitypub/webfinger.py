"""WebFinger (RFC 7033): from a handle or an origin to an actor's id, said by us and read from others."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from xml.sax.saxutils import quoteattr

from activitypub.accessors import Document, embedded_all, text, values
from activitypub.documents import is_activity_content_type
from activitypub.errors import MalformedDocument, MalformedUrl, OriginMismatch
from activitypub.identifiers import URL_CHARACTERS_MAX, Handle, Url, UrlRules, parse_handle
from activitypub.vocabulary import AS2, CONTENT_TYPE

JRD_CONTENT_TYPE: Final = "application/jrd+json"
XRD_CONTENT_TYPE: Final = "application/xrd+xml"
JRD_ACCEPT: Final = f"{JRD_CONTENT_TYPE}, application/json"
SELF: Final = "self"
PROFILE_PAGE: Final = "http://webfinger.net/rel/profile-page"
SUBSCRIBE: Final = "http://ostatus.org/schema/1.0/subscribe"
SERVICE: Final = f"{AS2}#Service"  # FEP-d556
LINKS_MAX: Final = 50
ALIASES_MAX: Final = 50


@dataclass(frozen=True)
class JrdLink:
    """One link of a JRD; ``template`` holds ``{uri}`` to be filled in."""

    rel: str
    type: str | None = None
    href: str | None = None
    template: str | None = None


@dataclass(frozen=True)
class Jrd:
    """What WebFinger answers about ``subject`` (RFC 7033, section 4.4)."""

    subject: str
    aliases: tuple[str, ...] = ()
    links: tuple[JrdLink, ...] = ()


def actor_jrd(handle: Handle, actor: str, page: str | None = None, subscribe: str | None = None) -> Jrd:
    """A person, a board, the ledger or the server by its handle. ``subscribe`` is a template with ``{uri}``."""
    links = [JrdLink(SELF, CONTENT_TYPE, actor)]
    if page is not None:
        links.append(JrdLink(PROFILE_PAGE, "text/html", page))
    if subscribe is not None:
        links.append(JrdLink(SUBSCRIBE, template=subscribe))
    aliases = (page, actor) if page is not None else (actor,)
    return Jrd(f"acct:{handle.name}@{handle.host}", aliases, tuple(links))


def server_jrd(origin: str, actor: str) -> Jrd:
    """The server itself, asked for by its origin (FEP-d556). ``origin`` has no slash at its end."""
    return Jrd(f"{origin}/", (), (JrdLink(SERVICE, CONTENT_TYPE, actor),))


def as_document(jrd: Jrd) -> dict[str, Any]:
    """The JSON of a JRD; empty members are left out."""
    links = [{name: value for name, value in vars(link).items() if value is not None} for link in jrd.links]
    aliases = {"aliases": list(jrd.aliases)} if jrd.aliases else {}
    return {"subject": jrd.subject, **aliases, "links": links}


def host_meta(origin: str) -> str:
    """The XRD under /.well-known/host-meta (RFC 6415), for the clients that ask it first."""
    template = quoteattr(f"{origin}/.well-known/webfinger?resource={{uri}}")
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<XRD xmlns="http://docs.oasis-open.org/ns/xri/xrd-1.0">'
        f'<Link rel="lrdd" type="{JRD_CONTENT_TYPE}" template={template}/></XRD>\n'
    )


def parse_resource(resource: str, rules: UrlRules) -> Handle | Url:
    """What somebody asks us about: ``acct:name@host`` or an address. Raises MalformedUrl."""
    if len(resource) <= URL_CHARACTERS_MAX and "://" not in resource:
        return parse_handle(resource)
    return rules.parse(resource)


def parse_jrd(doc: Document) -> Jrd:
    """A JRD that somebody answered. Raises MalformedDocument."""
    subject = text(doc, "subject", URL_CHARACTERS_MAX)
    if not subject:
        raise MalformedDocument("subject_missing", "The WebFinger answer has no subject.")
    aliases = [alias for alias in values(doc, "aliases") if isinstance(alias, str)][:ALIASES_MAX]
    return Jrd(subject, tuple(aliases), tuple(_link(found) for found in embedded_all(doc, "links")[:LINKS_MAX]))


def _link(found: Mapping[str, Any]) -> JrdLink:
    rel = text(found, "rel", URL_CHARACTERS_MAX) or ""
    return JrdLink(rel, text(found, "type"), text(found, "href"), text(found, "template"))


def actor_of(jrd: Jrd, rel: str = SELF) -> str:
    """The actor id: the ``self`` link whose type is ActivityPub's own, not any other. Raises MalformedDocument."""
    for link in jrd.links:
        if link.rel == rel and link.href is not None and is_activity_content_type(link.type):
            return link.href
    raise MalformedDocument("no_actor", "The WebFinger answer names no ActivityPub actor.")


def subject_of(jrd: Jrd) -> Handle:
    """The handle that the answer is about. Raises MalformedUrl when it is none."""
    return parse_handle(jrd.subject)


def name_said_by(document: Document, preferred_username: str | None, own: Url) -> str | None:
    """The name before the @ of an actor, as its own document has it: ``webfinger`` (FEP-2c59), else preferredUsername;
    None for an actor that goes by no name.

    A host other than the actor's ``own`` would have to confirm the handle itself, so there it does not count (S13).
    """
    said = document.get("webfinger")
    try:
        handle = parse_handle(said) if isinstance(said, str) and len(said) <= URL_CHARACTERS_MAX else None
    except MalformedUrl:
        handle = None
    return handle.name if handle is not None and handle.host == own.origin.netloc else preferred_username


def next_question(jrd: Jrd, asked: Handle) -> Handle | None:
    """Whom to ask about next: None when the answer settles it, else the subject, to be asked at its own host (S13).

    Somebody may serve the handles of one domain from another; that other domain must say so itself.
    """
    subject = subject_of(jrd)
    return None if subject.host == asked.host else subject


def confirm(first: Jrd, asked: Handle, second: Jrd | None = None) -> tuple[Handle, str]:
    """The handle and the actor id, once every host concerned agrees. Raises OriginMismatch, MalformedDocument.

    ``second`` is the answer to ``next_question``; it must be about the same subject and name the same actor.
    """
    question, actor = next_question(first, asked), actor_of(first)
    if question is None:
        return subject_of(first), actor
    if second is None or subject_of(second) != question or actor_of(second) != actor:
        raise OriginMismatch("webfinger_loop", "The host of this handle does not confirm it.")
    return question, actor


def check_actor_handle(handle: Handle, actor_id: str, jrd: Jrd) -> None:
    """An actor is shown with a handle only if the handle's host names that actor (S13). Raises OriginMismatch."""
    if subject_of(jrd) != handle or actor_of(jrd) != actor_id:
        raise OriginMismatch("webfinger_loop", "The host of this handle does not confirm it.")
