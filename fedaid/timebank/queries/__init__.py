"""Reads of the timebank for pages and scripts: people's hours, shared purses, other networks, and the whole journal."""

from fedaid.timebank.audit import LedgerReport, verify_ledger
from fedaid.timebank.queries.holders import (
    Holder,
    SharedAccount,
    groups_without_account,
    holder,
    may_act_for,
    purses,
    represented,
    shared_accounts,
)
from fedaid.timebank.queries.hours import (
    Hour,
    Question,
    Statement,
    StatementLine,
    account_of,
    for_engagement,
    questions,
    statement,
    transfer_for,
    under_way,
    waiting_for,
    waits_for,
)
from fedaid.timebank.queries.journal import journal
from fedaid.timebank.queries.peers import AlarmRow, PeerAccount, alarms, peer_by_actor, peer_by_host, peers
from fedaid.timebank.queries.statements import DatedLine, DatedStatement, dated, monthly, signed_statement
from fedaid.timebank.rows import Account

__all__ = [
    "Account",
    "AlarmRow",
    "DatedLine",
    "DatedStatement",
    "Holder",
    "Hour",
    "LedgerReport",
    "PeerAccount",
    "Question",
    "SharedAccount",
    "Statement",
    "StatementLine",
    "account_of",
    "alarms",
    "dated",
    "for_engagement",
    "groups_without_account",
    "holder",
    "journal",
    "may_act_for",
    "monthly",
    "peer_by_actor",
    "peer_by_host",
    "peers",
    "purses",
    "questions",
    "represented",
    "shared_accounts",
    "signed_statement",
    "statement",
    "transfer_for",
    "under_way",
    "verify_ledger",
    "waiting_for",
    "waits_for",
]
