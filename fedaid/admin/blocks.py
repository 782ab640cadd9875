"""The desk for who is not welcome: what is laid on whom, and block lists taken over and given away."""

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from fedaid.foundation.i18n import gettext as _
from fedaid.foundation.refused import Refused
from fedaid.foundation.said import said
from fedaid.foundation.work import Work
from fedaid.network import commands, queries
from fedaid.network.commands import Decision
from fedaid.network.queries import Restriction
from fedaid.network.rules import LINKED
from fedaid.network.rules.block_lists import BlockList, Outcome, Unreadable, Weighed, weigh, write
from fedaid.network.rules.restrictions import Severity, Terms

SHOWN_MAX = 200
OUTCOME_WORDS: Mapping[Outcome, str] = {
    Outcome.NEW: "new",
    Outcome.STRICTER: "made stricter",
    Outcome.SAME: "there already",
    Outcome.KEPT: "left: it is stricter here",
    Outcome.NEIGHBOUR: "left: it would cover a neighbouring network",
    Outcome.OURS: "left: it would cover this network",
    Outcome.TWICE: "left: it stands in the list twice",
}
UNREADABLE = "unreadable"
_WORDS_OF = {str(outcome): words for outcome, words in OUTCOME_WORDS.items()}
_COUNTS = re.compile(f"(?:(?:{'|'.join([*_WORDS_OF, UNREADABLE])})=\\d+ ?)+")


@dataclass(frozen=True)
class Found:
    """What is laid on whom, as far as it was asked for, and how much there is of it altogether."""

    restrictions: Sequence[Restriction]
    matching: int
    total: int


def find(connection: Connection, text: str = "") -> Found:
    """Restrictions whose target or reason holds the text, by name; at most SHOWN_MAX of them."""
    everything = queries.restrictions(connection)
    wanted = text.strip().lower()
    found = [one for one in everything if wanted in one.target.name or wanted in one.terms.reason.lower()]
    return Found(found[:SHOWN_MAX], len(found), len(everything))


def read_severity(text: str) -> Severity:
    """The severity somebody chose. Raises Refused."""
    try:
        return Severity(text)
    except ValueError:
        raise Refused("severity", said("Say one of: %(value)s.", value=", ".join(Severity))) from None


@dataclass(frozen=True)
class Preview:
    """What would become of every line of a list, or what has."""

    weighed: Sequence[Weighed]
    unreadable: Sequence[Unreadable]

    @property
    def taken(self) -> Sequence[Weighed]:
        return [one for one in self.weighed if one.is_taken]

    @property
    def neighbours(self) -> Sequence[Weighed]:
        """The lines that would shut out a network we have a link with; each is taken only when the admin says so."""
        return [one for one in self.weighed if one.outcome is Outcome.NEIGHBOUR]

    @property
    def left(self) -> Sequence[Weighed]:
        """The other lines that are not taken, each for a reason worth telling."""
        quiet = {Outcome.NEW, Outcome.STRICTER, Outcome.NEIGHBOUR, Outcome.SAME}
        return [one for one in self.weighed if one.outcome not in quiet]

    @property
    def summary(self) -> str:
        """How many lines came to what, in the reader's language."""
        return counts_in_words(self.counts)

    @property
    def counts(self) -> str:
        """The same in no language, as the log keeps it: ``new=3 same=1 unreadable=2``."""
        found = Counter(one.outcome for one in self.weighed)
        told = [f"{outcome}={found[outcome]}" for outcome in OUTCOME_WORDS if found[outcome]]
        return " ".join([*told, *([f"{UNREADABLE}={len(self.unreadable)}"] if self.unreadable else [])])


def counts_in_words(counts: str) -> str:
    """What the log keeps of a list that was taken over, in the reader's language; what is written otherwise stays."""
    if counts and not _COUNTS.fullmatch(counts):
        return counts  # an older log kept a sentence
    pairs = (one.partition("=")[::2] for one in counts.split())
    return "; ".join(_counted(what, number) for what, number in pairs) or _("nothing")


def _counted(what: str, number: str) -> str:
    return _("%(count)s cannot be read", count=number) if what == UNREADABLE else f"{number} {_(_WORDS_OF[what])}"


def preview(connection: Connection, found: BlockList, our_host: str, also: Collection[str] = ()) -> Preview:
    """What would become of each line. ``also`` are lines that shut out a neighbour and shall be taken all the same."""
    present = {one.target.name: one.terms for one in queries.restrictions(connection)}
    linked = [one.host for one in queries.neighbours(connection) if one.status in LINKED]
    return Preview(weigh(found.entries, present, linked, our_host, also), found.unreadable)


def take(work: Work, found: BlockList, by: str = "", also: Collection[str] = ()) -> Preview:
    """Take the list over, all of it or nothing, and say what became of each line."""
    weighed = preview(work.connection, found, work.names.host, also)
    commands.restrict_all(work, [(one.entry.target, one.entry.terms) for one in weighed.taken], by)
    commands.write_down(work, Decision.IMPORT, str(len(weighed.taken)), weighed.counts, by)
    return weighed


def export(connection: Connection) -> str:
    """The blocked and limited hosts as a list that Mastodon reads. Single actors do not stand on such a list."""
    return write((one.target, one.terms) for one in queries.restrictions(connection))


def terms_in_words(terms: Terms) -> str:
    """What is laid, in a few words."""
    words = {Severity.BLOCK: _("blocked"), Severity.LIMIT: _("limited"), Severity.NONE: ""}[terms.severity]
    more = [_("no pictures")] * terms.rejects_media + [_("no reports")] * terms.rejects_reports
    return ", ".join(part for part in (words, *more) if part)
