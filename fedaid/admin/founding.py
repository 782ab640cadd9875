"""Founds a neighbourhood: what every instance has before its first member comes."""

from fedaid.actors.commands import create_actor
from fedaid.actors.queries import of_kind
from fedaid.actors.rules import Kind
from fedaid.board.commands import seed_categories
from fedaid.foundation.refused import Refused
from fedaid.foundation.work import Work
from fedaid.groups.commands import add_default_board
from fedaid.timebank.commands import open_chest


def found(work: Work, name: str) -> None:
    """The server and ledger actors, the board of all, the categories and the community chest.

    Raises Refused when this neighbourhood was founded already.
    """
    if is_founded(work):
        raise Refused("founded", "This neighbourhood has been founded already; nothing was changed.", 409)
    create_actor(work, Kind.SERVER, "", name=name)
    create_actor(work, Kind.LEDGER, "", name=f"{name}: hours")
    add_default_board(work, name)
    seed_categories(work)
    open_chest(work)


def is_founded(work: Work) -> bool:
    """Whether there is a server actor already."""
    return bool(of_kind(work.connection, Kind.SERVER))
