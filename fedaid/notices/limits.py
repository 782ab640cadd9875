"""The numbers of notices that an admin may change."""

from dataclasses import dataclass, field
from enum import StrEnum


@dataclass(frozen=True)
class NoticeLimits:
    """How long notices are kept, how many stand on a page, and how many pages are kept up to date at once.

    kept_days              for which a notice is kept, read or not
    page_rows_max          notices on one page
    tidy_seconds           how often old ones are looked for
    live_pages_per_member_max  open pages of one member that hear at once what is new; others say it when loaded again
    live_pages_max         such pages of all members, in each web process
    live_look_seconds      how often it is looked whether something is new, or somebody signed out, when no bell rings
    live_pause_seconds     between two looks, however much happens meanwhile
    live_heartbeat_seconds  after which something is sent to a page for which nothing is new, so that it stays open
    """

    kept_days: int = 60
    page_rows_max: int = 30
    tidy_seconds: float = 3_600.0
    live_pages_per_member_max: int = 5
    live_pages_max: int = 200
    live_look_seconds: float = 2.0
    live_pause_seconds: float = 0.2
    live_heartbeat_seconds: float = 20.0


class Security(StrEnum):
    """How the way to the mail server is protected."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


@dataclass(frozen=True)
class MailLimits:
    """E-mail to members: none is sent until ``host`` is set.

    host                   the server that takes our mail; empty: no mail is sent
    port                   its port, mostly 587 for starttls and 465 for tls
    security               starttls, tls, or none for a server on this very machine
    account                whom we sign in to it as; empty: it asks for nobody
    secret                 the password for that; best given in the environment, and not in the file
    sender                 the address that mails come from; empty: no-reply at our own host
    try_seconds_max        how long the server may take for one mail
    tries_max              tries before a mail is given up
    first_retry_seconds    the wait after the first failure; each further wait is three times longer
    retry_seconds_max      the longest of these waits
    lease_seconds          how long a mail is one worker's; after a crash another one sends it then
    round_mails_max        mails that are sent one after the other before it is looked anew
    look_seconds           how often it is looked for mails to send
    at_once_per_day_max    mails at once to one member within a day; what more there is waits for the weekly one
    recovery_minutes_min   between two mails with which one member chooses a new password
    kept_days              for which it is kept that a mail was sent or failed
    """

    host: str = ""
    port: int = 587
    security: Security = Security.STARTTLS
    account: str = ""
    secret: str = field(default="", repr=False)
    sender: str = ""
    try_seconds_max: float = 30.0
    tries_max: int = 8
    first_retry_seconds: float = 300.0
    retry_seconds_max: float = 43_200.0
    lease_seconds: float = 900.0
    round_mails_max: int = 20
    look_seconds: float = 5.0
    at_once_per_day_max: int = 20
    recovery_minutes_min: int = 10
    kept_days: int = 30

    def __post_init__(self) -> None:
        if self.lease_seconds <= self.round_mails_max * self.try_seconds_max:
            raise ValueError("lease_seconds must be longer than round_mails_max times try_seconds_max")

    @property
    def is_on(self) -> bool:
        """Whether mail is sent at all."""
        return bool(self.host)
