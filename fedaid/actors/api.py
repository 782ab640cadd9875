"""How the API names somebody, here or elsewhere; the same in every room."""

from pydantic import Field

from fedaid.actors.queries import Card
from fedaid.foundation.api import Model


class Person(Model):
    """A neighbour, a group, the community chest, a board, or somebody in another network."""

    address: str = Field(description="Their id on the wire.")
    handle: str = Field(description="The full one: @kim@northside.example")
    name: str


def person(card: Card) -> Person:
    """Somebody as an answer names them."""
    return Person(address=card.uri, handle=card.handle, name=card.name)
