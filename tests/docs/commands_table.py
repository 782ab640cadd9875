"""The command line as the reference shows it: every command with its arguments and options, out of the code."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import typer

from fedaid.cli import cli
from tests.docs.pages import table


@dataclass(frozen=True)
class Command:
    """One command: its words after ``fedaid``, what it does, and what may follow."""

    words: str
    help: str
    params: Sequence[Any]

    @property
    def option_names(self) -> frozenset[str]:
        names = [name for param in self.params for name in (*param.opts, *param.secondary_opts)]
        return frozenset(name for name in names if name.startswith("-")) | {"--help"}


def commands() -> Sequence[Command]:
    """Every command, in the order in which ``fedaid --help`` lists them."""
    return list(_within("", typer.main.get_command(cli)))


def _within(words: str, found: Any) -> Iterator[Command]:
    if not hasattr(found, "commands"):
        yield Command(words, found.help or "", [param for param in found.params if not param.hidden])
        return
    for name, inner in found.commands.items():
        yield from _within(f"{words} {name}".strip(), inner)


def command_sections() -> str:
    """A section for each command."""
    return "\n".join(_section(command) for command in commands())


def _section(command: Command) -> str:
    arguments = [param for param in command.params if _is_argument(param)]
    required = [f"{param.opts[0]} {_value(param)}" for param in command.params if _is_needed_option(param)]
    usage = " ".join(["fedaid", command.words, *(param.name.upper() for param in arguments), *required])
    parts = [f"## {command.words}\n", f"{command.help}\n", f"```text\n{usage} [options]\n```\n"]
    rows = [[_spelled(param), _default(param), param.help or ""] for param in command.params]
    if rows:
        parts.append(table(["Argument or option", "Default", "Meaning"], rows))
    return "\n".join(parts)


def _is_argument(param: Any) -> bool:
    return not param.opts[0].startswith("-")


def _is_needed_option(param: Any) -> bool:
    return bool(param.required) and not _is_argument(param)


def _value(param: Any) -> str:
    annotation = param.type_descriptor.annotation
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return "|".join(str(one.value) for one in annotation)
    return str(param.name).upper()


def _spelled(param: Any) -> str:
    if _is_argument(param):
        return f"`{param.name.upper()}`"
    names = ", ".join(param.opts)
    shown = f"`{names}`" if getattr(param, "is_flag", False) else f"`{names} {_value(param)}`"
    return f"{shown}, or `{param.envvar}`" if param.envvar else shown


def _default(param: Any) -> str:
    if param.required:
        return "required"
    default = param.default.value if isinstance(param.default, Enum) else param.default
    if default is None or default == "" or default is False:
        return ""
    return f"`{default}`"
