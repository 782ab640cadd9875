"""The skills directory: what neighbours can do for each other, when, where, and who may know it."""
