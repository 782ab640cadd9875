"""``python -m fedaid`` is the command line."""

from fedaid.cli import main

main()
