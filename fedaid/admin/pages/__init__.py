"""The pages of those who look after the neighbourhood: networks, the two mail rooms, reports and blocks."""

from collections.abc import Sequence

from starlette.routing import Route

from fedaid.admin.boards import BoardScout
from fedaid.admin.doctor import Patient
from fedaid.admin.networks import Desk
from fedaid.admin.pages import (
    blocks,
    check_up,
    deliveries,
    groups,
    joining,
    letters,
    mail,
    neighbourhood,
    networks,
    people,
    reports,
)
from fedaid.groups.limits import GroupLimits
from fedaid.members.limits import MemberLimits
from fedaid.notices.sending import Postman


def routes(
    desk: Desk, patient: Patient, limits: MemberLimits, group_limits: GroupLimits, postman: Postman
) -> Sequence[Route]:
    """Every page for admins and coordinators, and those on which members report or block somebody."""
    rooms = (
        networks.routes(desk),
        deliveries.routes(),
        letters.routes(),
        mail.routes(),
        reports.routes(),
        blocks.routes(),
        check_up.routes(patient),
        joining.routes(limits),
        people.routes(limits),
        neighbourhood.routes(group_limits, postman),
        groups.routes(group_limits, BoardScout(desk.units, desk.client, desk.rules)),
    )
    return [route for room in rooms for route in room]
