"""What was delivered once can be delivered again: the ledger repeats its messages until they are answered."""

import pytest
from sqlalchemy import func, select

from outbox import tables
from outbox.queue import Outgoing, post, post_again
from tests.outbox.world import World

BEN = "https://river.example/users/ben"


def outgoing() -> Outgoing:
    activity = {"id": "https://north.example/activities/1", "type": "Offer", "actor": "https://north.example/users/ana"}
    return Outgoing(activity, "https://north.example/users/ana", to=(BEN,), keep_trying=True)


@pytest.mark.anyio
async def test_it_is_delivered_once_more() -> None: ...
