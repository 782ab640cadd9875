"""Commands for mail that goes out: how each server is doing, and waking, retrying or forgetting it."""

import json
from typing import Annotated

import typer
from rich.table import Table

from fedaid import settings
from fedaid.admin import deliveries
from fedaid.cli.shared import AsJson, Data, Yes, add_row, console, instance_of, make_sure, say

commands = typer.Typer(help="Mail that goes out: how each server is doing.", no_args_is_help=True)

Host = Annotated[str, typer.Argument(help="Their host, e.g. riverside.example")]


@commands.command("list")
def show_all(data: Data, as_json: AsJson = False) -> None:
    """Show every server that something was sent to: what waits, since when, and what went wrong."""
    chosen = settings.load(data)
    with instance_of(chosen) as instance, instance.database.read() as connection:
        lines = deliveries.overview(connection, deliveries.tell_in(chosen.time_zone))
    if as_json:
        print(json.dumps([line.as_json() for line in lines]))  # noqa: T201 - plain, for scripts
        return
    table = Table("server", "state", "waiting", "given up", "how it is doing")
    for line in lines:
        add_row(table, line.found.host, line.badge, line.found.waiting, line.found.failed, line.sentence)
    console.print(table if lines else "Nothing was sent to any other server yet.")


@commands.command("show")
def show_one(
    what: Annotated[str, typer.Argument(help="A host, or the address of an activity or a listing.")],
    data: Data,
    as_json: AsJson = False,
) -> None:
    """Show one server with all it has not got, or where one activity has not arrived."""
    chosen = settings.load(data)
    tell = deliveries.tell_in(chosen.time_zone)
    with instance_of(chosen) as instance, instance.database.read() as connection:
        if "://" in what:
            found = deliveries.reach(connection, what)
            sentence, where = f"{found.type}, posted on {tell(found.posted_ms)}. {found.sentence}", found.destinations
        else:
            line = deliveries.host_line(connection, what, tell)
            dialect = f" It reads signatures by {line.found.dialect}." if line.found.dialect else ""
            sentence, where = f"{line.sentence}{dialect}", deliveries.undelivered(connection, line.found.host)
    if as_json:
        print(json.dumps({"sentence": sentence, "deliveries": [vars(one) for one in where]}))  # noqa: T201
        return
    say(sentence)
    table = Table("server", "activity", "posted", "state", "last")
    for one in where:
        word = deliveries.in_one_word(one)
        add_row(table, one.host, f"{one.type} {one.activity_id}", tell(one.created_ms), word, one.last_error or "")
    if where:
        console.print(table)


@commands.command("resume")
def wake(host: Host, data: Data) -> None:
    """Wake a server: try everything that waits for it now."""
    with instance_of(settings.load(data)) as instance, instance.units.begin() as work:
        deliveries.resume(work, host)
    say(f"{host} is tried again now.")


@commands.command("retry")
def try_again(host: Host, data: Data) -> None:
    """Try again what was given up for a server."""
    with instance_of(settings.load(data)) as instance, instance.units.begin() as work:
        count = deliveries.retry(work, host)
    say(f"{count} messages to {host} are tried again." if count else f"Nothing was given up for {host}.")


@commands.command("forget")
def give_up(
    host: Host,
    data: Data,
    yes: Yes = False,
    also_timebank: Annotated[
        bool, typer.Option("--also-timebank", help="Give up the timebank's letters too; hours may hang on them.")
    ] = False,
) -> None:
    """Give up for good what waits for a server; the timebank's letters are kept unless you say so."""
    with instance_of(settings.load(data)) as instance:
        with instance.database.read() as connection:
            waiting = deliveries.host_line(connection, host, str).found.waiting
        make_sure(f"Give up the {waiting} messages that wait for {host}?", yes)
        with instance.units.begin() as work:
            found = deliveries.forget(work, host, also_timebank=also_timebank)
    say(deliveries.forgotten_in_words(found))
