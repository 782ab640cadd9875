"""What Mastodon's people do beside following: private replies, messages, mentions with #need, votes, leaving."""

import pytest
from sqlalchemy import select

from activitypub.vocabulary import AS2, PLAIN_CONTEXT, PUBLIC
from fedaid.board.queries import Listing
from fedaid.board.tables import picture, reaction
from fedaid.mentions.tables import message, suggestion
from tests.recorded.town import BOARD, Server, Town

pytestmark = pytest.mark.anyio
ME = "https://masto.example/users/carol"


@pytest.fixture
def carol(town: Town) -> Server:
    return town.servers["mastodon_4_5"]


def suggestions(town: Town) -> list[tuple[str, str, str]]:
    with town.instance.database.read() as connection:
        rows = connection.execute(select(suggestion).order_by(suggestion.c.id))
        return [(row.kind, row.state, row.author_actor) for row in rows]


def messages(town: Town) -> list[tuple[str, str, bool]]:
    with town.instance.database.read() as connection:
        rows = connection.execute(select(message).order_by(message.c.id))
        return [(row.text, row.state, row.public) for row in rows]


def private_notes(town: Town, server: Server) -> list[dict[str, object]]:
    """The Notes that reached them; each is checked to go to them alone."""
    found = [one for one in town.sent_to(server) if one["type"] == "Create" and one["object"]["to"] != [PUBLIC]]
    for one in found:
        assert (one["to"], one["cc"], one["object"]["to"], one["object"]["cc"]) == ([ME], [], [ME], [])
        assert one["object"]["tag"] == [{"type": "Mention", "href": ME, "name": "@carol@masto.example"}]
    return [one["object"] for one in found]


async def number_of(town: Town, path: str) -> int:
    """The id in the first address on the coordinators' page that begins so."""
    async with town.visit(town.cora) as browser:
        page = (await browser.get("/mentions")).text
    return int(page.partition(path)[2].partition("/")[0])


@pytest.mark.attack("S47")
async def test_a_private_reply_is_seen_by_the_author_alone_and_answered_in_private(town: Town, carol: Server) -> None:
    """Attack S47: neither another member, nor a stranger, nor a coordinator reads it."""
    listing = await town.list_something()
    assert await town.bring(carol, "private_reply", listing) == 202
    (answer,) = town.answers(listing)
    assert (answer.message, answer.public) == ("My number is 555 0100.", False)
    for who, sees in ((town.ana, True), (town.bea, False), (town.cora, False), (None, False)):
        async with town.visit(who) as browser:
            assert ("555 0100" in (await browser.get(f"/listings/{listing.id}")).text) is sees
    assert "555 0100" not in (await town.get(listing.uri)).text
    async with town.visit(town.ana) as browser:
        sent = await browser.post(f"/responses/{answer.id}/say", data={"text": "I will call you."})
        assert sent.status_code == 303
    await town.settle()
    (note,) = private_notes(town, carol)
    assert note["inReplyTo"] == answer.uri
    assert "I will call you." in str(note["content"])


async def test_a_message_to_a_board_is_for_coordinators_who_answer_in_private(town: Town, carol: Server) -> None:
    assert await town.bring(carol, "direct_message") == 202
    assert messages(town) == [("How do I join?", "waiting", False)]
    for who, status in ((town.ana, 403), (None, 303)):
        async with town.visit(who) as browser:
            answer = await browser.get("/mentions")
            assert answer.status_code == status
            assert "How do I join?" not in answer.text
    number = await number_of(town, "/mentions/messages/")
    async with town.visit(town.cora) as browser:
        page = (await browser.get("/mentions")).text
        assert "@carol@masto.example" in page
        assert "written to the board alone" in page
        done = await browser.post(f"/mentions/messages/{number}/answer", data={"answer": "Come on Saturday."})
        assert done.status_code == 303
        again = await browser.post(f"/mentions/messages/{number}/close")
        assert (again.status_code, "seen to this already" in again.text) == (409, True)
    await town.settle()
    (note,) = private_notes(town, carol)
    assert (note["attributedTo"], note["inReplyTo"]) == (BOARD, f"{ME}/statuses/1003")
    assert "Come on Saturday." in str(note["content"])
    assert "Cora" not in str(note)


async def suggested(town: Town, carol: Server) -> int:
    assert await town.bring(carol, "need") == 202
    assert suggestions(town) == [("request", "waiting", ME)]
    return await number_of(town, "/mentions/suggestions/")


async def approved(town: Town, carol: Server) -> Listing:
    number = await suggested(town, carol)
    async with town.visit(town.cora) as browser:
        form = {"title": "A ladder for Sunday", "details": "Three metres would do.", "category": "tools"}
        done = await browser.post(f"/mentions/suggestions/{number}/approve", data=form)
    assert done.status_code == 303, done.text
    await town.settle()
    with town.instance.database.read() as connection:
        listing_id = connection.execute(select(suggestion.c.listing_id)).scalar_one()
    assert listing_id is not None
    return town.listing(listing_id)


async def test_a_mention_with_need_waits_for_a_coordinator(town: Town, carol: Server) -> None:
    await suggested(town, carol)
    async with town.visit(town.cora) as browser:
        page = (await browser.get("/mentions")).text
    assert 'value="A ladder for Sunday"' in page
    assert ">Three metres would do.</textarea>" in page.replace("A ladder for Sunday\n\n", "")
    assert 'alt="The wall to be painted"' in page
    async with town.visit(town.bea) as browser:
        assert "ladder" not in (await browser.get("/board")).text
    assert town.sent_to(carol) == []


async def test_what_a_coordinator_lets_in_is_a_listing_of_the_board_and_its_author_is_told(
    town: Town, carol: Server
) -> None:
    listing = await approved(town, carol)
    assert (listing.title, listing.kind, listing.mode, listing.author_actor, listing.member_actor) == (
        "A ladder for Sunday",
        "request",
        "gift",
        BOARD,
        ME,
    )
    (note,) = private_notes(town, carol)
    assert note["inReplyTo"] == f"{ME}/statuses/1004"
    assert "is on our board now" in str(note["content"])
    assert listing.page in str(note["content"])
    published = (await town.get(listing.uri)).json()
    assert published["attributedTo"] == BOARD
    assert "carol" not in str(published)
    async with town.visit(town.bea) as browser:
        assert "Carol" in (await browser.get(f"/listings/{listing.id}")).text


async def test_answers_reach_an_author_elsewhere_and_a_coordinator_accepts_for_them(town: Town, carol: Server) -> None:
    listing = await approved(town, carol)
    async with town.visit(town.bea) as browser:
        await browser.post(f"/listings/{listing.id}/respond", data={"message": "Mine has four metres."})
    await town.settle()
    told = private_notes(town, carol)[-1]
    assert "Bea Bright (@bea@northside.example) answers “A ladder for Sunday”" in str(told["content"])
    assert "Mine has four metres." in str(told["content"])
    back = carol.requests["private_reply"]["body"]
    words = {**back["object"], "inReplyTo": told["id"], "content": "<p>@board Yes please, at nine!</p>"}
    assert await town.post(carol, f"{BOARD}/inbox", {**back, "object": words}) == 202
    async with town.visit(town.cora) as browser:
        page = (await browser.get(f"/listings/{listing.id}")).text
        assert "Yes please, at nine!" in page
        accept = "/responses/" + page.partition('action="/responses/')[2].partition('"')[0]
        assert accept.endswith("/accept")
        assert (await browser.post(accept)).status_code == 303
    async with town.visit(town.ana) as browser:
        assert (await browser.post(accept)).status_code == 404
    await town.settle()
    assert "It is agreed: Bea Bright (@bea@northside.example) and you" in str(private_notes(town, carol)[-1]["content"])
    async with town.visit(town.bea) as browser:
        page = (await browser.get(f"/listings/{listing.id}")).text
        assert "Yes please, at nine!" in page
        assert "@carol@masto.example" in page
    assert town.listing(listing.id).state == "filled"


async def test_a_declined_suggestion_is_told_with_its_reason(town: Town, carol: Server) -> None:
    number = await suggested(town, carol)
    async with town.visit(town.cora) as browser:
        without = await browser.post(f"/mentions/suggestions/{number}/decline", data={"reason": " "})
        assert (without.status_code, "Please say why" in without.text) == (422, True)
        done = await browser.post(f"/mentions/suggestions/{number}/decline", data={"reason": "We have none."})
        assert done.status_code == 303
    await town.settle()
    assert suggestions(town) == [("request", "declined", ME)]
    (note,) = private_notes(town, carol)
    assert "Thank you for your request “A ladder for Sunday”. It was not put on our board: We have none." in str(
        note["content"]
    )


async def test_a_refused_approval_keeps_what_was_typed(town: Town, carol: Server) -> None:
    number = await suggested(town, carol)
    async with town.visit(town.cora) as browser:
        form = {"title": "kept words", "details": "x" * 6000, "category": ""}
        refused = await browser.post(f"/mentions/suggestions/{number}/approve", data=form)
        assert (refused.status_code, "kept words" in refused.text) == (422, True)
        for step, data in (("approve", {"title": "x"}), ("decline", {"reason": "x"})):
            assert (await browser.post(f"/mentions/suggestions/1/{step}", data=data)).status_code == 404
    async with town.visit(town.ana) as browser:
        for step in ("approve", "decline"):
            assert (await browser.post(f"/mentions/suggestions/{number}/{step}")).status_code == 403
    assert suggestions(town) == [("request", "waiting", ME)]


async def test_the_same_suggestion_again_is_rejected_with_what_it_repeats(town: Town, carol: Server) -> None:
    """FEP-d36d."""
    listing = await approved(town, carol)
    need = carol.requests["need"]["body"]
    copy = {**need["object"], "id": f"{ME}/statuses/1044"}
    assert (
        await town.post(carol, f"{BOARD}/inbox", {**need, "id": f"{ME}/statuses/1044/activity", "object": copy}) == 202
    )
    assert len(suggestions(town)) == 1
    reject = town.sent_to(carol)[-1]
    assert reject == {
        "@context": PLAIN_CONTEXT,
        "id": reject["id"],
        "type": "Reject",
        "actor": BOARD,
        "to": [ME],
        "object": f"{ME}/statuses/1044",
        "target": listing.uri,
    }


async def test_who_deletes_what_they_asked_for_takes_it_off_the_board(town: Town, carol: Server) -> None:
    listing = await approved(town, carol)
    note = carol.requests["need"]["body"]["object"]["id"]
    gone = {
        "@context": AS2,
        "id": f"{note}#delete",
        "type": "Delete",
        "actor": ME,
        "object": {"id": note, "type": "Tombstone"},
    }
    assert await town.post(carol, f"{BOARD}/inbox", gone) == 202
    assert town.listing(listing.id).state == "withdrawn"
    assert suggestions(town) == [("request", "withdrawn", ME)]
    assert (await town.get(listing.uri)).status_code == 410


async def test_words_edited_after_they_were_let_in_change_nothing_but_come_to_the_coordinators(
    town: Town, carol: Server
) -> None:
    listing = await approved(town, carol)
    need = carol.requests["need"]["body"]
    edited = {**need["object"], "content": "<p>#need Money, lots of it</p>"}
    update = {**need, "id": f"{need['id']}#update", "type": "Update", "object": edited}
    assert await town.post(carol, f"{BOARD}/inbox", update) == 202
    assert town.listing(listing.id) == listing
    assert messages(town) == [("(Edited after it was posted.)\n\n#need Money, lots of it", "waiting", True)]


async def test_a_vote_is_no_answer(town: Town, carol: Server) -> None:
    listing = await town.list_something()
    assert await town.bring(carol, "vote", listing) == 202
    assert (town.answers(listing), messages(town)) == ([], [])
    assert town.letters() == [("Create", "ignored", "not_taken")]


async def test_an_account_that_leaves_takes_its_words_along(town: Town, carol: Server) -> None:
    listing = await town.list_something()
    for request in ("follow", "public_reply", "favourite", "direct_message", "need"):
        assert await town.bring(carol, request, listing) == 202
    assert await town.bring(carol, "delete_account") == 202
    assert (town.answers(listing), messages(town)) == ([], [])
    assert suggestions(town) == [("request", "withdrawn", ME)]
    with town.instance.database.read() as connection:
        for table in (picture, reaction):
            assert connection.execute(select(table.c.id)).all() == []
    before = len(town.sent_to(carol))
    await town.list_something()
    assert len(town.sent_to(carol)) == before


@pytest.mark.attack("S16")
async def test_the_farewell_of_a_stranger_is_thanked_for_and_forgotten(town: Town, carol: Server) -> None:
    """Attack S16: nothing is fetched."""
    assert await town.bring(carol, "delete_account") == 202
    assert (town.letters(), town.network.asked) == ([], [])


async def test_a_flood_of_messages_from_one_account_stops_at_a_few(town: Town, carol: Server) -> None:
    sent = carol.requests["direct_message"]["body"]
    for number in range(7):
        copy = {**sent["object"], "id": f"{ME}/statuses/9{number}", "content": f"<p>Hello {number}</p>"}
        await town.post(carol, f"{BOARD}/inbox", {**sent, "id": f"{ME}/statuses/9{number}/activity", "object": copy})
    assert [state for _, state, _ in town.letters()] == ["done"] * 5 + ["refused"] * 2
    assert len(messages(town)) == 5


async def test_what_waits_stands_on_a_coordinators_day_and_nobody_elses(town: Town, carol: Server) -> None:
    await suggested(town, carol)
    for who, sees in ((town.cora, True), (town.ana, False)):
        async with town.visit(who) as browser:
            assert ("1 message or suggestion from elsewhere waits" in (await browser.get("/me")).text) is sees


async def test_an_author_elsewhere_hears_when_it_is_called_off_and_has_no_hours_to_give(
    town: Town, carol: Server
) -> None:
    listing = await approved(town, carol)
    async with town.visit(town.bea) as browser:
        await browser.post(f"/listings/{listing.id}/respond", data={"message": "Mine."})
    async with town.visit(town.cora) as browser:
        page = (await browser.get(f"/listings/{listing.id}")).text
        await browser.post("/responses/" + page.partition('action="/responses/')[2].partition('"')[0])
        page = (await browser.get(f"/listings/{listing.id}")).text
        assert "Agreed with Carol, for whom you act." in page
        edited = await browser.post(f"/listings/{listing.id}/edit", data={"title": "A ladder", "mode": "hours"})
        assert (edited.status_code, "without an account of hours" in edited.text) == (422, True)
        cancel = "/matches/" + page.partition('action="/matches/')[2].partition("/")[0] + "/cancel"
    async with town.visit(town.ana) as browser:
        assert (await browser.post(cancel)).status_code == 404
    async with town.visit(town.bea) as browser:
        assert (await browser.post(cancel)).status_code == 303
    await town.settle()
    assert "What was agreed with Bea Bright" in str(private_notes(town, carol)[-1]["content"])
    assert town.listing(listing.id).state == "open"


@pytest.mark.attack("S41")
async def test_a_message_that_was_deleted_does_not_come_late(town: Town, carol: Server) -> None:
    """Attack S41."""
    sent = carol.requests["direct_message"]["body"]
    gone = {"@context": AS2, "type": "Delete", "actor": ME, "object": sent["object"]["id"]}
    for number, document in enumerate((gone, sent, {**gone, "id": f"{ME}/x/9"})):
        assert await town.post(carol, f"{BOARD}/inbox", {"id": f"{ME}/x/{number}", **document}) == 202
    assert messages(town) == []


@pytest.mark.parametrize(("public", "carried"), [(True, True), (False, False)])
async def test_what_somebody_wrote_to_the_board_alone_is_not_carried_on_to_another_server(
    town: Town, carol: Server, public: bool, carried: bool
) -> None:
    listing = await approved(town, carol)
    dana = town.servers["gotosocial"]
    create = dana.requests["public_reply"]["body"]
    audience = {"to": create["to"] if public else BOARD, "cc": []}
    reply = {**create, **audience, "object": {**create["object"], **audience, "inReplyTo": listing.uri}}
    assert await town.post(dana, f"{BOARD}/inbox", reply) == 202
    told = str(private_notes(town, carol)[-1]["content"])
    assert "Dana (@dana@gts.example) answers" in told
    assert ("two strong arms" in told) is carried
