"""The board on the wire: our listings, responses and answers as activities, and those of others as commands."""

from fedaid.board.wire.announce import ANNOUNCERS, note_of, send_private_note
from fedaid.board.wire.handlers import handlers
from fedaid.board.wire.notes import object_of, read_note, wanted
from fedaid.board.wire.reader import read_listing
from fedaid.board.wire.shapes import agreement_document, offer_document, tombstone_document

__all__ = [
    "ANNOUNCERS",
    "agreement_document",
    "handlers",
    "note_of",
    "object_of",
    "offer_document",
    "read_listing",
    "read_note",
    "send_private_note",
    "tombstone_document",
    "wanted",
]
