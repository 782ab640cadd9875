"""Measures how fast an instance is, against what the same machine can do at all: ``make bench``."""
