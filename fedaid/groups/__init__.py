"""Groups by topic or place; each group is a board, an ActivityPub Group that people and other boards follow."""
