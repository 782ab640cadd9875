"""The composer: looked at before it is posted, kept as a draft, repeated, with a photo, and seen by whom one chose."""

import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from PIL import Image
from starlette.testclient import TestClient

from fedaid.board import commands, queries
from fedaid.board.limits import BoardLimits
from fedaid.board.queries import Filters, Listing
from fedaid.board.rules import Kind, Rhythm, Visibility
from fedaid.foundation.refused import NotFound, Refused
from fedaid.foundation.viewer import SIGNED_OUT, Viewer
from fedaid.groups import commands as groups
from fedaid.groups import queries as group_queries
from tests.board.test_board_pages import AP, FORM, body, visit
from tests.board.test_board_shapes import offer_of_ben
from tests.board.world import BEN, World
from tests.small_house import some_keys

DAY = 24 * 3600
PRIVATE = {"exact_place": "12 Rose Street, second floor", "contact": "phone 0123 456789"}


def photo(side: int = 40, kind: str = "JPEG", **more: Any) -> bytes:
    """A picture as a camera writes it, with where it was taken."""
    written = io.BytesIO()
    place = Image.Exif()
    place[0x010F] = "A camera that tells"
    Image.new("RGB", (side, side), "green").save(written, kind, exif=place, **more)
    return written.getvalue()


def press(client: TestClient, step: str, file: bytes | None = None, **typed: str) -> Any:
    """One of the buttons of the form for a request."""
    files = {"photo": ("sofa.jpg", file, "image/jpeg")} if file is not None else None
    path = {"post": "/post", "preview": "/post/preview", "keep": "/post/keep"}[step]
    return client.post(f"{path}?kind=request", data={**FORM, **typed}, files=files)


def posted(world: World, answer: Any) -> Listing:
    assert answer.status_code == 303, answer.text
    return world.listing(int(urlsplit(answer.headers["location"]).path.rpartition("/")[2]))


def test_what_was_typed_is_looked_at_first_as_neighbours_and_mastodon_will_see_it(world: World) -> None:
    ana = visit(world, world.ana)
    page = press(ana, "preview", **PRIVATE)
    assert page.status_code == 200
    assert "How neighbours will see it" in page.text
    assert "<strong>Request: Help moving a sofa</strong>" in page.text
    assert 'value="Two floors down."' not in page.text
    assert "Two floors down." in page.text
    bubble = page.text.partition("As people on Mastodon see it")[2]
    assert not any(value in bubble for value in PRIVATE.values())
    assert world.sent() == []
    found = posted(world, press(ana, "post"))
    (create,) = [one for one in world.sent() if one["type"] == "Create"]
    assert create["object"]["content"].partition("<p>Reply")[0] in page.text
    assert found.title == "Help moving a sofa"


def test_a_preview_says_what_is_wrong_and_keeps_everything(world: World) -> None:
    ana = visit(world, world.ana)
    page = press(ana, "preview", title="")
    assert page.status_code == 422
    assert "Please say in one sentence" in page.text
    assert "How neighbours will see it" not in page.text
    assert "Two floors down." in body(ana, "/post?kind=request")


def test_a_draft_is_kept_until_it_is_posted_or_thrown_away(world: World) -> None:
    ana = visit(world, world.ana)
    kept = press(ana, "keep", title="Half a sente", people="3")
    assert kept.headers["location"].startswith("/me")
    page = body(ana, "/post?kind=request")
    assert "You had begun this before." in page
    assert "Half a sente" in page
    assert "<option selected>3" in page
    assert "Half a sente" not in body(ana, "/post?kind=offer")
    assert "Half a sente" not in body(visit(world, world.bea), "/post?kind=request")
    posted(world, press(ana, "post"))
    assert "You had begun this before." not in body(ana, "/post?kind=request")
    press(ana, "keep", title="Another")
    assert ana.post("/post/forget?kind=request").status_code == 303
    assert "Another" not in body(ana, "/post?kind=request")


def test_a_photo_is_made_harmless_and_kept_from_the_preview_to_the_board(world: World) -> None:
    ana = visit(world, world.ana)
    page = press(ana, "preview", photo(3000), alt="A green sofa")
    assert page.status_code == 200, page.text
    assert 'src="/post/photo?kind=request"' in page.text
    assert ana.get("/post/photo?kind=request").status_code == 200
    assert visit(world, world.bea).get("/post/photo?kind=request").status_code == 404
    found = posted(world, press(ana, "post", photo_kept="1", alt="A green sofa"))
    shown = visit(world).get(f"/listings/{found.id}/photo")
    assert shown.headers["content-type"] == "image/webp"
    assert b"camera" not in shown.content
    with Image.open(io.BytesIO(shown.content)) as opened:
        assert max(opened.size) == 1600
        assert not opened.getexif()
    assert 'alt="A green sofa"' in body(visit(world), f"/listings/{found.id}")
    (create,) = [one for one in world.sent() if one["type"] == "Create"]
    assert create["object"]["attachment"] == [
        {
            "type": "Image",
            "mediaType": "image/webp",
            "url": f"{found.uri}/photo",
            "name": "A green sofa",
            "width": 1600,
            "height": 1600,
        }
    ]


@pytest.mark.parametrize(
    ("file", "alt", "status", "told"),
    [
        (lambda: photo(), "", 422, "what the photo shows"),
        (lambda: photo(), "x" * 1501, 422, "at most 1500 characters"),
        (lambda: b"<svg onload=alert(1)>", "A sofa", 422, "no picture that can be shown"),
        (lambda: b"x" * (10 * 1024 * 1024 + 1), "A sofa", 413, "A photo has at most 10 MB"),
        (lambda: photo(8000, "PNG"), "A sofa", 422, "at most 50000000 pixels"),
    ],
)
def test_a_photo_that_cannot_be_taken_is_refused_and_the_words_are_kept(
    world: World, file: Callable[[], bytes], alt: str, status: int, told: str
) -> None:
    answer = press(visit(world, world.ana), "post", file(), alt=alt)
    assert answer.status_code == status
    assert told in answer.text
    assert "Two floors down." in answer.text
    assert world.sent() == []


def test_a_photo_is_changed_described_anew_and_taken_away_by_its_author(world: World) -> None:
    ana = visit(world, world.ana)
    found = posted(world, press(ana, "post", photo(), alt="A green sofa"))
    edit = f"/listings/{found.id}/edit"
    assert 'value="A green sofa"' in body(ana, edit)
    assert ana.post(edit, data={**FORM, "alt": "A sofa of three"}).status_code == 303
    assert world.sent()[-1]["object"]["attachment"][0]["name"] == "A sofa of three"
    assert ana.post(edit, data={**FORM, "alt": ""}).status_code == 422
    files = {"photo": ("b.png", photo(50, "PNG"), "image/png")}
    assert ana.post(edit, data={**FORM, "alt": "Another"}, files=files).status_code == 303
    assert world.sent()[-1]["object"]["attachment"][0]["width"] == 50
    assert ana.post(edit, data={**FORM, "alt": "Another", "photo_drop": "1"}).status_code == 303
    assert "attachment" not in world.sent()[-1]["object"]
    assert visit(world).get(f"/listings/{found.id}/photo").status_code == 404


def test_a_past_listing_is_posted_again_without_its_times(world: World) -> None:
    ana = visit(world, world.ana)
    found = posted(world, press(ana, "post", photo(), alt="A green sofa", **PRIVATE))
    page = body(ana, f"/post?kind=request&repeat={found.id}")
    assert 'value="Help moving a sofa"' in page
    assert 'name="starts_at" value=""' in page
    assert PRIVATE["contact"] in page
    again = posted(world, press(ana, "post", alt="A green sofa", photo_kept="1", photo_from=str(found.id)))
    assert again.id != found.id
    assert visit(world).get(f"/listings/{again.id}/photo").status_code == 200
    for other in (world.bea, None):
        assert visit(world, other).get(f"/post?repeat={found.id}").status_code in (303, 404)
    assert ana.get("/post?repeat=999").status_code == 404
    assert ana.get("/post?repeat=x").status_code == 404


def test_a_photo_of_somebody_elses_listing_does_not_come_along(world: World) -> None:
    found = posted(world, press(visit(world, world.ana), "post", photo(), alt="A green sofa"))
    taken = posted(world, press(visit(world, world.bea), "post", alt="Mine?", photo_kept="1", photo_from=str(found.id)))
    assert visit(world).get(f"/listings/{taken.id}/photo").status_code == 404


# who may see it


def a_group(world: World) -> str:
    """The care circle, to which Ana belongs and Bea does not."""
    with world.units.begin() as work:
        made = groups.add_group(work, "care", "Care circle", keys=some_keys())
        groups.join(work, made.id, world.ana.member_id or 0)
    return "care"


def seen_by(world: World, viewer: Viewer) -> list[str]:
    with world.house.database.read() as connection:
        page = queries.board(connection, viewer, Filters(), world.now, world.house.names.host)
    return [one.listing.title for one in page.listings]


def test_what_members_alone_may_see_leaves_the_house_in_no_form(world: World) -> None:
    ana, bea, stranger = visit(world, world.ana), visit(world, world.bea), visit(world)
    found = posted(world, press(ana, "post", photo(), alt="A sofa", visibility="members"))
    assert world.sent() == []
    assert seen_by(world, world.bea) == seen_by(world, world.ana) == ["Help moving a sofa"]
    assert seen_by(world, SIGNED_OUT) == []
    assert bea.get(f"/listings/{found.id}").status_code == 200
    for path in (f"/listings/{found.id}", f"/listings/{found.id}/photo"):
        assert stranger.get(path).status_code == 404
    for path in ("", "/replies", "/context"):
        assert stranger.get(f"/listings/{found.id}{path}", headers=AP).status_code == 404
    edited = ana.post(f"/listings/{found.id}/edit", data={**FORM, "visibility": "everybody", "alt": "A sofa"})
    assert edited.status_code == 409
    assert "Post it again for more people." in edited.text
    assert world.listing(found.id).visibility is Visibility.MEMBERS
    ana.post(f"/listings/{found.id}/withdraw")
    assert world.sent() == []


def test_what_a_group_alone_may_see_is_not_there_for_other_members(world: World) -> None:
    ana, bea = visit(world, world.ana), visit(world, world.bea)
    found = posted(world, press(ana, "post", board=a_group(world), visibility="group"))
    assert seen_by(world, world.bea) == []
    assert bea.get(f"/listings/{found.id}").status_code == 404
    assert bea.post(f"/listings/{found.id}/respond", data={"message": "me"}).status_code == 404
    with world.units.begin() as work:
        board = group_queries.board_by_handle(work.connection, "care")
        assert board is not None
        groups.join(work, board.id, world.bea.member_id or 0)
    assert seen_by(world, world.bea) == ["Help moving a sofa"]
    assert bea.post(f"/listings/{found.id}/respond", data={"message": "me"}).status_code == 303


def test_everybodys_board_has_no_group_that_could_see_something_alone(world: World) -> None:
    refused = press(visit(world, world.ana), "post", visibility="group")
    assert refused.status_code == 422
    assert "everybody&#39;s" in refused.text
    assert press(visit(world, world.ana), "post", visibility="nobody").status_code == 422


# the exact place


def test_only_the_accepted_helper_learns_the_exact_place_and_how_to_reach_the_author(world: World) -> None:
    ana, bea = visit(world, world.ana), visit(world, world.bea)
    found = posted(world, press(ana, "post", **PRIVATE))
    told = world.respond(world.bea, found)

    def knows(client: TestClient) -> bool:
        return any(value in body(client, f"/listings/{found.id}") for value in PRIVATE.values())

    assert knows(ana)
    assert not knows(bea)
    assert not knows(visit(world))
    assert ana.post(f"/responses/{told.id}/accept").status_code == 303
    assert knows(bea)
    assert not knows(visit(world))
    assert not any(value in str(world.sent()) for value in PRIVATE.values())
    with world.house.database.read() as connection:
        match = queries.my_matches(connection, world.bea)[0].match
    assert bea.post(f"/matches/{match.id}/cancel").status_code == 303
    assert not knows(bea)


def test_what_its_author_hangs_on_a_wall_has_no_address_on_it(world: World) -> None:
    ana, bea = visit(world, world.ana), visit(world, world.bea)
    found = posted(world, press(ana, "post", **PRIVATE))
    assert f'<dd class="no-print">{PRIVATE["exact_place"]}</dd>' in body(ana, f"/listings/{found.id}")
    world.accept(world.respond(world.bea, found))
    assert f"<dd>{PRIVATE['exact_place']}</dd>" in body(bea, f"/listings/{found.id}")
    assert found.uri in body(bea, f"/listings/{found.id}").partition('class="print-only"')[2]


def test_an_accepted_helper_elsewhere_is_told_the_exact_place_in_a_private_note(world: World) -> None:
    found = posted(world, press(visit(world, world.ana), "post", **PRIVATE))
    world.receive(offer_of_ben(world, found.id))
    told = world.response_at(offer_of_ben(world, found.id)["id"])
    assert told is not None
    world.accept(told)
    with_place = [one for one in world.sent() if PRIVATE["exact_place"] in str(one)]
    assert [(one["type"], one["to"], one.get("cc", [])) for one in with_place] == [("Create", [BEN], [])]
    assert PRIVATE["contact"] in str(with_place)


# once, or again and again


def test_what_stands_is_free_again_when_the_help_was_given(world: World) -> None:
    found = world.post(kind=Kind.OFFER, rhythm=Rhythm.WEEKLY, people=1)
    first = world.respond(world.bea, found)
    match = world.accept(first)
    assert world.listing(found.id).state == "filled"
    with world.units.begin() as work:
        commands.mark_done(work, world.ana, match)
    assert world.listing(found.id).state == "open"
    world.respond(world.bea, found)
    assert "every week, first Sat 5 Sep 2026" in body(visit(world, world.bea), f"/listings/{found.id}")
    assert "every week" in str(world.sent()[0])


def test_some_of_several_helpers_are_said_in_words(world: World) -> None:
    found = world.post(people=3)
    assert "3 people, none found yet" in body(visit(world), f"/listings/{found.id}")
    world.accept(world.respond(world.bea, found))
    assert "One of three people found" in body(visit(world), f"/listings/{found.id}")


def test_what_is_urgent_says_so_here_and_elsewhere(world: World) -> None:
    found = posted(world, press(visit(world, world.ana), "post", urgent="1"))
    assert "Urgent" in body(visit(world), "/board")
    assert "Urgent" in world.sent()[0]["object"]["content"]
    assert found.urgent


# its end


def test_one_is_warned_before_a_listing_leaves_the_board_and_can_put_it_back(world: World) -> None:
    found = world.post()

    def warned() -> list[int]:
        with world.house.database.read() as connection:
            now = world.now
            return [
                one.id for one in queries.ending(connection, world.ana, now + timedelta(days=3), now - timedelta(14))
            ]

    assert warned() == []
    world.house.clock.pass_seconds(12 * DAY)
    assert warned() == [found.id]
    world.house.clock.pass_seconds(3 * DAY)
    with world.units.begin() as work:
        assert commands.expire_due(work) == 1
    assert world.sent()[-1]["type"] == "Update"
    assert warned() == [found.id]
    answer = visit(world, world.ana).post(f"/listings/{found.id}/extend", data={"back": "me"})
    assert answer.headers["location"].startswith("/me")
    assert world.listing(found.id).state == "open"
    assert warned() == []
    with world.house.database.read() as connection:
        assert queries.ending(connection, world.bea, world.now + timedelta(days=99), world.now) == []
        assert queries.ending(connection, SIGNED_OUT, world.now + timedelta(days=99), world.now) == []
    with pytest.raises(NotFound), world.units.begin() as work:
        commands.extend_listing(work, world.bea, found.id, world.now + timedelta(days=9))
    with pytest.raises(Refused), world.units.begin() as work:
        commands.extend_listing(work, world.ana, found.id, world.now + timedelta(days=999))


def test_a_refused_change_keeps_the_new_photo_until_the_change_is_kept(world: World) -> None:
    ana = visit(world, world.ana)
    found = posted(world, press(ana, "post", photo(), alt="A green sofa"))
    edit, old = f"/listings/{found.id}/edit", visit(world).get(f"/listings/{found.id}/photo").content
    files = {"photo": ("b.png", photo(50, "PNG"), "image/png")}
    refused = ana.post(edit, data={**FORM, "title": "", "alt": "The sofa from behind"}, files=files)
    assert refused.status_code == 422
    assert f'src="{edit}/photo"' in refused.text
    assert f'name="photo_from" value="{found.id}"' in refused.text
    assert visit(world).get(f"/listings/{found.id}/photo").content == old
    assert ana.get(f"{edit}/photo").status_code == 200
    assert visit(world, world.bea).get(f"{edit}/photo").status_code == 404
    # Refused once more, for another reason, it is still there.
    kept = {**FORM, "photo_kept": "1", "photo_from": str(found.id)}
    assert f'src="{edit}/photo"' in ana.post(edit, data={**kept, "alt": ""}).text
    assert ana.post(edit, data={**kept, "alt": "The sofa from behind"}).status_code == 303
    assert visit(world).get(f"/listings/{found.id}/photo").content != old
    assert ana.get(f"{edit}/photo").status_code == 404


def test_a_photo_of_a_change_that_was_given_up_waits_a_week_and_comes_into_no_other_change(world: World) -> None:
    ana = visit(world, world.ana)
    found = posted(world, press(ana, "post", photo(), alt="A green sofa"))
    edit, old = f"/listings/{found.id}/edit", visit(world).get(f"/listings/{found.id}/photo").content
    files = {"photo": ("b.png", photo(50, "PNG"), "image/png")}
    for _ in range(2):
        ana.post(edit, data={**FORM, "title": "", "alt": "The sofa"}, files=files)
    page = ana.get(edit).text
    assert f'src="/listings/{found.id}/photo"' in page
    assert "photo_from" not in page
    assert ana.post(edit, data={**FORM, "alt": "The sofa", "photo_kept": "1"}).status_code == 303
    assert visit(world).get(f"/listings/{found.id}/photo").content == old
    ana.post(edit, data={**FORM, "title": "", "alt": "The sofa"}, files=files)
    limits = BoardLimits()
    with world.units.begin() as work:
        assert commands.forget_waiting_photos(work, limits) == 0
    world.house.clock.pass_seconds(limits.photo_waits_days * DAY)
    with world.units.begin() as work:
        assert commands.forget_waiting_photos(work, limits) == 1


def test_what_is_given_every_week_can_be_changed_when_its_first_time_is_over(world: World) -> None:
    ana = visit(world, world.ana)
    weekly = {"rhythm": "weekly", "starts_at": "2026-09-05T10:00", "ends_at": "2026-09-05T12:00"}
    found = posted(world, press(ana, "post", **weekly))
    assert "every week, first Sat 5 Sep 2026, 10:00-12:00" in body(ana, f"/listings/{found.id}")
    world.house.clock.pass_seconds(6 * DAY)
    assert "every week, next Sat 12 Sep 2026, 10:00-12:00" in body(ana, f"/listings/{found.id}")
    edit = f"/listings/{found.id}/edit"
    assert ana.post(edit, data={**FORM, **weekly, "title": "Tea in the yard"}).status_code == 303
    once = ana.post(edit, data={**FORM, **weekly, "rhythm": "once"})
    assert (once.status_code, "already over" in once.text) == (422, True)
