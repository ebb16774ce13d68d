"""What may stand in the variable parts of a path; anything else is a 404 before anybody is asked."""

from __future__ import annotations

from starlette.convertors import Convertor, register_url_convertor


class Number(Convertor[int]):
    """The number of a row, as every database can hold it."""

    regex = "[0-9]{1,18}"

    def convert(self, value: str) -> int:
        return int(value)

    def to_string(self, value: int) -> str:
        return str(value)


class Slug(Convertor[str]):
    """An association's name in an address."""

    regex = "[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


class Site(Slug):
    """The name of a receiving site."""

    regex = "[A-Za-z0-9._-]{1,253}"


class Token(Slug):
    """A signed link."""

    regex = r"[A-Za-z0-9.]{1,100}"


def register_all() -> None:
    for name, convertor in (("number", Number()), ("slug", Slug()), ("site", Site()), ("token", Token())):
        register_url_convertor(name, convertor)
