"""What may become of links, who is welcome here, and what can be decided about a report; all of it pure."""

from fedaid.network.rules.links import LINKED, Status, Step, next_status, origin_of

__all__ = ["LINKED", "Status", "Step", "next_status", "origin_of"]
