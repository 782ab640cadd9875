"""What people do at Northside and with it, by the pages' own forms; every private word they type is a canary."""

import io
import re
from collections.abc import Iterable
from typing import Any

from PIL import Image
from sqlalchemy import select

from fedaid.board.tables import listing, response
from fedaid.skills.tables import skill
from tests.docs.neighbourhoods import NORTH, SOCIAL
from tests.ladder.world import NORTH_PEOPLE, RIVER_PEOPLE, Place

MEMBERS = frozenset(f"north:{handle}" for handle in NORTH_PEOPLE)
NEIGHBOURS = frozenset(f"river:{handle}" for handle in RIVER_PEOPLE)
STRANGERS = frozenset({"north:", "river:", "signed:social", "signed:carol", "wire:social.example"})
LINKED = frozenset({"signed:river", "signed:north", "wire:riverside.example", "wire:northside.example"})
MAILS = frozenset(f"mail:{handle}" for handle in (*NORTH_PEOPLE, *RIVER_PEOPLE))
CARE = frozenset({"north:cora", "north:nora"})  # coordinators see every listing
ANA, PIA, HANA, GIL, KIM = (f"north:{handle}" for handle in ("ana", "pia", "hana", "gil", "kim"))
BEN, BEA, RUI = (f"river:{handle}" for handle in ("ben", "bea", "rui"))
BOARD = f"{NORTH}/groups/board"

TIERS = {
    "everybody": MEMBERS | NEIGHBOURS | STRANGERS | LINKED,
    "neighbours": MEMBERS | NEIGHBOURS | LINKED,
    "members": MEMBERS,
    "group": frozenset({ANA, GIL}) | CARE,
}
MUST = {
    "everybody": MEMBERS | NEIGHBOURS | {"north:", "signed:social", "wire:social.example", "wire:riverside.example"},
    "neighbours": MEMBERS | {BEN, BEA, "signed:river", "wire:riverside.example"},
    "members": MEMBERS,
    "group": frozenset({ANA, GIL, "north:cora"}),
}


def camera(word: str) -> bytes:
    """A picture as a camera writes it, with a word about where it was taken."""
    written, told = io.BytesIO(), Image.Exif()
    told[0x010E] = word
    Image.new("RGB", (40, 40), "green").save(written, "JPEG", exif=told, comment=word.encode())
    return written.getvalue()


async def live(at: Place) -> None:
    """Everything, in an order."""
    await _prepare(at)
    for tier in TIERS:
        await _post(at, tier)
    await at.settle()
    await _post_in_own_name(at)
    await _keep_a_draft(at)
    for tier, helpers in (
        ("everybody", (PIA, HANA, BEN)),
        ("neighbours", (PIA, BEN)),
        ("members", (PIA, HANA)),
        ("group", (GIL,)),
    ):
        await _answer(at, tier, helpers)
    await _move(at)
    await _let_fewer_see(at)
    await _write_to_the_board(at)
    await _skills(at)
    await _hours(at)
    await _ask_to_join(at)
    await at.settle()


async def send(at: Place, who: str, path: str, photo: bytes | None = None, **typed: str) -> str:
    """A form; where it leads."""
    town, _, handle = who.partition(":")
    browser = at.house(town).browser(handle)
    files = {"photo": ("photo.jpg", photo, "image/jpeg")} if photo is not None else None
    answer = await browser.client.post(path, data=typed, files=files)
    assert answer.status_code == 303, (who, path, answer.status_code, answer.text[-3000:])
    return answer.headers["location"].partition("?")[0]


async def _prepare(at: Place) -> None:
    for handle in NORTH_PEOPLE:
        topics = ("answers", "messages", "asks", "hours", "groups", "care", "account")
        await send(at, f"north:{handle}", "/me/notices", **dict.fromkeys(topics, "at_once"))
    terms = {"name": "Care", "handle": "care", "joining": "application", "questions": "Why?", "posting": "everybody"}
    await send(at, ANA, "/new-group", **terms)
    await send(at, ANA, "/groups/care/members", handle="gil")
    why = at.cage.plant("answer to the group", {KIM, *CARE}, {ANA})
    await send(at, KIM, "/groups/care/apply", **{"answer-0": why})


def listing_words(
    at: Place, name: str, tier: str, may: Iterable[str] = (), must: Iterable[str] | None = None
) -> dict[str, str]:
    """Title, details and place of a listing, which those of its tier see. Notices and mails name its title."""
    able, needed = TIERS[tier] | set(may), MUST[tier] if must is None else frozenset(must)
    return {
        "title": at.cage.plant(f"title of {name}", able | MAILS, needed),
        "description": at.cage.plant(f"details of {name}", able, needed),
        "place": at.cage.plant(f"place of {name}", able, needed),
    }


def meeting_words(at: Place, name: str, must: Iterable[str], may: Iterable[str] = ()) -> dict[str, str]:
    """Exact place and contact; ``must`` are those who were accepted, and their author."""
    return {
        "exact_place": at.cage.plant(f"exact place of {name}", may, must),
        "contact": at.cage.plant(f"contact of {name}", may, must),
    }


ACCEPTED = {
    "everybody": ({ANA, PIA, BEN}, {"wire:riverside.example"}),
    "neighbours": ({ANA, PIA, BEN}, {"wire:riverside.example"}),
    "members": ({ANA, PIA}, set()),
    "group": ({ANA, GIL}, set()),
}


async def _post(at: Place, tier: str) -> None:
    must, may = ACCEPTED[tier]
    # Whoever was told of it and its alternative text; elsewhere a photo is named of what is public alone.
    shown_to = TIERS[tier] - (NEIGHBOURS | LINKED if tier == "neighbours" else frozenset())
    seen_with_photo = MEMBERS if tier != "group" else MUST["group"]
    alt = at.cage.plant(f"alternative text of {tier}", shown_to, seen_with_photo)
    exif = at.cage.plant(f"what the camera wrote of {tier}")
    typed = {
        **listing_words(at, tier, tier),
        **meeting_words(at, tier, must, may),
        **position(at, tier),
        "mode": at.cage.chance.choice(["gift", "hours"]),
        "category": at.cage.chance.choice(["moving", "repair", "other"]),
        "urgent": at.cage.chance.choice(["", "1"]),
        "people": "3",
        "visibility": tier,
        "alt": alt,
    }
    if tier == "group":
        typed["board"] = "care"
    await _posted(at, ANA, tier, camera(exif), **typed)


def position(at: Place, name: str) -> dict[str, str]:
    """Somewhere, to the metre; only what it is near to is kept."""
    north, east = (f"{at.cage.chance.randrange(10**6, 10**7)}" for _ in range(2))
    at.cage.figures(f"{north}/{east}", f"position of {name}", (re.escape(north), re.escape(east)), ())
    return {"lat": f"51.{north}", "lon": f"-0.0{east}"}


async def _posted(at: Place, who: str, name: str, photo: bytes | None, **typed: str) -> None:
    kind = at.cage.chance.choice(["request", "offer"])
    where = await send(at, who, f"/post?kind={kind}", photo, **typed)
    at.numbers[name], at.typed[name] = int(where.rpartition("/")[2]), typed


async def _post_in_own_name(at: Place) -> None:
    typed = listing_words(at, "own name", "neighbours")
    await _posted(at, PIA, "own name", None, **typed, visibility="neighbours", own_name="1", mode="gift")
    await at.settle()


async def _keep_a_draft(at: Place) -> None:
    mine = {
        "title": at.cage.plant("title of a draft", (), {HANA}),
        "alt": at.cage.plant("alternative text of a draft", (), {HANA}),
    }
    secret = {"exact_place": at.cage.plant("exact place of a draft", (), {HANA})}
    exif = at.cage.plant("what the camera wrote of a draft")
    await send(at, HANA, "/post/keep?kind=offer", camera(exif), **mine, **secret)


def _number(at: Place, who: str, name: str) -> int:
    """The number of a listing where somebody lives."""
    if who.startswith("north:"):
        return at.numbers[name]
    uri = f"{NORTH}/listings/{at.numbers[name]}"
    with at.river.instance.database.read() as connection:
        return connection.execute(select(listing.c.id).where(listing.c.uri == uri)).scalar_one()


def _answers(at: Place, town: str, helper: str, name: str) -> int:
    """The number of somebody's answer, in a town."""
    house = at.house(town)
    theirs = f"{at.house(helper.partition(':')[0]).origin}/users/{helper.partition(':')[2]}"
    uri = f"{NORTH}/listings/{at.numbers[name]}"
    query = select(response.c.id).join(listing, listing.c.id == response.c.listing_id)
    with house.instance.database.read() as connection:
        return connection.execute(query.where(response.c.helper_actor == theirs, listing.c.uri == uri)).scalar_one()


async def _answer(at: Place, name: str, helpers: tuple[str, ...]) -> None:
    """All answer; hana is declined, the others are accepted, and both sides write on."""
    for who in helpers:
        crosses = {"wire:northside.example", "wire:riverside.example"} if who == BEN else set()
        both = {ANA, who}
        message = at.cage.plant(f"message of {who} to {name}", crosses, both)
        town = who.partition(":")[0]
        await send(at, who, f"/listings/{_number(at, who, name)}/respond", message=message)
        await at.settle()
        number = _answers(at, "north", who, name)
        if who == HANA:
            reason = at.cage.plant(f"reason for {who} of {name}", both, {who})
            await send(at, ANA, f"/responses/{number}/decline", reason=reason)
            continue
        await send(at, ANA, f"/responses/{number}/accept")
        await at.settle()
        mine, theirs = (
            at.cage.plant(f"what {one} says to {other} of {name}", crosses, both)
            for one, other in ((ANA, who), (who, ANA))
        )
        await send(at, ANA, f"/responses/{number}/say", text=mine)
        await send(at, who, f"/responses/{_answers(at, town, who, name)}/say", text=theirs)
        await at.settle()


async def edit(at: Place, who: str, name: str, **changes: str) -> None:
    """A listing reads differently now."""
    at.typed[name] |= changes
    await send(at, who, f"/listings/{at.numbers[name]}/edit", **at.typed[name])
    await at.settle()


async def _move(at: Place) -> None:
    """The place changes after somebody elsewhere was accepted: they are told."""
    must, may = ACCEPTED["everybody"]
    for field in ("exact place", "contact"):  # which only the message to ben and what ana sees of it still name
        at.cage.named(f"{field} of everybody").must -= {PIA}
    await edit(at, ANA, "everybody", **meeting_words(at, "everybody, moved", must, may))


async def _let_fewer_see(at: Place) -> None:
    """What all saw is for neighbours now, and what neighbours saw for members; what is said afterwards is for those."""
    for name, before, after in (
        ("was public", "everybody", "neighbours"),
        ("was for neighbours", "neighbours", "members"),
    ):
        able = LINKED | {"wire:social.example"} | MAILS
        must = MUST[after] - {"wire:riverside.example"}
        typed = listing_words(at, name, after, able & (TIERS[before] | MAILS), must)
        for word in typed.values():  # which went out before
            at.cage.canaries[word].may -= {"signed:river", "signed:north"} - TIERS[after]
        await _posted(at, ANA, name, None, **typed, visibility=before, mode="gift")
        await at.settle()
        del at.cage.canaries[typed["description"]]  # which stands nowhere any more
        later = at.cage.plant(f"later details of {name}", TIERS[after], MUST[after])
        await edit(at, ANA, name, visibility=after, description=later)


async def _write_to_the_board(at: Place) -> None:
    words = at.cage.plant("message to the board", {"north:nora"}, {"north:cora"})
    note = {"id": f"{SOCIAL}/notes/1", "type": "Note", "attributedTo": f"{SOCIAL}/users/carol", "to": [BOARD]}
    tag = [{"type": "Mention", "href": BOARD, "name": "@board"}]
    body = {**note, "content": f"<p>@board {words}</p>", "tag": tag}
    create = {"id": f"{SOCIAL}/2", "type": "Create", "actor": f"{SOCIAL}/users/carol", "to": [BOARD], "object": body}
    await at.write(at.north, create, "/groups/board/inbox")
    comment = at.cage.plant("comment of a report", {"north:nora", KIM}, {"north:cora"})
    await send(at, KIM, "/report", about=f"{NORTH}/listings/{at.numbers['everybody']}", comment=comment)


async def _skills(at: Place) -> None:
    shown = {
        "neighbours": (MEMBERS, {"signed:river", BEN, BEA}),
        "network": (MEMBERS, set()),
        "group": (frozenset({ANA, GIL}), set()),
    }
    for visible, (must, more) in shown.items():
        able = must | more | ({RUI, "wire:riverside.example"} if more else set())
        typed = {
            part: at.cage.plant(f"{part} of a skill for {visible}", able, must | more) for part in ("title", "details")
        }
        if visible == "group":
            with at.north.instance.database.read() as connection:
                from fedaid.groups import queries as groups

                board = groups.board_by_handle(connection, "care")
            visible = f"group-{board.id if board else 0}"
        await send(at, GIL, "/me/skills", category="repair", visible=visible, **typed)
    cap = at.cage.chance.randrange(613, 997)
    figures = rf'(value="|>){cap}(?![\w-])'  # not as the beginning of a random token
    at.cage.figures("monthly cap", "how much gil would help in a month", (figures,), (), {GIL})
    helping = {"place": at.cage.plant("where gil lives, in words", (), MEMBERS), "monthly": str(cap), "travel": ""}
    await send(at, GIL, "/me/helping", contact="message", **helping, **position(at, "gil"))
    with at.north.instance.database.read() as connection:
        numbers = connection.execute(select(skill.c.id).order_by(skill.c.id)).scalars().all()
    said = at.cage.plant("what hana says of a skill", MEMBERS, {GIL, HANA, KIM})
    await send(at, HANA, f"/skills/{numbers[1]}/vouch", sentence=said)
    query = at.cage.plant("what kim looks for", {KIM})
    await send(at, KIM, "/searches", name="Mine", query=f"q={query}")


async def _hours(at: Place) -> None:
    note = at.cage.plant("note with hours", (), {ANA, PIA})
    await press(at, ANA, "/hours/give", to="pia", hours="13:37", note=note)
    await press(at, ANA, "/hours/give", to="hana", hours="4:21")
    await press(at, KIM, "/hours/give", to="pia", hours="1:09")
    await send(at, ANA, "/hours/settings", hides_balance="on")
    # Ana hides what she gave in all; the admin has it in the books. Pia shows what she received to members.
    at.cage.figures("hidden balance", "a hidden balance", ("17:58", "17 h 58"), {"north:nora"}, {ANA})
    at.cage.figures("balance", "a balance", ("14:46", "14 h 46"), MEMBERS, {PIA, KIM})


async def press(at: Place, who: str, path: str, **typed: str) -> None:
    town, _, handle = who.partition(":")
    page = await at.house(town).browser(handle).press(path, path, **typed)
    assert page.status in (200, 303), page.text[-2000:]


async def _ask_to_join(at: Place) -> None:
    await send(at, "north:nora", "/neighbourhood/joining", joining="application", questions="Who are you?")
    told = {
        "answer-0": at.cage.plant("answer of a newcomer", {"north:nora"}, {"north:cora"}),
        "email": at.cage.plant("e-mail address of a newcomer"),
    }
    page = await at.north.browser("").open("/join")
    form: dict[str, Any] = page.form("/join")
    mine = {"handle": "newt", "name": "Newt", "password": "a good long one", "answer-0": told["answer-0"]}
    answer = await at.north.browser("").client.post(
        "/join", data={**form, **mine, "email": f"{told['email']}@mail.example"}
    )
    assert answer.status_code in (200, 303), answer.text[-2000:]
    at.north._browsers.pop("")  # whoever is signed out next has never been here
