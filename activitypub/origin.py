"""Who may say what about whom: the rules of FEP-fe34, held before anything is acted on."""

from activitypub.accessors import Document, link, links, types, values
from activitypub.documents import Activity
from activitypub.errors import OriginMismatch
from activitypub.identifiers import Url
from activitypub.signatures.authentic import Authentic
from activitypub.vocabulary import ACTIVITY_TYPES, ACTOR_TYPES

# Identifiers are compared letter by letter, so what could be spelled in two ways is refused by ``Url`` beforehand.


def check_sender(activity: Activity, authentic: Authentic) -> None:
    """Nobody signs for another: the actor must be the owner of the key (S29). Raises OriginMismatch."""
    if activity.actor.text != authentic.actor.text:
        raise OriginMismatch("not_the_actor", "The signature is not the actor's.")


def check_embedded(activity: Activity) -> None:
    """The embedded object may be used as it stands (S11); one that may not must be fetched by its id.

    It may when its id, if it has one, is of the actor's origin, and it says that the actor made it. An actor that
    embeds itself, and a part without id and without author, need not say so. Raises OriginMismatch, MalformedDocument.
    """
    if activity.object is not None and not speaks_for(activity.actor, activity.object):
        raise OriginMismatch("not_the_author", "The object inside this activity is not its actor's.")


def speaks_for(actor: Url, embedded: Document) -> bool:
    """Whether ``actor`` is the author of a document that came inside a message of its own."""
    identity = link(embedded)
    if identity is None:
        return not values(embedded, "attributedTo") or owner_of(embedded) == actor.text
    return is_under(identity, actor) and owner_of(embedded) == actor.text


def owner_of(doc: Document) -> str | None:
    """The one owner a document names: its author, the actor of an activity, or an actor itself. None without one."""
    kinds = types(doc)
    if not ACTOR_TYPES.isdisjoint(kinds):
        return link(doc)
    is_activity = not ACTIVITY_TYPES.isdisjoint(kinds)
    key = "actor" if values(doc, "attributedTo") == () and is_activity else "attributedTo"
    owners = links(doc, key)
    return owners[0] if len(owners) == 1 else None


def same_owner(first: str | None, second: str | None) -> bool:
    """Whether both ids name the same, known owner, letter by letter (S40, S41, S57)."""
    return first is not None and first == second


def check_owner(stored_owner: str, activity: Activity) -> None:
    """Only the owner of a thing changes or removes it (S40, S41, S44). Raises OriginMismatch."""
    if not same_owner(stored_owner, activity.actor.text):
        raise OriginMismatch("not_the_owner", "This belongs to somebody else.")


def check_not_ours(activity: Activity, own_origin: str) -> None:
    """Nobody elsewhere makes an object under our origin, or in the name of somebody here (S51).

    ``own_origin`` is written without a slash at its end. Raises OriginMismatch.
    """
    if activity.object is None:
        return
    claimed = (link(activity.object), owner_of(activity.object))
    if any(url is not None and (url == own_origin or url.startswith(f"{own_origin}/")) for url in claimed):
        raise OriginMismatch("ours", "Only this server makes things under its own address.")


def is_under(address: str, actor: Url) -> bool:
    """Whether an address is of the actor's origin: spelled with exactly that origin in front."""
    origin = str(actor.origin)
    return address.startswith(origin) and address[len(origin) : len(origin) + 1] in ("", "/", "?", "#")
