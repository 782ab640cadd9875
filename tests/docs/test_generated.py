"""What is made from the code stands on the pages exactly as the code makes it now: ``make docs`` writes it anew."""

from pathlib import Path

import pytest

from tests.docs.examples import CONTEXTS, examples
from tests.docs.pages import filled, generated_names, pages, shown
from tests.docs.write import MAKERS, make

WITH_PARTS = [page for page in pages() if generated_names(page)]


@pytest.mark.parametrize("page", WITH_PARTS, ids=shown)
def test_a_page_says_what_the_code_says(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert text == filled(text, make), f"run make docs: {shown(page)} is out of date"


def test_everything_that_can_be_made_stands_on_one_page() -> None:
    named = [name for page in WITH_PARTS for name in generated_names(page)]
    made = {*MAKERS, *(f"example {name}" for name in examples().shown), *(f"context {name}" for name in CONTEXTS)}
    assert sorted(named) == sorted(made)


def test_a_part_with_an_unknown_name_is_an_error() -> None:
    with pytest.raises(KeyError):
        filled("<!-- generated: example nothing -->\n<!-- end -->", make)
