"""Who asks to read (authorized fetch): a signed GET is checked with the keys, bounds and refusals of letters."""

from activitypub.errors import ProtocolError
from activitypub.identifiers import Url
from inbox.authenticate import Authenticator
from inbox.gate import Scope, read_request
from inbox.limits import InboxLimits
from inbox.refusal import MailRefused, refusal_of

# What the signature of who reads must cover, said in both dialects (see inbox.refusal).
CHALLENGES = {
    "WWW-Authenticate": 'Signature realm="read",headers="(request-target) host date"',
    "Accept-Signature": 'sig1=("@method" "@target-uri");created',
}


class Readers:
    """Shares keyring and bounds with the inbox, so that reading cannot make us fetch more than writing can (S16)."""

    def __init__(self, authenticator: Authenticator, limits: InboxLimits) -> None:
        self._authenticator = authenticator
        self._limits = limits

    async def identify(self, scope: Scope) -> Url:
        """The actor that signed the request. Raises MailRefused for a request that is unsigned or wrongly signed."""
        try:
            return (await self._authenticator.identify(read_request(scope, self._limits))).actor
        except ProtocolError as error:
            raise refusal_of(error) from None


def is_signed(scope: Scope) -> bool:
    """Whether the request claims a signature, right or wrong. Only GET can: HEAD reads what is public (attack S26)."""
    names = {name.lower() for name, _ in scope["headers"]}
    return scope["method"] == "GET" and b"signature" in names


__all__ = ["CHALLENGES", "MailRefused", "Readers", "is_signed"]
