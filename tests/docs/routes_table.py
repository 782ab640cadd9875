"""The addresses that an instance answers, as the reference shows them: path, methods and what stands there."""

import inspect
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from starlette.routing import BaseRoute, Mount, Route

from activitypub.errors import SignatureRefused
from activitypub.signatures import Request
from activitypub.signatures.authentic import Authentic
from fedaid import app, settings
from fedaid.media.proxy import PictureProxy
from tests.docs.pages import said, table


@dataclass(frozen=True)
class Address:
    """One address: its path, its methods and the sentence its code says of it."""

    path: str
    methods: str
    meaning: str


# What does not go through the pages' routes.
BY_THE_DOOR = (
    Address("/inbox", "POST", "The shared inbox, and the inbox under every actor: what other servers send."),
    Address("/metrics", "GET", "[Metrics](metrics.md), for whom the admin allows."),
    Address("/api/fedaid/v1/…", "GET, POST, PUT, DELETE", "The [JSON API](api.md) for programs of members."),
)


def addresses() -> Sequence[Address]:
    """Every address of the pages, as the app puts them together."""
    with tempfile.TemporaryDirectory() as folder:
        chosen = settings.load(Path(folder), origin="https://northside.example", name="Northside")
        instance = app.build(chosen, works=False)
        pictures = PictureProxy(instance.units, instance.client, chosen.media)
        found = app.routes(chosen, instance.desk, instance.patient, pictures, _nobody, instance.live, instance.postman)
        instance.database.dispose()
    return [_address(route) for route in found if not isinstance(route, Mount)]


async def _nobody(_request: Request, _origin: str) -> Authentic:
    raise SignatureRefused("unsigned", "Nothing is asked for, so nobody signs.")


def _address(route: BaseRoute) -> Address:
    assert isinstance(route, Route)
    sentence = (inspect.getdoc(route.endpoint) or "").split("\n\n")[0].replace("\n", " ")
    methods = sorted((route.methods or set()) - {"HEAD"})
    return Address(route.path.replace(":int", ""), ", ".join(methods), said(sentence))


def addresses_table() -> str:
    """All of them, pages first as the app lists them."""
    alike: dict[tuple[str, str], list[str]] = {}
    for one in (*addresses(), *BY_THE_DOOR):
        alike.setdefault((one.methods, one.meaning), []).append(f"`{one.path}`")
    rows = [["<br>".join(paths), methods, meaning] for (methods, meaning), paths in alike.items()]
    return table(["Address", "Method", "What stands there"], rows)
