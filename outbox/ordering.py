"""Decides which mail to one host may be on its way together, so that nothing overtakes what it rests on."""

from collections.abc import Sequence

from outbox.leases import Parcel


def stride(parcels: Sequence[Parcel], together_max: int) -> int:
    """How many of the first parcels may be sent at the same time: at least 1, at most ``together_max``."""
    count = 1
    while count < min(together_max, len(parcels)) and _goes_with(parcels[count], parcels[:count]):
        count += 1
    return count


def _goes_with(parcel: Parcel, ahead: Sequence[Parcel]) -> bool:
    return all(_may_wait_for_nobody(one) for one in (parcel, *ahead)) and not any(
        _rests_on(parcel, earlier) or _rests_on(earlier, parcel) for earlier in ahead
    )


def _may_wait_for_nobody(parcel: Parcel) -> bool:
    """Private mail, the ledger's, and mail to somebody not yet met go one by one."""
    return parcel.public and not parcel.keep_trying and parcel.unmet is None


def _rests_on(one: Parcel, other: Parcel) -> bool:
    """Whether anything in the one names the other or what that is about: an answer, a change, an end, its sender.

    Looked for in the bytes: a longer id that begins with the other's only makes the mail wait for its turn.
    """
    named = (other.activity_id, other.object_id)
    return any(name is not None and name.encode() in one.body for name in named)
