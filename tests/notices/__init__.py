"""Notices: who is told of what, and that nobody reads what is not theirs."""
