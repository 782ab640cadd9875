"""Every maximum about actors, with its unit."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ActorLimits:
    """How far we go for what others say to our actors.

    forward_followers_max  followers that a reply is forwarded to (ActivityPub 7.1.2); with more, it is not (S46)
    follow_grace_seconds   how long a follow of ours may be unknown to the other server before we take it as lost
    """

    forward_followers_max: int = 1000
    follow_grace_seconds: int = 600
