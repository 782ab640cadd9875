"""Takes the signed messages that are about no single transfer: statements, answers to them, and new keys."""

from fedaid.foundation.work import Work
from fedaid.timebank import rows
from fedaid.timebank.commands import books, channel, keys, statements, waiting
from fedaid.timebank.commands.receive import peer_of, take_new
from fedaid.timebank.limits import TimebankLimits
from fedaid.timebank.queued import Letter
from fedaid.timebank.rows import Peer
from fedaid.timebank.rules.messages import Document
from fedaid.timebank.rules.papers import AnswerMessage, KeyMessage, PaperMessage, StatementMessage, read_paper


def receive_paper(work: Work, limits: TimebankLimits, sender: str, document: Document) -> PaperMessage:
    """Take a paper that arrived from ``sender``, whose HTTP signature was verified. Raises Refused, ProtocolError."""
    books.lock(work)
    message = read_paper(document)
    peer = peer_of(work, sender, message)
    channel.check_theirs(work, document, peer)
    take_new(work, limits, peer, message)
    with waiting.until_synced(work, limits, peer, Letter(message.transfer, document)):
        _take(work, limits, rows.peer(work.connection, peer.id), message)
    return message


def take_shown_paper(work: Work, limits: TimebankLimits, peer: Peer, message: PaperMessage) -> None:
    """A paper that the peer shows us among our common messages, its own or ours. Raises Refused, ProtocolError."""
    if message.envelope.actor == work.names.ledger and message.envelope.to == peer.actor:
        channel.check_ours(work, message.document)
        _recall(work, limits, peer, message)
        return
    peer_of(work, peer.actor, message)
    if rows.fact_by_digest(work.connection, message.digest) is not None:
        return
    channel.check_theirs(work, message.document, peer)
    channel.check_rate(work, limits, peer)
    channel.was_heard(work, peer, message)
    with waiting.until_synced(work, limits, peer, Letter(message.transfer, message.document)):
        _take(work, limits, rows.peer(work.connection, peer.id), message)


def take_waiting_paper(work: Work, limits: TimebankLimits, peer: Peer, document: Document) -> None:
    """A statement that had to wait is answered now. Raises MustWait when something new came up."""
    message = read_paper(document)
    if isinstance(message, StatementMessage):
        statements.receive_statement(work, limits, peer, message, final=True)


def _take(work: Work, limits: TimebankLimits, peer: Peer, message: PaperMessage) -> None:
    if isinstance(message, StatementMessage):
        statements.receive_statement(work, limits, peer, message)
    elif isinstance(message, AnswerMessage):
        statements.receive_answer(work, peer, message)
    else:
        keys.receive_new_key(work, peer, message)


def _recall(work: Work, limits: TimebankLimits, peer: Peer, message: PaperMessage) -> None:
    if isinstance(message, KeyMessage):
        keys.recall_new_key(work, limits, peer, message)
    else:
        statements.recall(work, limits, peer, message)
