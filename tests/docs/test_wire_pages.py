"""Whatever is said and taken on the wire is documented, and nothing else is."""

import re
from pathlib import Path

from activitypub.vocabulary import ACTIVITY_TYPES
from fedaid import app, settings
from fedaid.foundation.database import Database
from fedaid.timebank.rules.messages import message_id
from fedaid.timebank.rules.states import Kind
from tests.docs.examples import examples
from tests.docs.pages import ROOT, table_cells
from tests.docs.routes_table import BY_THE_DOOR, addresses
from tests.docs.said_no import PACKAGES

PAGE = ROOT / "docs/reference/federation.md"
PROTOCOL = ROOT / "docs/reference/timebank-protocol.md"
FEDERATION = ROOT / "FEDERATION.md"
TERM = re.compile(r"fa:\w+")


def types(cells: list[str]) -> set[str]:
    return {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}


def source(package: str) -> str:
    return "\n".join(file.read_text(encoding="utf-8") for file in sorted((ROOT / package).rglob("*.py")))


def test_every_type_that_is_taken_is_documented(tmp_path: Path) -> None:
    chosen = settings.load(tmp_path, origin="https://northside.example", name="Northside")
    database = Database(chosen.database)
    taken = set(app.handlers(chosen, database))
    database.dispose()
    assert types(list(table_cells(PAGE, 0, "What is taken"))) == taken
    assert types(list(table_cells(FEDERATION, 1, "Activities"))) >= taken


def test_every_type_that_is_sent_is_documented_and_shown() -> None:
    sent = {one["type"] for one in examples().sent}
    assert types(list(table_cells(PAGE, 0, "What is sent"))) == sent
    assert types(list(table_cells(FEDERATION, 0, "Activities"))) >= sent
    shown = {one.get("type") for name, one in examples().shown.items() if not name.startswith("in-")}
    assert sent <= shown


def test_the_story_of_the_examples_leaves_no_type_out() -> None:
    """The types as they stand in what builds activities: each was really sent in the story."""
    builders = source("fedaid/actors/wire") + source("fedaid/board/wire") + source("fedaid/timebank/rules")
    builders += "".join(
        (ROOT / f"fedaid/{room}/wire.py").read_text(encoding="utf-8") for room in ("mentions", "network")
    )
    written = set(re.findall(r'"([A-Z]\w+)"', builders)) & ACTIVITY_TYPES
    handled = {"Like", "Dislike", "EmojiReact", "Question"}  # named there because they are read
    assert written - handled == {one["type"] for one in examples().sent}


def test_every_message_of_the_ledger_is_documented_and_shown() -> None:
    kinds = {str(kind) for kind in Kind}
    assert set(table_cells(PROTOCOL, 0, "Moving hours")[1:]) == kinds
    ids = [str(one["id"]) for one in examples().shown.values() if "id" in one]
    for kind in Kind:
        ending = message_id(kind, "", "").removeprefix("/transfers/")
        assert any("/ledger/transfers/" in one and one.endswith(ending) for one in ids), kind


def test_every_term_of_ours_is_documented() -> None:
    written = {term for package in PACKAGES for term in TERM.findall(source(package))}
    assert set(TERM.findall("\n".join(table_cells(PROTOCOL)))) == written | {"fa:TimeCredit"}


def test_every_reason_is_documented() -> None:
    receive = (ROOT / "fedaid/timebank/commands/receive.py").read_text(encoding="utf-8")
    given = set(re.findall(r'return "([a-z_]+)"', receive)) | set(re.findall(r'or "([a-z_]+)"\)', receive))
    for file in ("peering.py", "resend.py", "commands/transfers.py"):
        text = (ROOT / "fedaid/timebank" / file).read_text(encoding="utf-8")
        given |= set(
            re.findall(r'rows\.transfer_of\(row\), "([a-z_]+)"|matter_of\(work, found, "([a-z_]+)"\)', text)[0]
        )
    given -= {""}
    assert types(list(table_cells(PROTOCOL, 0, "Reasons"))[1:]) == given


def test_every_address_says_what_stands_there() -> None:
    for one in (*addresses(), *BY_THE_DOOR):
        assert one.meaning.endswith("."), one.path
        assert one.methods, one.path


def test_the_federation_page_has_the_headings_of_fep_67ff() -> None:
    headings = re.findall(r"^## (.+)$", FEDERATION.read_text(encoding="utf-8"), re.MULTILINE)
    assert headings == [
        "Supported federation protocols and standards",
        "Supported FEPs",
        "ActivityPub",
        "Additional documentation",
    ]


def test_every_fep_that_the_code_follows_is_listed() -> None:
    followed = {fep for package in PACKAGES for fep in re.findall(r"FEP-([0-9a-f]{4})", source(package))}
    listed = set(re.findall(r"^- \[FEP-([0-9a-f]{4}): ", FEDERATION.read_text(encoding="utf-8"), re.MULTILINE))
    assert followed <= listed
    assert set(re.findall(r"w3id\.org/fep/([0-9a-f]{4})", FEDERATION.read_text(encoding="utf-8"))) == listed
