"""File and environment, read once into one frozen `Settings`; every wrong key is named at once with its cure."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, AnyHttpUrl, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

Seconds = Annotated[float, Field(gt=0, description="a number of seconds above 0")]
Days = Annotated[int, Field(ge=1, description="a whole number of days, 1 or more")]
_HIGHEST_PORT = 65_535
Port = Annotated[int, Field(ge=0, le=_HIGHEST_PORT, description="a port number, 0 to 65535 (0: the system chooses)")]
DomainName = Annotated[
    str,
    Field(
        pattern=r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$",
        max_length=253,
        description="a domain name in lower case, as in mail.example.org",
    ),
]
MailAddress = Annotated[
    str, Field(pattern=r"^[^@\s<>]{1,64}@[a-z0-9.-]{1,253}$", description="an address, as in utskick@example.org")
]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Sending(_Section):
    """How mail leaves."""

    mode: Annotated[Literal["sandbox", "internet"], Field(description='"sandbox" or "internet"')]
    hostname: DomainName
    sender_address: MailAddress
    bounce_domain: DomainName
    tries_for_days: Annotated[float, Field(gt=0, le=14, description="days, above 0 and at most 14")]
    uncertain: Annotated[Literal["resend", "hold"], Field(description='"resend" or "hold"')]
    lease_seconds: Seconds
    senders: Annotated[int, Field(ge=0, le=64, description="a whole number, 0 (one a core) to 64")]
    dkim_selectors: Annotated[tuple[str, ...], Field(min_length=1, description='a list of selectors, as in ["b1"]')]
    source_addresses: Annotated[tuple[str, ...], Field(description="a list of local IP addresses")]


class Timeouts(_Section):
    """How long each phase of an SMTP conversation may take, in seconds (RFC 5321 4.5.3.2)."""

    connect: Seconds
    banner: Seconds
    command: Seconds
    data: Seconds
    data_block: Seconds
    final_dot: Seconds


class Receiving(_Section):
    """Where returned mail is taken in."""

    host: Annotated[str, Field(min_length=1, description="an IP address to listen on")]
    port: Port
    tls_certificate: Annotated[str, Field(description="the path of a PEM file")]
    tls_key: Annotated[str, Field(description="the path of a PEM file")]
    letters_per_message: Annotated[int, Field(ge=1, description="a whole number, 1 or more")]
    letters_per_user: Annotated[int, Field(ge=1, description="a whole number, 1 or more")]


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("no such time zone") from None
    return name


TimeZone = Annotated[
    str, AfterValidator(_known_zone), Field(description="a name of the tz database, as in Europe/Helsinki")
]


class Web(_Section):
    """Where the pages and the API are served."""

    host: Annotated[str, Field(min_length=1, description="an IP address to listen on")]
    port: Port
    base_url: Annotated[AnyHttpUrl, Field(description="the address members reach, as in https://post.example.org")]
    time_zone: TimeZone


class Storage(_Section):
    """Where everything is kept."""

    data_dir: Annotated[Path, Field(description="a folder that the service may write in")]
    database_url: Annotated[
        str,
        Field(
            pattern=r"^$|^(sqlite|postgresql)(\+\w+)?://",
            description="postgresql://user:password@host/database, sqlite:///file, or empty for SQLite in data_dir",
        ),
    ]

    @property
    def url(self) -> str:
        return self.database_url or f"sqlite:///{self.data_dir.absolute() / 'brevduva.db'}"

    @property
    def secrets_dir(self) -> Path:
        return self.data_dir / "secrets"

    @property
    def spool_dir(self) -> Path:
        return self.data_dir / "spool"


class Suppression(_Section):
    """How far a complaint or an unsubscribe reaches."""

    scope: Annotated[Literal["everywhere", "association"], Field(description='"everywhere" or "association"')]


class Retention(_Section):
    """How long each thing is kept, in days."""

    raw_reports: Days
    delivery_log: Days
    events: Days


class Sandbox(_Section):
    """The internet in a box."""

    dns_port: Port
    smtp_port: Port
    members: Annotated[int, Field(ge=1, le=1_000_000, description="a whole number, 1 or more")]


class Settings(BaseSettings):
    """Everything that can be set; frozen once read."""

    model_config = SettingsConfigDict(env_prefix="BREVDUVA_", env_nested_delimiter="__", extra="forbid", frozen=True)

    sending: Sending
    timeouts: Timeouts
    receiving: Receiving
    web: Web
    storage: Storage
    suppression: Suppression
    retention: Retention
    sandbox: Sandbox

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what `read_settings` has merged counts."""
        return (init_settings,)


class BadSettings(Exception):
    """The configuration cannot be used; `problems` holds one line a wrong key, each with its cure."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def read_settings(path: Path | None = None, **overrides: object) -> Settings:
    """Read the settings: overrides, then environment, then the file, then `defaults.toml`.

    The file is `path`, else what BREVDUVA_CONFIG names, else `brevduva.toml` here, else none at all (the sandbox).
    Raises BadSettings naming every wrong key.
    """
    values = tomllib.loads(Path(__file__).with_name("defaults.toml").read_text(encoding="utf-8"))
    try:
        for source in (_read_file(path), EnvSettingsSource(Settings)(), overrides):
            values = _merge(values, source)
        settings = Settings(**_with_base_url(values))
    except ValidationError as error:
        raise BadSettings(_strangers() + [_problem(entry) for entry in error.errors()]) from None
    if problems := _strangers() + _unfit_for_internet(settings):
        raise BadSettings(problems)
    return settings


def _strangers() -> list[str]:
    """Variables of the environment that look like settings and name a table that does not exist."""
    tables = {
        name: name.removeprefix("BREVDUVA_").partition("__") for name in os.environ if name.startswith("BREVDUVA_")
    }
    unknown = {name: table.lower() for name, (table, mark, _) in tables.items() if mark}
    return [
        f"{name}: there is no such setting; {_suggest([table])}"
        for name, table in sorted(unknown.items())
        if table not in Settings.model_fields
    ]


def _with_base_url(values: dict[str, Any]) -> dict[str, Any]:
    """Where no address for members is set, it is the one we listen on."""
    web = values["web"]
    if not isinstance(web, Mapping) or web["base_url"]:
        return values
    is_port = str(web["port"]).isdecimal() and int(web["port"]) <= _HIGHEST_PORT
    port = web["port"] if is_port else 0  # a wrong one is named once, as the port
    return {**values, "web": {**web, "base_url": f"http://{web['host']}:{port}"}}


def _unfit_for_internet(settings: Settings) -> list[str]:
    """What would go wrong if this installation sent for real: names that are nobody's, links that lead nowhere."""
    if settings.sending.mode == "sandbox":
        return []
    sending, host = settings.sending, settings.web.base_url.host or ""
    reserved = [name for name in _OWN_NAMES if str(getattr(sending, name)).endswith(_RESERVED_NAMES)]
    problems = [f"sending.{name}: {getattr(sending, name)!r} is the sandbox's; give your own" for name in reserved]
    if host in ("127.0.0.1", "localhost", "0.0.0.0", "[::1]"):  # noqa: S104 - compared, not bound
        problems.append(f"web.base_url: members cannot reach {host!r}; give the address they reach, with https")
    return problems


_OWN_NAMES = ("hostname", "sender_address", "bounce_domain")
_RESERVED_NAMES = (".example", ".test", ".invalid", ".localhost")
"""Top-level names that belong to nobody (RFC 2606 2)."""


def _merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Lay one tree of values over another, table by table."""
    both = {
        name: _merge(below[name], above[name])
        for name in below.keys() & above.keys()
        if _are_tables(below, above, name)
    }
    return {**below, **above, **both}


def _are_tables(below: Mapping[str, Any], above: Mapping[str, Any], name: str) -> bool:
    return isinstance(below[name], Mapping) and isinstance(above[name], Mapping)


def _read_file(path: Path | None) -> dict[str, Any]:
    named = path or (Path(name) if (name := os.environ.get("BREVDUVA_CONFIG")) else None)
    chosen = named or Path("brevduva.toml")
    if not chosen.exists() and named is None:
        return {}
    try:
        return tomllib.loads(chosen.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadSettings([f"{chosen}: cannot be read ({error.strerror}); create it or name another file"]) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSettings([f"{chosen}: is not TOML ({error}); mend the line it names"]) from None


def _problem(error: ErrorDetails) -> str:
    """One line for one wrong key: what it is, what stands there, and the cure."""
    location = [str(part) for part in error["loc"]]
    name = ".".join(location[:2])
    if error["type"] == "extra_forbidden":
        return f"{name}: there is no such setting; {_suggest(location)}"
    given = "" if error["type"] == "missing" else f" {error.get('input')!r} will not do;"
    return f"{name}:{given} give {_description(location) or error['msg']}"


def _suggest(location: list[str]) -> str:
    fields = _fields_of(location[:-1])
    near = get_close_matches(location[-1], fields, n=1)
    return f'did you mean "{near[0]}"?' if near else f"take it away (known here: {', '.join(fields)})"


def _fields_of(location: list[str]) -> list[str]:
    model: type[BaseModel] = Settings
    for part in location:
        field = model.model_fields.get(part)
        if field and isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            model = field.annotation
    return list(model.model_fields)


def _description(location: list[str]) -> str:
    section = Settings.model_fields.get(location[0])
    if section is None or len(location) < 2 or not isinstance(section.annotation, type):
        return "a table of settings"
    if not issubclass(section.annotation, BaseModel):
        return ""
    field = section.annotation.model_fields.get(location[1])
    return (field.description or "") if field else ""
