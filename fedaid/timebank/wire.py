"""The timebank on the wire: what arrives at the ledger's inbox, as the command it means.

What goes out is not announced here: a ledger's message is a signed fact, made and stored with the posting itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from activitypub.documents import Activity, parse_actor
from activitypub.identifiers import UrlRules
from fedaid.actors.commands import remember
from fedaid.foundation.refused import Refused
from fedaid.foundation.work import Announcer, Work
from fedaid.members.commands import MemberAdded
from fedaid.timebank import peering
from fedaid.timebank.commands import FindAgreed, open_account, receive, receive_paper
from fedaid.timebank.commands.receive import nothing_agreed
from fedaid.timebank.limits import TimebankLimits
from fedaid.timebank.rules.books import AccountKind
from fedaid.timebank.rules.terms import CLEARING_AGREEMENT
from inbox.ports import Handler, Letter

Fetched = Mapping[str, Mapping[str, Any]]
# A ledger's message may come again, and is answered again: the inbox must not keep a repeated letter from us.
LEDGER_INBOX = "/ledger/inbox"
LEDGER_TYPES = frozenset({"Invite", "Offer", "Undo", "Accept", "Reject", "Create", "Update"})


def handlers(
    rules: UrlRules, limits: TimebankLimits, find_agreed: FindAgreed = nothing_agreed
) -> Mapping[str, Sequence[Handler[Work]]]:
    """Who takes what, by the type of the activity. ``find_agreed`` knows what was agreed on the board."""
    return {kind: (LedgerHandler(rules, limits, find_agreed),) for kind in LEDGER_TYPES}


@dataclass(frozen=True)
class LedgerHandler:
    """Takes whatever is addressed to our ledger, and nothing else (attack S56)."""

    rules: UrlRules
    limits: TimebankLimits
    find_agreed: FindAgreed

    def wants(self, activity: Activity) -> Sequence[str]:
        """For a proposal the ledger's own document, which shows its present key. Else nothing: keys are pinned."""
        return (activity.actor.text,) if activity.type == "Offer" and _is_clearing(activity.object) else ()

    def apply(self, work: Work, letter: Letter, fetched: Fetched) -> bool:
        """Take a ledger's message. Raises Refused or ProtocolError for one that is not to be believed."""
        if letter.activity.to != (work.names.ledger,):
            return False
        sender, document = letter.sender.actor.text, letter.activity.raw
        if "fa:transfer" in document:
            self._check_people(letter.activity)
            receive(work, self.limits, sender, document, self.find_agreed)
        elif "fa:channel" in document:
            receive_paper(work, self.limits, sender, document)
        else:
            self._meet(work, sender, fetched)
            self._apply_peering(work, sender, letter.activity)
        return True

    def _meet(self, work: Work, sender: str, fetched: Fetched) -> None:
        """The ledger's document, just fetched from where it says it is: a key that was lost has a successor there."""
        if sender in fetched:
            actor = parse_actor(fetched[sender], self.rules, work.now)
            if actor.id.text == sender:
                remember(work, actor)

    def _apply_peering(self, work: Work, sender: str, activity: Activity) -> None:
        if activity.type == "Offer" and _is_clearing(activity.object):
            peering.receive_proposal(work, sender, activity.raw, self.limits)
        elif activity.type == "Accept" and _is_clearing(activity.raw.get("result")):
            peering.receive_agreement(work, sender, activity.raw)
        elif activity.type in ("Reject", "Undo"):
            peering.receive_farewell(work, sender, activity.raw, self.limits)
        else:
            raise Refused("message_kind", "The ledger does not take such messages.")

    def _check_people(self, activity: Activity) -> None:
        """Both sides of a commitment are named by an address this server would speak to."""
        agreement = activity.object if isinstance(activity.object, Mapping) else {}
        commitment = agreement.get("stipulatesReciprocal")
        if isinstance(commitment, Mapping):
            self.rules.parse(commitment.get("provider"))
            self.rules.parse(commitment.get("receiver"))


def _is_clearing(agreement: object) -> bool:
    types = agreement.get("type") if isinstance(agreement, Mapping) else None
    return isinstance(types, list) and CLEARING_AGREEMENT in types


def announcers(limits: TimebankLimits) -> Mapping[type, Sequence[Announcer]]:
    """What the timebank does when something happens in the rooms below: a new member gets an account."""

    def welcome(work: Work, fact: object) -> None:
        if isinstance(fact, MemberAdded):
            floor = limits.member_floor_minutes
            open_account(work, AccountKind.MEMBER, fact.member.actor, floor_minutes=floor)

    return {MemberAdded: (welcome,)}
