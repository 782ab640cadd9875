"""How somebody comes to belong: the neighbourhood's own words, its questions, its agreement; pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from fedaid.foundation.refused import Refused
from fedaid.foundation.said import said
from fedaid.foundation.text import one_line, without_turning

AREA_CHARACTERS_MAX: Final = 120
ABOUT_CHARACTERS_MAX: Final = 300
QUESTIONS_MAX: Final = 10
QUESTION_CHARACTERS_MAX: Final = 200
ANSWER_CHARACTERS_MAX: Final = 2_000
AGREEMENT_CHARACTERS_MAX: Final = 20_000
SENTENCE_CHARACTERS_MAX: Final = 500


class Joining(StrEnum):
    """How people may come to belong to the neighbourhood."""

    CLOSED = "closed"
    INVITATION = "invitation"
    APPLICATION = "application"
    OPEN = "open"


class ApplicationState(StrEnum):
    """Where an application stands."""

    WAITING = "waiting"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class Answer:
    """What somebody answered to a question, kept with the question as it was asked."""

    question: str
    answer: str


def chosen_joining(typed: str) -> Joining:
    """The way of that name. Raises Refused."""
    try:
        return Joining(typed)
    except ValueError:
        raise Refused("joining_unknown", "Please choose how people join.") from None


def chosen_text(what: str, text: str, characters_max: int) -> str:
    """Several lines, without marks that turn them. Raises Refused when they are too long."""
    tidy = without_turning(text).replace("\r\n", "\n").strip()
    if len(tidy) > characters_max:
        raise Refused(f"{what}_length", said("This holds at most %(count)s characters.", count=characters_max))
    return tidy


def chosen_words(what: str, text: str, characters_max: int) -> str:
    """One line. Raises Refused when it is too long."""
    line = one_line(text)
    if len(line) > characters_max:
        raise Refused(f"{what}_length", said("This line holds at most %(count)s characters.", count=characters_max))
    return line


def chosen_questions(typed: str) -> tuple[str, ...]:
    """The questions of an application, one a line. Raises Refused for too many, or one too long."""
    questions = tuple(one_line(line) for line in typed.splitlines() if line.strip())
    if len(questions) > QUESTIONS_MAX:
        raise Refused(
            "too_many_questions", said("At most %(count)s questions; fewer are answered better.", count=QUESTIONS_MAX)
        )
    for question in questions:
        chosen_words("question", question, QUESTION_CHARACTERS_MAX)
    return questions


def checked_answers(questions: Sequence[str], typed: Sequence[str]) -> tuple[Answer, ...]:
    """Every question with its answer. Raises Refused when one is not answered, or at too great length."""
    answers = [chosen_text("answer", text, ANSWER_CHARACTERS_MAX) for text in typed]
    if len(answers) != len(questions):
        raise Refused("questions_changed", "The questions have changed meanwhile. Please look at them again.", 409)
    for question, answer in zip(questions, answers, strict=True):
        if not answer:
            raise Refused("answer_missing", said("Please answer this as well: %(question)s", question=question))
    return tuple(Answer(question, answer) for question, answer in zip(questions, answers, strict=True))


def checked_uses(uses: int, uses_max: int) -> int:
    """How many people an invitation is for. Raises Refused."""
    if not 1 <= uses <= uses_max:
        raise Refused("invitation_uses", said("An invitation is for 1 to %(count)s people.", count=uses_max))
    return uses


def checked_days(days: int, days_max: int) -> int:
    """How long an invitation is good. Raises Refused."""
    if not 1 <= days <= days_max:
        raise Refused("invitation_days", said("An invitation is good for 1 to %(count)s days.", count=days_max))
    return days


def read_number(typed: str) -> int:
    """A whole number out of a form; what is none reads as 0, which no rule takes."""
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) <= 9 else 0


def check_agreed(needed: int | None, agreed_to: int | None) -> None:
    """Raises Refused when a newcomer has not accepted the agreement that holds now."""
    if needed is None:
        return
    if agreed_to is None:
        raise Refused("agreement_not_accepted", "Please read the agreement and say that you keep to it.")
    if agreed_to != needed:
        raise Refused("agreement_changed", "The agreement has changed meanwhile. Please read it again.", 409)
