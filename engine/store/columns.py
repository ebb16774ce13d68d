"""The kinds of columns that the tables are made of: instants, documents, numbers of rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache

from sqlalchemy import JSON, BigInteger, Column, ForeignKey, Integer
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator


class Instant(TypeDecorator[datetime]):
    """A UTC instant: microseconds since 1970 as an integer, so that every database sorts and compares it alike."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else to_microseconds(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        return None if value is None else from_microseconds(value)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_microseconds(instant: datetime) -> int:
    """Whole microseconds since 1970; the instant must be aware."""
    gone = instant - _EPOCH
    return (gone.days * 86_400 + gone.seconds) * 1_000_000 + gone.microseconds


@lru_cache(1024)  # messages of one mailing have the same instants
def from_microseconds(value: int) -> datetime:
    return _EPOCH + timedelta(microseconds=value)


Number = BigInteger().with_variant(Integer, "sqlite")
Document = JSON().with_variant(JSONB, "postgresql")


def own_id() -> Column[int]:
    """A row's number, which the database gives it."""
    return Column("id", Number, primary_key=True, autoincrement=True)


def reference(table: str, *, nullable: bool = False, index: bool = False) -> Column[int]:
    """The number of a row of another table."""
    return Column(f"{table}_id", Number, ForeignKey(f"{table}.id"), nullable=nullable, index=index)
