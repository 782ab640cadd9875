"""The command line: founding, serving and looking after one instance."""

import asyncio
import gc
import json
import logging
import secrets
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, NoReturn
from urllib.parse import urlencode

import structlog
import typer
import uvicorn
from rich.table import Table
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError
from uvicorn.loops.auto import auto_loop_factory

from activitypub.errors import ProtocolError
from fedaid import __version__, app, settings
from fedaid.actors import queries as actors
from fedaid.actors import rotation
from fedaid.actors.commands import make_keys
from fedaid.actors.rules import Kind
from fedaid.admin import doctor, founding, leaving, networks, welcome
from fedaid.cli import blocks, deliveries, letters, mail
from fedaid.cli.shared import Data, complaints, console, instance_of, prepare, say
from fedaid.cli.side_door import side_door
from fedaid.demo import play
from fedaid.foundation import wording
from fedaid.foundation.refused import Refused
from fedaid.foundation.viewer import Role
from fedaid.foundation.work import Work
from fedaid.groups import commands as groups
from fedaid.members import commands as members
from fedaid.members import queries as member_queries
from fedaid.members.commands import joining
from fedaid.members.commands.joining import Terms
from fedaid.settings import Settings
from fedaid.timebank import queries as timebank
from fedaid.timebank.rules.journal import Format
from fedaid.timebank.rules.journal import write as write_journal

EXIT_NOT_STARTED = 3  # nobody could be served: mostly the port is taken
EXIT_REFUSED = 1  # the command was understood, and the answer is no
EXIT_USAGE = 2  # typer's own, for a command that was not understood
SWITCH_SECONDS = 0.0005  # a commit comes back to a busy event loop that much later, at its three or four stops
GARBAGE_OBJECTS_MIN = 10_000  # new ones before they are looked through; Python's own 700 cost a letter 7 % of its time
GARBAGE_LOOKS_MIN = (20, 50)  # of new ones before those are looked through that outlived one, and that outlived two
MADE_UP_PASSWORD_BYTES = 12  # 16 characters

cli = typer.Typer(
    name="fedaid",
    help="A federated server for mutual aid: requests, offers and hours between neighbourhoods.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
member = typer.Typer(help="The people of this neighbourhood.", no_args_is_help=True)
group = typer.Typer(help="Groups by topic or place; each has a board.", no_args_is_help=True)
network = typer.Typer(help="Neighbouring networks: boards linked, hours exchanged.", no_args_is_help=True)
keys = typer.Typer(help="The keys that accounts sign with.", no_args_is_help=True)
ledger = typer.Typer(help="The timebank's books.", no_args_is_help=True)
for name, part in (
    ("member", member),
    ("group", group),
    ("network", network),
    ("keys", keys),
    ("ledger", ledger),
    ("deliveries", deliveries.commands),
    ("letters", letters.commands),
    ("mail", mail.commands),
    ("blocks", blocks.commands),
):
    cli.add_typer(part, name=name)

PasswordStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]
LineHours = Annotated[
    float | None, typer.Option("--line-hours", min=0, help="How many hours their network may owe ours.")
]
LargestHours = Annotated[
    float | None, typer.Option("--largest-hours", min=0, help="How many hours may go at once, at most.")
]
Host = Annotated[str, typer.Argument(help="Their host.")]


def main() -> None:
    """Run the command line; a refusal is one sentence on standard error and exit status 1."""
    try:
        cli()
    except Refused as refused:
        _complain(refused.sentence)
    except ProtocolError as error:
        _complain(error.sentence)
    except OperationalError as error:
        _complain(f"The database cannot be used: {error.orig}")
    except KeyboardInterrupt:
        _complain("Stopped.")


def _complain(sentence: str) -> NoReturn:
    complaints.print(f"fedaid: {sentence}", style="red", markup=False, highlight=False, soft_wrap=True)
    sys.exit(EXIT_REFUSED)


# founding and serving


@cli.command()
def init(
    data: Data,
    origin: Annotated[str, typer.Option(help="Where it will be reached, e.g. https://northside.example")],
    name: Annotated[str, typer.Option(help="The neighbourhood's name.")],
    admin: Annotated[str | None, typer.Option(help="Handle of a first admin.")] = None,
    password_stdin: PasswordStdin = False,
    allow_loopback: Annotated[
        bool, typer.Option("--allow-loopback", help="For trying out on one machine: http://127.0.0.1:PORT.")
    ] = False,
    database_url: Annotated[str, typer.Option(help="PostgreSQL or SQLite by SQLAlchemy URL; default: a file.")] = "",
    time_zone: Annotated[str, typer.Option(help="The neighbourhood's time zone, e.g. Europe/London.")] = "UTC",
) -> None:
    """Found a neighbourhood: its settings file, its database, its board."""
    password = _new_password(password_stdin) if admin else None
    if (data / settings.FILE_NAME).exists():
        raise Refused("founded", f"{data / settings.FILE_NAME} exists: this neighbourhood has been founded already.")
    chosen = settings.load(
        data,
        origin=origin,
        name=name,
        allow_loopback=allow_loopback or None,
        database_url=database_url or None,
        time_zone=time_zone,
        # Somebody else speaks TLS for us, mostly on the same machine; the file shows it, to be changed there.
        trusted_proxies="127.0.0.1,::1" if origin.startswith("https://") else None,
    )
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    with instance_of(chosen) as instance, instance.units.begin() as work:
        founding.found(work, chosen.name)
        if admin and password:
            members.add_member(work, admin, password.hash, role=Role.ADMIN, time_zone=chosen.time_zone)
            next_step = f"{chosen.origin}/setup"
        else:
            next_step = _invite(work, chosen, Terms("The first admin", role=Role.ADMIN))
    settings.write(chosen)  # last, so that a founding that failed can be done again
    _show_made_up(password)
    console.print(f"{chosen.name} is founded in {data}. Start it with: fedaid serve --data {data}", soft_wrap=True)
    once = "" if admin else " (whoever opens it first becomes the admin; it is good once, for 14 days)"
    say(f"Then set it up in the browser{once}: {next_step}")


@cli.command()
def serve(
    data: Data,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    work: Annotated[
        bool, typer.Option("--work/--no-work", help="Also apply letters and deliver mail; else let workers do it.")
    ] = True,
) -> None:
    """Serve the pages and take letters, and do the work beside them, in one process."""
    chosen = settings.load(data, host=host, port=port)
    _log_as_json(chosen)
    prepare(chosen)
    instance = app.build(chosen, works=work)
    _be_quick()
    config = uvicorn.Config(
        instance.web,
        host=chosen.host,
        port=chosen.port,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(chosen.trusted_proxies),
        forwarded_allow_ips=chosen.trusted_proxies,
        timeout_graceful_shutdown=10,
    )
    server = uvicorn.Server(config)
    instance.live.is_stopping = lambda: server.should_exit
    with suppress(KeyboardInterrupt):  # raised again when it has stopped
        server.run()
    if not server.started:
        raise typer.Exit(EXIT_NOT_STARTED)


def _be_quick() -> None:
    """Settings of the interpreter for a process that serves many: what it was built of is not searched for garbage."""
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_OBJECTS_MIN, *GARBAGE_LOOKS_MIN)


@cli.command()
def worker(
    data: Data,
    metrics_port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Port on which to show the metrics of this process; else none.")
    ] = None,
) -> None:
    """Do the work only: apply letters, deliver mail, remind and expire. As many as you like on PostgreSQL."""
    chosen = settings.load(data)
    _log_as_json(chosen)
    prepare(chosen)
    with asyncio.Runner(loop_factory=auto_loop_factory()) as runner:  # the quick one that the server has, too
        runner.run(_work(chosen, metrics_port))


async def _work(chosen: Settings, metrics_port: int | None) -> None:
    instance = app.build(chosen, works=False)
    _be_quick()
    await asyncio.to_thread(instance.begin)
    stop = asyncio.Event()
    async with side_door(instance, metrics_port):
        _stop_on_signals(stop)
        await asyncio.gather(instance.work_until(stop), instance.bells.run(stop))
    await instance.close()


def _stop_on_signals(stop: asyncio.Event) -> None:
    import signal

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)


# people


@member.command("add")
def member_add(
    user: Annotated[str, typer.Argument(help="Handle: letters, digits, _ . -")],
    data: Data,
    name: Annotated[str, typer.Option(help="Name to show.")] = "",
    email: Annotated[str, typer.Option(help="E-mail address, for the member and the admin only.")] = "",
    role: Annotated[Role, typer.Option(help="What they may do.")] = Role.MEMBER,
    password_stdin: PasswordStdin = False,
) -> None:
    """Add a member."""
    chosen = settings.load(data)
    password = _new_password(password_stdin)
    with instance_of(chosen) as instance, instance.units.begin() as work:
        added = members.add_member(
            work, user, password.hash, name=name, email=email, role=role, time_zone=chosen.time_zone
        )
    console.print(f"{added.name} is a {added.role} of {chosen.name} now: @{added.handle}@{chosen.names.host}")
    _show_made_up(password)


@member.command("invite")
def member_invite(
    data: Data,
    role: Annotated[Role, typer.Option(help="What they may do.")] = Role.MEMBER,
    uses: Annotated[int, typer.Option(help="How many people may come with it.")] = 1,
    days: Annotated[int, typer.Option(help="For how many days it is good.")] = 14,
    note: Annotated[str, typer.Option(help="A line for the list of invitations.")] = "",
) -> None:
    """Print an invitation: a link with which people join; it is shown this once."""
    chosen = settings.load(data)
    with instance_of(chosen) as instance, instance.units.begin() as work:
        link = _invite(work, chosen, Terms(note, uses, days, role))
    print(link)  # noqa: T201 - plain, for scripts


def _invite(work: Work, chosen: Settings, terms: Terms) -> str:
    secret = joining.invite(work, None, terms, chosen.members)
    return f"{chosen.origin}/join?{urlencode({'invitation': secret})}"


@member.command("recover")
def member_recover(
    user: Annotated[str, typer.Argument(help="Handle of the member.")],
    data: Data,
) -> None:
    """Print a link with which a member chooses a new password, once; it is written in the moderators' log."""
    chosen = settings.load(data)
    with instance_of(chosen) as instance, instance.units.begin() as work:
        _, secret = welcome.help_in(work, None, user, chosen.members)
    print(f"{chosen.origin}/recover?{urlencode({'link': secret})}")  # noqa: T201 - plain, for scripts


@member.command("role")
def member_role(
    user: Annotated[str, typer.Argument(help="Handle of the member.")],
    role: Annotated[Role, typer.Argument(help="What they may do from now on.")],
    data: Data,
) -> None:
    """Change what a member may do; it is written in the moderators' log. The last admin stays one."""
    with instance_of(settings.load(data)) as instance, instance.units.begin() as work:
        found = welcome.give_role(work, None, user, role)
    say(f"{found.name} is a {role} now.")


@member.command("remove")
def member_remove(
    user: Annotated[str, typer.Argument(help="Handle of the member.")],
    data: Data,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether this is meant.")] = False,
) -> None:
    """Remove a member for good: off the board, signed out, and other servers are told to forget them."""
    if not yes:
        typer.confirm(f"Remove {user} for good? The handle is never given to anybody else.", abort=True)
    chosen = settings.load(data)
    with instance_of(chosen) as instance, instance.units.begin() as work:
        leaving.remove_member(work, user, chosen.timebank)
    console.print(f"{user} is removed; other servers are being told.")


@cli.command()
def token(
    user: Annotated[str, typer.Argument(help="Handle of the member.")],
    data: Data,
    scopes: Annotated[
        str, typer.Option(help="What it is good for, with spaces between, such as board:read hours:write.")
    ] = "read write follow",
    name: Annotated[str, typer.Option(help="What the member sees it called.")] = "",
) -> None:
    """Print a bearer token for a member; it is shown this once."""
    with instance_of(settings.load(data)) as instance, instance.units.begin() as work:
        found = member_queries.by_handle(work.connection, user)
        if found is None:
            raise Refused("no_member", f"There is no member {user}.")
        secret = members.issue_token(work, found.id, scopes, name)
    print(secret)  # noqa: T201 - plain, for scripts


@group.command("add")
def group_add(
    handle: Annotated[str, typer.Argument(help="Handle: letters, digits, _ . -")],
    data: Data,
    name: Annotated[str, typer.Option(help="Name to show.")],
    topic: Annotated[str, typer.Option(help="What it is about.")] = "",
    place: Annotated[str, typer.Option(help="Where it is.")] = "",
) -> None:
    """Add a group with its board."""
    chosen = settings.load(data)
    with instance_of(chosen) as instance, instance.units.begin() as work:
        added = groups.add_group(work, handle, name, topic=topic, place=place)
    console.print(f"{added.name} has a board now: @{added.handle}@{chosen.names.host}")


# keys


@keys.command("rotate")
def keys_rotate(
    handle: Annotated[str, typer.Argument(help="Handle of a member, a board, or (the host) of the server.")],
    data: Data,
    compromised: Annotated[
        bool, typer.Option("--compromised", help="Somebody else has the old keys: let them end at once.")
    ] = False,
) -> None:
    """Give an account new keys; the old ones go on for some days, where others have not looked again yet."""
    chosen = settings.load(data)
    new = make_keys()
    with instance_of(chosen) as instance, instance.units.begin() as work:
        found = actors.by_handle(work.connection, handle)
        if found is None:
            raise Refused("no_account", f"There is no account {handle} here.")
        rotation.rotate(work, found.uri, new, chosen.actors, compromised=compromised)
    console.print(f"{handle} has new keys; followers are being told.")


# moving between servers

Handle = Annotated[str, typer.Argument(help="Handle here.")]
Elsewhere = Annotated[str, typer.Argument(help="The account elsewhere: @name@host, or its id.")]
Remove = Annotated[bool, typer.Option("--remove", help="Take the alias back.")]


@member.command("alias")
def member_alias(handle: Handle, elsewhere: Elsewhere, data: Data, remove: Remove = False) -> None:
    """Say that a member here is also an account elsewhere, so that it can move here."""
    _alias(data, Kind.PERSON, handle, elsewhere, remove=remove)


@member.command("move")
def member_move(handle: Handle, elsewhere: Elsewhere, data: Data) -> None:
    """Move a member to an account elsewhere that names the one here as an alias; followers are told."""
    _move(data, Kind.PERSON, handle, elsewhere)


@group.command("alias")
def group_alias(handle: Handle, elsewhere: Elsewhere, data: Data, remove: Remove = False) -> None:
    """Say that a board here is also a board elsewhere, so that it can move here."""
    _alias(data, Kind.GROUP, handle, elsewhere, remove=remove)


@group.command("move")
def group_move(handle: Handle, elsewhere: Elsewhere, data: Data) -> None:
    """Move a board to one elsewhere that names the one here as an alias; followers are told."""
    _move(data, Kind.GROUP, handle, elsewhere)


def _alias(data: Path, kind: Kind, handle: str, elsewhere: str, *, remove: bool) -> None:
    if remove:
        _with(data, lambda instance: instance.moving.drop_alias(kind, handle, elsewhere), f"Taken back: {elsewhere}.")
    else:
        done = f"{handle} says now that it is also {elsewhere}, which can move here."
        _with(data, lambda instance: instance.moving.add_alias(kind, handle, elsewhere), done)


def _move(data: Path, kind: Kind, handle: str, elsewhere: str) -> None:
    done = f"{handle} has moved to {elsewhere}; followers are being told."
    _with(data, lambda instance: instance.moving.move(kind, handle, elsewhere), done)


# neighbouring networks


@network.command("propose")
def network_propose(
    host: Annotated[str, typer.Argument(help="Their host, e.g. riverside.example")],
    data: Data,
    line_hours: LineHours = None,
    largest_hours: LargestHours = None,
    days: Annotated[int | None, typer.Option(help="How many days a claim waits to be confirmed.")] = None,
) -> None:
    """Propose a link to a neighbouring network; their admin must accept it."""
    done = f"Proposed to {host}. Their admin will be asked."
    _with_network(data, lambda desk: desk.propose(host, line_hours, largest_hours, days), done)


@network.command("accept")
def network_accept(host: Host, data: Data, line_hours: LineHours = None, largest_hours: LargestHours = None) -> None:
    """Accept the link that a neighbouring network proposed."""
    done = f"Accepted. The boards of {host} and ours are linked."
    _with_network(data, lambda desk: desk.accept(host, line_hours, largest_hours), done)


@network.command("pause")
def network_pause(host: Host, data: Data) -> None:
    """Let nothing new go between us; what is under way still finishes."""
    _with_network(data, lambda desk: desk.pause(host), f"Paused: {host}.")


@network.command("resume")
def network_resume(host: Host, data: Data) -> None:
    """Take up a paused link again."""
    _with_network(data, lambda desk: desk.resume(host), f"Resumed: {host}.")


@network.command("end")
def network_end(host: Host, data: Data) -> None:
    """End the link: boards unlinked; the account is closed once it is even."""
    _with_network(data, lambda desk: desk.end(host), f"Ended: {host}.")


@network.command("line")
def network_line(
    host: Host, data: Data, line_hours: Annotated[float, typer.Argument(help="How many hours they may owe us.")]
) -> None:
    """Grant another line; a smaller one than is owed now only stops more."""
    _with_network(data, lambda desk: desk.set_line(host, line_hours), f"The line of {host} is {line_hours:g} hours.")


@network.command("lost")
def network_lost(host: Host, data: Data) -> None:
    """Say that a network is gone for good: nobody waits for it any more."""
    _with_network(data, lambda desk: desk.lost(host), f"Nobody waits for {host} any more.")


@network.command("found")
def network_found(host: Host, data: Data) -> None:
    """Take a network up again that was said to be lost."""
    _with_network(data, lambda desk: desk.found(host), f"{host} is back; our common messages are compared first.")


@network.command("write-off")
def network_write_off(host: Host, data: Data) -> None:
    """Even out the account with a network that is lost or has left, against the community chest."""
    _with_network(data, lambda desk: desk.write_off(host), f"Written off: {host}.")


@network.command("statement")
def network_statement(host: Host, data: Data) -> None:
    """Make a statement with a network now, for it to countersign."""
    _with_network(data, lambda desk: desk.state(host), f"The statement is on its way to {host}.")


@network.command("list")
def network_list(data: Data, as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False) -> None:
    """Show the links with neighbouring networks: status, and the account between us."""
    with instance_of(settings.load(data)) as instance, instance.database.read() as connection:
        rows = networks.overview(connection)
    if as_json:
        print(json.dumps([row.as_json() for row in rows]))  # noqa: T201 - plain, for scripts
        return
    table = Table("network", "status", "they owe us", "we owe them", "line we grant", "line they grant")
    for row in rows:
        figures = (row.they_owe_us, row.we_owe_them, row.line_we_grant, row.line_they_grant)
        table.add_row(row.host, row.status, *(wording.in_figures(minutes) for minutes in figures))
    console.print(table if rows else "No neighbouring networks yet. Propose a link: fedaid network propose HOST")


def _with_network(data: Path, step: networks.DeskStep, done: str) -> None:
    _with(data, lambda instance: step(instance.desk), done)


# the books


@ledger.command("verify")
def ledger_verify(data: Data) -> None:
    """Recompute the whole ledger: sums, holds, the hash chain and every signature. Exit status 1 when it differs."""
    with instance_of(settings.load(data)) as instance, instance.database.read() as connection:
        report = timebank.verify_ledger(connection)
    for finding in report.findings:
        complaints.print(finding, style="red", markup=False)
    if report.findings:
        raise Refused("ledger_broken", f"The ledger does not verify: {len(report.findings)} findings.")
    console.print(
        f"The ledger verifies: {report.accounts} accounts, {report.postings} postings, {report.facts} signed messages."
    )


@ledger.command("export")
def ledger_export(
    data: Data,
    form: Annotated[Format, typer.Option("--format", help="csv, json, or beancount for plain-text accounting.")],
    output: Annotated[Path | None, typer.Option(help="File to write; default: standard output.")] = None,
) -> None:
    """Write the whole journal: every account and every posting, without notes."""
    chosen = settings.load(data)
    with instance_of(chosen) as instance, instance.database.read() as connection:
        journal = timebank.journal(connection, chosen.names, chosen.name, wording.zone(chosen.time_zone))
    written = write_journal(journal, form)
    text = written if isinstance(written, str) else json.dumps(written, ensure_ascii=False, indent=1) + "\n"
    if output is not None:
        output.write_text(text, encoding="utf-8", newline="")
        console.print(f"{len(journal.entries)} postings of {len(journal.accounts)} accounts are in {output}.")
    else:
        sys.stdout.write(text)


@ledger.command("statement")
def ledger_statement(
    user: Annotated[str, typer.Argument(help="Handle of the member.")],
    data: Data,
    signed: Annotated[bool, typer.Option("--signed", help="As JSON with our ledger's proof, without names.")] = False,
) -> None:
    """Print a member's statement, newest last."""
    with instance_of(settings.load(data)) as instance, instance.database.read() as connection:
        found = member_queries.by_handle(connection, user)
        if found is None:
            raise Refused("no_member", f"There is no member {user}.")
        if signed:
            _print_signed(instance, connection, found.actor)
            return
        statement = timebank.statement(connection, found.actor)
    table = Table("day", "what", "state", "hours")
    for line in statement.lines:
        table.add_row(
            wording.day(line.at, found.time_zone), line.what, line.state, wording.in_figures(line.signed_minutes)
        )
    console.print(table)
    console.print(
        f"given {wording.in_figures(statement.given_minutes)}"
        f" · received {wording.in_figures(statement.received_minutes)}"
        f" · balance {wording.in_figures(statement.balance_minutes)}"
    )


def _print_signed(instance: app.Instance, connection: Connection, actor: str) -> None:
    names, now = instance.settings.names, instance.units.clock.now()
    whole = timebank.dated(connection, actor, names.host, None, now)
    print(json.dumps(timebank.signed_statement(connection, names.ledger, actor, whole, now), indent=1))  # noqa: T201


@cli.command("doctor")
def check_up(data: Data, as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False) -> None:
    """Check this instance and say what to mend. Exit status 1 when something is wrong."""
    chosen = settings.load(data)
    findings = asyncio.run(_examine(chosen))
    if as_json:
        print(json.dumps([vars(finding) for finding in findings]))  # noqa: T201 - plain, for scripts
    else:
        for finding in findings:
            mark = "[green]ok[/green]   " if finding.ok else "[red]mend[/red] "
            console.print(f"{mark} {finding.what}", highlight=False, soft_wrap=True)
    if not all(finding.ok for finding in findings):
        raise typer.Exit(EXIT_REFUSED)


async def _examine(chosen: Settings) -> list[doctor.Finding]:
    instance = app.build(chosen, works=False)
    try:
        return await doctor.examine(instance.patient)
    finally:
        await instance.close()


@cli.command("demo")
def show_demo(
    once: Annotated[bool, typer.Option("--once", help="End after the story.")] = False,
    north_port: Annotated[int, typer.Option(help="Port of Northside.")] = play.NORTH_PORT,
    river_port: Annotated[int, typer.Option(help="Port of Riverside.")] = play.RIVER_PORT,
) -> None:
    """Play the main job between two neighbourhoods on this machine, then leave both up for clicking."""
    play.play(once=once, north_port=north_port, river_port=river_port)


@cli.command()
def version() -> None:
    """Print the version."""
    print(__version__)  # noqa: T201 - plain, for scripts


# what only these commands need


def _with(data: Path, step: Callable[[app.Instance], Awaitable[None]], done: str) -> None:
    """Take a step that goes to the network, then say that it is done."""
    chosen = settings.load(data)
    prepare(chosen)

    async def take() -> None:
        instance = app.build(chosen, works=False)
        try:
            await step(instance)
        finally:
            await instance.close()

    asyncio.run(take())
    console.print(done)


@dataclass(frozen=True)
class _Password:
    """``hash`` is what is stored; ``made_up`` the password itself where we made it up, to be shown once."""

    hash: str
    made_up: str = ""


def _new_password(from_stdin: bool) -> _Password:
    """From standard input, asked for twice on a terminal, or where neither is at hand made up and shown."""
    if from_stdin:
        return _Password(members.hash_password(sys.stdin.readline().rstrip("\r\n")))
    if sys.stdin.isatty():
        return _Password(members.hash_password(typer.prompt("Password", hide_input=True, confirmation_prompt=True)))
    made_up = secrets.token_urlsafe(MADE_UP_PASSWORD_BYTES)
    return _Password(members.hash_password(made_up), made_up)


def _show_made_up(password: _Password | None) -> None:
    if password is not None and password.made_up:
        console.print(f"Password, shown this once: {password.made_up}", markup=False, highlight=False, soft_wrap=True)


def _log_as_json(chosen: Settings) -> None:
    level = logging.getLevelNamesMapping()[chosen.log_level.upper()]
    logging.basicConfig(level=level, format="%(message)s", stream=sys.stderr)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
