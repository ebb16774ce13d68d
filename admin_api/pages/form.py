"""A form as a browser sends it, read within limits."""

from __future__ import annotations

from dataclasses import dataclass, field

from starlette.datastructures import FormData, ImmutableMultiDict, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from admin_api.errors import Refusal

_MOST_FIELDS = 300
_LONGEST_FIELD = 300_000
_MOST_DIGITS = 18


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of a form; what is not there is empty."""

    data: FormData = field(default_factory=FormData)
    file_name: str = ""
    file: bytes = b""

    def text(self, name: str) -> str:
        return next(iter(self.texts(name)), "")

    def texts(self, name: str) -> list[str]:
        """Every value of a field, with line ends as `\\n` and without the characters that no database keeps."""
        values = [value for value in self.data.getlist(name) if isinstance(value, str)]
        return [value.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "") for value in values]

    def number(self, name: str) -> int | None:
        return read_number(self.text(name))

    @property
    def query(self) -> ImmutableMultiDict[str, str]:
        """The text fields, as an address carries them."""
        return ImmutableMultiDict([(name, value) for name, value in self.data.multi_items() if isinstance(value, str)])

    def __contains__(self, name: str) -> bool:
        return name in self.data


EMPTY = Form()


def read_number(text: str) -> int | None:
    """A number as it stands in a form or an address; None for anything else, and for more than a database counts."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS else None


async def read_form(request: Request) -> Form:
    """Raises Refusal 400 for what is no form."""
    try:
        async with request.form(max_files=1, max_fields=_MOST_FIELDS, max_part_size=_LONGEST_FIELD) as data:
            upload = next((value for value in data.values() if isinstance(value, UploadFile)), None)
            if upload is None:
                return Form(data)
            return Form(data, upload.filename or "", await upload.read())
    except HTTPException:
        raise Refusal(400, "the form could not be read; send it again") from None
