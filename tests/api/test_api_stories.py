"""What programs do for their members, on both databases: by the same rules as the pages, and seen on them."""

from fedaid.groups import commands as groups
from fedaid.groups import queries
from fedaid.groups.commands import belonging
from fedaid.groups.limits import GroupLimits
from fedaid.groups.rules import GroupJoining, GroupTerms
from fedaid.members import queries as members
from tests.api.programs import Answer, Town
from tests.small_house import some_keys


def made(answer: Answer, status: int = 201) -> str:
    assert answer.status == status, answer.text
    return str(answer.json["id"])


def test_help_is_asked_for_offered_agreed_on_given_and_its_hours_confirmed(both: Town) -> None:
    ana, kim = both.program("ana"), both.program("kim")
    asked = ana.post("/listings", {"kind": "request", "title": "Moving a sofa", "minutes": 60, "place": "Rose Street"})
    listing = made(asked)
    assert asked.headers["location"].endswith(f"/api/fedaid/v1/listings/{listing}")
    assert asked.json["expires_at"] == "2026-09-15T23:59:59Z"
    assert listing in both.client.get("/board").text

    (found,) = kim.get("/listings?q=sofa&kind=request&board=board").json["items"]
    assert (found["id"], found["author"]["name"], found["is_mine"]) == (listing, "Ana", False)
    response = made(kim.post(f"/listings/{listing}/responses", {"message": "I can help", "minutes": 90}))
    assert kim.post(f"/listings/{listing}/responses", {}).code == "answered_already"
    assert [one["id"] for one in ana.get(f"/listings/{listing}/responses").json["items"]] == [response]
    assert kim.post(f"/responses/{response}/messages", {"text": "At ten?"}).json["messages"][0]["text"] == "At ten?"
    agreed = ana.post(f"/responses/{response}/accept")
    match = made(agreed, 200)
    assert ana.post(f"/responses/{response}/accept").status == 409
    assert kim.get(f"/matches/{match}").json["you_help"] is True

    wrong_end = ana.post("/hours/claim", {"agreement": agreed.json["agreement"], "minutes": 90}, key="wrong-end")
    assert wrong_end.status == 404
    claim = kim.post("/hours/claim", {"agreement": agreed.json["agreement"], "minutes": 90}, key="claim")
    transfer = made(claim)
    assert claim.json["other"]["handle"] == "@ana@northside.example"
    assert [one["id"] for one in ana.get("/hours/waiting").json["items"]] == [transfer]
    asked_back = ana.post(f"/hours/{transfer}/question", {"words": "Was it not an hour?"})
    assert asked_back.json["question"]["reason"] == "Was it not an hour?"
    assert kim.post(f"/hours/{transfer}/answer", {"words": "The stairs."}).status == 204
    assert kim.post(f"/hours/{transfer}/confirm").status == 404  # only who was helped confirms
    confirmed = ana.post(f"/hours/{transfer}/confirm")
    assert (confirmed.status, confirmed.json["state"]) == (200, "posted"), confirmed.text
    assert kim.get("/hours").json["given_minutes"] == 90
    assert ana.get("/hours").json["balance_minutes"] == -90
    assert kim.get(f"/matches/{match}").json["state"] == "done"
    assert ana.get(f"/listings/{listing}").json["state"] == "done"


def test_a_listing_is_changed_extended_and_taken_down(both: Town) -> None:
    ana, kim = both.program("ana"), both.program("kim")
    listing = made(ana.post("/listings", {"kind": "offer", "title": "Bread", "mode": "gift", "visibility": "members"}))
    changed = ana.ask("PUT", f"/listings/{listing}", {"title": "Rye bread", "mode": "gift", "people": 3})
    assert (changed.json["title"], changed.json["people"], changed.json["visibility"]) == ("Rye bread", 3, "members")
    before = changed.json["expires_at"]
    assert ana.post(f"/listings/{listing}/extend").json["expires_at"] > before
    response = made(kim.post(f"/listings/{listing}/responses", {"message": "Yes, please"}))
    declined = ana.post(f"/responses/{response}/decline", {"reason": "All gone"})
    assert (declined.json["state"], kim.get(f"/responses/{response}").json["reason"]) == ("declined", "All gone")
    again = made(kim.post(f"/listings/{listing}/responses", {}))
    assert kim.post(f"/responses/{again}/withdraw").json["state"] == "withdrawn"
    third = made(kim.post(f"/listings/{listing}/responses", {}))
    match = made(ana.post(f"/responses/{third}/accept"), 200)
    assert kim.post(f"/matches/{match}/cancel").json["state"] == "cancelled"
    assert [one["id"] for one in kim.get("/matches").json["items"]] == [match]
    assert len(kim.get("/responses").json["items"]) == 3
    assert ana.ask("DELETE", f"/listings/{listing}").status == 204
    gone = ana.get(f"/listings/{listing}")
    assert (gone.status, gone.code) == (410, "gone")


def test_a_list_is_read_page_by_page_to_its_end(both: Town) -> None:
    ana = both.program("ana")
    posted = [made(ana.post("/listings", {"kind": "request", "title": f"Sofa {number}"})) for number in range(5)]
    for number in range(5):
        made(ana.post("/hours/give", {"to": "kim", "minutes": number + 1}, key=f"give-{number}"))
    read: dict[str, list[str]] = {}
    for path, name in (("/listings", "title"), ("/hours/statement", "minutes"), ("/groups", "handle")):
        address, found = f"{path}?limit=2", []
        while address:
            page = both.program("kim").get(address)
            assert page.status == 200, page.text
            assert len(page.json["items"]) <= 2
            found += [str(one[name]) for one in page.json["items"]]
            link = page.headers.get("link", "")
            assert bool(link) == (page.json["next"] is not None)
            address = link.partition("/v1")[2].partition(">")[0]
        read[path] = found
    assert read["/listings"] == [f"Sofa {number}" for number in (4, 3, 2, 1, 0)]
    assert read["/hours/statement"] == ["5", "4", "3", "2", "1"]
    assert read["/groups"] == ["board", "tools"]
    assert len(posted) == 5


def test_hours_are_given_corrected_refused_and_taken_back(both: Town) -> None:
    ana, kim = both.program("ana"), both.program("kim")
    given = made(ana.post("/hours/give", {"to": "@kim@northside.example", "minutes": 60, "note": "Bread"}, key="a"))
    corrected = kim.post(f"/hours/{given}/correct", {"minutes": 20, "note": "It was less"}, key="b")
    assert made(corrected) != given
    assert corrected.json["corrects"].endswith(given)
    assert kim.get("/hours").json["balance_minutes"] == 40
    refused = made(kim.post("/hours/claim", {"to": "ana", "minutes": 5}, key="c"))
    assert ana.post(f"/hours/{refused}/refuse").json["state"] == "refused"
    back = made(kim.post("/hours/claim", {"to": "ana", "minutes": 5}, key="d"))
    assert [one["id"] for one in kim.get("/hours/under-way").json["items"]] == [back]
    assert kim.post(f"/hours/{back}/withdraw").status == 204
    assert kim.get("/hours/under-way").json == {"items": []}
    assert ana.post("/hours/give", {"to": "nobody", "minutes": 5}, key="e").code == "no_member"
    assert ana.post("/hours/give", {"to": "kim", "minutes": 5, "listing": "1"}, key="f").code == "no_listing"
    assert ana.post("/hours/give", {"to": "kim", "minutes": 59_999}, key="g").status == 409
    assert kim.get("/hours").json["balance_minutes"] == 40


def test_skills_are_written_found_changed_and_taken_out(both: Town) -> None:
    ana, kim = both.program("ana"), both.program("kim")
    skill = made(ana.post("/me/skills", {"title": "Bicycles: brakes, gears", "details": "On Saturdays"}))
    (found,) = kim.get("/people?q=bicycle").json["items"]
    assert (found["handle"], found["skills"][0]["id"]) == ("ana", skill)
    assert kim.get("/people?q=piano").json["items"] == []
    assert kim.get("/people/ana").json["name"] == "Ana"
    assert kim.get("/people/cora").status == 404
    assert kim.ask("PUT", f"/skills/{skill}", {"title": "Mine now"}).status == 404
    assert ana.ask("PUT", f"/skills/{skill}", {"title": "Bicycles"}).json["title"] == "Bicycles"
    assert kim.get(f"/skills/{skill}").json["member"] == "ana"
    assert [one["title"] for one in ana.get("/me/skills").json["items"]] == ["Bicycles"]
    refused = ana.post("/me/skills", {"title": "Secrets", "visibility": "group", "group": "1"})
    assert (refused.status, refused.code) == (422, "skill_group")
    assert ana.ask("DELETE", f"/skills/{skill}").status == 204
    assert kim.get(f"/skills/{skill}").status == 404


def test_a_week_is_said_as_a_whole_and_what_touches_is_one(both: Town) -> None:
    ana, kim = both.program("ana"), both.program("kim")
    assert ana.get("/me/free-times").json == {"items": []}
    evening = {"weekday": 6, "start_minute": 20 * 60, "end_minute": 60}
    touching = [
        {"weekday": 2, "start_minute": 600, "end_minute": 660},
        {"weekday": 2, "start_minute": 660, "end_minute": 720},
    ]
    said = ana.ask("PUT", "/me/free-times", {"items": [evening, *touching]})
    week = [(one["weekday"], one["start_minute"], one["end_minute"]) for one in said.json["items"]]
    assert week == [(0, 0, 60), (2, 600, 720), (6, 1200, 1440)]  # Sunday's night ends on Monday
    made(ana.post("/me/skills", {"title": "Piano"}))
    assert kim.get("/people/ana").json["free_times"] == said.json["items"]
    assert kim.get("/people?weekday=2&start_minute=610&end_minute=620").json["items"][0]["handle"] == "ana"
    never = ana.ask("PUT", "/me/free-times", {"items": [{"weekday": 1, "start_minute": 60, "end_minute": 60}]})
    assert (never.status, never.code) == (422, "window")
    often = [{"weekday": 1, "start_minute": minute, "end_minute": minute + 1} for minute in range(0, 1400, 2)]
    assert ana.ask("PUT", "/me/free-times", {"items": often}).code == "too_many_windows"
    assert ana.ask("PUT", "/me/free-times", {"items": [{**evening, "weekday": 7}]}).status == 422
    assert ana.get("/me/free-times").json == said.json  # what was refused changed nothing


def test_how_somebody_likes_to_help_is_kept_and_only_its_distance_is_told(both: Town) -> None:
    ana, kim = both.program("ana"), both.program("kim")
    assert ana.get("/me/helping").json["may_be_asked"] is True
    mine = {
        "lat": 51.501,
        "lon": -0.1,
        "travel_km": 3,
        "monthly_minutes": 120,
        "languages": ["es", "en"],
        "place": "Quay",
    }
    kept = ana.ask("PUT", "/me/helping", mine)
    assert (kept.status, kept.json["languages"], kept.json["travel_km"]) == (200, ["en", "es"], 3), kept.text
    assert kept.json["lat"] != 51.501, "an exact position was kept"
    assert ana.get("/me/helping").json == kept.json
    assert kim.ask("PUT", "/me/helping", {"lat": 51.53, "lon": -0.1}).status == 200
    made(ana.post("/me/skills", {"title": "Piano"}))
    seen = kim.get("/people/ana")
    assert (seen.json["distance_km"], seen.json["place"], seen.json["languages"]) == (3, "Quay", ["en", "es"])
    assert str(kept.json["lat"]) not in seen.text
    assert "120" not in seen.text
    assert ana.ask("PUT", "/me/helping", {"lat": 51.5}).code == "position"
    assert ana.ask("PUT", "/me/helping", {"languages": ["tlh"]}).status == 422
    assert ana.get("/me/helping").json == kept.json


def test_a_neighbour_vouches_for_a_skill_and_either_of_the_two_takes_it_back(both: Town) -> None:
    ana, kim = both.program("ana"), both.program("kim")
    skill = made(ana.post("/me/skills", {"title": "Piano"}))
    kim.ask("PUT", f"/skills/{skill}/vouch", {"sentence": "She plays."})
    said = kim.ask("PUT", f"/skills/{skill}/vouch", {"sentence": "She plays well."})
    (vouch,) = said.json["vouches"]
    assert (vouch["handle"], vouch["sentence"]) == ("kim", "She plays well.")
    assert ana.ask("PUT", f"/skills/{skill}/vouch", {"sentence": "I do."}).code == "own_skill"
    assert kim.ask("PUT", f"/skills/{skill}/vouch", {"sentence": " "}).code == "vouch_missing"
    assert ana.ask("DELETE", f"/vouches/{vouch['id']}").status == 204
    assert kim.ask("DELETE", f"/vouches/{vouch['id']}").status == 404
    assert kim.get(f"/skills/{skill}").json["vouches"] == []
    again = kim.ask("PUT", f"/skills/{skill}/vouch", {"sentence": "Still."}).json["vouches"][0]["id"]
    assert kim.ask("DELETE", f"/vouches/{again}").status == 204


def test_nobody_changes_the_week_of_another_or_vouches_for_what_they_may_not_read(both: Town) -> None:
    ana, kim = both.program("ana"), both.program("kim")
    week = {"items": [{"weekday": 1, "start_minute": 60, "end_minute": 120}]}
    reader = both.program("ana", "skills:read")
    for path, body in (("/me/free-times", week), ("/me/helping", {}), ("/skills/1/vouch", {"sentence": "x"})):
        assert (reader.ask("PUT", path, body).status, both.program().ask("PUT", path, body).status) == (403, 401)
    assert ana.post("/groups/tools/join").status == 200
    group = ana.get("/groups/tools").json["id"]
    hidden = made(ana.post("/me/skills", {"title": "Locks", "visibility": "group", "group": group}))
    assert kim.ask("PUT", f"/skills/{hidden}/vouch", {"sentence": "I know."}).status == 404
    assert kim.ask("PUT", "/me/free-times", week).status == 200
    assert ana.get("/me/free-times").json == {"items": []}
    assert ana.get(f"/skills/{hidden}").json["vouches"] == []


def test_groups_are_joined_and_left_and_a_stranger_reads_about_them(both: Town) -> None:
    ana = both.program("ana")
    assert both.program().get("/groups/tools").json["role"] is None
    joined = ana.post("/groups/tools/join")
    assert (joined.json["role"], joined.json["members"]) == ("member", 1)
    assert ana.post("/groups/tools/apply", {"answers": []}).code == "group_not_asking"
    assert ana.post("/groups/tools/withdraw").status == 200
    assert ana.post("/groups/tools/leave").json["role"] is None
    assert ana.post("/groups/board/leave").code == "everybody_s_board"
    member = both.program().get("/members/ana").json
    assert (member["name"], member["page"]) == ("Ana", "https://northside.example/@ana")
    assert both.program().get("/members/nobody").status == 404
    assert both.program().get("/categories").json["items"]


def test_who_asks_to_join_waits_for_a_coordinator_who_reads_the_answers(both: Town) -> None:
    terms = GroupTerms("Bees", joining=GroupJoining.APPLICATION, questions="Why?\nSince when?")
    with both.instance.units.begin() as work:
        found, asker = members.by_handle(work.connection, "kim"), members.by_handle(work.connection, "ana")
        assert found
        assert asker
        kim = members.viewer_of(found)
        groups.found_group(work, kim, "bees", terms, GroupLimits(), some_keys())
    ana = both.program("ana")
    assert ana.post("/groups/bees/join").code == "group_not_open"
    assert ana.get("/groups/bees").json["questions"] == ["Why?", "Since when?"]
    assert ana.post("/groups/bees/apply", {"answers": ["Honey"] * 21}).status == 422
    asked = ana.post("/groups/bees/apply", {"answers": ["Honey", "Today"]})
    assert (asked.status, asked.json["application"], asked.json["role"]) == (200, "waiting", None)
    with both.instance.units.begin() as work:
        bees = queries.board_by_handle(work.connection, "bees")
        assert bees
        waiting = queries.application_to(work.connection, bees.id, asker.id)
        assert waiting
        assert [one.answer for one in waiting.answers] == ["Honey", "Today"]
        belonging.accept(work, kim, bees, waiting.id)
    assert ana.get("/groups/bees").json["role"] == "member"
