"""Listings read in every shape that other servers are known to write."""

from datetime import UTC, datetime
from typing import Any

import pytest

from activitypub.errors import MalformedUrl, OriginMismatch
from fedaid.board.rules import ForeignListing, Kind, Mode
from fedaid.board.wire import read_listing
from tests.board.world import foreign_note
from tests.small_house import RULES, START

VF = "https://w3id.org/valueflows/ont/vf#"


def read(doc: dict[str, Any]) -> ForeignListing:
    found = read_listing(doc, RULES, START)
    assert found is not None
    return found


def test_fedaid() -> None:
    found = read(foreign_note())
    assert found == ForeignListing(
        uri="https://riverside.example/listings/7",
        author="https://riverside.example/groups/board",
        page="https://riverside.example/listings/7",
        kind=Kind.REQUEST,
        title="Someone to read with my son",
        description="Request: Someone to read with my son\nWhen: Sat\n\nSpanish.",
        content_html="<p><strong>Request: Someone to read with my son</strong><br>When: Sat</p><p>Spanish.</p>",
        published_at=datetime(2026, 8, 31, 8, 0, tzinfo=UTC),
        updated_at=datetime(2026, 8, 31, 8, 0, tzinfo=UTC),
        category="learning",
        starts_at=datetime(2026, 9, 5, 9, 0, tzinfo=UTC),
        ends_at=datetime(2026, 9, 5, 11, 0, tzinfo=UTC),
        place="Riverside library",
        minutes=90,
        people=1,
        mode=Mode.HOURS,
        primary_uri="https://riverside.example/listings/7#primary",
        reciprocal_uri="https://riverside.example/listings/7#reciprocal",
        expires_at=datetime(2026, 9, 20, 22, 59, 59, tzinfo=UTC),
    )


def test_a_bare_proposal_of_mitra() -> None:
    found = read(
        {
            "type": "Proposal",
            "id": "https://test.example/users/alice/proposals/monero:418015bb9ae982a1975da7d79277c270",
            "purpose": "offer",
            "attributedTo": "https://test.example/users/alice",
            "name": "Pay for subscription",
            "publishes": {
                "type": "Intent",
                "id": "https://test.example/users/alice/proposals/monero:418015bb9ae982a1975da7d79277c270#primary",
                "action": "deliverService",
                "resourceConformsTo": "https://www.wikidata.org/wiki/Q579716",
                "resourceQuantity": {"hasUnit": "second", "hasNumericalValue": "1"},
                "minimumQuantity": {"hasUnit": "second", "hasNumericalValue": "50000"},
            },
            "reciprocal": {
                "type": "Intent",
                "action": "transfer",
                "resourceConformsTo": "caip:19:monero:418015bb9ae982a1975da7d79277c270/slip44:128",
                "resourceQuantity": {"hasUnit": "one", "hasNumericalValue": "20000"},
            },
            "unitBased": True,
            "to": "https://www.w3.org/ns/activitystreams#Public",
        }
    )
    assert (found.kind, found.mode, found.minutes, found.title) == (Kind.OFFER, Mode.SWAP, None, "Pay for subscription")


def test_a_shared_thing_of_epicyon() -> None:
    found = read(
        {
            "type": "Proposal",
            "purpose": "request",
            "id": "https://host.example/users/bob/wanteditems/1",
            "attributedTo": "https://host.example/users/bob",
            "name": "A ladder",
            "content": "For a week",
            "published": "2026-08-30T00:00:00Z",
            "publishes": {
                "type": "Intent",
                "id": "https://host.example/users/bob/wanteditems/1#primary",
                "action": "transfer",
                "resourceQuantity": {"hasUnit": "one", "hasNumericalValue": "1"},
            },
            "attachment": [
                {"type": "PropertyValue", "name": "category", "value": "tools"},
                {"mediaType": "image/jpeg", "name": "ladder", "type": "Document", "url": "https://host.example/l.jpg"},
            ],
            "unitBased": False,
            "location": {"type": "Place", "name": "Wellington"},
        }
    )
    assert (found.kind, found.mode, found.category, found.place) == (Kind.REQUEST, Mode.GIFT, "tools", "Wellington")


FLOHMARKT = {
    "id": "https://h.example/users/n/items/1",
    "type": "Note",
    "flohmarkt:data": {
        "price": "25",
        "name": "Bicycle",
        "description": "Needs air",
        "original_id": "1",
        "coordinates": {"lat": "45.4201", "lng": -75.6900},
    },
    "attributedTo": "https://h.example/users/n",
    "url": "https://h.example/~n/1",
    "content": "Bicycle <br> Needs air",
    "attachment": [{"type": "Document", "mediaType": "image/jpeg", "url": "https://h.example/1.jpg"}],
    "tag": [],
}


def test_an_item_of_flohmarkt() -> None:
    found = read(FLOHMARKT)
    assert (found.kind, found.mode, found.title, found.page) == (
        Kind.OFFER,
        Mode.SWAP,
        "Bicycle",
        "https://h.example/~n/1",
    )
    assert found.lat == 45.42


def test_an_item_of_flohmarkt_without_a_price_is_a_gift() -> None:
    data = {"name": "Bicycle", "price": "0", "coordinates": "52.1, 4.3"}
    assert read({**FLOHMARKT, "flohmarkt:data": data}).mode is Mode.GIFT


def test_a_proposal_attached_to_a_note() -> None:
    proposal = {
        "type": "Proposal",
        "id": "https://h.example/users/n/proposals/1",
        "attributedTo": "https://h.example/users/n",
        "name": "Bicycle",
        "location": {"type": "Place", "latitude": 45.42, "longitude": -75.69},
        "purpose": "offer",
        "publishes": {
            "type": "Intent",
            "action": "transfer",
            "resourceQuantity": {"hasUnit": "one", "hasNumericalValue": "1"},
        },
        "reciprocal": {
            "type": "Intent",
            "action": "transfer",
            "resourceQuantity": {"hasUnit": "CAD", "hasNumericalValue": "25.00"},
        },
    }
    note = {key: value for key, value in FLOHMARKT.items() if key != "flohmarkt:data"}
    found = read({**note, "attachment": [proposal]})
    assert (found.kind, found.mode, found.title) == (Kind.OFFER, Mode.SWAP, "Bicycle")
    forged = {**proposal, "attributedTo": "https://b.example/users/bob"}
    assert read_listing({**note, "attachment": [forged]}, RULES, START) is None


def test_an_intent_of_bonfire() -> None:
    found = read(
        {
            "type": "ValueFlows:Intent",
            "id": "https://mocked.example/pub/objects/01FJ",
            "attributedTo": "https://mocked.example/users/karen",
            "action": "work",
            "name": "Help in the garden",
            "summary": "Weeds",
            "due": "2026-09-25T10:44:00.637055Z",
            "finished": False,
            "receiver": "https://mocked.example/users/karen",
            "availableQuantity": {
                "type": "om2:Measure",
                "hasNumericalValue": 0.5,
                "hasUnit": {"type": "om2:Unit", "id": "https://mocked.example/u/1", "label": "Hour", "symbol": "hr"},
            },
        }
    )
    assert (found.kind, found.minutes, found.description) == (Kind.REQUEST, 30, "Weeds")
    assert found.ends_at == datetime(2026, 9, 25, 10, 44, 0, 637055, tzinfo=UTC)


def test_a_proposal_of_bonfire_with_its_extra_level() -> None:
    found = read(
        {
            "type": "ValueFlows:Proposal",
            "id": "https://mocked.example/pub/objects/01FK",
            "actor": "https://mocked.example/users/karen",
            "attributedTo": "https://mocked.example/users/karen",
            "name": "Gardening",
            "summary": "An hour a week",
            "hasBeginning": "2026-09-10T10:00:00Z",
            "hasEnd": "2026-09-20T10:00:00Z",
            "eligibleLocation": {"type": "Place", "latitude": -62.7, "longitude": 49.09, "name": "Far south"},
            "publishes": [
                {
                    "type": "ValueFlows:ProposedIntent",
                    "reciprocal": True,
                    "publishes": {
                        "type": "ValueFlows:Intent",
                        "action": "work",
                        "provider": "https://mocked.example/users/karen",
                    },
                }
            ],
        }
    )
    assert (found.kind, found.place, found.starts_at, found.ends_at) == (
        Kind.OFFER,
        "Far south",
        datetime(2026, 9, 10, 10, 0, tzinfo=UTC),
        datetime(2026, 9, 20, 10, 0, tzinfo=UTC),
    )


@pytest.mark.parametrize(("name", "kind"), [("maid:Offer", Kind.OFFER), ("maid:Request", Kind.REQUEST)])
def test_maid(name: str, kind: Kind) -> None:
    found = read({"type": name, "id": "https://m.example/1", "attributedTo": "https://m.example/a", "name": "Soup"})
    assert found.kind is kind


def test_a_need_of_valueflows_is_a_request() -> None:
    doc = {"type": "ValueFlows:Need", "id": "https://m.example/1", "attributedTo": "https://m.example/a"}
    assert read({**doc, "content": "<p>Soup for six</p><p>Soon</p>"}).title == "Soup for six"
    assert read(doc).kind is Kind.REQUEST


def test_the_next_js_marketplace_with_numbers_and_a_seller() -> None:
    found = read(
        {
            "type": "Proposal",
            "id": "https://shop.example/p/1",
            "attributedTo": "https://shop.example/u/1",
            "summary": "Two hours of sewing",
            "seller": {"type": "Person", "name": "S"},
            "publishes": {
                "type": "Intent",
                "provider": "https://shop.example/u/1",
                "effortQuantity": {"hasUnit": "h", "hasNumericalValue": 2},
            },
        }
    )
    assert (found.kind, found.minutes, found.title) == (Kind.OFFER, 120, "Two hours of sewing")


def test_full_iris_in_json_ld_wrapping() -> None:
    doc = foreign_note()
    for key in ("purpose", "publishes", "reciprocal"):
        doc[VF + key] = [{"@value": doc.pop(key)}] if key == "purpose" else [doc.pop(key)]
    quantity = {VF + "hasUnit": [{"@value": "om2:hour"}], VF + "hasNumericalValue": [{"@value": "1.5"}]}
    doc[VF + "publishes"][0][VF + "resourceQuantity"] = [quantity]
    del doc[VF + "publishes"][0]["resourceQuantity"]
    assert read(doc).minutes == 90


@pytest.mark.parametrize(
    "unit",
    [
        "hour",
        "hr",
        "h",
        "Hours",
        "om2:hour",
        "http://www.ontology-of-units-of-measure.org/resource/om-2/hour",
        {"label": "hour"},
        {"symbol": "h"},
        {"id": "om2:hour"},
    ],
)
@pytest.mark.parametrize("value", ["2", 2, "2.0", 2.0])
def test_two_hours_in_any_spelling(unit: Any, value: Any) -> None:
    doc = foreign_note()
    doc["publishes"]["resourceQuantity"] = {"hasUnit": unit, "hasNumericalValue": value}
    assert read(doc).minutes == 120


@pytest.mark.parametrize(("unit", "value"), [("minute", 120), ("min", "120"), ("second", 7200), ("s", "7200")])
def test_two_hours_in_smaller_units(unit: str, value: Any) -> None:
    doc = foreign_note()
    doc["publishes"]["resourceQuantity"] = {"hasUnit": unit, "hasNumericalValue": value}
    assert read(doc).minutes == 120


@pytest.mark.parametrize("value", ["NaN", "-1", "0", "1e9", 1e300, True, None, [], {"a": 1}, "9" * 400, "1001"])
def test_impossible_hours_are_left_out(value: Any) -> None:
    doc = foreign_note()
    for key in ("publishes", "reciprocal"):
        doc[key]["resourceQuantity"] = {"hasUnit": "hour", "hasNumericalValue": value}
    assert read(doc).minutes is None


@pytest.mark.parametrize(
    ("location", "place"),
    [
        ("Mill Lane", "Mill Lane"),
        ([{"type": "Place", "name": "Mill Lane"}], "Mill Lane"),
        (["https://x.example/places/1", {"type": "Place", "name": "Mill Lane"}], "Mill Lane"),
        ("https://x.example/places/1", ""),
        ({"type": "Place", "address": "Mill Lane"}, "Mill Lane"),
        (
            {"type": "Place", "address": {"streetAddress": "12 Rose Street", "addressLocality": "Roseville"}},
            "Roseville",
        ),
        ({"type": "Place", "name": 7}, ""),
        (7, ""),
        (None, ""),
    ],
)
def test_a_place_in_any_shape(location: Any, place: str) -> None:
    assert read(foreign_note(location=location)).place == place


@pytest.mark.parametrize(
    "publishes",
    [
        [{"type": "Intent", "provider": "https://riverside.example/users/x"}],
        {"type": "Collection", "items": [{"type": "Intent", "provider": "https://riverside.example/users/x"}]},
        {"type": "Intent", "provider": {"type": "Person", "id": "https://riverside.example/users/x"}},
    ],
)
def test_who_provides_without_receiving_offers(publishes: Any) -> None:
    doc = foreign_note(type="Proposal", publishes=publishes)
    del doc["purpose"], doc["reciprocal"]
    assert (read(doc).kind, read(doc).mode) == (Kind.OFFER, Mode.GIFT)


def test_an_intent_that_is_only_an_address_is_what_an_answer_satisfies() -> None:
    doc = foreign_note(publishes="https://riverside.example/intents/5")
    assert read(doc).primary_uri == "https://riverside.example/intents/5"
    elsewhere = foreign_note(publishes="https://evil.example/intents/5")
    assert read(elsewhere).primary_uri == "https://riverside.example/listings/7"


@pytest.mark.parametrize("changes", [{"state": "closed"}, {"status": "Fulfilled"}, {"finished": True}])
def test_what_is_over_is_read_as_filled(changes: dict[str, Any]) -> None:
    assert read(foreign_note(**changes)).finished


def test_a_moment_has_no_end() -> None:
    doc = foreign_note()
    doc["publishes"] = {"type": "Intent", "hasPointInTime": "2026-09-05T09:00:00Z"}
    found = read(doc)
    assert (found.starts_at, found.ends_at) == (datetime(2026, 9, 5, 9, 0, tzinfo=UTC), None)


def test_a_listing_from_the_future_was_written_now() -> None:
    found = read(foreign_note(published="2036-01-01T00:00:00Z", updated="2036-01-01T00:00:00Z"))
    assert (found.published_at, found.updated_at) == (START, START)


@pytest.mark.parametrize(
    "doc",
    [
        {"type": "Note", "id": "https://m.example/1", "attributedTo": "https://m.example/a", "content": "Hello"},
        {"type": "Event", "id": "https://m.example/1", "attributedTo": "https://m.example/a", "name": "Dance"},
        {"type": "Note", "purpose": {"a": 1}},
        {"type": 7},
        {},
    ],
)
def test_what_is_no_listing_is_not_read(doc: dict[str, Any]) -> None:
    assert read_listing(doc, RULES, START) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"attributedTo": "https://b.example/users/bob"},
        {"id": "https://b.example/listings/7"},
    ],
)
def test_an_author_of_another_origin_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(OriginMismatch):
        read_listing(foreign_note(**changes), RULES, START)


@pytest.mark.parametrize("identity", ["http://riverside.example/1", "javascript:alert(1)", "https://10.0.0.1/1", ""])
def test_an_id_that_is_no_address_of_a_server_is_refused(identity: str) -> None:
    with pytest.raises(MalformedUrl):
        read_listing(foreign_note(id=identity), RULES, START)


def test_scripts_and_false_links_do_not_come_in() -> None:
    found = read(
        foreign_note(
            name="<b onclick=x>Sofa</b>",
            content='<p onclick="x">Hi<script>alert(1)</script><a href="javascript:alert(1)">x</a></p>',
            url="javascript:alert(1)",
        )
    )
    assert found.title == "Sofa"
    assert found.page == found.uri
    assert "script" not in found.content_html
    assert "onclick" not in found.content_html
