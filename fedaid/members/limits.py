"""The maximums that guard accounts, so that an instance can set its own."""

from dataclasses import dataclass


@dataclass(frozen=True)
class MemberLimits:
    """How often somebody may try to come in, and how long what lets them in is good (attack S85).

    sign_in_window_seconds            over which wrong tries are counted
    sign_in_tries_per_account_max     wrong tries for one handle, from anywhere
    sign_in_tries_per_address_max     wrong tries from one address (a /64 for IPv6), for any handle
    join_tries_per_address_max        tries to join or to apply from one address, in the same window
    link_tries_per_address_max        tries to use a one-time link from one address, in the same window
    session_days                      after which somebody signs in anew
    sessions_per_member_max           browsers in which one member is signed in; the oldest is signed out
    recovery_link_minutes             for which a link to choose a new password is good
    invitation_days_max               for which an invitation can be good
    invitation_uses_max               people that one invitation can be for
    invitations_max                   invitations that are good at the same time
    applications_waiting_max          applications that wait at the same time; more are asked to come back
    page_rows_max                     members, applications or invitations on one page of a list
    joined_openly_per_day_max         people who join by themselves within a day, where joining is open
    tokens_per_member_max             tokens of one member that are good at the same time
    """

    sign_in_window_seconds: int = 900
    sign_in_tries_per_account_max: int = 10
    sign_in_tries_per_address_max: int = 30
    join_tries_per_address_max: int = 20
    link_tries_per_address_max: int = 20
    session_days: int = 90
    sessions_per_member_max: int = 30
    recovery_link_minutes: int = 1_440
    invitation_days_max: int = 365
    invitation_uses_max: int = 500
    invitations_max: int = 200
    applications_waiting_max: int = 200
    page_rows_max: int = 50
    joined_openly_per_day_max: int = 100
    tokens_per_member_max: int = 20
