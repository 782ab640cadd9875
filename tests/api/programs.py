"""Northside with programs of its members: each asks the whole instance, over ASGI, with a token of its member."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

from starlette.testclient import TestClient

from fedaid import app, settings
from fedaid.admin import founding
from fedaid.foundation.api import BASE
from fedaid.foundation.viewer import Role
from fedaid.groups import commands as groups
from fedaid.members import commands as members
from fedaid.members.commands import tokens
from fedaid.members.limits import MemberLimits
from fedaid.members.rules import SCOPE_WORDS
from tests.small_house import NORTH, StillClock, some_keys
from tests.support.databases import migrated_database_url

PEOPLE = {"nora": Role.ADMIN, "cora": Role.COORDINATOR, "ana": Role.MEMBER, "kim": Role.MEMBER}
EVERY_SCOPE = tuple(SCOPE_WORDS)


@dataclass
class Answer:
    """What a program is told."""

    status: int
    headers: Mapping[str, str]
    text: str
    json: Any

    @property
    def code(self) -> str:
        """Of a problem."""
        return str(self.json["code"])


@dataclass
class Program:
    """One program with a token; an empty token sends none."""

    client: TestClient
    token: str = ""

    def ask(self, method: str, path: str, body: Any = None, key: str = "", **headers: str) -> Answer:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token:
            sent.setdefault("Authorization", f"Bearer {self.token}")
        if key:
            sent["Idempotency-Key"] = key
        answer = self.client.request(method, BASE + path, json=body, headers=sent)
        is_json = "json" in answer.headers.get("content-type", "")
        return Answer(answer.status_code, answer.headers, answer.text, answer.json() if is_json else None)

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask("GET", path, **headers)

    def post(self, path: str, body: Any = None, key: str = "", **headers: str) -> Answer:
        return self.ask("POST", path, body, key, **headers)


@dataclass
class Town:
    """One neighbourhood, with its clock."""

    instance: app.Instance
    clock: StillClock
    client: TestClient
    _programs: dict[tuple[str, tuple[str, ...]], Program] = field(default_factory=dict)

    def token(self, handle: str, scopes: Sequence[str] = EVERY_SCOPE) -> str:
        with self.instance.units.begin() as work:
            found = members.queries.by_handle(work.connection, handle)
            assert found
            return tokens.make_token(work, found.id, f"test of {handle}", scopes, MemberLimits())

    def program(self, handle: str = "", *scopes: str) -> Program:
        """Of a member, with every scope unless some are named; of nobody without a handle."""
        known = (handle, scopes)
        if known not in self._programs:
            token = self.token(handle, scopes or EVERY_SCOPE) if handle else ""
            self._programs[known] = Program(self.client, token)
        return self._programs[known]


@contextmanager
def town(kind: str, folder: Path, **more: Any) -> Iterator[Town]:
    """The neighbourhood on a database of this kind; ``more`` are settings."""
    clock = StillClock()
    with patch("fedaid.actors.commands.make_keys", some_keys), migrated_database_url(kind, folder) as url:
        chosen = settings.load(folder, origin=NORTH, name="Northside", database_url=url, **more)
        instance = app.build(chosen, works=False, clock=clock)
        with instance.units.begin() as work:
            founding.found(work, "Northside")
            for handle, role in PEOPLE.items():
                members.add_member(work, handle, "no password", name=handle.title(), role=role)
            groups.add_group(work, "tools", "Tool library")
        with TestClient(instance.web, base_url=NORTH, follow_redirects=False) as client:
            yield Town(instance, clock, client)
