"""How mails are written and handed to the mail server."""

from fedaid.notices.sending.postman import Postman
from fedaid.notices.sending.server import MailServer, NotTaken

__all__ = ["MailServer", "NotTaken", "Postman"]
