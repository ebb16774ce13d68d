"""Recipients that a notice calls by their bare names, as inside one house: AOL, GroupWise, old Exim."""

from __future__ import annotations

from dsn_parser.scan import Pattern, any_of

NAME_LIMIT = 20

_ANNOUNCEMENT = any_of(
    r"following(?: \S+){0,4}:?\s*$", r"recipients?[^:\n]{0,160}:\s*$", r"address(?:es)?[^:\n]{0,40}:\s*$"
)
_NAME = Pattern(r"^\s*<?([A-Za-z0-9][A-Za-z0-9._+-]{0,63})>?\s*(?:$|:|\(|\.\.\. )")


def find_local_names(text: str) -> list[str]:
    """Return the single words that stand in lines of their own below an announcement of recipients."""
    names: list[str] = []
    announced = False
    for line in text.split("\n"):
        name = _NAME.find(line) if announced else ""
        if name:
            names.append(name)
        elif line.strip():
            announced = _ANNOUNCEMENT.matches(line)
    return names[:NAME_LIMIT]


def complete(name: str, known: tuple[str, ...], domain: str) -> str:
    """The address that a bare name stands for: one that the mail was for, else the name at the notice's own domain."""
    return next((address for address in known if address.partition("@")[0].lower() == name.lower()), f"{name}@{domain}")
