"""How people come in: invitations, applications, the agreement and one-time links; refusals and attackers first."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from fedaid.foundation.refused import NotAllowed, NotFound, Refused
from fedaid.foundation.viewer import Role, Viewer
from fedaid.members import commands, queries
from fedaid.members.commands import access, joining, neighbourhood
from fedaid.members.commands.joining import Newcomer, Terms
from fedaid.members.limits import MemberLimits
from fedaid.members.queries import joining as found
from fedaid.members.rules.joining import ApplicationState, Joining
from fedaid.members.tables import application, invitation, recovery_link
from tests.small_house import SmallHouse, some_keys

LIMITS = MemberLimits(invitations_max=3, applications_waiting_max=2, joined_openly_per_day_max=4, page_rows_max=2)
HASH = "no hash"


def somebody(house: SmallHouse, handle: str, role: Role = Role.MEMBER) -> Viewer:
    with house.units.begin() as work:
        return queries.viewer_of(commands.add_member(work, handle, HASH, role=role, keys=some_keys()))


@pytest.fixture
def nora(house: SmallHouse) -> Viewer:
    return somebody(house, "nora", Role.ADMIN)


@pytest.fixture
def cora(house: SmallHouse) -> Viewer:
    return somebody(house, "cora", Role.COORDINATOR)


@pytest.fixture
def ana(house: SmallHouse) -> Viewer:
    return somebody(house, "ana")


def let_join(house: SmallHouse, nora: Viewer, way: Joining, questions: str = "") -> None:
    with house.units.begin() as work:
        neighbourhood.choose_joining(work, nora, way, questions)


def invite(house: SmallHouse, by: Viewer | None, **terms: object) -> str:
    with house.units.begin() as work:
        return joining.invite(work, by, Terms(**terms), LIMITS)  # type: ignore[arg-type]


def come(house: SmallHouse, secret: str, handle: str, agreed_to: int | None = None) -> queries.Member:
    with house.units.begin() as work:
        newcomer = Newcomer(handle, "", HASH, agreed_to=agreed_to)
        return joining.join_by_invitation(work, secret, newcomer, some_keys())


def ask(house: SmallHouse, handle: str, *answers: str, agreed_to: int | None = None) -> str:
    with house.units.begin() as work:
        return joining.apply(work, Newcomer(handle, "", HASH, "a@b.example", agreed_to=agreed_to), answers, LIMITS)


def waiting(house: SmallHouse) -> list[found.Application]:
    with house.database.read() as connection:
        return list(found.applications(connection, are_waiting=True, rows_max=10))


def refused(code: str, act: Callable[[], object]) -> None:
    with pytest.raises(Refused) as refusal:
        act()
    assert refusal.value.code == code


# invitations


def test_what_is_no_good_invitation_is_answered_like_one_that_never_was(house: SmallHouse, nora: Viewer) -> None:
    let_join(house, nora, Joining.INVITATION)
    spent, old, revoked = invite(house, nora), invite(house, nora, uses=9, days=1), invite(house, nora, uses=9)
    come(house, spent, "kim")
    house.clock.pass_seconds(86_400)
    with house.units.begin() as work:
        for one in found.invitations(work.connection, work.now, are_good=True, rows_max=9):
            joining.revoke_invitation(work, nora, one.id)
    told = set()
    for number, secret in enumerate((spent, old, revoked, "nonsense", "")):
        with pytest.raises(Refused) as refusal:
            come(house, secret, f"eve{number}")
        told.add((refusal.value.code, refusal.value.sentence, refusal.value.status))
    assert len(told) == 1


def test_an_invitation_lets_in_as_many_as_it_says_however_many_come_at_once(house: SmallHouse, nora: Viewer) -> None:
    let_join(house, nora, Joining.INVITATION)
    secret = invite(house, nora, uses=2)

    def try_to_come(number: int) -> bool:
        try:
            come(house, secret, f"guest{number}")
        except Refused:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(try_to_come, range(6))) == 2


def test_a_refusal_does_not_use_an_invitation_up(house: SmallHouse, nora: Viewer) -> None:
    let_join(house, nora, Joining.INVITATION)
    secret = invite(house, nora)
    refused("handle_taken", lambda: come(house, secret, "nora"))
    assert come(house, secret, "kim").role is Role.MEMBER


def test_nobody_invites_somebody_who_may_do_more_than_they(
    house: SmallHouse, nora: Viewer, cora: Viewer, ana: Viewer
) -> None:
    let_join(house, nora, Joining.INVITATION)
    for by, role in ((ana, Role.MEMBER), (cora, Role.COORDINATOR), (cora, Role.ADMIN)):
        with pytest.raises(NotAllowed):
            invite(house, by, role=role)
    assert come(house, invite(house, nora, role=Role.COORDINATOR), "kim").role is Role.COORDINATOR


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        ({"uses": 0}, "invitation_uses"),
        ({"uses": LIMITS.invitation_uses_max + 1}, "invitation_uses"),
        ({"days": 0}, "invitation_days"),
        ({"days": LIMITS.invitation_days_max + 1}, "invitation_days"),
        ({"note": "x" * 201}, "note_length"),
    ],
)
def test_an_invitation_has_measure(house: SmallHouse, nora: Viewer, terms: dict[str, object], code: str) -> None:
    let_join(house, nora, Joining.INVITATION)
    refused(code, lambda: invite(house, nora, **terms))


def test_there_are_only_so_many_good_invitations(house: SmallHouse, nora: Viewer) -> None:
    let_join(house, nora, Joining.INVITATION)
    for _ in range(LIMITS.invitations_max):
        invite(house, nora)
    refused("too_many_invitations", lambda: invite(house, nora))


def test_while_the_door_is_closed_nobody_comes_but_the_first_admin(house: SmallHouse, nora: Viewer) -> None:
    let_join(house, nora, Joining.INVITATION)
    secret = invite(house, nora)
    let_join(house, nora, Joining.CLOSED)
    refused("joining_closed", lambda: invite(house, nora))
    refused("joining_closed", lambda: come(house, secret, "kim"))
    refused("joining_closed", lambda: ask(house, "kim"))
    assert come(house, invite(house, None, role=Role.ADMIN), "rosa").role is Role.ADMIN


def test_a_stolen_copy_of_the_database_invites_nobody(house: SmallHouse, nora: Viewer) -> None:
    let_join(house, nora, Joining.INVITATION)
    secret = invite(house, nora)
    with house.database.read() as connection:
        (row,) = connection.execute(select(invitation)).all()
    assert secret not in repr(row)
    refused("invitation_over", lambda: come(house, row.secret_sha256, "eve"))


def test_by_themselves_people_join_only_where_it_is_open_and_not_too_many_a_day(
    house: SmallHouse, nora: Viewer
) -> None:
    def join(handle: str) -> queries.Member:
        with house.units.begin() as work:
            return joining.join_openly(work, Newcomer(handle, "", HASH), some_keys(), LIMITS)

    refused("joining_closed", lambda: join("kim"))
    let_join(house, nora, Joining.OPEN)
    for number in range(LIMITS.joined_openly_per_day_max - 1):
        assert join(f"kim{number}").role is Role.MEMBER
    refused("too_many_joined", lambda: join("lee"))
    house.clock.pass_seconds(86_401)
    assert join("lee").handle == "lee"


# applications


def test_every_question_is_answered_and_the_answers_stand_with_it(house: SmallHouse, nora: Viewer) -> None:
    let_join(house, nora, Joining.APPLICATION, "Where do you live?\n\nWho knows you?")
    refused("answer_missing", lambda: ask(house, "kim", "Rose Street", "  "))
    refused("questions_changed", lambda: ask(house, "kim", "Rose Street"))
    refused("answer_length", lambda: ask(house, "kim", "x" * 2_001, "Ana"))
    ask(house, "Kim", "Rose Street", "Ana")
    (one,) = waiting(house)
    assert [(pair.question, pair.answer) for pair in one.answers] == [
        ("Where do you live?", "Rose Street"),
        ("Who knows you?", "Ana"),
    ]


def test_a_handle_is_asked_for_once_and_never_one_that_is_taken(house: SmallHouse, nora: Viewer) -> None:
    let_join(house, nora, Joining.APPLICATION)
    ask(house, "kim")
    refused("handle_taken", lambda: ask(house, "KIM"))
    refused("handle_taken", lambda: ask(house, "nora"))
    refused("handle_reserved", lambda: ask(house, "board"))


def test_only_so_many_applications_wait(house: SmallHouse, nora: Viewer) -> None:
    let_join(house, nora, Joining.APPLICATION)
    ask(house, "kim")
    ask(house, "lee")
    refused("too_many_applications", lambda: ask(house, "max"))


def test_members_decide_nothing_and_nobody_decides_twice(
    house: SmallHouse, nora: Viewer, cora: Viewer, ana: Viewer
) -> None:
    let_join(house, nora, Joining.APPLICATION)
    ask(house, "kim")
    (one,) = waiting(house)
    with house.units.begin() as work:
        with pytest.raises(NotAllowed):
            joining.accept_application(work, ana, one.id, some_keys())
        with pytest.raises(NotAllowed):
            joining.decline_application(work, ana, one.id, "no")
        refused("sentence_missing", lambda: joining.decline_application(work, cora, one.id, " "))
        joining.accept_application(work, cora, one.id, some_keys())
        refused("application_decided", lambda: joining.accept_application(work, nora, one.id, some_keys()))
        refused("application_decided", lambda: joining.decline_application(work, nora, one.id, "no"))
        with pytest.raises(NotFound):
            joining.accept_application(work, cora, one.id + 1, some_keys())


@pytest.mark.parametrize("end", ["accepted", "declined", "withdrawn"])
def test_what_was_decided_can_be_read_by_its_sender_and_what_was_private_is_gone(
    house: SmallHouse, nora: Viewer, end: str
) -> None:
    let_join(house, nora, Joining.APPLICATION, "Where do you live?")
    secret = ask(house, "kim", "Rose Street 7")
    (one,) = waiting(house)
    with house.units.begin() as work:
        if end == "accepted":
            joining.accept_application(work, nora, one.id, some_keys())
        elif end == "declined":
            joining.decline_application(work, nora, one.id, "Rose Street is served by the neighbours.")
        else:
            joining.withdraw_application(work, secret)
    with house.database.read() as connection:
        read = found.application_of(connection, secret)
        assert found.application_of(connection, "another") is None
        (row,) = connection.execute(select(application)).all()
    assert read is not None
    assert read.state is ApplicationState(end)
    assert read.sentence == ("Rose Street is served by the neighbours." if end == "declined" else "")
    assert (read.password_hash, read.email, read.answers) == ("", "", ())
    assert "Rose Street 7" not in repr(row)
    with house.database.read() as connection:
        member = queries.by_handle(connection, "kim")
    assert (member is not None) == (end == "accepted")
    assert member is None or member.email == "a@b.example"


def test_the_queue_is_read_in_pages(house: SmallHouse, nora: Viewer) -> None:
    let_join(house, nora, Joining.APPLICATION)
    ask(house, "kim")
    ask(house, "lee")
    with house.database.read() as connection:
        (first,) = found.applications(connection, are_waiting=True, rows_max=1)
        (second,) = found.applications(connection, are_waiting=True, rows_max=1, beyond=first.id)
        assert found.applications(connection, are_waiting=True, rows_max=1, beyond=second.id) == []
    assert (first.handle, second.handle) == ("kim", "lee")


# the agreement


def publish(house: SmallHouse, by: Viewer, text: str, *, asks_again: bool = True) -> int:
    with house.units.begin() as work:
        return neighbourhood.publish_agreement(work, by, text, asks_again=asks_again)


def owes(house: SmallHouse, who: Viewer) -> bool:
    with house.units.begin() as work:
        secret = commands.sign_in(work, who.member_id or 0, "test", LIMITS)
    with house.database.read() as connection:
        seen = queries.viewer_of_session(connection, secret, house.clock.now())
    assert seen is not None
    return seen.owes_agreement


def test_only_an_admin_publishes_and_only_what_is_new(house: SmallHouse, nora: Viewer, cora: Viewer) -> None:
    with pytest.raises(NotAllowed):
        publish(house, cora, "Be kind.")
    refused("agreement_missing", lambda: publish(house, nora, "  "))
    assert publish(house, nora, "Be kind.") == 1
    refused("agreement_same", lambda: publish(house, nora, "Be kind.\r\n"))
    assert publish(house, nora, "Be kind. Be on time.") == 2


def test_a_new_version_is_owed_by_everybody_but_who_published_it_until_they_accept(
    house: SmallHouse, nora: Viewer, ana: Viewer
) -> None:
    assert not owes(house, ana)
    publish(house, nora, "Be kind.")
    assert (owes(house, nora), owes(house, ana)) == (False, True)
    with house.units.begin() as work:
        neighbourhood.accept_agreement(work, ana.member_id or 0, 1)
        neighbourhood.accept_agreement(work, ana.member_id or 0, 1)
    assert not owes(house, ana)
    publish(house, nora, "Be kind!", asks_again=False)  # a comma
    assert not owes(house, ana)
    publish(house, nora, "Be kind and bring cake.")
    assert owes(house, ana)
    with house.units.begin() as work:
        refused("agreement_changed", lambda: neighbourhood.accept_agreement(work, ana.member_id or 0, 1))


def test_newcomers_accept_the_version_that_holds(house: SmallHouse, nora: Viewer) -> None:
    let_join(house, nora, Joining.INVITATION)
    secret = invite(house, nora)
    publish(house, nora, "Be kind.")
    refused("agreement_not_accepted", lambda: come(house, secret, "kim"))
    publish(house, nora, "Be kind and bring cake.")
    refused("agreement_changed", lambda: come(house, secret, "kim", agreed_to=1))
    kim = come(house, secret, "kim", agreed_to=2)
    assert not owes(house, queries.viewer_of(kim))


# one-time links, sessions, roles


def link_for(house: SmallHouse, by: Viewer | None, handle: str) -> str:
    with house.units.begin() as work:
        return access.offer_recovery(work, by, handle, LIMITS)[1]


def recover(house: SmallHouse, secret: str) -> int:
    with house.units.begin() as work:
        return access.recover(work, secret, "a new hash")


def test_a_link_is_good_once_for_a_while_and_only_the_newest(house: SmallHouse, cora: Viewer, ana: Viewer) -> None:
    replaced, used = link_for(house, cora, "ana"), link_for(house, cora, "ana")
    refused("link_over", lambda: recover(house, replaced))
    assert recover(house, used) == ana.member_id
    refused("link_over", lambda: recover(house, used))
    old = link_for(house, cora, "ana")
    house.clock.pass_seconds(LIMITS.recovery_link_minutes * 60)
    refused("link_over", lambda: recover(house, old))
    refused("link_over", lambda: recover(house, "nonsense"))


@pytest.mark.attack("S81")
def test_coming_in_by_a_link_ends_every_session_and_token(house: SmallHouse, cora: Viewer, ana: Viewer) -> None:
    with house.units.begin() as work:
        session = commands.sign_in(work, ana.member_id or 0, "test", LIMITS)
        token = commands.issue_token(work, ana.member_id or 0, "read")
    recover(house, link_for(house, cora, "ana"))
    with house.database.read() as connection:
        assert queries.viewer_of_session(connection, session, house.clock.now()) is None
        assert queries.viewer_of_token(connection, token) is None


def test_nobody_becomes_somebody_who_may_do_as_much_as_they_by_a_link(
    house: SmallHouse, nora: Viewer, cora: Viewer, ana: Viewer
) -> None:
    somebody(house, "cleo", Role.COORDINATOR)
    somebody(house, "kim")
    for by, handle in ((cora, "nora"), (cora, "cleo"), (ana, "kim"), (ana, "nora")):
        with pytest.raises(NotAllowed):
            link_for(house, by, handle)
    for by, handle in ((cora, "kim"), (nora, "cora"), (None, "nora")):
        assert link_for(house, by, handle)
    with pytest.raises(NotFound):
        link_for(house, cora, "nobody")
    with pytest.raises(NotAllowed):  # and a member does not learn who is not here
        link_for(house, ana, "nobody")


def test_a_stolen_copy_of_the_database_opens_no_account(house: SmallHouse, cora: Viewer, ana: Viewer) -> None:
    secret = link_for(house, cora, "ana")
    with house.database.read() as connection:
        (row,) = connection.execute(select(recovery_link)).all()
    assert secret not in repr(row)
    refused("link_over", lambda: recover(house, row.secret_sha256))


def test_a_member_ends_only_their_own_sessions(house: SmallHouse, ana: Viewer, cora: Viewer) -> None:
    with house.units.begin() as work:
        mine = [commands.sign_in(work, ana.member_id or 0, "test", LIMITS) for _ in range(3)]
        theirs = commands.sign_in(work, cora.member_id or 0, "test", LIMITS)
        for ended in (queries.digest(theirs), "nonsense", mine[0]):
            with pytest.raises(NotFound):
                access.end_session(work, ana.member_id or 0, ended)
        access.end_session(work, ana.member_id or 0, queries.digest(mine[0]))
        assert access.end_other_sessions(work, ana.member_id or 0, mine[1]) == 1
    with house.database.read() as connection:
        alive = [bool(queries.viewer_of_session(connection, one, house.clock.now())) for one in (*mine, theirs)]
    assert alive == [False, True, False, True]


def test_who_is_signed_in_too_often_is_signed_out_where_it_was_longest_ago(house: SmallHouse, ana: Viewer) -> None:
    limits = MemberLimits(sessions_per_member_max=2)
    secrets = []
    for _ in range(3):
        with house.units.begin() as work:
            secrets.append(commands.sign_in(work, ana.member_id or 0, "test", limits))
        house.clock.pass_seconds(60)
    with house.database.read() as connection:
        alive = [bool(queries.viewer_of_session(connection, one, house.clock.now())) for one in secrets]
    assert alive == [False, True, True]


def test_only_an_admin_changes_roles_and_the_last_one_stays(
    house: SmallHouse, nora: Viewer, cora: Viewer, ana: Viewer
) -> None:
    def give(by: Viewer | None, handle: str, role: Role) -> None:
        with house.units.begin() as work:
            access.change_role(work, by, handle, role)

    for by in (cora, ana):
        with pytest.raises(NotAllowed):
            give(by, by.handle, Role.ADMIN)
    refused("last_admin", lambda: give(nora, "nora", Role.COORDINATOR))
    refused("last_admin", lambda: give(None, "nora", Role.MEMBER))
    give(nora, "cora", Role.ADMIN)
    give(nora, "nora", Role.MEMBER)
    with pytest.raises(NotAllowed):  # with a viewer from before
        give(nora, "ana", Role.ADMIN)


def test_two_admins_cannot_take_each_other_s_role_at_the_same_moment(house: SmallHouse, nora: Viewer) -> None:
    rosa = somebody(house, "rosa", Role.ADMIN)

    def take(by: Viewer, handle: str) -> bool:
        try:
            with house.units.begin() as work:
                access.change_role(work, by, handle, Role.MEMBER)
        except Refused:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(take, (nora, rosa), ("rosa", "nora")))
    assert sum(done) == 1
    with house.database.read() as connection:
        assert len(queries.admins(connection)) == 1


def test_what_everybody_would_try_first_is_no_password() -> None:
    for password in ("password", "12345678", "Password1", "aaaaaaaaaaaa", "abababababab"):
        refused("password_common", lambda password=password: commands.hash_password(password))  # type: ignore[misc]


def test_tries_at_one_door_do_not_close_another(house: SmallHouse) -> None:
    limits = MemberLimits(join_tries_per_address_max=2, link_tries_per_address_max=1, sign_in_tries_per_address_max=1)
    counts = (commands.count_join, commands.count_link)
    with house.units.begin() as work:
        commands.count_join(work, "192.0.2.1", limits)
        commands.count_join(work, "192.0.2.1", limits)
        commands.count_link(work, "192.0.2.1", limits)
        commands.count_try(work, "ana", "192.0.2.1", limits)
        for count in counts:
            refused("too_many_tries", lambda count=count: count(work, "192.0.2.1", limits))  # type: ignore[misc]
            count(work, "192.0.2.2", limits)
    house.clock.pass_seconds(limits.sign_in_window_seconds)
    with house.units.begin() as work:
        commands.count_join(work, "192.0.2.1", limits)


def test_the_neighbourhood_is_called_what_its_admin_says(house: SmallHouse, nora: Viewer, cora: Viewer) -> None:
    with house.units.begin() as work:
        with pytest.raises(NotAllowed):
            neighbourhood.describe(work, cora, "Southside", "", "")
        refused("name_missing", lambda: neighbourhood.describe(work, nora, " ", "", ""))
        refused("area_length", lambda: neighbourhood.describe(work, nora, "Southside", "x" * 121, ""))
        neighbourhood.describe(work, nora, "Southside", "Between park and river", "We help each other.")
        neighbourhood.choose_joining(work, nora, Joining.OPEN, "")
        neighbourhood.note_step(work, nora, "name")
        neighbourhood.note_step(work, nora, "joining")
        here = found.our_neighbourhood(work.connection)
    assert here.name == "Southside"
    assert here.area == "Between park and river"
    assert here.joining is Joining.OPEN
    assert here.steps_done == {"name", "joining"}
    with house.units.begin() as work:
        refused("too_many_questions", lambda: neighbourhood.choose_joining(work, nora, Joining.OPEN, "why?\n" * 11))
        refused("question_length", lambda: neighbourhood.choose_joining(work, nora, Joining.OPEN, "x" * 201))
