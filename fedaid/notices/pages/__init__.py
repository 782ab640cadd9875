"""The pages of notices: what is new, and what somebody wants to be told of."""

from collections.abc import Sequence

from starlette.routing import Route

from fedaid.board.limits import BoardLimits
from fedaid.foundation.pages import form_page
from fedaid.members.limits import MemberLimits
from fedaid.notices.limits import MailLimits, NoticeLimits
from fedaid.notices.live import Live
from fedaid.notices.pages import centre, choices, keeping, lost
from fedaid.notices.pages.live import live_page


def routes(
    limits: NoticeLimits, mail: MailLimits, member_limits: MemberLimits, board: BoardLimits, live: Live
) -> Sequence[Route]:
    """Everything under /notices, the choices, and the ways that begin in a mail."""
    return [
        Route("/notices", centre.notices_page(limits), methods=["GET"]),
        Route("/notices/live", live_page(live), methods=["GET"]),
        Route("/notices/read", form_page(centre.read_all), methods=["POST"]),
        Route("/notices/{number:int}/open", form_page(centre.open_notice), methods=["POST"]),
        Route("/me/notices", choices.choices_page, methods=["GET"]),
        Route("/me/notices", form_page(choices.choose), methods=["POST"]),
        Route("/unsubscribe", choices.unsubscribe_page, methods=["GET"]),
        Route("/unsubscribe", form_page(choices.unsubscribe), methods=["POST"]),
        Route("/keep-longer", keeping.keeping_page, methods=["GET"]),
        Route("/keep-longer", form_page(keeping.keep_longer(board)), methods=["POST"]),
        Route("/recover/mail", lost.lost_page, methods=["GET"]),
        Route("/recover/mail", form_page(lost.ask_for_link(mail, member_limits)), methods=["POST"]),
    ]
