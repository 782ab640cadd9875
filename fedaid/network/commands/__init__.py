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
from fedaid.network.commands.log import Decision, write_down
from fedaid.network.commands.reports import (
    ReportArrived,
    ReportForwarded,
    dismiss,
    forward,
    make_report,
    receive_report,
    settle,
)
from fedaid.network.commands.restrictions import Lifted, Restricted, chosen, lift, restrict, restrict_all

__all__ = [
    "Decision",
    "Lifted",
    "LinkChanged",
    "ReportArrived",
    "ReportForwarded",
    "Restricted",
    "accept",
    "accepted",
    "asked",
    "chosen",
    "dismiss",
    "end",
    "ended",
    "forward",
    "lift",
    "make_report",
    "pause",
    "propose",
    "receive_report",
    "restrict",
    "restrict_all",
    "resume",
    "settle",
    "take",
    "write_down",
]
