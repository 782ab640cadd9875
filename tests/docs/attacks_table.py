"""The attacks as the explanation shows them, out of the catalogue that the tests run by."""

from tests.attacks.catalogue import CATALOGUE, GROUPS
from tests.attacks.test_catalogue import marked
from tests.docs.pages import table


def attack_sections() -> str:
    """A table for each group: what is tried, what stops it, and the files whose tests send it."""
    return "\n".join(_section(title, first, last) for title, (first, last) in GROUPS.items())


def _section(title: str, first: str, last: str) -> str:
    rows = [
        [
            attack.id,
            f"{attack.name}.{f' {attack.remark}' if attack.remark else ''}",
            "<br>".join(f"`{check}`" for check in attack.checks),
            "<br>".join(f"`tests/{file}`" for file in _files(attack.id)),
        ]
        for attack in CATALOGUE
        if first <= attack.id <= last
    ]
    return f"### {title}\n\n{table(['', 'Attack', 'What stops it', 'Tests'], rows)}"


def _files(attack: str) -> list[str]:
    """Those against a whole instance first."""
    return sorted(
        (file for name, file in marked() if name == attack), key=lambda file: (not file.startswith("attacks/"), file)
    )
