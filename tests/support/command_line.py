"""Runs commands in this process, as the program does: most of their time would go into starting Python."""

import io
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from threading import Lock

import pytest

from fedaid import cli

_ONE_AT_A_TIME = Lock()  # arguments, input and output belong to the whole process


@dataclass(frozen=True)
class Ended:
    """What a command printed, and its exit status."""

    returncode: int
    stdout: str
    stderr: str


def fedaid(*words: str, given: str = "") -> Ended:
    """Run ``fedaid`` with these words, and this on its standard input."""
    out, err = io.StringIO(), io.StringIO()
    with _ONE_AT_A_TIME, pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "argv", ["fedaid", *words])
        patch.setattr(sys, "stdin", io.StringIO(given))
        with pytest.raises(SystemExit) as end:
            cli.main()
    return Ended(int(end.value.code or 0), out.getvalue(), err.getvalue())
