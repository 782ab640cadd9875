"""Every page in a language that nobody speaks, from right to left: whatever is not between its marks is untranslated."""

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from urllib.parse import urljoin, urlsplit

import httpx2
import pytest

from fedaid.demo.browser import Browser
from fedaid.demo.play import SAMPLES
from fedaid.demo.servers import PASSWORD, Town, free_port, side_by_side
from fedaid.demo.story import ANA, BEN, NORA, RUI, STORY, Stage, observe
from fedaid.foundation.i18n import PSEUDO
from tests.docs.routes_table import addresses
from tests.locales.reading import read, untranslated, written
from tests.test_story import IMPATIENT, NearTown

PER_PATTERN_MAX = 4
PAGES_MIN = 60
# What is no page: documents, files, pictures, and the addresses of machines.
NO_PAGE = re.compile(
    r"/(inbox|outbox|static|notices/live|pictures|api|nodeinfo|\.well-known|livez|readyz|users|actors)\b|\.(csv|json|zip|beancount)$"
)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Northside and Riverside after the story, and with something to see on every desk."""
    folder = tmp_path_factory.mktemp("towns")
    north, river = (
        NearTown(name, f"http://127.0.0.1:{free_port()}", folder / name, people, IMPATIENT)
        for name, people in (("Northside", (NORA, ANA)), ("Riverside", (RUI, BEN)))
    )
    for town in (north, river):
        town.found()
    try:
        side_by_side(Town.start, (north, river))
        with closing(Stage(north, river)) as played:
            for step in STORY:
                step.do(played)
                assert observe(step, played), step.title
            _live_on(played)
            yield played
    finally:
        north.stop()
        river.stop()


def _live_on(stage: Stage) -> None:
    """What neighbours do besides the story, so that the pages are not empty."""
    people = {person.handle: person for town in (stage.north, stage.river) for person in town.people}
    for handle, kind, title, hours, place, category in SAMPLES:
        browser = stage.browser(people[handle])
        filled = {"title": title, "hours": hours, "place": place, "category": category}
        browser.press(browser.open(f"/post?kind={kind}"), "/post", filled)
    nora, ana = stage.browser(NORA), stage.browser(ANA)
    tools = {"handle": "tools", "name": "Tool shed", "joining": "application", "posting": "reviewed"}
    done = (
        nora.press(nora.open("/new-group"), "/new-group", tools),
        nora.press(nora.open("/hours/give"), "/hours/give", {"to": "ana", "hours": "1:30", "note": "Thank you"}),
        ana.press(ana.open("/hours/claim"), "/hours/claim", {"to": "nora", "hours": "0:45", "note": "Watering"}),
        ana.press(ana.open("/me/skills"), "/me/skills", {"title": "Mending bicycles", "category": "repair"}),
        nora.press(nora.open("/blocks"), "/blocks", {"target": "evil.example", "reason": "Spam"}),
        nora.press(nora.open("/neighbourhood/joining"), "/neighbourhood/joining", {"joining": "invitation"}),
        nora.press(nora.open("/invitations"), "/invitations", {"uses": "3", "days": "7"}),
    )
    assert [page.status for page in done] == [200] * len(done), [page.text[:300] for page in done]


@contextmanager
def _reader(town: Town, handle: str) -> Iterator[httpx2.Client]:
    """A browser that asks for the pseudo-language, signed in where there is a handle."""
    headers = {"Accept": "text/html", "Origin": town.origin}
    with httpx2.Client(base_url=town.origin, trust_env=False, headers=headers) as client:
        if handle:
            with closing(Browser(town.origin)) as browser:
                browser.sign_in(handle, PASSWORD)
                client.cookies.update(browser._client.cookies)
        client.headers["Accept-Language"] = PSEUDO
        yield client


def _crawl(town: Town, handle: str) -> Iterator[tuple[str, str]]:
    """Every page that this person can reach, and every address without a variable; the path and its HTML."""
    with _reader(town, handle) as client:
        known = [one.path for one in addresses() if "GET" in one.methods and "{" not in one.path]
        waiting, seen, counted = ["/", *known], set(), dict[str, int]()
        while waiting:
            path = waiting.pop(0)
            pattern = re.sub(r"\d+", "N", re.sub(r"=[^&]*", "=", path))
            if path in seen or NO_PAGE.search(urlsplit(path).path) or counted.get(pattern, 0) >= PER_PATTERN_MAX:
                continue
            seen.add(path)
            counted[pattern] = counted.get(pattern, 0) + 1
            answer = client.get(path, follow_redirects=False)
            if answer.has_redirect_location:
                waiting.append(_local(town, path, answer.headers["location"]))
            elif answer.headers.get("content-type", "").startswith("text/html"):
                yield path, answer.text
                waiting += [_local(town, path, link) for link in re.findall(r'href="([^"#]+)', answer.text)]


def _local(town: Town, path: str, link: str) -> str:
    whole = urljoin(town.origin + path, link.replace("&amp;", "&"))
    return whole.removeprefix(town.origin) if whole.startswith(town.origin + "/") else "/"


@pytest.mark.parametrize("handle", ["nora", "ana", ""], ids=["admin", "member", "signed out"])
def test_no_page_shows_a_sentence_that_is_not_translated(stage: Stage, handle: str) -> None:
    data, found, pages = written(stage.north), list[str](), 0
    for path, html in _crawl(stage.north, handle):
        pages += 1
        lang, direction, texts = read(html)
        assert (lang, direction) == (PSEUDO, "rtl"), path
        found += [f"{path}: {left!r} in {text.strip()!r}" for text in texts if (left := untranslated(text, data))]
    assert not found, "\n".join(found)
    assert pages >= (PAGES_MIN if handle == "nora" else 5), "the crawl found too few pages"


# Forms that are refused, and those whose answer is a page.
ANSWERED = [
    ("/check-up", {}, 200),
    ("/post?kind=request", {"title": ""}, 422),
    ("/post?kind=request", {"title": "Sofa", "people": "999999"}, 422),
    ("/post?kind=offer", {"title": "x" * 1000}, 422),
    ("/hours/give", {"to": "nobody-here", "hours": "1"}, 404),
    ("/hours/give", {"to": "ana", "hours": "soon"}, 422),
    ("/hours/give", {"to": "ana", "hours": "999"}, 422),
    ("/networks/propose", {"host": "no host"}, 422),
    ("/blocks", {"target": ""}, 422),
    ("/invitations", {"uses": "0", "days": "7"}, 422),
    ("/new-group", {"name": ""}, 422),
    ("/new-group", {"name": "Tools", "handle": "tools", "joining": "open", "posting": "everybody"}, 409),
    ("/me/skills", {"title": ""}, 422),
    ("/me/account/password", {"present": "wrong", "password": "wrong"}, 422),
    ("/neighbourhood/name", {"name": ""}, 422),
    ("/listings/1/respond", {}, 404),
    ("/me", {}, 405),
]


@pytest.mark.parametrize(("path", "typed", "status"), ANSWERED)
def test_no_answer_to_a_form_has_a_sentence_that_is_not_translated(
    stage: Stage, path: str, typed: dict[str, str], status: int
) -> None:
    with _reader(stage.north, "nora") as client:
        answer = client.post(path, data=typed)
    data = [*written(stage.north), *typed.values()]
    assert answer.status_code == status, answer.text
    _, direction, texts = read(answer.text)
    assert direction == "rtl"
    assert [left for text in texts if (left := untranslated(text, data))] == []
