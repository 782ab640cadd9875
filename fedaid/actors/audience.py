"""Who may read a thing of ours: the one rule that every way of reading asks (attack S47)."""

from dataclasses import dataclass

from sqlalchemy import Connection

from fedaid.actors import queries


@dataclass(frozen=True)
class Audience:
    """Whom something is for.

    public        anybody
    readers       the ids of these actors, ours or not
    followers_of  and the accepted followers of this actor
    """

    public: bool = False
    readers: frozenset[str] = frozenset()
    followers_of: str | None = None


EVERYBODY = Audience(public=True)
NOBODY = Audience()


def visible_to(connection: Connection, audience: Audience, reader: str | None) -> bool:
    """Whether this actor may read it; ``reader`` is an id that was proved, None for somebody who did not say."""
    if audience.public:
        return True
    if reader is None:
        return False
    if reader in audience.readers:
        return True
    return audience.followers_of is not None and queries.is_following(connection, reader, audience.followers_of)
