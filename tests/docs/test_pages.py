"""The pages as a whole: each says who it is for, every link leads somewhere, every button that is named exists."""

import re
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, anchors, blocks, links, pages, prose, shown

DOCS = [page for page in pages() if page.is_relative_to(ROOT / "docs")]
BOLD = re.compile(r"\*\*([^*]+)\*\*")
NAMES = {"Northside", "Riverside"}


@pytest.mark.parametrize("page", DOCS, ids=shown)
def test_a_page_begins_with_who_it_is_for(page: Path) -> None:
    title, _, rest = page.read_text(encoding="utf-8").partition("\n\n")
    assert title.startswith("# ")
    assert rest.startswith("This is for ")


@pytest.mark.parametrize("page", pages(), ids=shown)
def test_every_link_leads_to_something_in_the_repository(page: Path) -> None:
    for link in links(page):
        if re.match(r"https?://", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.is_relative_to(ROOT), link
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_every_page_can_be_reached_from_the_index() -> None:
    index = ROOT / "docs/README.md"
    linked = {(index.parent / link.partition("#")[0]).resolve() for link in links(index)}
    assert set(DOCS) - {index} <= linked


def test_every_code_block_says_its_language() -> None:
    known = {"console", "text", "json", "toml", "ini", "sh", "http", "nginx", "caddyfile", "yaml"}
    assert {block.language for page in pages() for block in blocks(page)} <= known


@pytest.mark.parametrize("page", sorted((ROOT / "docs/tutorial").glob("*.md")), ids=shown)
def test_every_button_and_heading_that_a_tutorial_names_is_on_a_page(page: Path) -> None:
    templates = "\n".join(file.read_text(encoding="utf-8") for file in (ROOT / "fedaid").rglob("*.html"))
    words = "\n".join(file.read_text(encoding="utf-8") for file in (ROOT / "fedaid").rglob("*.py"))
    named = set(BOLD.findall(prose(page))) - NAMES
    assert named
    assert [label for label in named if label not in templates and label not in words] == []


def test_nothing_points_to_the_machine_it_was_written_on() -> None:
    for page in pages():
        assert re.findall(r"/work\b|\.\./shared|/root\b|/tmp\b", page.read_text(encoding="utf-8")) == [], shown(page)
