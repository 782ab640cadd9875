"""Who is told of what, in the same transaction; what a notice says later; how long it is kept."""

import pytest

from fedaid.actors import commands as actors
from fedaid.board import commands as board
from fedaid.board.limits import BoardLimits
from fedaid.foundation.refused import NotFound, Refused
from fedaid.foundation.viewer import SIGNED_OUT, Role
from fedaid.groups import commands as groups
from fedaid.groups import queries as group_queries
from fedaid.groups.commands import belonging
from fedaid.groups.limits import GroupLimits
from fedaid.groups.rules import GroupJoining, GroupTerms
from fedaid.members.commands import access
from fedaid.members.limits import MemberLimits
from fedaid.network.commands import make_report
from fedaid.notices import commands, queries
from fedaid.notices.limits import NoticeLimits
from fedaid.notices.queries.shown import Told
from fedaid.notices.rules import TOPIC_OF, Kind
from tests.notices.told import LIMITS, Town
from tests.small_house import some_keys

BRAKES = "Somebody to look at my bicycle brakes"


# who is told


def test_whoever_posted_is_told_of_an_answer_and_nobody_else(town: Town) -> None:
    listing = town.post()
    town.answer(listing)
    (told,) = town.notices(town.ana)
    assert (told.kind, told.is_read) == (Kind.ANSWERED, False)
    assert told.told == Told(f"/listings/{listing.id}", "Bea Bright", "Help with a sofa")
    assert town.notices(town.bea) == town.notices(town.kim) == town.notices(town.cora) == []


def test_whoever_answered_is_told_what_became_of_it(town: Town) -> None:
    yes, no = town.answer(town.post("A sofa")), town.answer(town.post("A cupboard"))
    match = town.accept(yes)
    with town.units.begin() as work:
        board.decline_response(work, town.ana, no, "Not today")
    assert town.kinds(town.bea) == ["declined", "accepted"]
    with town.units.begin() as work:
        board.cancel_match(work, town.ana, match)
    assert town.kinds(town.bea) == ["called_off", "declined", "accepted"]


def test_whoever_posted_is_told_once_when_a_helper_cannot_come_after_all(town: Town) -> None:
    response = town.answer(town.post())
    town.accept(response)
    with town.units.begin() as work:
        board.withdraw_response(work, town.bea, response)
    assert town.kinds(town.ana) == ["taken_back", "answered"]
    assert "called_off" not in town.kinds(town.bea)


def test_of_two_the_other_one_is_told_that_it_is_done(town: Town) -> None:
    by_author, by_helper = (town.accept(town.answer(town.post(title))) for title in ("A sofa", "A cupboard"))
    with town.units.begin() as work:
        board.mark_done(work, town.ana, by_author)
        board.mark_done(work, town.bea, by_helper)
    assert town.kinds(town.bea).count("done") == town.kinds(town.ana).count("done") == 1


def test_several_messages_about_one_answer_are_one_notice_of_the_other_side(town: Town) -> None:
    response = town.answer(town.post())
    with town.units.begin() as work:
        board.make_remark(work, town.ana, response, "When can you come? My door code is 4711.")
        board.make_remark(work, town.ana, response, "And do you have a van?")
    (remark,) = town.notices(town.bea)
    assert remark.told
    assert remark.told.who != "Bea Bright"
    assert "4711" not in repr(remark)
    with town.units.begin() as work:
        board.make_remark(work, town.bea, response, "At ten.")
    assert town.kinds(town.ana) == ["remark", "answered"]
    assert town.kinds(town.bea) == ["remark"]


def test_who_is_asked_quietly_is_told_and_the_others_are_not(town: Town) -> None:
    for who in (town.bea, town.kim):
        town.people.add(who, "Bicycles: brakes, gears", "repair")
    request = town.post(BRAKES, category="repair")
    town.street.ask(town.ana, request, [town.bea])
    (asked,) = town.notices(town.bea)
    assert asked.kind is Kind.ASKED
    assert asked.told
    assert asked.told.path == f"/listings/{request.id}"
    assert town.notices(town.kim) == []


def test_the_author_is_told_when_a_listing_expires_or_is_hidden(town: Town) -> None:
    listing, hidden = town.post(), town.post("Something odd")
    with town.units.begin() as work:
        board.hide_listing(work, hidden.id)
    town.street.pass_days(21)
    with town.units.begin() as work:
        assert board.expire_due(work) == 2
    assert sorted(town.kinds(town.ana)) == ["expired", "expired", "hidden"]
    assert {one.told.path for one in town.notices(town.ana) if one.told} >= {f"/listings/{listing.id}"}


def test_coordinators_of_a_group_are_told_who_asks_and_who_asked_what_was_decided(town: Town) -> None:
    with town.units.begin() as work:
        choir = groups.found_group(work, town.ana, "choir", _terms("Choir"), GroupLimits(), some_keys())
    board_of = _group(town, choir.id)
    with town.units.begin() as work:
        belonging.apply(work, town.kim, board_of, ["Alto"], GroupLimits())
    (asked,) = town.notices(town.ana)
    assert asked.told == Told("/groups/choir/queue", "Kim Kestrel", "Choir")
    with town.units.begin() as work:
        application = group_queries.applications_waiting(work.connection, choir.id, 5)[0]
        belonging.accept(work, town.ana, board_of, application.id)
        belonging.take_in(work, town.ana, board_of, "bea")
    (answered,) = town.notices(town.kim)
    assert answered.told == Told("/groups/choir/about", title="Choir", yes=True)
    assert town.kinds(town.bea) == ["taken_in"]
    assert town.notices(town.ana)[0].told is None  # decided: who asked is no longer hers to read here


def _terms(name: str) -> GroupTerms:
    return GroupTerms(name=name, joining=GroupJoining.APPLICATION, questions="What do you sing?")


def _group(town: Town, group_id: int) -> group_queries.Board:
    with town.units.database.read() as connection:
        found = group_queries.board_by_id(connection, group_id)
    assert found
    return found


def test_a_report_and_a_link_for_a_new_password_are_told(town: Town) -> None:
    listing = town.post()
    with town.units.begin() as work:
        report = make_report(work, town.kim, listing.uri, town.ana.actor, "Rude words about Ana")
        access.offer_recovery(work, town.cora, "bea", MemberLimits())
    (reported,) = town.notices(town.cora)
    assert reported.told == Told(f"/reports/{report}")
    assert [one.told for one in town.notices(town.bea)] == [Told("/me/account")]
    assert town.notices(town.ana) == []  # whom it is about learns nothing


def test_a_notice_and_what_it_is_about_are_stored_together_or_not_at_all(town: Town) -> None:
    listing = town.post()
    with pytest.raises(RuntimeError), town.units.begin() as work:
        board.respond(work, town.bea, listing.id, "")
        raise RuntimeError
    assert town.notices(town.ana) == []
    with pytest.raises(Refused), town.units.begin() as work:
        board.respond(work, town.ana, listing.id, "")
    assert town.notices(town.ana) == []


def test_every_kind_belongs_to_a_topic_that_somebody_can_choose() -> None:
    assert set(TOPIC_OF) == set(Kind)


# what it says later


def test_what_was_taken_down_is_not_told_of_any_more(town: Town) -> None:
    listing = town.post("A secret of Ana's")
    response = town.answer(listing)
    town.accept(response)
    with town.units.begin() as work:
        board.withdraw_listing(work, town.ana, listing.id)
    assert all(one.told is None for one in town.notices(town.bea))
    assert "secret" not in repr(town.notices(town.bea))


def test_of_somebody_whom_one_blocks_nothing_is_told_any_more(town: Town) -> None:
    town.answer(town.post())
    with town.units.begin() as work:
        actors.block(work, town.ana.actor, town.bea.actor)
    (hidden,) = town.notices(town.ana)
    assert hidden.told is None
    assert "Bea" not in repr(hidden)


def test_who_is_no_coordinator_any_more_reads_nothing_of_what_only_they_read(town: Town) -> None:
    listing = town.post()
    with town.units.begin() as work:
        make_report(work, town.kim, listing.uri, town.ana.actor, "Rude")
    with town.units.begin() as work:
        access.change_role(work, None, "cora", Role.MEMBER)
    assert [one.told for one in town.notices(town.again(town.cora))] == [None]


# reading and keeping


def test_opened_is_read_and_only_by_its_reader(town: Town) -> None:
    town.answer(town.post())
    (told,) = town.notices(town.ana)
    with pytest.raises(NotFound), town.units.begin() as work:
        commands.read(work, town.kim.member_id or 0, told.id)
    assert town.unread(town.ana) == 1
    with town.units.begin() as work:
        commands.read(work, town.ana.member_id or 0, told.id)
    assert town.unread(town.ana) == 0
    assert town.notices(town.ana)[0].is_read


def test_what_comes_while_somebody_reads_stays_new(town: Town) -> None:
    town.answer(town.post("A sofa"))
    newest = town.notices(town.ana)[0].id
    town.answer(town.post("A cupboard"))
    with town.units.begin() as work:
        assert commands.read_all(work, town.ana.member_id or 0, newest) == 1
        assert commands.read_all(work, town.kim.member_id or 0, newest) == 0
    assert [one.is_read for one in town.notices(town.ana)] == [False, True]


def test_told_anew_it_is_new_again_and_stands_once(town: Town) -> None:
    with town.units.begin() as work:
        for _ in range(3):
            commands.tell(work, [town.ana.member_id or 0], Kind.RECOVERY, "1")
    assert town.unread(town.ana) == len(town.notices(town.ana)) == 1


def test_old_notices_go_read_or_not(town: Town) -> None:
    town.answer(town.post("A sofa"))
    town.street.pass_days(LIMITS.kept_days - 1)
    town.answer(town.post("A cupboard"))
    town.street.pass_days(1)
    with town.units.begin() as work:
        assert commands.forget_old(work, NoticeLimits()) == 1
    assert [one.told.title for one in town.notices(town.ana) if one.told] == ["A cupboard"]


def test_of_somebody_who_leaves_no_notice_is_kept(town: Town) -> None:
    town.answer(town.post())
    with town.units.begin() as work:
        commands.clear_out(work, town.ana.member_id or 0)
    assert town.notices(town.ana) == []


# the page


def test_the_page_is_for_whoever_is_signed_in(town: Town) -> None:
    browser = town.browser(SIGNED_OUT)
    assert browser.get("/notices").status_code == 303
    assert browser.post("/notices/read", data={"up_to": "1"}).status_code in (303, 401)
    nothing = town.browser(town.ana).get("/notices")
    assert (nothing.status_code, "Nothing yet" in nothing.text) == (200, True)


def test_the_page_shows_what_is_new_and_the_bar_how_many(town: Town) -> None:
    listing = town.post()
    town.answer(listing)
    browser = town.browser(town.ana)
    page = browser.get("/notices")
    assert "Bea Bright answered “Help with a sofa”." in page.text
    assert 'data-unread="1"' in browser.get("/me").text
    notice_id = town.notices(town.ana)[0].id
    assert browser.post(f"/notices/{notice_id}/open").headers["location"] == f"/listings/{listing.id}"
    assert 'data-unread="0"' in browser.get("/me").text


def test_nobody_opens_the_notice_of_somebody_else(town: Town) -> None:
    town.answer(town.post())
    notice_id = town.notices(town.ana)[0].id
    assert town.browser(town.kim).post(f"/notices/{notice_id}/open").status_code == 404
    assert town.unread(town.ana) == 1


def test_what_is_gone_is_said_without_its_words_and_leads_back(town: Town) -> None:
    listing = town.post("A secret of Ana's")
    town.accept(town.answer(listing))
    with town.units.begin() as work:
        board.withdraw_listing(work, town.ana, listing.id)
    browser = town.browser(town.bea)
    page = browser.get("/notices").text
    assert "not yours to see any more" in page
    assert "secret" not in page
    notice_id = town.notices(town.bea)[0].id
    assert browser.post(f"/notices/{notice_id}/open").headers["location"] == "/notices"


def test_pages_follow_on_each_other_and_all_can_be_read_at_once(town: Town) -> None:
    for number in range(LIMITS.page_rows_max + 2):
        town.answer(town.post(f"Sofa {number}"))
    browser = town.browser(town.ana)
    first = browser.get("/notices").text
    oldest = town.notices(town.ana)[LIMITS.page_rows_max - 1].id
    assert f"/notices?before={oldest}" in first
    second = browser.get(f"/notices?before={oldest}").text
    assert ("Sofa 0" in first, "Sofa 0" in second, "Older ones" in second) == (False, True, False)
    assert browser.get("/notices?before=nonsense").status_code == 404
    newest = town.notices(town.ana)[0].id
    assert browser.post("/notices/read", data={"up_to": str(newest)}).status_code == 303
    assert town.unread(town.ana) == 0


def test_a_title_cannot_become_part_of_the_page(town: Town) -> None:
    town.answer(town.post("<b>bold</b> & sofas"))
    assert "&lt;b&gt;bold&lt;/b&gt; &amp; sofas" in town.browser(town.ana).get("/notices").text


def test_counts_are_of_those_who_are_asked_about(town: Town) -> None:
    town.answer(town.post())
    ids = [who.member_id or 0 for who in (town.ana, town.bea)]
    with town.units.database.read() as connection:
        assert queries.counts_unread(connection, ids) == {ids[0]: 1}


def test_whoever_helped_is_told_of_thanks_and_not_of_the_words(town: Town) -> None:
    match = town.accept(town.answer(town.post()))
    with town.units.begin() as work:
        board.mark_done(work, town.ana, match)
        board.thank(work, town.ana, match, "You saved my Saturday.", BoardLimits())
    assert town.kinds(town.bea) == ["thanked", "done", "accepted"]
    assert "Saturday" not in repr(town.notices(town.bea))
    assert "Ana Nightingale thanks you for your help" in town.browser(town.bea).get("/notices").text
