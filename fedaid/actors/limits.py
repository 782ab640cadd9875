"""Every maximum about actors, with its unit."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ActorLimits:
    """How far we go for what others say to our actors.

    forward_followers_max  followers that a reply is forwarded to (ActivityPub 7.1.2); with more, it is not (S46)
    follow_grace_seconds   how long a follow of ours may be unknown to the other server before we take it as lost
    move_pause_days        how long an actor stays where it moved before another move of it counts (S49)
    key_grace_days         how long an old key of ours is still shown and used after it was replaced
    old_keys_look_seconds  how late it may be forgotten after that
    """

    forward_followers_max: int = 1000
    follow_grace_seconds: int = 600
    move_pause_days: int = 7
    key_grace_days: int = 7
    old_keys_look_seconds: float = 3600.0
