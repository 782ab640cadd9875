"""What servers say that they can do (FEP-844e): ours as it is read, others' however they write it."""

from typing import Any

import pytest

from activitypub.capabilities import CAPABILITIES_MAX, RFC_9421, RFC_9421_ED25519, implements, our_capabilities

LINK = {"href": RFC_9421, "name": "RFC-9421: HTTP Message Signatures"}


@pytest.mark.parametrize(
    "actor",
    [
        {"type": "Person"},
        {"type": "Person", "implements": [LINK]},
        {"type": "Application"},
        {"type": "Application", "implements": [{"href": RFC_9421_ED25519}]},
        {"type": "Application", "implements": [{"href": 7}]},
        {"type": "Application", "implements": 7},
        {"type": "Application", "implements": [7]},
        {"type": 7, "implements": [LINK]},
        {"type": "Person", "generator": "https://north.example/actor"},
        {"type": "Person", "generator": [LINK, LINK]},
        {"type": "Person", "generator": 7},
        {"type": "Application", "implements": [{"href": "urn:x"}] * CAPABILITIES_MAX + [LINK]},
    ],
)
def test_what_does_not_say_it_says_nothing(actor: dict[str, Any]) -> None:
    assert not implements(actor, RFC_9421)


@pytest.mark.parametrize(
    "actor",
    [
        {"type": "Application", "implements": [LINK]},
        {"type": "Application", "implements": LINK},
        {"type": ["Application", "Service"], "implements": [{"id": RFC_9421}]},
        {"type": "Person", "generator": {"type": "Application", "implements": [LINK]}},
    ],
)
def test_an_application_says_it_by_itself_or_through_its_actors(actor: dict[str, Any]) -> None:
    assert implements(actor, RFC_9421)


def test_we_say_both_and_are_understood() -> None:
    actor = {"type": "Application", "implements": our_capabilities()}
    assert implements(actor, RFC_9421)
    assert implements(actor, RFC_9421_ED25519)
    assert all(set(one) == {"type", "href", "name"} for one in our_capabilities())
