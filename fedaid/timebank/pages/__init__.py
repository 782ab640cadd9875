"""The hours' pages: what I gave and received, answering what waits, statements, and how we trade with neighbours."""

from collections.abc import Sequence

from starlette.routing import Route

from fedaid.foundation.pages import form_page
from fedaid.timebank import commands
from fedaid.timebank.limits import TimebankLimits
from fedaid.timebank.pages import correct, hours, purses, question, statement, trade

__all__ = ["routes"]


def routes(limits: TimebankLimits, contact: str) -> Sequence[Route]:
    """One address for each thing a member can do with their hours, and what we tell other networks.

    Giving and claiming hours stand with the pages that know the board too, in fedaid.web.hours.
    ``contact`` is an e-mail or web address for people outside; empty where there is none.
    """
    answers = {
        "confirm": hours.answer(limits, commands.confirm, "hours_confirmed", makes_room=True),
        "refuse": hours.answer(limits, commands.refuse, "hours_refused"),
        "withdraw": hours.answer(limits, commands.withdraw, "hours_withdrawn"),
    }
    return [
        Route("/about/trade", trade.trade_page(limits, contact), methods=["GET"]),
        Route("/hours", hours.hours_page(limits), methods=["GET"]),
        *(Route(f"/hours/{what}", form_page(answer), methods=["POST"]) for what, answer in answers.items()),
        Route("/hours/question", form_page(question.ask(limits)), methods=["POST"]),
        Route("/hours/answer", form_page(question.answer), methods=["POST"]),
        Route("/hours/questions", question.questions_page, methods=["GET"]),
        Route("/hours/correct", correct.correct_page, methods=["GET"]),
        Route("/hours/correct", form_page(correct.correct(limits)), methods=["POST"]),
        Route("/hours/settings", form_page(hours.settings), methods=["POST"]),
        Route("/hours/statement", statement.statement_page, methods=["GET"]),
        Route("/hours/statement.csv", statement.statement_csv, methods=["GET"]),
        Route("/hours/statement.json", statement.statement_json, methods=["GET"]),
        Route("/hours/shared", purses.purses_page, methods=["GET"]),
        *(Route(f"/hours/shared/{what}", form_page(step), methods=["POST"]) for what, step in purses.STEPS.items()),
    ]
