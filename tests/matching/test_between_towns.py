"""Matching across linked boards, both ways, between two whole towns: requests, offers, and what people can do."""

from pathlib import Path
from unittest.mock import patch

from activitypub.client import Client
from activitypub.errors import FetchFailed
from fedaid.skills.limits import SkillLimits
from fedaid.skills.rules import Visibility
from tests.skills.test_across_networks import add
from tests.web.street import Street, on_the_street

BRAKES = "Somebody to look at my bicycle brakes"
REQUEST = {"title": BRAKES, "category": "repair", "mode": "hours", "hours": "1"}
OFFER = {"title": "I mend bicycles, brakes too", "category": "repair", "mode": "hours", "hours": "1"}


async def posted(street: Street, house: str, who: str, kind: str, form: dict[str, str]) -> str:
    """The address of what somebody posts; it reaches the other town."""
    answer = await getattr(street, house).browser(who).send(f"/post?kind={kind}", form)
    assert answer.status == 303, answer.text
    await street.settle()
    return answer.leads_to.partition("?")[0]


def test_a_request_meets_skills_and_offers_of_the_other_town_and_theirs_meet_it(
    database_kind: str, tmp_path: Path
) -> None:
    async def story(street: Street) -> None:
        for title, visibility in (("Bicycles: brakes, gears", "NEIGHBOURS"), ("Brakes of bicycles, for us", "NETWORK")):
            add(street.river, "ben", title, Visibility[visibility])
        request = await posted(street, "north", "ana", "request", REQUEST)
        offer = await posted(street, "river", "ben", "offer", OFFER)
        ana, ben = street.north.browser("ana"), street.river.browser("ben")
        # Ben reads of Ana's request on his day, on the board's card, and beside his offer.
        assert f"{BRAKES} Northside" in (await ben.open("/me")).text
        assert "Suggested to you: “Bicycles: brakes, gears” is among your skills" in (await ben.open("/board")).text
        assert f"Requests that it fits Request {BRAKES} Northside" in (await ben.open(offer)).text
        # Ana reads of Ben's offer beside her request and on the board's card, and of what he shows that he can do.
        page = await ana.open(request)
        assert f"Offers that fit Offer {OFFER['title']} Riverside" in page.text
        assert f"It fits your request “ {BRAKES} ”" in (await ana.open("/board")).text
        assert "Who could help in Riverside?" in page.text
        people = (await ana.open(f"{request}/neighbours")).text
        assert "Ben can do: “Bicycles: brakes, gears”" in people
        assert "for us" not in people

    on_the_street(database_kind, tmp_path, story)


def test_who_could_help_next_door_is_asked_for_now_by_its_author_alone(database_kind: str, tmp_path: Path) -> None:
    async def story(street: Street) -> None:
        add(street.river, "ben", "Bicycles: brakes, gears", Visibility.NEIGHBOURS)
        request = await posted(street, "north", "ana", "request", REQUEST)
        other = await posted(street, "north", "ana", "request", {**REQUEST, "title": "Feed my cat", "category": ""})
        ana = street.north.browser("ana")
        assert "Nobody there shows a skill that fits." in (await ana.open(f"{other}/neighbours")).text
        street.clock.pass_seconds(SkillLimits().neighbours_kept_seconds + 1)
        assert (await street.north.browser().open(f"{request}/neighbours")).status == 401
        assert (await street.north.browser("kim").open(f"{request}/neighbours")).status == 404
        with patch.object(Client, "fetch", side_effect=FetchFailed("timeout", "It did not answer.", permanent=False)):
            assert "Riverside does not answer just now." in (await ana.open(f"{request}/neighbours")).text
        await street.north.instance.desk.pause(street.river.host)
        assert "not linked with another one" in (await ana.open(f"{request}/neighbours")).text
        assert "Who could help in" not in (await ana.open(request)).text

    on_the_street(database_kind, tmp_path, story)
