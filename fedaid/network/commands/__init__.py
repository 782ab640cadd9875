"""Writes about neighbouring networks: the steps of a link, who is not welcome, and what moderators decide."""

from fedaid.network.commands.links import (
    LinkChanged,
    accept,
    accepted,
    asked,
    end,
    ended,
    pause,
    propose,
    resume,
    take,
)
from fedaid.network.commands.restrictions import Lifted, Restricted, chosen, lift, restrict

__all__ = [
    "Lifted",
    "LinkChanged",
    "Restricted",
    "accept",
    "accepted",
    "asked",
    "chosen",
    "end",
    "ended",
    "lift",
    "pause",
    "propose",
    "restrict",
    "resume",
    "take",
]
