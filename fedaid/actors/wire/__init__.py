"""Actors on the wire: their documents, what is announced about follows, and what others' activities do to them."""

from fedaid.actors.wire.announce import ANNOUNCERS
from fedaid.actors.wire.documents import TYPES, actor_document, key_document, tombstone
from fedaid.actors.wire.handlers import handlers
from fedaid.actors.wire.say import proved, say

__all__ = ["ANNOUNCERS", "TYPES", "actor_document", "handlers", "key_document", "proved", "say", "tombstone"]
