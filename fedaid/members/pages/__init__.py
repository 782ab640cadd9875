"""The pages of accounts: coming in and going out, joining, the agreement, coming in again, and one's own account."""

from collections.abc import Sequence

from starlette.routing import Route

from fedaid.foundation.pages import form_page
from fedaid.members.limits import MemberLimits
from fedaid.members.pages import account, agreement, joining, recover, sign_in, tokens
from fedaid.members.pages.sign_in import profile, recogniser

__all__ = ["profile", "recogniser", "routes"]


def routes(limits: MemberLimits) -> Sequence[Route]:
    """Everything about one's account. The profile is reached through ``/@handle``, which boards share."""
    return [
        Route("/sign-in", sign_in.sign_in_page, methods=["GET"]),
        Route("/sign-in", form_page(sign_in.sign_in(limits)), methods=["POST"]),
        Route("/sign-out", form_page(sign_in.sign_out), methods=["POST"]),
        Route("/join", joining.join_page, methods=["GET"]),
        Route("/join", form_page(joining.join(limits)), methods=["POST"]),
        Route("/application", joining.application_page, methods=["GET"]),
        Route("/application", form_page(joining.withdraw), methods=["POST"]),
        Route("/agreement", agreement.agreement_page, methods=["GET"]),
        Route("/agreement", form_page(agreement.accept), methods=["POST"]),
        Route("/recover", recover.recover_page, methods=["GET"]),
        Route("/recover", form_page(recover.recover(limits)), methods=["POST"]),
        Route("/me/account", account.account_page, methods=["GET"]),
        Route("/me/tokens", tokens.tokens_page, methods=["GET"]),
        Route("/me/tokens", form_page(tokens.make(limits)), methods=["POST"]),
        Route("/me/tokens/end", form_page(tokens.end), methods=["POST"]),
        *(Route(f"/me/account/{what}", form_page(step), methods=["POST"]) for what, step in account.steps(limits)),
    ]
