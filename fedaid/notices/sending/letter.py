"""Writes mails: plain text with HTML beside it, out of what its reader may see at this moment."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment

from fedaid.foundation import i18n
from fedaid.foundation.names import Names
from fedaid.foundation.text import one_line
from fedaid.members.queries import Member
from fedaid.notices.sending.server import NotTaken


@dataclass(frozen=True)
class Letterhead:
    """What stands on every mail.

    templates  those of the pages; plain text is made with the same, without escaping
    sender     the address mails come from
    called     the neighbourhood's name
    """

    templates: Environment
    names: Names
    sender: str
    called: str


def write(head: Letterhead, mail_id: int, to: Member, template: str, now: datetime, **values: Any) -> EmailMessage:
    """The mail from ``template`` (``.txt``, whose block ``subject`` is the subject, and ``.html``), in the language
    that is spoken just now. Raises NotTaken."""
    language = {"language": i18n.spoken(), "direction": i18n.direction()}
    seen = {"called": head.called, "origin": head.names.origin, "reader": to, **language, **values}
    plain = head.templates.overlay(autoescape=False).get_template(f"{template}.txt")
    subject = "".join(plain.blocks["subject"](plain.new_context(seen)))
    message = EmailMessage()
    message["Subject"] = one_line(subject)
    message["From"] = Address(one_line(head.called), addr_spec=head.sender)
    message["To"] = _address(to)
    message["Date"] = format_datetime(now)
    message["Message-ID"] = f"<mail-{mail_id}@{head.names.host.partition(':')[0]}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday answers, please
    message.set_content(plain.render(seen))
    message.add_alternative(head.templates.get_template(f"{template}.html").render(seen), subtype="html")
    return message


def _address(to: Member) -> Address:
    try:
        return Address(one_line(to.name), addr_spec=to.email)
    except (ValueError, IndexError, MessageError):  # what the library says of an address that it cannot read
        raise NotTaken("the address cannot be written to", refused=True) from None


def with_unsubscribing(message: EmailMessage, links: Mapping[str, str]) -> EmailMessage:
    """The mail, with the one-click way out in its head (RFC 2369, RFC 8058)."""
    message["List-Unsubscribe"] = f"<{links['unsubscribe']}>"
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return message


def keeping_link(names: Names, token: str) -> str:
    """Where a listing is kept longer without signing in."""
    return f"{names.origin}/keep-longer?{urlencode({'token': token})}"


def unsubscribe_link(names: Names, token: str) -> str:
    """Where a reader ends mails about notices without signing in."""
    return f"{names.origin}/unsubscribe?{urlencode({'token': token})}"
