"""Commands for who is not welcome: laying, lifting, and block lists taken over and given away."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from fedaid import settings
from fedaid.admin import blocks
from fedaid.cli.shared import AsJson, Data, Yes, add_row, console, instance_of, make_sure, say
from fedaid.foundation import wording
from fedaid.foundation.refused import Refused
from fedaid.network import commands as network
from fedaid.network import queries
from fedaid.network.rules import block_lists
from fedaid.network.rules.restrictions import Severity, Terms, chosen_target

commands = typer.Typer(help="Who is not welcome: hosts and single actors, blocked or limited.", no_args_is_help=True)

Target = Annotated[str, typer.Argument(help="A host, a handle, or the address of an actor.")]


@commands.command("list")
def show(data: Data, as_json: AsJson = False) -> None:
    """Show what is laid on whom, since when and why."""
    chosen = settings.load(data)
    with instance_of(chosen) as instance, instance.database.read() as connection:
        found = queries.restrictions(connection)
    if as_json:
        rows = [{"target": one.target.name, **vars(one.terms), "laid_at": one.laid_at.isoformat()} for one in found]
        print(json.dumps(rows))  # noqa: T201 - plain, for scripts
        return
    table = Table("who", "what", "why", "since")
    for one in found:
        since = wording.day(one.laid_at, chosen.time_zone)
        add_row(table, one.target.name, blocks.terms_in_words(one.terms), one.terms.reason, since)
    console.print(table if found else "Everybody is welcome so far.")


@commands.command("add")
def lay(
    target: Target,
    data: Data,
    severity: Annotated[
        Severity, typer.Option(help="block, limit, or none with one of the two below.")
    ] = Severity.BLOCK,
    reason: Annotated[str, typer.Option(help="Why; the other side may be told.")] = "",
    reject_media: Annotated[bool, typer.Option("--reject-media", help="Fetch no pictures of theirs.")] = False,
    reject_reports: Annotated[bool, typer.Option("--reject-reports", help="Throw their reports away.")] = False,
) -> None:
    """Block or limit a host with all names below it, or a single actor."""
    terms = Terms(severity, reason, rejects_media=reject_media, rejects_reports=reject_reports)
    with instance_of(settings.load(data)) as instance, instance.units.begin() as work:
        chosen = network.chosen(work, target)
        network.restrict(work, chosen, terms)
    say(f"{chosen.name}: {blocks.terms_in_words(terms)}.")


@commands.command("remove")
def lift(target: Target, data: Data) -> None:
    """Let a host or an actor be welcome again; follows that ended stay ended."""
    with instance_of(settings.load(data)) as instance, instance.units.begin() as work:
        network.lift(work, chosen_target(target))
    say(f"Lifted: {target}.")


@commands.command("import")
def take_over(
    file: Annotated[Path, typer.Argument(help="A list as Mastodon saves it; - reads standard input.")],
    data: Data,
    yes: Yes = False,
    also: Annotated[
        list[str] | None, typer.Option("--also", help="A line to take although it shuts out a neighbour.")
    ] = None,
) -> None:
    """Take a block list over; shows first what would become of each line, and spares your neighbours."""
    found, named = block_lists.read(_bytes_of(file)), frozenset(also or ())
    with instance_of(settings.load(data)) as instance:
        with instance.database.read() as connection:
            preview = blocks.preview(connection, found, instance.settings.names.host, named)
        _tell(preview)
        make_sure(f"Take over {len(preview.taken)} of them?", yes)
        with instance.units.begin() as work:
            report = blocks.take(work, found, also=named)
    say(f"Taken over: {len(report.taken)}.")


def _bytes_of(file: Path) -> bytes:
    try:
        return sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise Refused("list_unreadable", f"{file} cannot be read: {error.strerror}.") from None


def _tell(preview: blocks.Preview) -> None:
    say(f"{preview.summary}.")
    for one in preview.neighbours:
        hosts = ", ".join(one.neighbours)
        say(f"line {one.entry.line}: {one.entry.target.name} is left, as it covers {hosts}. Take it by --also.")
    for one in preview.left:
        say(f"line {one.entry.line}: {one.entry.target.name} {blocks.OUTCOME_WORDS[one.outcome]}")
    for bad in preview.unreadable:
        say(f"line {bad.line}: {bad.text} cannot be read: {bad.why}")


@commands.command("export")
def give_away(
    data: Data,
    output: Annotated[Path | None, typer.Option(help="File to write; without it, standard output.")] = None,
) -> None:
    """Write the blocked and limited hosts as a list that Mastodon reads; single actors stand on no such list."""
    with instance_of(settings.load(data)) as instance, instance.database.read() as connection:
        text = blocks.export(connection)
    if output is None:
        sys.stdout.write(text)
    else:
        output.write_text(text, encoding="utf-8")
        say(f"Written: {output}")
