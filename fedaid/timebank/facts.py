"""What happened in the timebank, for the rooms that must be told."""

from dataclasses import dataclass

from fedaid.timebank.rules.states import Alarm


@dataclass(frozen=True)
class PeeringAsked:
    """The admin of another network proposes to link our timebanks; ours has to answer."""

    peer_id: int
    host: str
    ledger_actor: str
    line_minutes: int


@dataclass(frozen=True)
class PeeringActivated:
    """Both admins agreed: hours may go between the two networks. ``by_us``: our admin was the one to accept."""

    peer_id: int
    host: str
    ledger_actor: str
    by_us: bool


@dataclass(frozen=True)
class PeeringEnded:
    """The link between the two timebanks was declined, withdrawn or ended. ``by_us`` says by which side."""

    peer_id: int
    host: str
    ledger_actor: str
    by_us: bool


@dataclass(frozen=True)
class Hours:
    """What a fact about a transfer tells.

    payer, payee  actors' ids; the payer received the help, the payee gave it
    proposal      the listing that was answered, if the claim named one
    engagement    the agreement that the members made, where this side knows it
    """

    transfer_id: str
    payer: str
    payee: str
    minutes: int
    proposal: str | None
    engagement: str | None


@dataclass(frozen=True)
class HoursClaimed:
    """Somebody says they gave hours to a member of ours, who has to confirm or refuse."""

    hours: Hours


@dataclass(frozen=True)
class HoursConfirmed:
    """A member of ours confirmed hours or gave them; they have left the account."""

    hours: Hours


@dataclass(frozen=True)
class HoursCredited:
    """Hours arrived on the account of a member of ours."""

    hours: Hours


@dataclass(frozen=True)
class HoursRefused:
    """What a member of ours claimed will not be paid. ``reason`` is one word: refused, expired, withdrawn …"""

    hours: Hours
    reason: str


@dataclass(frozen=True)
class HoursQuestioned:
    """A member of ours who has to confirm hours asks first what they are for; ``payee`` claimed them."""

    transfer_id: str
    payee: str


@dataclass(frozen=True)
class HoursExplained:
    """The one who claimed, or a coordinator, answered what was asked; ``asked_by`` may confirm now."""

    transfer_id: str
    asked_by: str


@dataclass(frozen=True)
class LedgerAlarm:
    """Something an admin has to look at: a restored database somewhere, a contradiction, or a late decision."""

    peer_id: int
    transfer_id: str | None
    alarm: Alarm


@dataclass(frozen=True)
class WaitingStepFailed:
    """What a member decided while a peer had to be asked first cannot be done any more.

    step   claim, pay, confirm or refuse
    actor  the member who decided it
    """

    transfer_id: str
    step: str
    code: str
    sentence: str
    actor: str
