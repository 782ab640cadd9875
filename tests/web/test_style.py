"""The style sheet says where things begin and end, never left or right: so one sheet serves both directions."""

import re

from fedaid.web.assets import STATIC

SIDED = re.compile(
    r"(?<![\w-])(?:[a-z-]*(?:left|right)(?:-[a-z]+)?\s*:"  # margin-left, left, border-top-right-radius
    r"|(?:text-align|float|clear|justify-\w+|background-position|transform-origin)\s*:[^;}]*\b(?:left|right)\b"
    r"|translateX\(|to (?:left|right)\b)"
)
# margin: 1px 2px 3px 4px names all four sides in their physical order. (Widths of borders also draw shapes.)
FOUR_SIDES = re.compile(
    r"(?:margin|padding|inset|border-radius)\s*:\s*((?:[^\s;}(]+|\S*\([^)]*\))(?:\s+(?:[^\s;}(]+|\S*\([^)]*\))){3})\s*[;}]"
)


def sided(css: str) -> list[str]:
    """Every declaration that is about left or right."""
    found = SIDED.findall(css)
    for declaration in FOUR_SIDES.finditer(css):
        _, right, _, left = declaration[1].split()
        if right != left:
            found.append(declaration[0])
    return found


def test_the_style_sheet_is_the_same_from_right_to_left() -> None:
    assert sided((STATIC / "style.css").read_text()) == []


def test_what_is_about_left_or_right_is_found() -> None:
    assert sided("a { margin-left: 1px }")
    assert sided("a{left:0}")
    assert sided("a { text-align: right }")
    assert sided("a { border-top-left-radius: 3px; }")
    assert sided("a { padding: 1px 2px 3px 4px; }")
    assert not sided("a { margin-inline-start: 1px; text-align: start; padding: 1px 2px 3px 2px; inset-inline-end: 0 }")
