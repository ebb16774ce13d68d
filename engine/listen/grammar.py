"""Command lines to verbs, paths and parameters (RFC 5321 4.1); pure, strict, and without a backtracking expression."""

from __future__ import annotations

from dataclasses import dataclass, field

_LONGEST_ADDRESS = 320  # 64 + "@" + 255 octets, RFC 5321 4.5.3.1


@dataclass(frozen=True, slots=True)
class Command:
    """One command line: the verb in upper case and its argument, stripped."""

    verb: str
    argument: str = ""


@dataclass(frozen=True, slots=True)
class Path:
    """What MAIL and RCPT carry: an address ("" for the empty reverse path) and parameters with keys in upper case."""

    address: str
    parameters: dict[str, str] = field(default_factory=dict)


def read_command(line: bytes) -> Command | None:
    """Read one line with its end; None where it does not end with CRLF, holds control characters or is not UTF-8."""
    if not line.endswith(b"\r\n"):
        return None
    try:
        text = line[:-2].decode("utf-8")
    except UnicodeDecodeError:
        return None
    if not text.isprintable():
        return None
    verb, _, argument = text.strip(" ").partition(" ")
    return Command(verb.upper(), argument.strip(" "))


def read_path(argument: str, keyword: str) -> Path | None:
    """Read `FROM:<address> KEY=value`; None where it is not one. The space some put after the colon is let pass."""
    if argument[: len(keyword)].upper() != keyword:
        return None
    path, closing, rest = argument[len(keyword) :].lstrip(" ").partition(">")
    address = path[1:]
    if not path.startswith("<") or not closing or not _is_plain(address) or rest[:1] not in ("", " "):
        return None
    parameters = _read_parameters(rest)
    return None if parameters is None else Path(address, parameters)


def _is_plain(address: str) -> bool:
    return len(address.encode()) <= _LONGEST_ADDRESS and not set(address) & set(' <>\\"')


def _read_parameters(text: str) -> dict[str, str] | None:
    parameters: dict[str, str] = {}
    for word in text.split():
        key, equals, value = word.partition("=")
        if not key.replace("-", "").isalnum() or (equals and not value):
            return None
        parameters[key.upper()] = value
    return parameters
