"""Whole ledgers under a seeded scheduler: lost letters, crashes, restored databases, lying peers; one seed replays all."""
