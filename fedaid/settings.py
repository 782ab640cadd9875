"""All settings of an instance: from the command line, ``FEDAID_…``, ``DATA/fedaid.toml`` or the default, in this order.

Only app and cli read this module; every other room is given the values it needs. A room's limits are one table of
the file: ``[inbox] lease_seconds = 60`` is also ``FEDAID_INBOX__LEASE_SECONDS=60``.
"""

import json
import re
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from activitypub.client import FetchLimits, trusting
from activitypub.errors import MalformedUrl
from activitypub.identifiers import UrlRules
from fedaid.actors.limits import ActorLimits
from fedaid.admin.metrics.limits import MetricsLimits
from fedaid.board.limits import BoardLimits
from fedaid.foundation.api.limits import ApiLimits
from fedaid.foundation.bells import BellLimits
from fedaid.foundation.errands import ErrandLimits
from fedaid.foundation.federation import Federation
from fedaid.foundation.i18n import LANGUAGES
from fedaid.foundation.names import Names
from fedaid.foundation.refused import Refused
from fedaid.foundation.wording import is_zone
from fedaid.groups.limits import GroupLimits
from fedaid.matching.limits import MatchingLimits
from fedaid.media.limits import MediaLimits
from fedaid.members.limits import MemberLimits
from fedaid.notices.limits import MailLimits, NoticeLimits
from fedaid.skills.limits import SkillLimits
from fedaid.timebank.limits import TimebankLimits
from fedaid.web.limits import WebLimits
from inbox.limits import InboxLimits
from outbox.limits import OutboxLimits

FILE_NAME = "fedaid.toml"
_CONTACT = re.compile(r"https://[^\s/]+\.\S+|[^\s@/]+@[^\s@/]+\.[^\s@/]+")
DATABASE_FILE_NAME = "fedaid.sqlite3"


class Settings(BaseSettings):
    """One instance's settings. Documented in docs/reference/settings.md; a test fails when one is not."""

    model_config = SettingsConfigDict(env_prefix="FEDAID_", env_nested_delimiter="__", extra="forbid", frozen=True)

    data: Path = Field(description="Folder of this instance: its settings file and its SQLite database.")
    origin: str = Field(description="Where this instance is reached, e.g. https://northside.example")
    name: str = Field(min_length=1, max_length=100, description="The neighbourhood's name, shown on every page.")
    database_url: str = Field("", description="SQLAlchemy URL of the database; empty: SQLite in the data folder.")
    database_connections_max: int = Field(10, ge=2, le=200, description="Connections kept open, for each way.")
    allow_loopback: bool = Field(False, description="For one machine: lets http, 127.0.0.0/8 and any port through.")
    federation: Federation = Field(
        Federation.OPEN,
        description="Whom we speak with: open (all who are not blocked) or neighbours (linked networks).",
    )
    trusted_certificates: str = Field(
        "",
        description="PEM file of authorities whose certificates are believed besides the system's.",
    )
    secure_mode: bool = Field(False, description="Other servers must sign all they ask for; what is private, always.")
    time_zone: str = Field("UTC", description="The neighbourhood's time zone, an IANA name.")
    language: str = Field("en", description="The language of pages where neither member nor browser chose: en or es.")
    contact: str = Field("", description="E-mail or https address where people outside reach the admins; shown to all.")
    source_url: str = Field("", description="Where visitors find the source of a changed fedaid (AGPL section 13).")
    host: str = Field("127.0.0.1", description="Address the web server listens on, behind a proxy that speaks TLS.")
    port: int = Field(8000, ge=1, le=65535, description="Port the web server listens on.")
    form_bytes_max: int = Field(1024 * 1024, ge=1, description="Size of a form that a page takes, in bytes.")
    map_tiles: str = Field(
        "",
        description="Address of a server's map tiles with {z}, {x} and {y} in it; empty: the map is a sketch of ours.",
    )
    map_credit: str = Field("", description="Whom that server wants to be named beneath the map.")
    trusted_proxies: str = Field(
        "", description="Addresses, with commas between, of proxies whose X-Forwarded-For is believed, e.g. 127.0.0.1"
    )
    log_level: str = Field("info", pattern="^(debug|info|warning|error)$", description="How much is logged.")

    fetch: FetchLimits = FetchLimits()
    inbox: InboxLimits = InboxLimits()
    outbox: OutboxLimits = OutboxLimits()
    actors: ActorLimits = ActorLimits()
    errands: ErrandLimits = ErrandLimits()
    members: MemberLimits = MemberLimits()
    groups: GroupLimits = GroupLimits()
    board: BoardLimits = BoardLimits()
    skills: SkillLimits = SkillLimits()
    matching: MatchingLimits = MatchingLimits()
    media: MediaLimits = MediaLimits()
    notices: NoticeLimits = NoticeLimits()
    mail: MailLimits = MailLimits()
    timebank: TimebankLimits = TimebankLimits()
    web: WebLimits = WebLimits()
    api: ApiLimits = ApiLimits()
    bells: BellLimits = BellLimits()
    metrics: MetricsLimits = MetricsLimits()

    @property
    def url_rules(self) -> UrlRules:
        """Which URLs this instance speaks to."""
        return UrlRules(loopback=self.allow_loopback)

    @property
    def names(self) -> Names:
        """The names of this instance's things on the wire."""
        return Names(self.origin)

    @property
    def database(self) -> str:
        """The URL of the database in use."""
        return self.database_url or f"sqlite:///{(self.data / DATABASE_FILE_NAME).absolute()}"

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if not is_zone(value):
            raise ValueError("not a known time zone; write one such as Europe/London")
        return value

    @field_validator("language")
    @classmethod
    def _known_language(cls, value: str) -> str:
        if value not in LANGUAGES:
            raise ValueError(f"no such language; there are: {', '.join(LANGUAGES)}")
        return value

    @field_validator("contact")
    @classmethod
    def _can_be_written_to(cls, value: str) -> str:
        if value and not _CONTACT.fullmatch(value):
            raise ValueError("write an e-mail address, or a web address that begins with https://")
        return value

    @field_validator("trusted_certificates")
    @classmethod
    def _holds_certificates(cls, value: str) -> str:
        if value:
            try:
                trusting(value)
            except OSError:  # SSLError is one
                raise ValueError("this file cannot be read, or holds no certificate in PEM") from None
        return value

    @field_validator("map_tiles")
    @classmethod
    def _names_a_tile(cls, value: str) -> str:
        if value and not (value.startswith("https://") and all(part in value for part in ("{z}", "{x}", "{y}"))):
            raise ValueError("write an address that begins with https:// and has {z}, {x} and {y} in it")
        return value

    @model_validator(mode="after")
    def _origin_is_reachable(self) -> "Settings":
        try:
            origin = self.url_rules.parse(self.origin)
        except MalformedUrl as error:
            advice = "" if self.allow_loopback else " (http://127.0.0.1:PORT needs --allow-loopback)"
            raise ValueError(f"origin: {error.sentence}{advice}") from None
        if str(origin.origin) != self.origin:
            raise ValueError(f"origin: write it as {origin.origin}, without a path or a slash at the end")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        assert isinstance(init_settings, InitSettingsSource)  # noqa: S101 - the library's own default
        file = Path(init_settings.init_kwargs["data"]) / FILE_NAME
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, file)


def load(data: Path, **given: Any) -> Settings:
    """The settings of the instance in ``data``. Raises Refused with what to mend, one line per setting."""
    try:
        return Settings(data=data, **{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        if _was_never_founded(data, error):
            raise Refused(
                "not_founded", f"There is no instance in {data}. Found one with: fedaid init --data {data}"
            ) from None
        lines = [_told(problem["loc"], problem["msg"]) for problem in error.errors()]
        raise Refused("settings", "These settings cannot be used:\n" + "\n".join(lines)) from None
    except ValueError as error:  # TOML that cannot be read
        raise Refused("settings", f"{data / FILE_NAME} cannot be read: {error}") from None


def _was_never_founded(data: Path, error: ValidationError) -> bool:
    """Whether there is no file, and nobody said by another way what only the founder can say."""
    unsaid = any(problem["type"] == "missing" and problem["loc"] == ("origin",) for problem in error.errors())
    return unsaid and not (data / FILE_NAME).exists()


def _told(place: tuple[int | str, ...], message: str) -> str:
    name = ".".join(map(str, place))
    return f"  {name}: {message}" if name else f"  {message.removeprefix('Value error, ')}"


def write(settings: Settings) -> None:
    """Writes the file of a new instance: what was chosen, as TOML a person can go on editing."""
    names = ("origin", "name", "allow_loopback", "database_url", "time_zone", "trusted_proxies")
    chosen = {name: getattr(settings, name) for name in names}
    # A JSON string, number or boolean is also a TOML one.
    lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in chosen.items() if value != ""]
    header = "# Settings of this fedaid instance; all of them are described in docs/reference/settings.md\n"
    (settings.data / FILE_NAME).write_text(header + "\n".join(lines) + "\n", encoding="utf-8")
