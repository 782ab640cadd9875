"""What an account may look like: passwords, roles, scopes, time zones, and where to go after signing in; pure."""

import ipaddress
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum

from fedaid.foundation.i18n import LANGUAGES
from fedaid.foundation.refused import Refused
from fedaid.foundation.said import said
from fedaid.foundation.text import one_line
from fedaid.foundation.viewer import Role
from fedaid.foundation.wording import is_zone

PASSWORD_CHARACTERS_MIN = 8  # NIST SP 800-63B
PASSWORD_CHARACTERS_MAX = 1_000  # hashing more would only warm the room
DIFFERENT_LETTERS_TOO_FEW = 2  # aaaaaaaa, abababab
# The first that guessers try, of those long enough (NIST SP 800-63B, 3.1.1.2).
_TRIED_FIRST = (
    "12345678 123456789 1234567890 87654321 11223344 password password1 password12 password123 passw0rd p@ssword "
    "p@ssw0rd qwertyui qwertyuiop qwerty12 qwerty123 qwertz123 1q2w3e4r 1qaz2wsx abcdefgh abcd1234 abc12345 iloveyou "
    "sunshine princess football baseball superman welcome1 welcome123 letmein1 letmein123 changeme changeme1 "
    "trustno1 starwars whatever dragon12 monkey12 computer internet admin123 administrator passwort passwort1 "
    "contrasena contraseña motdepasse"
)
COMMON_PASSWORDS = frozenset(_TRIED_FIRST.split())
EMAIL_CHARACTERS_MAX = 254  # RFC 5321, 4.5.3.1
DEVICE_CHARACTERS_MAX = 200
NOTE_CHARACTERS_MAX = 200
SEARCH_CHARACTERS_MAX = 100
ACCOUNT_KEY_CHARACTERS_MAX = 64
HANDLE_STORED_CHARACTERS_MAX = 64
RETURN_PATH_CHARACTERS_MAX = 2_000
IPV6_HOUSEHOLD_BITS = 64  # one household has a whole /64 to rotate through


class Door(StrEnum):
    """Where tries are counted, each by itself."""

    SIGN_IN = "sign_in"
    JOIN = "join"
    LINK = "link"


# What a token is good for at the JSON API, each with what that means.
SCOPE_WORDS: Mapping[str, str] = {
    "board:read": "read the board, your listings, answers and matches",
    "board:write": "post and change listings, answer, accept, write messages",
    "skills:read": "read who can do what",
    "skills:write": "change what you say you can do",
    "groups:read": "read about groups, and where you belong",
    "groups:write": "join groups, ask to, and leave them",
    "hours:read": "read your hours and statement",
    "hours:write": "give and claim hours, confirm and refuse them",
}
SCOPES = ("read", "write", "follow", *SCOPE_WORDS)
TOKEN_NAME_CHARACTERS_MAX = 60
TOKEN_PREFIX = "fedaid_"  # noqa: S105 - no secret: a token is known by it where it was left lying about


def chosen_password(password: str) -> str:
    """The password, if it is one that we take. Raises Refused."""
    if any(0xD800 <= ord(letter) <= 0xDFFF for letter in password):
        raise Refused("password_form", "This password has letters that cannot be stored.")
    if not PASSWORD_CHARACTERS_MIN <= len(password) <= PASSWORD_CHARACTERS_MAX:
        raise Refused(
            "password_length", said("A password has at least %(count)s characters.", count=PASSWORD_CHARACTERS_MIN)
        )
    if len(set(password)) <= DIFFERENT_LETTERS_TOO_FEW or password.casefold() in COMMON_PASSWORDS:
        raise Refused(
            "password_common", "This password is one of the first that others would try. Please choose another."
        )
    return password


def chosen_email(email: str) -> str:
    """The address, or empty when none was given. Only its shape can be judged here. Raises Refused."""
    address = email.strip()
    name, at, host = address.rpartition("@")
    if address and (
        not (name and at and "." in host) or len(address) > EMAIL_CHARACTERS_MAX or not address.isprintable()
    ):
        raise Refused("email_form", "This does not look like an e-mail address.")
    if any(letter.isspace() for letter in address):
        raise Refused("email_form", "An e-mail address has no spaces.")
    return address


def chosen_role(role: str) -> Role:
    """The role of that name. Raises Refused."""
    try:
        return Role(role)
    except ValueError:
        raise Refused("role_unknown", said("A role is one of: %(value)s.", value=", ".join(Role))) from None


def chosen_time_zone(name: str) -> str:
    """The IANA name, if this machine knows it. Raises Refused."""
    if not is_zone(name):
        raise Refused("time_zone_unknown", "A time zone is named like Europe/London.")
    return name


def chosen_language(code: str) -> str:
    """A language of the pages, or empty. Raises Refused."""
    if code and code not in LANGUAGES:
        raise Refused("language_unknown", "Please choose one of the languages.")
    return code


def chosen_token_name(name: str) -> str:
    """What a token is called by its member. Raises Refused when it is empty or too long."""
    called = one_line(name)
    if not 1 <= len(called) <= TOKEN_NAME_CHARACTERS_MAX:
        raise Refused(
            "token_name",
            said(
                "Please give it a name of 1 to %(count)s letters, so that you know it again.",
                count=TOKEN_NAME_CHARACTERS_MAX,
            ),
        )
    return called


def chosen_scopes(scopes: Iterable[str]) -> tuple[str, ...]:
    """The scopes of a token, each once, in the usual order. Raises Refused for an unknown one or none at all."""
    wanted = set(scopes)
    if unknown := sorted(wanted.difference(SCOPES)):
        raise Refused(
            "scope_unknown",
            said(
                "There is no scope called %(value)s; there are: %(value2)s.",
                value=unknown[0][:40],
                value2=", ".join(SCOPES),
            ),
        )
    if not wanted:
        raise Refused("scope_missing", "A token needs at least one scope.")
    return tuple(scope for scope in SCOPES if scope in wanted)


def check_last_admin(admins: Collection[int], member_id: int) -> None:
    """Raises Refused when nobody would be left to look after the neighbourhood."""
    if member_id in admins and len(admins) == 1:
        raise Refused(
            "last_admin",
            "The last admin stays one: make somebody else an admin first, so that the neighbourhood is looked after.",
            409,
        )


def may_help_in(helper: Role, helped: Role) -> bool:
    """Whether somebody of the first role may make a link with which one of the second chooses a new password.

    With such a link one could become the other, so nobody makes one for somebody who may do as much as they.
    """
    return helper is Role.ADMIN or (helper is Role.COORDINATOR and helped is Role.MEMBER)


def safe_return_path(path: str) -> str:
    """Where to go after signing in: a path of ours, or ``/`` (attack S84).

    Browsers read ``//host`` and ``/\\host`` as another site, and drop control characters before they look.
    """
    if not path.startswith("/") or len(path) > RETURN_PATH_CHARACTERS_MAX or not path.isascii():
        return "/"
    if "//" in path.partition("?")[0] or "\\" in path or not path.isprintable():
        return "/"
    return path


def spelled(password: str) -> bytes:
    """The bytes that are hashed: the same for a password typed on a phone and on a Mac (NIST SP 800-63B, 3.1.1.2)."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")


def account_key(handle: str) -> str:
    """Under what name tries for an account are counted, whether or not there is such an account."""
    key = handle.strip().removeprefix("@").lower()[:ACCOUNT_KEY_CHARACTERS_MAX]
    return key if key.isprintable() else "?"


def address_key(address: str) -> str:
    """Under what name wrong tries from an address are counted: a /64 for IPv6, as one household has all of it."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address[:ACCOUNT_KEY_CHARACTERS_MAX]
    if parsed.version == 4:
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, IPV6_HOUSEHOLD_BITS), strict=False))
