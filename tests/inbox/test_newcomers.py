"""Somebody who owns a domain cannot make us ask a thousand names under it."""

import pytest

from activitypub.identifiers import UrlRules
from inbox.limits import InboxLimits
from inbox.newcomers import Newcomers, domain_of
from inbox.refusal import MailRefused
from tests.small_house import StillClock

RULES = UrlRules(loopback=True)


@pytest.mark.parametrize(
    ("url", "domain"),
    [
        ("https://river.example/", "river.example"),
        ("https://a.b.river.example/", "river.example"),
        ("https://a.river.co.uk/", "river.co.uk"),
        ("https://co.uk/", "co.uk"),
        ("https://ana.github.io/", "ana.github.io"),  # where everybody may have a name, each is a domain
        ("http://127.0.0.1:8001/", "127.0.0.1:8001"),
    ],
)
def test_the_domain_of_a_host_is_what_one_can_register(url: str, domain: str) -> None:
    assert domain_of(RULES.parse(url).origin) == domain


def test_beyond_so_many_new_hosts_a_domain_is_asked_to_come_back_later() -> None:
    clock = StillClock()
    newcomers = Newcomers(InboxLimits(new_hosts_per_domain_max=2, negative_cache_seconds=300), clock)
    for name in ("a", "b", "a"):
        newcomers.admit(RULES.parse(f"https://{name}.river.example/").origin)
    clock.pass_seconds(100)
    with pytest.raises(MailRefused) as refused:
        newcomers.admit(RULES.parse("https://c.river.example/").origin)
    assert (refused.value.status, refused.value.code, refused.value.retry_after_seconds) == (503, "busy", 200)
    newcomers.admit(RULES.parse("https://a.river.example/").origin)
    newcomers.admit(RULES.parse("https://sea.example/").origin)
    clock.pass_seconds(200)
    newcomers.admit(RULES.parse("https://c.river.example/").origin)
