"""The demo's story can be clicked by hand in Chromium: on a desktop with JavaScript, on a phone without."""

from pathlib import Path

import playwright.sync_api as playwright
import pytest

from fedaid.demo.servers import Town
from tests.browser.chromium import DESKTOP, PHONE, Screen, Window
from tests.browser.street import built


@pytest.mark.parametrize(("screen", "scripts"), [(DESKTOP, True), (PHONE, False)], ids=["desktop", "phone"])
def test_the_story_can_be_clicked(browser: playwright.Browser, tmp_path: Path, screen: Screen, scripts: bool) -> None:
    windows: list[Window] = []

    def window(town: Town) -> Window:
        windows.append(Window(browser, town.origin, screen, scripts=scripts))
        return windows[-1]

    with built(tmp_path) as street:
        street.tell(window)
    assert len(windows) == 4
    assert [trouble for one in windows for trouble in one.troubles] == []
