"""Draws a link as a code that a phone's camera reads."""

import segno

UNIT = 6  # pixels of one square


def picture_of(link: str) -> str:
    """The code as SVG, to be put into a page as it is; black on white in dark pages too, as cameras need it."""
    return segno.make(link, error="m", micro=False).svg_inline(scale=UNIT, border=4, dark="#000", light="#fff")
