"""The page that our proposals of a link lead to: what a neighbouring network may read of how we trade hours."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from fedaid.foundation.database import Database
from fedaid.foundation.names import Names
from fedaid.foundation.viewer import Role
from fedaid.members import commands as members
from fedaid.members.limits import MemberLimits
from fedaid.members.queries import Member
from fedaid.timebank import pages
from fedaid.timebank.limits import TimebankLimits
from fedaid.timebank.rules.terms import Grant, PinnedKey, Proposal, write_proposal
from tests.small_house import START, SmallHouse, browser, build, some_keys

LIMITS = TimebankLimits(line_minutes=90, max_transfer_minutes=45, offer_lifetime_days=3)


@pytest.fixture
def house(migrated_database: Database) -> SmallHouse:
    return build(migrated_database)


@pytest.fixture
def nora(house: SmallHouse) -> Member:
    with house.units.begin() as work:
        return members.add_member(work, "nora", "x", name="Nora North", role=Role.ADMIN, keys=some_keys())


def visit(house: SmallHouse, contact: str = "") -> TestClient:
    found = browser(house, pages.routes(LIMITS, contact))
    found.headers["Accept"] = "text/html"
    return found


def test_the_address_in_our_proposals_is_a_page_that_anybody_may_read(house: SmallHouse) -> None:
    ledger = house.names.ledger
    theirs = Names("https://riverside.example").ledger
    proposal = Proposal("", ledger, theirs, START, Grant(90, 45), 3, PinnedKey("", ""))
    address = write_proposal(proposal)["object"]["fa:termsOfTrade"]
    assert visit(house).get(address).status_code == 200


def test_it_says_line_largest_transfer_and_time_to_answer_as_this_instance_sets_them(house: SmallHouse) -> None:
    page = visit(house).get("/about/trade").text
    for figure in ("1 h 30 min", "45 min", "3 days", "One hour is one hour"):
        assert figure in page


def test_a_stranger_learns_no_members_name_and_finds_the_board(house: SmallHouse, nora: Member) -> None:
    page = visit(house).get("/about/trade").text
    assert "Nora" not in page
    assert "@board@northside.example" in page


@pytest.mark.parametrize(
    ("contact", "link"),
    [
        ("hello@northside.example", "mailto:hello@northside.example"),
        ("https://northside.example/us", "https://northside.example/us"),
    ],
)
def test_a_stranger_finds_whom_to_write_to_where_the_admin_says_so(house: SmallHouse, contact: str, link: str) -> None:
    assert f'href="{link}"' in visit(house, contact).get("/about/trade").text


def test_a_member_is_told_who_the_admins_are(house: SmallHouse, nora: Member) -> None:
    client = visit(house)
    with house.units.begin() as work:
        secret = members.sign_in(work, nora.id, "test", MemberLimits())
    app: Any = client.app
    client.cookies.set(app.state.house.cookie_name, secret)
    assert '<a href="/@nora">Nora North</a>' in client.get("/about/trade").text
