"""The pages of the board: reading it, putting something on it, answering, and agreeing."""

from collections.abc import Sequence

from starlette.routing import Route

from fedaid.board.limits import BoardLimits
from fedaid.board.pages import act, compose, documents, maps, photos, show
from fedaid.board.pages.show import group_board
from fedaid.foundation.pages import form_page
from fedaid.media.proxy import PictureProxy

__all__ = ["group_board", "routes"]


def routes(limits: BoardLimits, pictures: PictureProxy) -> Sequence[Route]:
    """Everything about the board; a group's own board is reached through ``/@handle``, which people share."""
    return [
        Route("/pictures/{number:int}", show.picture_page(pictures), methods=["GET"]),
        Route("/", show.home, methods=["GET"]),
        Route("/board", show.board_page, methods=["GET"]),
        Route("/board/map", maps.map_page, methods=["GET"]),
        Route("/post", compose.compose_page(limits), methods=["GET"]),
        Route("/post", photos.photo_form(compose.post(limits), limits), methods=["POST"]),
        Route("/post/preview", photos.photo_form(compose.post(limits, compose.PREVIEW), limits), methods=["POST"]),
        Route("/post/keep", photos.photo_form(compose.post(limits, compose.KEEP), limits), methods=["POST"]),
        Route("/post/forget", form_page(compose.forget), methods=["POST"]),
        Route("/post/photo", photos.of_draft, methods=["GET"]),
        Route("/listings/{number:int}", documents.listing(limits), methods=["GET"]),
        Route("/listings/{number:int}/replies", documents.replies(limits), methods=["GET"]),
        Route("/listings/{number:int}/context", documents.context(limits), methods=["GET"]),
        Route("/listings/{number:int}/edit", compose.edit_page, methods=["GET"]),
        Route("/listings/{number:int}/edit", photos.photo_form(compose.edit(limits), limits), methods=["POST"]),
        Route("/listings/{number:int}/edit/photo", photos.of_change, methods=["GET"]),
        Route("/listings/{number:int}/photo", photos.of_listing, methods=["GET"]),
        Route("/listings/{number:int}/respond", form_page(act.respond), methods=["POST"]),
        Route("/listings/{number:int}/withdraw", form_page(act.withdraw_listing), methods=["POST"]),
        Route("/listings/{number:int}/extend", form_page(act.extend_listing(limits)), methods=["POST"]),
        Route("/responses/{number:int}", documents.response_page, methods=["GET"]),
        Route("/responses/{number:int}/accept", form_page(act.accept_response), methods=["POST"]),
        Route("/responses/{number:int}/decline", form_page(act.decline_response), methods=["POST"]),
        Route("/responses/{number:int}/withdraw", form_page(act.withdraw_response), methods=["POST"]),
        Route("/responses/{number:int}/say", form_page(act.say), methods=["POST"]),
        Route("/agreements/{number:int}", documents.agreement_page, methods=["GET"]),
        Route("/matches/{number:int}/done", form_page(act.mark_done(limits)), methods=["POST"]),
        Route("/matches/{number:int}/thank", form_page(act.thank(limits)), methods=["POST"]),
        Route("/matches/{number:int}/cancel", form_page(act.cancel_match), methods=["POST"]),
        Route("/categories/{slug}", show.category, methods=["GET"]),
        Route("/tags/{name}", show.tag, methods=["GET"]),
    ]
