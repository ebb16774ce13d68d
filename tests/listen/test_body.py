"""The bytes between DATA and the final dot."""

from __future__ import annotations

import random

import pytest

from engine.listen.body import Body

FOLLOWING = b"QUIT\r\n"


def read(wire: bytes, chunk_bytes: int) -> tuple[bytes, Body]:
    """Feed a wire in chunks of one size until the body is complete."""
    body, content, taken = Body(), b"", 0
    while not body.is_complete and taken < len(wire):
        content += body.feed(wire[taken : taken + chunk_bytes])
        taken += chunk_bytes
    body.rest += wire[taken:]
    return content, body


@pytest.mark.parametrize(
    ("wire", "content"),
    [
        (b".\r\n", b""),
        (b"\r\n.\r\n", b"\r\n"),
        (b"a\r\n.\r\n", b"a\r\n"),
        (b"..\r\n.\r\n", b".\r\n"),
        (b"..a\r\n...\r\n....b\r\n.\r\n", b".a\r\n..\r\n...b\r\n"),
        (b".a\r\n.\r\n", b"a\r\n"),
        (b"a.\r\n.b.\r\n\r\n\r\n..\r\n.\r\n", b"a.\r\nb.\r\n\r\n\r\n.\r\n"),
    ],
)
@pytest.mark.parametrize("chunk_bytes", [1, 2, 3, 4, 5, 6, 7, 1000])
def test_a_body_ends_at_its_dot_and_loses_its_stuffing(wire: bytes, content: bytes, chunk_bytes: int) -> None:
    read_content, body = read(wire + FOLLOWING, chunk_bytes)
    assert (read_content, body.rest, body.is_complete) == (content, FOLLOWING, True)
    assert body.size_bytes == len(content)
    assert not body.has_bare_characters


@pytest.mark.parametrize("flaw", [b"\n", b"\r", b"\0", b"\r\r\n", b"\n\r\n", b"\r\n\n", b"\r\0\n"])
@pytest.mark.parametrize("chunk_bytes", [1, 2, 3, 5, 1000])
def test_bare_characters_are_noticed_wherever_the_network_cuts(flaw: bytes, chunk_bytes: int) -> None:
    for before in (b"", b"a", b"ab", b"a\r\n", b"\r\n.."):
        _, body = read(before + flaw + b"b\r\n.\r\n", chunk_bytes)
        assert body.is_complete
        assert body.has_bare_characters


def test_any_cutting_of_any_body_gives_the_same() -> None:
    dice = random.Random(5)
    for _ in range(2000):
        wire = b"".join(dice.choices([b"\r", b"\n", b".", b"a", b"\r\n", b"\r\n.", b"\r\n.\r\n"], k=12)) + b"\r\n.\r\n"
        whole, one = read(wire, len(wire))
        pieces, other = read(wire, dice.randint(1, 7))
        assert (pieces, other.rest) == (whole, one.rest)
        assert other.has_bare_characters == one.has_bare_characters


def test_an_endless_line_is_never_held() -> None:
    body = Body()
    for _ in range(100):
        assert len(body.feed(b"x" * 65536)) >= 65530
    assert body.size_bytes > 6_000_000
