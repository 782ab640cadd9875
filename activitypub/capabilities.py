"""What a server says that it can do (FEP-844e, capability discovery): written on our actors, read from others'."""

from contextlib import suppress
from typing import Any, Final

from activitypub.accessors import Document, embedded, embedded_all, has_type, link
from activitypub.errors import MalformedDocument

RFC_9421: Final = "https://datatracker.ietf.org/doc/html/rfc9421"
RFC_9421_ED25519: Final = f"{RFC_9421}#name-eddsa-using-curve-edwards25"
CAPABILITIES_MAX: Final = 100
_OURS: Final = {
    RFC_9421: "RFC-9421: HTTP Message Signatures",
    RFC_9421_ED25519: "RFC-9421 signatures using the Ed25519 algorithm",
}


def our_capabilities() -> list[dict[str, str]]:
    """The value of ``implements`` on our server's actor."""
    return [{"type": "Link", "href": href, "name": name} for href, name in _OURS.items()]


def implements(actor: Document, capability: str) -> bool:
    """Whether an actor's own document says so of its server: on an Application, or on the ``generator`` of any actor.

    It is only a hint, so what cannot be read says nothing.
    """
    with suppress(MalformedDocument):
        application = actor if has_type(actor, "Application") else embedded(actor, "generator")
        if application is not None:
            return any(link(one) == capability for one in _said(application))
    return False


def _said(application: Document) -> tuple[dict[str, Any], ...]:
    return embedded_all(application, "implements")[:CAPABILITIES_MAX]
