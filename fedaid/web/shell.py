"""Puts the pages' templates together: every feature's folder, the words, and the filters they share."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from fedaid.foundation import i18n, wording
from fedaid.web import assets
from fedaid.web.sayings import SAYINGS

_HERE = Path(__file__).parent

# Where a member can go; the third word names the picture.
PLACES = (
    ("/me", "My day", "check"),
    ("/", "Board", "board"),
    ("/post", "Post", "plus"),
    ("/people", "People", "people"),
    ("/groups", "Groups", "groups"),
    ("/hours", "Hours", "hours"),
)


def _gettext(message: str) -> str:
    return i18n.gettext(message)


def _ngettext(one: str, many: str, number: int) -> str:
    return i18n.ngettext_template(one, many, number)


def build_templates(source_url: str, version: str) -> Environment:
    """The environment all pages are made with: escaping on, undefined names are errors, gettext for every word."""
    folders = sorted(folder for folder in _HERE.parent.glob("*/templates") if folder.is_dir())
    environment = Environment(
        loader=FileSystemLoader(folders),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.install_gettext_callables(_gettext, _ngettext, newstyle=True)  # type: ignore[attr-defined]
    environment.filters.update(
        in_words=wording.in_words,
        in_figures=wording.in_figures,
        day=wording.day,
        day_and_time=wording.day_and_time,
        month=wording.month,
        told=i18n.told,
    )
    environment.globals.update(
        places=PLACES,
        sayings=SAYINGS,
        source_url=source_url,
        version=version,
        asset=assets.address,
    )
    return environment
