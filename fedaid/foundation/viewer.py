"""Who is looking: a member with a role, or somebody signed out; every query is told."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Role(StrEnum):
    """What somebody may do in their neighbourhood; each role may do what the ones before it may."""

    MEMBER = "member"
    COORDINATOR = "coordinator"
    ADMIN = "admin"


@dataclass(frozen=True)
class Viewer:
    """Who is looking. ``member_id`` is None for somebody signed out; ``actor`` is the member's id on the wire.

    ``language``: the one they chose, empty where their browser decides.
    ``owes_agreement``: the community agreement has changed, and they read pages only until they accept it.
    """

    member_id: int | None = None
    handle: str = ""
    name: str = ""
    actor: str = ""
    role: Role | None = None
    time_zone: str = "UTC"
    language: str = ""
    owes_agreement: bool = False

    @property
    def signed_in(self) -> bool:
        return self.member_id is not None

    @property
    def is_admin(self) -> bool:
        return self.role is Role.ADMIN

    @property
    def is_coordinator(self) -> bool:
        return self.role in (Role.COORDINATOR, Role.ADMIN)


SIGNED_OUT = Viewer()


@dataclass(frozen=True)
class TokenHolder:
    """Who holds a bearer token, and for what it is good. ``token_sha256`` names it, and opens nothing."""

    viewer: Viewer
    scopes: frozenset[str]
    token_sha256: str = ""
    name: str = ""
    last_used_at: datetime | None = None
