"""``make bench``: every figure, or those that are named; one line of JSON for each, and a page of all."""

import argparse
import sys

from tests.bench import page
from tests.bench.bench import opened
from tests.bench.figures import FIGURES
from tests.bench.measure import Figure


def main() -> None:
    """The command. The page is written when all figures were measured."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("names", nargs="*", metavar="NAME", help=f"some of: {', '.join(FIGURES)}")
    names = asked.parse_args().names or list(FIGURES)
    unknown = sorted(set(names) - set(FIGURES))
    if unknown:
        sys.exit(f"There is no figure {', '.join(unknown)}; there are: {', '.join(FIGURES)}")
    measured: list[Figure] = []
    with opened() as bench:
        for name in names:
            measured.append(FIGURES[name](bench))
            print(measured[-1].line(), flush=True)  # noqa: T201 - what the program is for
    if names == list(FIGURES):
        page.write(measured)


if __name__ == "__main__":
    main()
