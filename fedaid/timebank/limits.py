"""The figures an instance may choose for its timebank. All lengths are whole minutes unless the name says otherwise."""

from dataclasses import dataclass


@dataclass(frozen=True)
class TimebankLimits:
    """Starting values for new accounts and links, what neighbours may owe in all, and how hard a peer is asked.

    member_floor_minutes     how low a new member's account may go (hOUrworld advises to cap it at 25 hours)
    soft_min_minutes         below this balance a member is told so, and nobody is stopped
    soft_max_minutes         above this balance a member is told so
    line_minutes             the most a neighbouring network may owe us, unless the admin says another figure
    max_transfer_minutes     the most one transfer between networks may move; the smaller of both sides' figures counts
    offer_lifetime_days      how long a claim waits for the other side's answer, by the answering side's clock
    owed_to_us_minutes_max   the most all neighbouring networks together may owe us, what is promised included
    owed_by_us_minutes_max   the most we may owe all neighbouring networks together, payments on their way included
    resend_first_seconds     after which an unanswered message is sent again; doubled each time
    resend_seconds_max       the longest pause between two tries, of sending and of fetching
    resend_rows_max          how many are sent again, expired or carried out in one transaction
    resend_look_seconds      how often it is looked for messages and claims that are due
    waiting_steps_max        decisions and letters kept per network until it answers; beyond it they are refused
    messages_per_day_max     messages taken from one network within a day; beyond it they are refused
    sync_look_seconds        how often it is looked for networks whose messages have to be fetched
    sync_every_hours         after which a network's messages are fetched again though nothing seems to be missing
    sync_first_seconds       the pause before they are fetched again after a failure; doubled each time
    sync_page_messages_max   messages on one page that we show
    sync_page_bytes_max      bytes of messages on one page that we show
    sync_read_messages_max   messages on one page that we read
    sync_pages_max           pages read in one go; the rest is read the next time
    statement_every_hours    how often a statement is made with a network, where hours were settled
    statement_lines_max      transfers on one statement; what is over comes on the next
    """

    member_floor_minutes: int = -1_500
    soft_min_minutes: int = -900
    soft_max_minutes: int = 900
    line_minutes: int = 1_200
    max_transfer_minutes: int = 480
    offer_lifetime_days: int = 14
    owed_to_us_minutes_max: int = 60_000
    owed_by_us_minutes_max: int = 60_000
    resend_first_seconds: int = 60
    resend_seconds_max: int = 3_600
    resend_rows_max: int = 100
    resend_look_seconds: float = 15.0
    waiting_steps_max: int = 1_000
    messages_per_day_max: int = 10_000
    sync_look_seconds: float = 2.0
    sync_every_hours: int = 24
    sync_first_seconds: int = 10
    sync_page_messages_max: int = 50
    sync_page_bytes_max: int = 512 * 1024
    sync_read_messages_max: int = 200
    sync_pages_max: int = 10
    statement_every_hours: int = 24
    statement_lines_max: int = 50
