"""Writes the generated parts of the pages: ``make docs``. A test fails when a page has not what this would write."""

from collections.abc import Callable, Mapping

from activitypub.signatures import sign_draft_cavage, sign_rfc9421
from tests.docs import (
    api_table,
    attacks_table,
    commands_table,
    examples,
    ladder_table,
    metrics_table,
    pages,
    routes_table,
    settings_table,
    states_table,
)

# A part is named in its page, with one word more where it needs one: ``<!-- generated: example follow -->``.
MAKERS: Mapping[str, Callable[[], str]] = {
    "settings": settings_table.instance_table,
    "limits": settings_table.room_tables,
    "attacks": attacks_table.attack_sections,
    "commands": commands_table.command_sections,
    "addresses": routes_table.addresses_table,
    "api operations": api_table.operations_table,
    "api scopes": api_table.scopes_table,
    "ladder": ladder_table.ladder_table,
    "metrics of process": metrics_table.of_process_table,
    "metrics held": metrics_table.held_table,
    "payer states": states_table.payer_table,
    "payee states": states_table.payee_table,
    "signed draft-cavage": lambda: examples.signed(sign_draft_cavage),
    "signed rfc9421": lambda: examples.signed(sign_rfc9421),
}
MAKERS_BY_WORD: Mapping[str, Callable[[str], str]] = {"example": examples.shown, "context": examples.context}


def make(name: str) -> str:
    """The generated part of this name. Raises KeyError when there is no such part."""
    word, _, rest = name.partition(" ")
    return MAKERS_BY_WORD[word](rest) if word in MAKERS_BY_WORD else MAKERS[name]()


def main() -> None:
    """Writes every page anew that needs it, and says which."""
    for page in pages.pages():
        before = page.read_text(encoding="utf-8")
        after = pages.filled(before, make)
        if after != before:
            page.write_text(after, encoding="utf-8")
            print("written:", pages.shown(page))  # noqa: T201 - what the program is for


if __name__ == "__main__":
    main()
