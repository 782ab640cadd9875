"""Writes about the kinds of help to choose from; what has once been there is never removed, as listings name it."""

import re
import unicodedata

from sqlalchemy import func, insert, select, update

from fedaid.board.rules import CATEGORIES_MAX, DEFAULT_CATEGORIES, SLUG_CHARACTERS_MAX, chosen_category_name
from fedaid.board.tables import category
from fedaid.foundation.refused import NotAllowed, NotFound, Refused
from fedaid.foundation.said import said
from fedaid.foundation.viewer import Viewer
from fedaid.foundation.work import Work


def seed_categories(work: Work) -> None:
    """The categories a neighbourhood starts with; those it has already stay as they are."""
    known = set(work.connection.execute(select(category.c.slug)).scalars())
    for position, (slug, name) in enumerate(DEFAULT_CATEGORIES):
        if slug not in known:
            work.connection.execute(insert(category).values(slug=slug, name=name, position=position))


def add_category(work: Work, by: Viewer, name: str) -> str:
    """Another kind of help, last in the list; its slug. Raises NotAllowed, Refused."""
    _check_admin(by)
    called = chosen_category_name(name)
    rows = work.connection.execute(select(category.c.slug, category.c.name, category.c.position)).all()
    if len(rows) >= CATEGORIES_MAX:
        raise Refused(
            "too_many_categories",
            said("There are %(count)s kinds already; rename one instead.", count=CATEGORIES_MAX),
            409,
        )
    if any(row.name.casefold() == called.casefold() for row in rows):
        raise Refused("category_taken", "There is such a kind already; bring it back if it is retired.", 409)
    slug = _free_slug(called, {row.slug for row in rows})
    position = max((row.position for row in rows), default=0) + 1
    work.connection.execute(insert(category).values(slug=slug, name=called, position=position))
    return slug


def rename_category(work: Work, by: Viewer, slug: str, name: str) -> None:
    """Call it otherwise; listings keep it. Raises NotAllowed, NotFound, Refused."""
    _check_admin(by)
    called = chosen_category_name(name)
    others = select(category.c.slug).where(func.lower(category.c.name) == called.lower(), category.c.slug != slug)
    if work.connection.execute(others).first() is not None:
        raise Refused("category_taken", "There is such a kind already; bring it back if it is retired.", 409)
    _change(work, slug, name=called)


def retire_category(work: Work, by: Viewer, slug: str, *, retired: bool = True) -> None:
    """Offer it no longer, or again; listings keep it. The last one stays. Raises NotAllowed, NotFound, Refused."""
    _check_admin(by)
    in_use = set(work.connection.execute(select(category.c.slug).where(category.c.retired_at.is_(None))).scalars())
    if retired and in_use == {slug}:
        raise Refused("last_category", "One kind of help has to stay.", 409)
    _change(work, slug, retired_at=work.now if retired else None)


def _change(work: Work, slug: str, **values: object) -> None:
    changed = work.connection.execute(update(category).where(category.c.slug == slug).values(values))
    if changed.rowcount != 1:
        raise NotFound


def _free_slug(name: str, taken: set[str]) -> str:
    """A slug out of the name; where nothing of it can be one, or it is taken, with a number."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    stem = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[: SLUG_CHARACTERS_MAX - 4].strip("-") or "kind"
    numbered = (stem, *(f"{stem}-{number}" for number in range(2, CATEGORIES_MAX + 3)))
    return next(slug for slug in numbered if slug not in taken)


def _check_admin(by: Viewer) -> None:
    if not by.is_admin:
        raise NotAllowed("Only an admin can change the kinds of help.")
