"""The mail server that takes our mail; alone speaks SMTP (RFC 5321)."""

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.message import EmailMessage

from fedaid.notices.limits import MailLimits, Security

PERMANENT = range(500, 600)  # RFC 5321, 4.2.1


class NotTaken(Exception):
    """A mail was not taken. ``refused``: its reader has no such address, so trying again is of no use."""

    def __init__(self, why: str, *, refused: bool = False) -> None:
        super().__init__(why)
        self.why = why
        self.refused = refused


class MailServer:
    """Sends one mail after the other, each over a line of its own. It blocks: call it in a thread."""

    def __init__(self, limits: MailLimits) -> None:
        self._limits = limits

    def send(self, message: EmailMessage) -> None:
        """Hand a mail over. Raises NotTaken."""
        try:
            with self._line() as line:
                line.send_message(message)
        except smtplib.SMTPRecipientsRefused as refused:
            code, said = next(iter(refused.recipients.values()))
            raise NotTaken(f"the address was refused: {_said(code, said)}", refused=code in PERMANENT) from None
        except smtplib.SMTPResponseException as answer:
            raise NotTaken(f"the mail server said {_said(answer.smtp_code, answer.smtp_error)}") from None
        except (OSError, smtplib.SMTPException, ValueError) as failure:
            raise NotTaken(f"the mail server could not be used: {type(failure).__name__}") from None

    @contextmanager
    def _line(self) -> Iterator[smtplib.SMTP]:
        limits, context = self._limits, ssl.create_default_context()
        if limits.security is Security.TLS:
            line: smtplib.SMTP = smtplib.SMTP_SSL(
                limits.host, limits.port, timeout=limits.try_seconds_max, context=context
            )
        else:
            line = smtplib.SMTP(limits.host, limits.port, timeout=limits.try_seconds_max)
        try:
            if limits.security is Security.STARTTLS:
                line.starttls(context=context)
            if limits.account:
                line.login(limits.account, limits.secret)
            yield line
        finally:
            with suppress(smtplib.SMTPException, OSError):
                line.quit()


def _said(code: int, said: bytes | str) -> str:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return f"{code} {' '.join(text.split())}"
