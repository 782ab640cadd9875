"""The pages of groups: finding one, making one, belonging to it, and looking after it."""

from collections.abc import Sequence

from starlette.routing import Route

from fedaid.foundation.pages import form_page
from fedaid.groups.limits import GroupLimits
from fedaid.groups.pages import belong, look_after, show

__all__ = ["routes"]


def routes(limits: GroupLimits) -> Sequence[Route]:
    """Everything about groups but their boards, which are reached through ``/@handle``, and their queues."""
    return [
        Route("/groups", show.groups_page(limits), methods=["GET"]),
        Route("/new-group", look_after.new_page, methods=["GET"]),
        Route("/new-group", form_page(look_after.found(limits)), methods=["POST"]),
        Route("/groups/{handle}/about", show.about_page, methods=["GET"]),
        Route("/groups/{handle}/join", form_page(belong.join), methods=["POST"]),
        Route("/groups/{handle}/apply", form_page(belong.apply(limits)), methods=["POST"]),
        Route("/groups/{handle}/withdraw", form_page(belong.withdraw), methods=["POST"]),
        Route("/groups/{handle}/leave", form_page(belong.leave), methods=["POST"]),
        Route("/groups/{handle}/members", show.members_page(limits), methods=["GET"]),
        Route("/groups/{handle}/members", form_page(look_after.take_in(limits)), methods=["POST"]),
        Route("/groups/{handle}/members/{number}/role", form_page(look_after.give_role(limits)), methods=["POST"]),
        Route("/groups/{handle}/members/{number}/out", form_page(look_after.take_out(limits)), methods=["POST"]),
        Route("/groups/{handle}/settings", look_after.settings_page, methods=["GET"]),
        Route("/groups/{handle}/settings", form_page(look_after.keep_settings), methods=["POST"]),
    ]
