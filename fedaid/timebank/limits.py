"""The figures an instance may choose for its timebank. All lengths are whole minutes unless the name says otherwise."""

from dataclasses import dataclass


@dataclass(frozen=True)
class TimebankLimits:
    """Starting values for new accounts and links; what is agreed already stays as it was agreed.

    member_floor_minutes   how low a new member's account may go (hOUrworld advises to cap it at 25 hours)
    line_minutes           the most a neighbouring network may owe us, unless the admin says another figure
    max_transfer_minutes   the most one transfer between networks may move; the smaller of both sides' figures counts
    offer_lifetime_days    how long a claim waits for the other side's answer, by the answering side's clock
    resend_first_seconds   after which an unanswered message is sent again; doubled each time
    resend_seconds_max     the longest pause between two tries
    resend_rows_max        how many are sent again in one transaction
    resend_look_seconds    how often it is looked for messages and claims that are due
    """

    member_floor_minutes: int = -1_500
    line_minutes: int = 1_200
    max_transfer_minutes: int = 480
    offer_lifetime_days: int = 14
    resend_first_seconds: int = 60
    resend_seconds_max: int = 3_600
    resend_rows_max: int = 100
    resend_look_seconds: float = 15.0
