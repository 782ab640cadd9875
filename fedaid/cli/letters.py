"""Commands for mail that came in: which letters were refused or failed, and another try for them."""

import json
from typing import Annotated

import typer
from rich.table import Table

from fedaid import settings
from fedaid.admin import deliveries, letters
from fedaid.cli.shared import AsJson, Data, add_row, console, instance_of, say
from fedaid.foundation.refused import Refused
from inbox.tables import State

commands = typer.Typer(help="Mail that came in: what was refused or failed.", no_args_is_help=True)


@commands.command("list")
def show(
    data: Data,
    state: Annotated[State, typer.Option(help="Which letters to show.")] = State.FAILED,
    as_json: AsJson = False,
) -> None:
    """Show the newest letters that failed, or that ended in another way."""
    chosen = settings.load(data)
    with instance_of(chosen) as instance, instance.database.read() as connection:
        desk = letters.desk(connection, state)
    if as_json:
        print(json.dumps([vars(letter) for letter in desk.letters]))  # noqa: T201 - plain, for scripts
        return
    say(", ".join(f"{count} {kind.value}" for kind, count in desk.counts.items()))
    table = Table("number", "from", "what", "received", "why")
    tell = deliveries.tell_in(chosen.time_zone)
    for one in desk.letters:
        add_row(table, one.n, one.sender, one.type, tell(one.received_ms), letters.why(one))
    if desk.letters:
        console.print(table)


@commands.command("retry")
def try_again(
    data: Data,
    number: Annotated[int | None, typer.Argument(help="Number of the letter.")] = None,
    all_failed: Annotated[bool, typer.Option("--all-failed", help="All that failed through a fault of ours.")] = False,
) -> None:
    """Apply a letter anew that failed or was refused."""
    if (number is None) is not all_failed:
        raise Refused("no_such_letter", "Say which letter, or --all-failed.")
    with instance_of(settings.load(data)) as instance, instance.units.begin() as work:
        if number is None:
            count = letters.retry_failed(work)
        else:
            letters.retry(work, number)
            count = 1
    say(f"{count} to be applied anew.")
