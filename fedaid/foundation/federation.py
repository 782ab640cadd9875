"""With whom this instance speaks: one word of the settings that every door, fetch and page goes by."""

from enum import StrEnum


class Federation(StrEnum):
    """``open`` to every server that is not shut out, or to ``neighbours`` only: networks our admin has a link with."""

    OPEN = "open"
    NEIGHBOURS = "neighbours"
