"""What happens here when somebody elsewhere is gone: their account was deleted, and its words go with it."""

from sqlalchemy import delete, select

from fedaid.board import queries
from fedaid.board.commands.pictures import forget_pictures
from fedaid.board.commands.receive import erase_words, receive_undo
from fedaid.board.rules import ResponseState
from fedaid.board.tables import reaction, remark, response
from fedaid.foundation.work import Work

RESPONSES_AT_ONCE_MAX = 500


def forget_person(work: Work, actor: str) -> None:
    """Their waiting answers are taken back, and all that they wrote or pressed is erased; what was agreed stands."""
    theirs = select(response).where(response.c.helper_actor == actor).order_by(response.c.id)
    for row in work.connection.execute(theirs.limit(RESPONSES_AT_ONCE_MAX)).all():
        one = queries.response_of(row)
        if one.state is ResponseState.OFFERED:
            receive_undo(work, actor, one.uri)
        erase_words(work, one)
    written = work.connection.execute(select(remark.c.uri).where(remark.c.author_actor == actor)).scalars().all()
    forget_pictures(work, written)
    work.connection.execute(delete(remark).where(remark.c.author_actor == actor))
    work.connection.execute(delete(reaction).where(reaction.c.actor == actor))
