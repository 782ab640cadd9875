"""Lets schemathesis try everything that the OpenAPI document says, against a whole instance: ``make api``.

It makes requests that fit the document and others that do not, follows links from what was made to what can be done with
it, and looks at every answer with all of its checks.
"""

import argparse
import random
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import schemathesis
from schemathesis.engine import events, from_schema

from fedaid.foundation.api import BASE
from tests.api.programs import Answer, Town, town
from tests.support import postgresql

HOST = "northside.example"
EACH = 12
Known = dict[str, list[str]]  # ids and handles, by what an address calls them
# A rule of the neighbourhood may say no to what fits the document: that a time is over no document can know. That it is
# a rule, and not the reading, is looked at by the check below.
_MAY_SAY_NO = ["2xx", "401", "403", "404", "409", "410", "422", "429"]


@schemathesis.check
def fits_what_it_says_itself(ctx: schemathesis.CheckContext, response: schemathesis.Response, case: Any) -> None:
    """What fits the document is never refused as unfit."""
    fits = case.meta is not None and case.meta.generation.mode.is_positive
    if fits and response.status_code == 422:
        problem = response.json()
        assert problem["code"] != "invalid_request", f"fits the document, and is refused: {problem['errors']}"


@dataclass
class Findings:
    """What schemathesis found: how often each operation was asked with what answer, and every failure once."""

    cases: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    failures: dict[str, str] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    phases: list[str] = field(default_factory=list)
    links: int = 0


def settle_in(made: Town) -> Known:
    """Ana has something of every kind, so that programs of hers find something to do."""
    ana, kim, nora = made.program("ana"), made.program("kim"), made.program("nora")
    known: Known = {name: [] for name in ("listing", "response", "match", "transfer", "skill", "vouch")}
    known["handle"] = ["ana", "kim", "tools", "board"]
    for number in range(EACH):
        asked = _made(ana.post("/listings", {"kind": "request", "title": f"Moving sofa {number}", "people": 5}))
        offered = _made(kim.post("/listings", {"kind": "offer", "title": f"Bread {number}", "minutes": 30}))
        free = _made(kim.post("/listings", {"kind": "offer", "title": f"Cake {number}", "people": 20}))
        answered = _made(kim.post(f"/listings/{asked}/responses", {"message": "I can help"}))
        mine = _made(ana.post(f"/listings/{offered}/responses", {"message": "Yes, please"}))
        if number % 3 == 0:
            known["match"] += [_made(ana.post(f"/responses/{answered}/accept"))]
        if number % 4 == 0:
            known["match"] += [_made(kim.post(f"/responses/{mine}/accept"))]
        known["transfer"] += [
            _made(kim.post("/hours/claim", {"to": "ana", "minutes": 5}, key=f"claimed-{number}")),
            _made(ana.post("/hours/claim", {"to": "kim", "minutes": 5}, key=f"asked-{number}")),
            _made(nora.post("/hours/give", {"to": "ana", "minutes": 30}, key=f"given-{number}")),
        ]
        known["listing"] += [asked, free]
        known["response"] += [answered, mine]
        if number % 2 == 0:
            skill = _made(ana.post("/me/skills", {"title": f"Bicycles {number}"}))
            said = kim.ask("PUT", f"/skills/{skill}/vouch", {"sentence": "She had my brakes right in no time."})
            known["skill"] += [skill]
            known["vouch"] += [said.json["vouches"][0]["id"]]
    _made(kim.post("/me/skills", {"title": "Bread"}))
    return known


def _made(answer: Answer) -> str:
    assert answer.status < 300, answer.text
    return str(answer.json["id"])


def naming(known: Known) -> Callable[[Any, dict[str, Any] | None], dict[str, Any] | None]:
    """In half of all addresses stands what there is: made-up ids would find nothing but 404."""

    def map_path_parameters(_context: Any, parts: dict[str, Any] | None) -> dict[str, Any] | None:
        return {name: _named(known.get(name, []), value) for name, value in parts.items()} if parts else parts

    return map_path_parameters


def _named(known: Sequence[str], value: Any) -> Any:
    """The same for the same, as what is found must be found again."""
    chosen = zlib.crc32(str(value).encode("utf-8", "replace")) % (2 * len(known) or 1)
    return known[chosen] if chosen < len(known) else value


def explore(made: Town, seed: int, seconds: int, phases: Sequence[str] = ()) -> Findings:
    """Try the instance for so long at most."""
    known = settle_in(made)
    token = made.token("ana")
    config = schemathesis.Config.from_dict(_config(seed, seconds, token, phases))
    schema = schemathesis.openapi.from_asgi(
        f"{BASE}/openapi.json", made.instance.web, config=config, headers={"Host": HOST}
    )
    schema.hooks.hook("map_path_parameters")(naming(known))
    found = Findings()
    for event in from_schema(schema).execute():
        _note(found, event)
    return found


def _config(seed: int, seconds: int, token: str, phases: Sequence[str]) -> dict[str, Any]:
    every = ("examples", "coverage", "fuzzing", "stateful")
    return {
        "seed": seed,
        "max-time": seconds,
        "headers": {"Host": HOST, "Authorization": f"Bearer {token}"},
        "continue-on-failure": True,
        "checks": {"positive_data_acceptance": {"expected-statuses": _MAY_SAY_NO}},
        # No JSON of ours holds NUL: databases cannot store it (attack S63), and a schema has no plain word for that.
        "generation": {"database": "none", "allow-x00": False},
        "phases": {name: {"enabled": not phases or name in phases} for name in every},
    }


def _note(found: Findings, event: Any) -> None:
    if isinstance(event, events.PhaseFinished):
        found.phases.append(f"{event.phase.name.value}: {event.status.value}")
    if isinstance(event, events.NonFatalError):
        found.errors.append(str(event.info))
    if isinstance(event, events.ScenarioFinished):
        for case_id, node in event.recorder.cases.items():
            found.cases += 1
            found.links += node.transition is not None
            interaction = event.recorder.interactions.get(case_id)
            answer = interaction.response.status_code if interaction and interaction.response else "none"
            found.answers[f"{node.value.operation.label} {answer}"] += 1
        for case_id, checks in event.recorder.checks.items():
            for check in checks:
                if check.failure_info is not None:
                    failure = check.failure_info
                    label = event.recorder.cases[case_id].value.operation.label
                    said = f"{label}: {check.name}: {failure.failure.title}\n{failure.failure.message}\n{failure.code_sample}"
                    found.failures.setdefault(f"{label} {check.name} {failure.failure.title}", said)


def never_done(found: Findings) -> Iterator[str]:
    """Operations that never once succeeded: nobody can say that they were tried."""
    asked = {key.rpartition(" ")[0] for key in found.answers}
    done = {key.rpartition(" ")[0] for key in found.answers if key.rpartition(" ")[2].startswith("2")}
    yield from sorted(asked - done)


def main() -> None:
    """The command."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--seconds", type=int, default=120)
    asked.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    asked.add_argument("--phase", action="append", default=[])
    asked.add_argument("--database", default="sqlite", choices=["sqlite", "postgresql"])
    chosen = asked.parse_args()
    guard = postgresql.stand_guard()
    try:
        with (
            tempfile.TemporaryDirectory(dir=postgresql.run_folder()) as folder,
            town(chosen.database, Path(folder), **ROOMY) as made,
        ):
            began = time.perf_counter()
            found = explore(made, chosen.seed, chosen.seconds, chosen.phase)
            took = time.perf_counter() - began
    finally:
        if guard:
            guard.let_go()
    for failure in found.failures.values():
        print(failure, "\n")  # noqa: T201 - what the program is for
    for line in (*found.errors, *found.phases):
        print(line)  # noqa: T201
    for answer, times in sorted(found.answers.items()):
        print(f"  {answer:<60} {times}")  # noqa: T201
    print("never done:", ", ".join(never_done(found)))  # noqa: T201
    print(f"{found.cases} requests, {found.links} by links, in {took:.0f} s; seed {chosen.seed}")  # noqa: T201
    print(f"{len(found.failures)} failures, {len(found.errors)} errors")  # noqa: T201
    raise SystemExit(1 if found.failures or found.errors else 0)


# So much is asked from one address, by one token, that the limits would answer instead of the operations.
ROOMY: dict[str, Any] = {
    "web": {"requests_per_address_max": 10_000_000, "requests_per_account_max": 10_000_000},
    "api": {"requests_per_token_max": 10_000_000},
}


if __name__ == "__main__":
    main()
