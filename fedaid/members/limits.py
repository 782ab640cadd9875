"""The maximums that guard accounts, so that an instance can set its own."""

from dataclasses import dataclass


@dataclass(frozen=True)
class MemberLimits:
    """How often somebody may try to sign in, and how long a session lasts (attack S85).

    sign_in_window_seconds            over which wrong tries are counted
    sign_in_tries_per_account_max     wrong tries for one handle, from anywhere
    sign_in_tries_per_address_max     wrong tries from one address (a /64 for IPv6), for any handle
    session_days                      after which somebody signs in anew
    """

    sign_in_window_seconds: int = 900
    sign_in_tries_per_account_max: int = 10
    sign_in_tries_per_address_max: int = 30
    session_days: int = 90
