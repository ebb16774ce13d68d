"""What is a mail address: normalise one, say what is wrong with it, and suggest a correction (never make one).

The only file that knows flanker. It is imported with care: as it comes it writes parser tables into site-packages,
logs warnings and uses modules that Python is about to drop.
"""

from __future__ import annotations

import logging
import re
import unicodedata
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache, partial

import idna
from ply import yacc

from engine.errors import InvalidInput

_LONGEST_ADDRESS = 254
_LONGEST_LOCAL_PART = 64
_CLOSE_ENOUGH = 0.9
_LONG_ENOUGH = 8  # a shorter name is one slip away from too many honest ones


@contextmanager
def _quiet_flanker() -> Iterator[None]:
    """Import flanker so that it writes no file and warns of nothing."""
    build, yacc.yacc = yacc.yacc, partial(yacc.yacc, write_tables=False)
    logger = logging.getLogger("flanker")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        yacc.yacc = build
        logger.setLevel(level)


with _quiet_flanker():
    from flanker.addresslib.address import parse
    from flanker.addresslib.corrector import MOST_COMMON_DOMAINS

NORDIC_DOMAINS = (
    *("gmail.com", "hotmail.com", "outlook.com", "live.com", "icloud.com", "me.com", "msn.com", "yahoo.com"),
    *("hotmail.se", "live.se", "yahoo.se", "telia.com", "comhem.se", "bredband.net", "bredband2.com", "spray.se"),
    *("tele2.se", "bahnhof.se", "home.se", "glocalnet.net", "ownit.nu", "swipnet.se", "passagen.se", "outlook.se"),
    *("hotmail.fi", "live.fi", "elisanet.fi", "kolumbus.fi", "saunalahti.fi", "luukku.com", "netti.fi", "pp.inet.fi"),
    *("suomi24.fi", "welho.com", "dnainternet.net", "mbnet.fi", "multi.fi", "anvianet.fi", "aland.net", "outlook.fi"),
    *("hotmail.no", "live.no", "online.no", "frisurf.no", "getmail.no", "broadpark.no", "outlook.no", "yahoo.no"),
    *("hotmail.dk", "live.dk", "mail.dk", "jubii.dk", "ofir.dk", "stofanet.dk", "tdcadsl.dk", "outlook.dk", "yahoo.dk"),
)
"""Mailbox providers of the Nordic countries; these are suggested before any other."""

_WELL_KNOWN: tuple[Sequence[str], ...] = (NORDIC_DOMAINS, MOST_COMMON_DOMAINS)
_KNOWN_DOMAINS = frozenset(domain for domains in _WELL_KNOWN for domain in domains)


@dataclass(frozen=True, slots=True)
class Address:
    """A well-formed address: as typed, the key that addresses are compared by, and its domain as in DNS (A-labels)."""

    typed: str
    key: str
    domain: str


@dataclass(frozen=True, slots=True)
class BadAddress:
    """Why a text is no address that mail can be sent to, and what to do about it."""

    problem: str
    cure: str

    def __str__(self) -> str:
        return f"{self.problem}; {self.cure}"


_INVISIBLE = ("Cc", "Cf", "Cs", "Zl", "Zp")
_FORM = "write it as name@example.org"
_TOO_LONG = BadAddress(
    "it is too long", f"at most {_LONGEST_LOCAL_PART} characters before the @, {_LONGEST_ADDRESS} in all"
)
_FAULTS: tuple[tuple[Callable[[str], bool], BadAddress], ...] = (
    (lambda typed: len(typed) > _LONGEST_ADDRESS, _TOO_LONG),
    (
        lambda typed: any(unicodedata.category(mark) in _INVISIBLE for mark in typed),
        BadAddress("it holds invisible characters", "type it anew"),
    ),
    (lambda typed: "@" not in typed, BadAddress("there is no @ in it", _FORM)),
    (lambda typed: typed.startswith("@"), BadAddress("there is nothing before the @", _FORM)),
    (
        lambda typed: not set(typed).isdisjoint(' "(),:;<>[]\\'),
        BadAddress("it holds something besides one bare address", "leave only name@example.org, one a card"),
    ),
)
"""What is looked for before anything is parsed, in order."""


@lru_cache(maxsize=256)  # an imported row asks what an address is, and then what was meant
def normalise(text: str) -> Address | BadAddress:
    """Read one bare address (RFC 5321 4.1.2 without quoted names and literals, RFC 6531 letters allowed)."""
    typed = unicodedata.normalize("NFC", text.strip(" \t\r\n\u00a0"))
    if fault := next((fault for has_it, fault in _FAULTS if has_it(typed)), None):
        return fault
    local, _, domain = typed.rpartition("@")
    ascii_domain = _to_ascii(domain)
    if ascii_domain is None:
        return BadAddress(f"{domain!r} is no domain", "correct what stands after the @")
    if parse(f"{local}@x.example", addr_spec_only=True, strict=True) is None:
        return BadAddress("it is not formed like an address", _FORM)
    octets = len(local.encode())
    if octets > _LONGEST_LOCAL_PART or octets + 1 + len(ascii_domain) > _LONGEST_ADDRESS:
        return _TOO_LONG
    return Address(typed, f"{local.lower()}@{ascii_domain}", ascii_domain)


def key_of(text: str) -> str:
    """What an address is compared by. Raises InvalidInput."""
    normal = normalise(text)
    if isinstance(normal, BadAddress):
        raise InvalidInput("address", f"{text}: {normal.problem}; {normal.cure}")
    return normal.key


def suggest(text: str) -> str | None:
    """What was probably meant, or None where nothing better is known; only ever shown to a person."""
    given = text.strip()
    mended = given if isinstance(normalise(given), Address) else _mend(given)
    local, at, domain = mended.rpartition("@")
    if at and (near := _nearest(domain.lower())):
        mended = f"{local}@{near}"
    return mended if mended != given and isinstance(normalise(mended), Address) else None


@lru_cache(maxsize=4096)  # a register's members share their domains
def _to_ascii(domain: str) -> str | None:
    """A domain as in DNS: A-labels in lower case, at least two, the last one no number (RFC 5890, RFC 3696 2)."""
    try:
        name = idna.encode(domain, uts46=True, std3_rules=True).decode() if domain else ""
    except (idna.IDNAError, UnicodeError):
        return None
    *rest, last = name.lower().split(".")
    return name.lower() if rest and last and not last.isdigit() else None


_MENDS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"^.{0,200}<([^<>]{1,254})>[^<>]{0,50}$"), r"\1"),
    (re.compile(r"^mailto:", re.IGNORECASE), ""),
    (re.compile(r"\s?[(\[{]\s?(?:at|a|snabel-?a)\s?[)\]}]\s?", re.IGNORECASE), "@"),
    (re.compile(r"[\s\u200b\ufeff\"]"), ""),
    (re.compile(r"@{2,}"), "@"),
    (re.compile(r",(?=[^@,]{1,100}$)"), "."),
    (re.compile(r"\.{2,}"), "."),
    (re.compile(r"\.?@\.?"), "@"),
    (re.compile(r"^[.;,']+|[.;,']+$"), ""),
)
"""What people put around and into addresses by mistake, each with its cure, in order."""


def _mend(text: str) -> str:
    mended = text[: 2 * _LONGEST_ADDRESS]
    for mistake, cure in _MENDS:
        mended = mistake.sub(cure, mended)
    return mended


@lru_cache(maxsize=4096)
def _nearest(domain: str) -> str | None:
    """The well-known domain that a domain is nearly but not quite, the Nordic ones first."""
    if domain in _KNOWN_DOMAINS:
        return None
    slipped = [known for known in NORDIC_DOMAINS if len(known) >= _LONG_ENOUGH and _is_one_slip(domain, known)]
    close = [get_close_matches(domain, domains, n=1, cutoff=_CLOSE_ENOUGH) for domains in _WELL_KNOWN]
    return next((str(found[0]) for found in (slipped, *close) if found), None)


def _is_one_slip(one: str, other: str) -> bool:
    """True where one letter was added, left out or mistaken, or two neighbours changed places."""
    short, long = sorted((one, other), key=len)
    start = next((at for at, pair in enumerate(zip(short, long, strict=False)) if pair[0] != pair[1]), len(short))
    if len(long) - len(short) == 1:
        return short[start:] == long[start + 1 :]
    swapped = short[:start] + short[start : start + 2][::-1] + short[start + 2 :]
    return len(short) == len(long) and (short[start + 1 :] == long[start + 1 :] or swapped == long)
