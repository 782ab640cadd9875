"""The limit of deliveries: nothing but RSA-2048 signatures, one after another; prints how many fit in a CPU second."""

import sys
import time

from activitypub.keys import generate_rsa
from activitypub.signatures.algorithms import sign_bytes

BASE = b"x" * 400  # about as long as what a signature of a request covers


def main() -> None:
    """The program: ``python -m tests.bench.signing COUNT``."""
    count = int(sys.argv[1])
    key = generate_rsa()
    began = time.process_time()
    for _ in range(count):
        sign_bytes(key, BASE)
    print(count / (time.process_time() - began))  # noqa: T201 - what the program is for


if __name__ == "__main__":
    main()
