"""Every table is documented, and no other."""

import fedaid.app  # noqa: F401 - defines every table
import inbox.tables
import outbox.tables
from fedaid.foundation.database import metadata
from tests.docs.pages import ROOT, table_cells

PAGE = ROOT / "docs/reference/database.md"


def test_every_table_is_documented() -> None:
    tables = {*metadata.tables, *inbox.tables.metadata.tables, *outbox.tables.metadata.tables}
    cells = [cell.strip("`") for cell in table_cells(PAGE) if cell != "Table"]
    assert sorted(cells) == sorted(tables)
