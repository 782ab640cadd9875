"""The pages of the documentation: which there are, and what stands in them."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_FENCE = re.compile(r"^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_GENERATED = re.compile(
    r"(?P<begin><!-- generated: (?P<name>[^>]+) -->\n)(?P<body>.*?)(?P<end><!-- end -->)", re.DOTALL
)
_LINK = re.compile(r"!?\[[^\]]*\]\((?P<target>[^)\s]+)\)")
_HEADING = re.compile(r"^#+ (?P<words>.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block: what is between the fences, in which language, and where."""

    page: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{shown(self.page)}:{self.line}"


def pages() -> Sequence[Path]:
    """Every page, the ones at the top first."""
    top = [ROOT / name for name in ("README.md", "FEDERATION.md", "CHANGELOG.md")]
    return [*top, *sorted((ROOT / "docs").rglob("*.md"))]


def shown(page: Path) -> str:
    """Where a page stands in the repository."""
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path, *languages: str) -> Sequence[Block]:
    """The fenced blocks of a page in these languages, in order; all of them when none is named."""
    text = page.read_text(encoding="utf-8")
    found = [
        Block(page, text.count("\n", 0, match.start()) + 1, match["language"], match["text"])
        for match in _FENCE.finditer(text)
    ]
    return [block for block in found if not languages or block.language in languages]


def prose(page: Path) -> str:
    """What stands outside of the fences."""
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def links(page: Path) -> Sequence[str]:
    """Where the links and pictures of a page lead."""
    return [match["target"] for match in _LINK.finditer(prose(page))]


def anchors(page: Path) -> frozenset[str]:
    """What a link to a heading of this page may say after the #, as GitHub spells it."""
    return frozenset(_slug(match["words"]) for match in _HEADING.finditer(prose(page)))


def _slug(heading: str) -> str:
    bare = re.sub(r"[^\w\- ]", "", heading.lower().replace("`", ""))
    return bare.replace(" ", "-")


def table_cells(page: Path, column: int = 0, heading: str = "") -> Sequence[str]:
    """The cells of one column of the tables of a page, of those under one heading when it is named."""
    text = prose(page)
    if heading:
        _, _, rest = text.partition(f"# {heading}\n")
        text = re.split(r"^#+ ", rest, maxsplit=1, flags=re.MULTILINE)[0]
    rows = [re.split(r"(?<!\\)\|", line.strip().strip("|")) for line in text.splitlines() if line.startswith("|")]
    return [row[column].strip() for row in rows if not set("".join(row)) <= set("-: ")]


def generated_names(page: Path) -> Sequence[str]:
    """The names of the parts of a page that are made from the code."""
    return [match["name"] for match in _GENERATED.finditer(page.read_text(encoding="utf-8"))]


def filled(text: str, make: Callable[[str], str]) -> str:
    """The text of a page with every generated part made anew by its name."""
    return _GENERATED.sub(lambda match: f"{match['begin']}\n{make(match['name'])}\n{match['end']}", text)


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def said(sentence: str) -> str:
    """A sentence of the code as a page says it: attacks' numbers and exceptions mean nothing outside of the code."""
    sentence = re.sub(r"\s*Raises [^.]*\.", "", sentence)
    bare = re.sub(r"\s*\((?:attacks? )?S\d\d(?:(?:,| to| and) S\d\d)*\)", "", sentence)
    return re.sub(r"\((?:attacks? )?S\d\d: ", "(", bare).replace("``", "`")
