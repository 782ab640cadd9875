"""The pages of the directory: finding people, saying what I can do, and saying something good of a neighbour."""

from collections.abc import Sequence

from starlette.routing import Route

from fedaid.foundation.pages import form_page
from fedaid.skills.limits import SkillLimits
from fedaid.skills.pages import directory, mine, neighbours, one
from fedaid.skills.pages.directory import of_person
from fedaid.skills.pages.kinds import Kinds
from fedaid.skills.wire import Directories

__all__ = ["Kinds", "of_person", "routes"]


def routes(limits: SkillLimits, kinds: Kinds, directories: Directories) -> Sequence[Route]:
    """The directory. A person's page is reached through ``/@handle``; ``kinds`` are the categories of the board."""
    return [
        Route("/people", directory.people_page(limits, kinds), methods=["GET"]),
        Route("/people/at/{host}", neighbours.their_page(kinds, directories), methods=["GET"]),
        Route("/skills", neighbours.our_directory(limits), methods=["GET"]),
        Route("/me/skills", mine.my_page(kinds), methods=["GET"]),
        Route("/me/skills", form_page(mine.add(limits, kinds)), methods=["POST"]),
        Route("/me/skills/{number:int}", mine.edit_page(kinds), methods=["GET"]),
        Route("/me/skills/{number:int}", form_page(mine.edit(kinds)), methods=["POST"]),
        Route("/me/skills/{number:int}/delete", form_page(mine.delete), methods=["POST"]),
        Route("/me/free-times", form_page(mine.add_times(limits, kinds)), methods=["POST"]),
        Route("/me/free-times/delete", form_page(mine.delete_time), methods=["POST"]),
        Route("/me/helping", form_page(mine.set_preferences(kinds)), methods=["POST"]),
        Route("/skills/{number:int}", one.skill_page(kinds), methods=["GET"]),
        Route("/skills/{number:int}/vouch", form_page(one.vouch(limits, kinds)), methods=["POST"]),
        Route("/vouches/{number:int}/take-back", form_page(one.take_back), methods=["POST"]),
    ]
