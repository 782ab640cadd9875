"""What the commands share: the folder they are told, the instance in it, and how they speak."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from fedaid import app, settings
from fedaid.foundation import schema
from fedaid.foundation.database import Database
from fedaid.foundation.refused import Refused
from fedaid.settings import Settings

console = Console()
complaints = Console(stderr=True)

Data = Annotated[Path, typer.Option("--data", envvar="FEDAID_DATA", help="Folder of the instance.")]
AsJson = Annotated[bool, typer.Option("--json", help="For scripts.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do it without asking.")]


def prepare(chosen: Settings) -> None:
    """Bring the database to this version's schema. Raises Refused for an instance that was never founded."""
    if not (chosen.data / settings.FILE_NAME).exists() and not chosen.database_url:
        raise Refused("not_founded", f"There is no instance in {chosen.data}. Found one with: fedaid init")
    upgrade(chosen)


def upgrade(chosen: Settings) -> None:
    """Bring the database to this version's schema."""
    database = Database(chosen.database)
    try:
        schema.upgrade(database)
    finally:
        database.dispose()


@contextmanager
def instance_of(chosen: Settings) -> Iterator[app.Instance]:
    """The instance that these settings describe, for the length of a block."""
    upgrade(chosen)
    instance = app.build(chosen, works=False)
    try:
        yield instance
    finally:
        asyncio.run(instance.close())


def say(sentence: str) -> None:
    """A sentence that may hold what strangers wrote: nothing in it is read as markup (attack S75)."""
    console.print(sentence, markup=False, highlight=False, soft_wrap=True)


def add_row(table: Table, *cells: object) -> None:
    """A row whose cells may hold what strangers wrote: nothing in them is read as markup (attack S75)."""
    table.add_row(*(Text(str(cell)) for cell in cells))


def make_sure(question: str, yes: bool) -> None:
    """Ask before something that cannot be undone. Raises Refused when the answer is no, or nobody is there to ask."""
    if yes:
        return
    if not console.is_terminal:
        raise Refused("not_sure", f"{question} Nothing was done: say --yes to do it.")
    if not typer.confirm(question):
        raise Refused("not_sure", "Nothing was done.")
