"""Commands for mails to members: whether the mail server takes them."""

from typing import Annotated

import typer

from fedaid import settings
from fedaid.cli.shared import Data, instance_of, say
from fedaid.foundation.refused import Refused
from fedaid.members.rules import chosen_email
from fedaid.notices.sending import NotTaken

commands = typer.Typer(help="Mails to members.", no_args_is_help=True)


@commands.callback()
def _group() -> None:
    """One command is a group too."""


@commands.command("test")
def test(
    address: Annotated[str, typer.Argument(help="Where the mail goes, e.g. you@mail.example")], data: Data
) -> None:
    """Send one mail to an address, and say what the mail server answered."""
    chosen = settings.load(data)
    to = chosen_email(address)
    if not to:
        raise Refused("email_form", "Say an e-mail address.")
    if not chosen.mail.is_on:
        raise Refused("mail_off", "No mail server is set: write its name as host under [mail] in the settings.")
    with instance_of(chosen) as instance:
        try:
            instance.postman.test(to)
        except NotTaken as not_taken:
            raise Refused("mail_failed", f"The mail was not taken: {not_taken.why}") from None
        say(f"The mail server took it. It comes from {instance.postman.sender}.")
