"""FEP-8fcf: the digest of the FEP's own example, and its header read back, or ignored."""

import hashlib

import pytest

from activitypub.synchronization import HEADER_CHARACTERS_MAX, Synchronization, digest_of, parse_header
from tests.activitypub.vectors import vector

FEP = vector("fep/fep-8fcf.json")
SAID = Synchronization(
    "https://example.org/users/1/followers", "https://example.org/users/1/followers_synchronization", FEP["digest"]
)


def test_the_digest_of_the_fep_comes_out() -> None:
    assert digest_of(FEP["followers"]) == FEP["digest"]
    assert [digest_of([follower]) for follower in FEP["followers"]] == FEP["sha256"]
    assert FEP["sha256"][0] == hashlib.sha256(FEP["followers"][0].encode()).hexdigest()


def test_the_digest_does_not_depend_on_order_or_repetition() -> None:
    first, second = FEP["followers"]
    assert digest_of([second, first, second]) == FEP["digest"]
    assert digest_of([]) == "0" * 64


def test_the_header_of_the_fep_is_written_and_read() -> None:
    assert SAID.header() == (
        'collectionId="https://example.org/users/1/followers", '
        'url="https://example.org/users/1/followers_synchronization", '
        f'digest="{FEP["digest"]}"'
    )
    assert parse_header(SAID.header()) == SAID
    assert parse_header(SAID.header().replace(", ", ",").replace(FEP["digest"], FEP["digest"].upper())) == SAID


@pytest.mark.parametrize(
    "header",
    [
        "",
        "nonsense",
        'collectionId="https://example.org/users/1/followers"',
        SAID.header().replace(FEP["digest"], ""),
        SAID.header().replace(FEP["digest"], FEP["digest"][:-1]),
        SAID.header().replace(FEP["digest"], "z" * 64),
        SAID.header() + ', digest="' + "0" * 64 + '"',
        SAID.header() + ",",
        SAID.header() + " " * HEADER_CHARACTERS_MAX,
    ],
)
def test_a_header_that_cannot_be_read_says_nothing(header: str) -> None:
    assert parse_header(header) is None
