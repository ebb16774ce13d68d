"""What the bodies, queries and answers of the API are made of."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

LARGEST_ID = 2**63 - 1


class Shape(BaseModel):
    """A body or an answer: nothing in it may be unknown, nothing in it changes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _without_controls(text: str) -> str:
    if any(ord(letter) < 32 or 127 <= ord(letter) < 160 for letter in text):
        raise ValueError("no control characters, please; take them away")
    return text


def _storable(text: str) -> str:
    if "\0" in text:
        raise ValueError("no NUL characters, please; take them away")
    return text


Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=300), AfterValidator(_without_controls)]
"""One line of text."""

Name = Annotated[Line, StringConstraints(min_length=1)]
"""A line that may not be empty."""

Prose = Annotated[str, StringConstraints(max_length=200_000), AfterValidator(_storable)]
"""Text of many lines."""

Id = Annotated[int, Field(ge=1, le=LARGEST_ID)]
"""The number of a row."""
