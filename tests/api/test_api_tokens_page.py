"""The page on which members let programs act for them: what is made, shown once, seen and ended there."""

import io
import json
import re
import zipfile
from pathlib import Path

from fedaid.members import commands as members
from fedaid.members import queries
from tests.web.street import Street, on_the_street
from tests.web.test_my_data import PASSWORD, set_up

FORM = {"name": "My calendar", "scope-board:read": "1", "scope-hours:read": "1", "password": PASSWORD}


def test_a_member_makes_a_token_sees_it_once_and_ends_it(tmp_path: Path) -> None:
    async def story(street: Street) -> None:
        north = street.north
        set_up(street, "ana")
        ana = north.browser("ana")
        assert "/me/tokens" in (await ana.open("/me/account")).answer.text
        assert (await north.browser().open("/me/tokens")).status == 401
        for wrong, sentence in (
            ({"name": ""}, "give it a name"),
            ({"password": "wrong"}, "not your present password"),
            ({"scope-board:read": "", "scope-rule:all": "1"}, "no scope called rule:all"),
        ):
            refused = await ana.press("/me/tokens", "/me/tokens", **{**FORM, **wrong})
            assert refused.status == 422, wrong
            assert sentence in refused.text
        nothing = await ana.press("/me/tokens", "/me/tokens", name="Nothing", password=PASSWORD)
        assert "needs at least one scope" in nothing.text

        made = await ana.press("/me/tokens", "/me/tokens", **FORM)
        (secret,) = set(re.findall(r"fedaid_[A-Za-z0-9_-]{43}", made.answer.text))
        assert made.answer.headers["cache-control"] == "no-store"
        with north.instance.database.read() as connection:
            held = queries.viewer_of_token(connection, secret)
            rows = connection.exec_driver_sql("SELECT * FROM token").fetchall()
        assert held is not None
        assert (held.viewer.handle, held.scopes) == ("ana", {"board:read", "hours:read"})
        assert secret not in str(rows)
        asked = await ana.client.get("/api/fedaid/v1/me", headers={"Authorization": f"Bearer {secret}"})
        assert asked.json()["token"] == "My calendar"

        listed = await ana.open("/me/tokens")
        assert secret not in listed.answer.text
        assert "My calendar" in listed.text
        assert "read your hours and statement" in listed.text
        assert "My calendar" not in (await north.browser("kim").open("/me/tokens")).text
        data = zipfile.ZipFile(io.BytesIO((await ana.open("/me/data.zip")).answer.content))
        (kept,) = json.loads(data.read("account.json"))["tokens"]
        assert (kept["name"], kept["scopes"]) == ("My calendar", ["board:read", "hours:read"])
        assert held.token_sha256 not in data.read("account.json").decode()

        theirs = await north.browser("kim").send("/me/tokens/end", {"token": held.token_sha256})
        assert theirs.status == 404
        ended = await ana.press(listed, "/me/tokens/end")
        assert (ended.status, ended.leads_to) == (303, "/me/tokens?said=token_ended")
        with north.instance.database.read() as connection:
            assert queries.viewer_of_token(connection, secret) is None

    on_the_street("sqlite", tmp_path, story)


def test_a_member_has_so_many_tokens_and_no_more(tmp_path: Path) -> None:
    async def story(street: Street) -> None:
        set_up(street, "ana")
        ana = street.north.browser("ana")
        with street.north.instance.units.begin() as work:
            found = queries.by_handle(work.connection, "ana")
            assert found
            for _ in range(20):
                members.issue_token(work, found.id, "board:read", "one more")
        refused = await ana.press("/me/tokens", "/me/tokens", **FORM)
        assert refused.status == 409
        assert "20 tokens already" in refused.text

    on_the_street("sqlite", tmp_path, story)


def test_a_new_password_and_leaving_end_every_token(tmp_path: Path) -> None:
    async def story(street: Street) -> None:
        set_up(street, "kim")
        kim = street.north.browser("kim")
        with street.north.instance.units.begin() as work:
            found = queries.by_handle(work.connection, "kim")
            assert found
            secret = members.issue_token(work, found.id, "board:read", "one")
        ask = {"Authorization": f"Bearer {secret}"}
        assert (await kim.client.get("/api/fedaid/v1/me", headers=ask)).status_code == 200
        await kim.send("/me/leave", {"sure": "yes", "password": PASSWORD})
        assert (await kim.client.get("/api/fedaid/v1/me", headers=ask)).status_code == 401

    on_the_street("sqlite", tmp_path, story)
