"""What a group may say about itself; pure."""

from fedaid.foundation.refused import Refused
from fedaid.foundation.text import one_line

LINE_CHARACTERS_MAX = 200


def chosen_line(what: str, text: str) -> str:
    """One line about the group, its ``topic`` or ``place``. Raises Refused when it is too long."""
    line = one_line(text)
    if len(line) > LINE_CHARACTERS_MAX:
        raise Refused(f"{what}_length", f"The {what} of a group has at most {LINE_CHARACTERS_MAX} characters.")
    return line
