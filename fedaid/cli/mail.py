"""Commands for mails to members: whether the mail server takes them."""

from typing import Annotated

import typer

from fedaid import settings
from fedaid.cli.shared import Data, instance_of, say

commands = typer.Typer(help="Mails to members.", no_args_is_help=True)


@commands.callback()
def _group() -> None:
    """One command is a group too."""


@commands.command("test")
def test(
    address: Annotated[str, typer.Argument(help="Where the mail goes, e.g. you@mail.example")], data: Data
) -> None:
    """Send one mail to an address, and say what the mail server answered."""
    with instance_of(settings.load(data)) as instance:
        instance.postman.test(address)
        say(f"The mail server took it. It comes from {instance.postman.sender}.")
