"""The settings as the reference shows them: every one, with its type, unit, default and meaning, out of the code."""

import dataclasses
import inspect
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from fedaid.settings import Settings
from tests.docs.pages import said, table

UNITS = (
    "bytes",
    "seconds",
    "minutes",
    "days",
    "characters",
    "letters",
    "hosts",
    "deliveries",
    "activities",
    "entries",
    "pixels",
)
_BOUNDS = {
    "minimum": "at least {}",
    "maximum": "at most {}",
    "maxLength": "at most {} characters",
    "pattern": "`{}`",
}
_TYPES = {
    "Path": "folder",
    "str": "text",
    "int": "whole number",
    "bool": "true or false",
    "Federation": "`open` or `neighbours`",
    "Security": "`starttls`, `tls` or `none`",
}
_FIELD_LINE = re.compile(r"^([a-z][a-z0-9_]*)\s{2,}(\S.*)$")


@dataclass(frozen=True)
class Setting:
    """One setting. ``place`` is its way through the file's tables: ``("inbox", "lease_seconds")``."""

    place: tuple[str, ...]
    type: str
    default: Any
    meaning: str

    @property
    def variable(self) -> str:
        return "FEDAID_" + "__".join(self.place).upper()


def settings() -> Sequence[Setting]:
    """Every setting, those without a table first."""
    return list(_of_instance()) + [found for name, limits in _rooms() for found in _of_room((name,), limits)]


def _of_instance() -> Iterator[Setting]:
    for name, info in Settings.model_fields.items():
        if not dataclasses.is_dataclass(info.annotation):
            default = None if info.is_required() else info.default
            kind = str(getattr(info.annotation, "__name__", info.annotation))
            yield Setting((name,), kind, default, _bounded(name, info.description or ""))


def _rooms() -> Iterator[tuple[str, Any]]:
    for name, info in Settings.model_fields.items():
        if dataclasses.is_dataclass(info.annotation):
            yield name, info.default


def _of_room(place: tuple[str, ...], limits: Any) -> Iterator[Setting]:
    meanings = meanings_of(type(limits))
    for field in dataclasses.fields(limits):
        default = getattr(limits, field.name)
        here = (*place, field.name)
        if dataclasses.is_dataclass(default):
            yield from _of_room(here, default)
        else:
            kind = "number" if "float" in str(field.type) else str(getattr(field.type, "__name__", field.type))
            yield Setting(here, kind, default, meanings.get(field.name, ""))


def meanings_of(limits: type) -> dict[str, str]:
    """What a class of limits says of each of its fields: lines of its docstring, ``name  meaning``."""
    found: dict[str, str] = {}
    name = ""
    for line in inspect.getdoc(limits).splitlines():  # type: ignore[union-attr]
        match = _FIELD_LINE.match(line)
        if match:
            name, found[match[1]] = match[1], match[2]
        elif name and line.startswith(" "):
            found[name] += f" {line.strip()}"
        else:
            name = ""
    return {key: said(value) for key, value in found.items()}


def _bounded(name: str, description: str) -> str:
    """The description, with the bounds that are checked."""
    schema = Settings.model_json_schema()["properties"][name]
    bounds = [words.format(schema[key]) for key, words in _BOUNDS.items() if key in schema]
    return f"{description} ({', '.join(bounds)})" if bounds else description


def unit_of(setting: Setting) -> str:
    """The unit that the name of a limit carries."""
    if len(setting.place) == 1:
        return ""
    return next((unit for unit in UNITS if unit in setting.place[-1].split("_")), "")


def _default(setting: Setting) -> str:
    if setting.default is None:
        return "required"
    if isinstance(setting.default, bool):
        return f"`{str(setting.default).lower()}`"
    return f"`{setting.default}`" if setting.default != "" else "empty"


def instance_table() -> str:
    """The settings of the instance itself."""
    rows = [
        [f"`{one.place[0]}`", f"`{one.variable}`", _TYPES.get(one.type, one.type), _default(one), one.meaning]
        for one in settings()
        if len(one.place) == 1
    ]
    return table(["Setting", "Environment", "Type", "Default", "Meaning"], rows)


def room_tables() -> str:
    """The limits of every room, one table of the file each."""
    parts = []
    for place in dict.fromkeys(one.place[:-1] for one in settings() if len(one.place) > 1):
        rows = [
            [f"`{one.place[-1]}`", f"`{one.variable}`", _sized(one), _default(one), one.meaning]
            for one in settings()
            if one.place[:-1] == place
        ]
        heads = ["Setting", "Environment", "Type", "Default", "Meaning"]
        parts.append(f"### `[{'.'.join(place)}]`\n\n{table(heads, rows)}")
    return "\n".join(parts)


def _sized(one: Setting) -> str:
    unit = unit_of(one)
    if one.type in _TYPES and one.type != "int":
        return _TYPES[one.type]
    whole = "number" if one.type == "number" else "whole number"
    return f"{whole}, {unit}" if unit else whole
