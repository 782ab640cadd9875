"""Each page in the language of whoever reads it: the one they chose, else their browser's, else the neighbourhood's."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from fedaid import app, settings
from fedaid.actors import commands as actors
from fedaid.admin import founding
from fedaid.foundation import i18n, wording
from fedaid.foundation.refused import Refused
from fedaid.foundation.said import said
from fedaid.members import commands as members
from fedaid.members.rules import PASSWORD_CHARACTERS_MIN
from tests.small_house import NORTH, StillClock, some_keys
from tests.support.databases import migrated_database_url

SATURDAY = datetime(2026, 9, 5, 9, 0, tzinfo=UTC)
PASSWORD = "three odd words"
HTML = {"Accept": "text/html"}


@pytest.fixture
def instance(database_kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest):  # type: ignore[no-untyped-def]
    """Northside, with Ana; ``request.param`` is the language of the neighbourhood."""
    monkeypatch.setattr(actors, "make_keys", some_keys)
    with migrated_database_url(database_kind, tmp_path) as url:
        chosen = settings.load(
            tmp_path, origin=NORTH, name="Northside", database_url=url, language=getattr(request, "param", "en")
        )
        built = app.build(chosen, works=False, clock=StillClock())
        with built.units.begin() as work:
            founding.found(work, "Northside")
            members.add_member(work, "ana", members.hash_password(PASSWORD), name="Ana", keys=some_keys())
        yield built
        built.database.dispose()


@pytest.fixture
def browser(instance: app.Instance) -> TestClient:
    return TestClient(instance.web, base_url=NORTH, follow_redirects=False, headers=HTML)


def sign_in(browser: TestClient) -> None:
    answer = browser.post("/sign-in", data={"handle": "ana", "password": PASSWORD}, headers={"Origin": NORTH})
    assert answer.status_code == 303, answer.text


def choose(browser: TestClient, language: str) -> int:
    form = {"email": "", "zone": "UTC", "language": language}
    status: int = browser.post("/me/account/reach", data=form, headers={"Origin": NORTH}).status_code
    return status


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("es", "es"),
        ("es-MX,es;q=0.9,en;q=0.5", "es"),
        ("fr, en-GB;q=0.8, es;q=0.9", "es"),
        ("fr;q=1, EN;q=0.3", "en"),
        ("es;q=0, en;q=0.1", "en"),
        ("fr, de", "fallback"),
        ("", "fallback"),
        ("*", "fallback"),
        ("es;q=nonsense, en", "en"),
        ("es;q=2, en", "en"),
        ("fr," * i18n.ACCEPTED_LANGUAGES_MAX + "es", "fallback"),
        ("ar-XB", i18n.PSEUDO),
        ("ar", "fallback"),
    ],
)
def test_the_browsers_best_language_of_ours_is_taken(asked: str, found: str) -> None:
    assert i18n.wanted(asked, "fallback") == found


def test_somebody_signed_out_reads_in_the_language_of_their_browser(browser: TestClient) -> None:
    spanish = browser.get("/", headers={"Accept-Language": "es-AR"})
    assert '<html lang="es" dir="ltr">' in spanish.text
    assert "Necesito ayuda" in spanish.text
    assert spanish.headers["content-language"] == "es"
    english = browser.get("/", headers={"Accept-Language": "en"})
    assert '<html lang="en" dir="ltr">' in english.text
    assert "I need help" in english.text


def test_nobody_keeps_a_page_in_one_language_for_readers_of_another(browser: TestClient) -> None:
    headers = browser.get("/").headers
    assert "Accept-Language" in headers["vary"]
    assert "private" in headers["cache-control"]


@pytest.mark.parametrize("instance", ["es"], indirect=True)
def test_a_browser_that_asks_for_none_of_ours_gets_the_neighbourhoods(browser: TestClient) -> None:
    assert '<html lang="es"' in browser.get("/", headers={"Accept-Language": "fr"}).text
    assert '<html lang="en"' in browser.get("/", headers={"Accept-Language": "en"}).text


def test_what_a_member_chose_goes_before_what_their_browser_asks(browser: TestClient) -> None:
    sign_in(browser)
    assert choose(browser, "es") == 303
    page = browser.get("/me/account", headers={"Accept-Language": "en"})
    assert '<html lang="es"' in page.text
    assert 'value="es" lang="es" selected' in page.text
    assert choose(browser, "") == 303
    assert '<html lang="en"' in browser.get("/me/account", headers={"Accept-Language": "en"}).text


@pytest.mark.parametrize("language", ["fr", "ar-XB", "../es"])
def test_a_language_that_is_not_ours_cannot_be_chosen(browser: TestClient, language: str) -> None:
    sign_in(browser)
    assert choose(browser, language) == 422


def test_a_refusal_is_said_in_the_readers_language_with_its_values(browser: TestClient) -> None:
    answer = browser.post(
        "/sign-in", data={"handle": "ana", "password": "no"}, headers={"Origin": NORTH, "Accept-Language": "es"}
    )
    assert answer.status_code == 401
    assert "Este apodo y esta contraseña no van juntos." in answer.text
    sign_in(browser)
    changed = {"present": PASSWORD, "password": "short"}
    answer = browser.post("/me/account/password", data=changed, headers={"Origin": NORTH, "Accept-Language": "es"})
    assert f"Una contraseña tiene al menos {PASSWORD_CHARACTERS_MIN} caracteres." in answer.text


def test_an_error_page_is_said_in_the_readers_language_and_a_machine_is_answered_in_english(
    browser: TestClient,
) -> None:
    page = browser.get("/listings/1", headers={"Accept-Language": "es"})
    assert page.status_code == 404
    assert '<html lang="es"' in page.text
    assert "Aquí no hay nada" in page.text
    problem = browser.get("/listings/1", headers={"Accept-Language": "es", "Accept": "application/json"})
    assert problem.json()["title"] == "Nothing here"


def test_a_rule_refuses_in_english_and_a_page_says_it_in_any_language() -> None:
    refused = Refused("name_length", said("A name has at most %(count)s characters.", count=30))
    assert refused.sentence == "A name has at most 30 characters."
    with i18n.speaking("es"):
        assert i18n.told(refused.sentence) == "Un nombre tiene como mucho 30 caracteres."
    assert i18n.told(refused.sentence) == refused.sentence


def test_a_sentence_that_nobody_translated_is_said_as_it_is() -> None:
    with i18n.speaking("es"):
        assert i18n.told("100 % of it, says %(host)s") == "100 % of it, says %(host)s"
        assert i18n.told("") == ""


def test_dates_and_lengths_of_time_are_said_in_the_readers_language() -> None:
    assert wording.day_and_time(SATURDAY, "Europe/London") == "Sat 5 Sep 2026, 10:00"
    with i18n.speaking("es"):
        assert wording.day_and_time(SATURDAY, "Europe/Madrid") == "sáb 5 sept 2026, 11:00"
        assert wording.day(SATURDAY, "UTC") == "5 sept 2026"
        assert wording.month(SATURDAY) == "sept 2026"
        assert wording.since(SATURDAY, SATURDAY, "UTC") == "hoy"
        assert wording.in_words(90) == "1 h 30 min"
        assert wording.time_span(None, SATURDAY, "UTC") == "hasta sáb 5 sept 2026, 9:00 (UTC)".replace(" 9:", " 09:")


def test_one_and_many_are_told_apart() -> None:
    with i18n.speaking("es"):
        assert i18n.ngettext("%(num)s day ago", "%(num)s days ago", 1) == "hace 1 día"
        assert i18n.ngettext("%(num)s day ago", "%(num)s days ago", 0) == "hace 0 días"


def test_a_document_for_other_servers_is_the_same_whoever_asks(browser: TestClient) -> None:
    activity = {"Accept": "application/activity+json"}
    spanish = browser.get("/groups/board", headers={**activity, "Accept-Language": "es"})
    english = browser.get("/groups/board", headers={**activity, "Accept-Language": "en"})
    assert spanish.content == english.content


def test_the_language_of_one_request_does_not_stay_for_the_next(browser: TestClient) -> None:
    browser.get("/", headers={"Accept-Language": "es"})
    assert i18n.spoken() == i18n.ENGLISH


def test_a_neighbourhood_cannot_have_a_language_without_a_catalogue(tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        settings.load(tmp_path, origin=NORTH, name="Northside", language="fr")
    assert "there are: en, es" in refused.value.sentence
