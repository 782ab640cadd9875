"""The column in which PostgreSQL keeps what it compares words with, which it made anew for each row before."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

VECTOR = "tsvector GENERATED ALWAYS AS (array_to_tsvector(string_to_array(words, ' '))) STORED"


def upgrade() -> None:
    """Old code does not know the column; without its own index it looks for words more slowly meanwhile."""
    if op.get_bind().dialect.name != "postgresql":
        return
    op.execute(f"ALTER TABLE listing_search ADD COLUMN IF NOT EXISTS words_vector {VECTOR}")
    op.execute("DROP INDEX listing_search_index")
    op.execute("CREATE INDEX listing_search_index ON listing_search USING gin (words_vector) WITH (fastupdate = off)")
