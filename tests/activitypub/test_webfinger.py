"""WebFinger: said for people, boards and the server; believed only when every host concerned agrees (S13)."""

from typing import Any
from xml.etree import ElementTree as ET

import pytest

from activitypub import webfinger as w
from activitypub.errors import MalformedDocument, MalformedUrl, OriginMismatch
from activitypub.identifiers import Handle, Url, UrlRules
from tests.activitypub.vectors import vector

ADMIN = Handle("admin", "b.example")
EVE = Handle("eve", "evil.example")


def answer(subject: str, actor: str, kind: str = "application/activity+json") -> w.Jrd:
    return w.parse_jrd({"subject": subject, "links": [{"rel": "self", "type": kind, "href": actor}]})


def test_our_answer_for_a_board_is_that_of_the_sample() -> None:
    jrd = w.actor_jrd(
        Handle("moving", "north.example"),
        "https://north.example/boards/moving",
        "https://north.example/@moving",
        "https://north.example/authorize_interaction?uri={uri}",
    )
    assert w.as_document(jrd) == vector("samples/webfinger-board.jrd.json")
    assert w.parse_jrd(w.as_document(jrd)) == jrd


def test_our_answer_for_the_server_is_that_of_fep_d556() -> None:
    jrd = w.server_jrd("https://north.example", "https://north.example/actor")
    assert w.as_document(jrd) == vector("samples/webfinger-server-fep-d556.jrd.json")
    assert w.actor_of(jrd, w.SERVICE) == "https://north.example/actor"


def test_host_meta_points_to_webfinger() -> None:
    root = ET.fromstring(w.host_meta("https://north.example"))  # noqa: S314 - we wrote it ourselves
    link = root[0].attrib
    assert (link["rel"], link["template"]) == ("lrdd", "https://north.example/.well-known/webfinger?resource={uri}")


def test_a_resource_is_a_handle_or_an_address() -> None:
    rules = UrlRules()
    assert w.parse_resource("acct:Ana@north.example", rules) == Handle("ana", "north.example")
    found = w.parse_resource("https://north.example/", rules)
    assert isinstance(found, Url)
    for wrong in ("", "ana", "mailto:ana@north.example", "javascript://x", "a" * 5000):
        with pytest.raises(MalformedUrl):
            w.parse_resource(wrong, rules)


def test_a_handle_answered_by_its_own_host_is_believed() -> None:
    jrd = answer("acct:admin@b.example", "https://b.example/u/admin")
    assert w.next_question(jrd, ADMIN) is None
    assert w.confirm(jrd, ADMIN) == (ADMIN, "https://b.example/u/admin")


def test_nobody_becomes_a_handle_of_a_host_that_does_not_say_so() -> None:
    lie = answer("acct:admin@b.example", "https://evil.example/u/eve")
    assert w.next_question(lie, EVE) == ADMIN
    truth = answer("acct:admin@b.example", "https://b.example/u/admin")
    for second in (None, truth, answer("acct:other@b.example", "https://evil.example/u/eve")):
        with pytest.raises(OriginMismatch):
            w.confirm(lie, EVE, second)


def test_a_handle_that_another_host_confirms_is_that_hosts() -> None:
    asked = Handle("ana", "social.b.example")
    jrd = answer("acct:ana@b.example", "https://social.b.example/u/ana")
    assert w.confirm(jrd, asked, jrd) == (Handle("ana", "b.example"), "https://social.b.example/u/ana")


def test_an_actor_is_shown_with_a_handle_only_if_the_host_names_it() -> None:
    jrd = answer("acct:admin@b.example", "https://b.example/u/admin")
    w.check_actor_handle(ADMIN, "https://b.example/u/admin", jrd)
    for handle, actor in ((ADMIN, "https://evil.example/u/eve"), (EVE, "https://b.example/u/admin")):
        with pytest.raises(OriginMismatch):
            w.check_actor_handle(handle, actor, jrd)


@pytest.mark.parametrize("kind", ["text/html", "application/json", "application/ld+json", ""])
def test_a_self_link_of_another_type_names_no_actor(kind: str) -> None:
    with pytest.raises(MalformedDocument):
        w.actor_of(answer("acct:admin@b.example", "https://b.example/u/admin", kind))


@pytest.mark.parametrize(
    "doc",
    [{}, {"subject": 7}, {"subject": "acct:a@b.example", "links": [7]}, {"subject": "x", "links": [{"rel": 7}]}],
)
def test_a_malformed_answer_is_refused(doc: dict[str, Any]) -> None:
    with pytest.raises(MalformedDocument):
        w.parse_jrd(doc)


def test_more_links_than_fifty_are_not_read() -> None:
    doc = {"subject": "acct:a@b.example", "links": [{"rel": "x"}] * 1000, "aliases": ["a", 7]}
    assert len(w.parse_jrd(doc).links) == 50
    assert w.parse_jrd(doc).aliases == ("a",)


# FEP-2c59


@pytest.mark.parametrize("said", ["evan@river.example", "acct:Evan@river.example", "@evan@River.example"])
def test_an_actor_goes_by_the_handle_that_it_says(said: str) -> None:
    assert w.name_said_by({"webfinger": said}, "1234", UrlRules().parse("https://river.example/users/1234")) == "evan"


@pytest.mark.attack("S13")
@pytest.mark.parametrize(
    "said",
    ["admin@b.example", "admin@river.example.evil.example", "evan", "", 7, None, ["evan@river.example"], "@" * 5000],
)
def test_s13_a_handle_of_another_host_or_none_at_all_does_not_count(said: object) -> None:
    assert w.name_said_by({"webfinger": said}, "1234", UrlRules().parse("https://river.example/users/1234")) == "1234"
