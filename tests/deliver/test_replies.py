"""Answers cut from a stream and read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.vocabulary import EnhancedStatus, Reply
from engine.deliver.replies import MAX_REPLY_BYTES, Answer, AnswerReader, NotSmtp, read_answer


def replies(*chunks: bytes) -> list[Reply]:
    reader = AnswerReader()
    return [read_answer(answer) for chunk in chunks for answer in reader.feed(chunk)]


@pytest.mark.parametrize(
    ("wire", "reply"),
    [
        (b"250 2.0.0 Ok: queued\r\n", Reply(250, EnhancedStatus(2, 0, 0), "Ok: queued")),
        (b"250 Ok\r\n", Reply(250, None, "Ok")),
        (b"354\r\n", Reply(354, None, "")),
        (b"250 \r\n", Reply(250, None, "")),
        (b"250 2.0.0\r\n", Reply(250, EnhancedStatus(2, 0, 0), "")),
        (b"250 Ok\n", Reply(250, None, "Ok")),
        (
            b"550-5.1.1 The account\r\n550-5.1.1 does not\r\n550 5.1.1 exist\r\n",
            Reply(550, EnhancedStatus(5, 1, 1), "The account does not exist"),
        ),
        (b"550-No\r\n550 such user\r\n", Reply(550, None, "No such user")),
        (b"550 Blocked (5.7.1) by us\r\n", Reply(550, EnhancedStatus(5, 7, 1), "Blocked (5.7.1) by us")),
        (b"250 1.2.3.4 is your address\r\n", Reply(250, None, "1.2.3.4 is your address")),
        (b"250 9.9.9 bottles\r\n", Reply(250, None, "9.9.9 bottles")),
        ("550 Brevlådan är full\r\n".encode(), Reply(550, None, "Brevlådan är full")),
        (b"550 caf\xe9\x00\x1b[31m\r\n", Reply(550, None, "caf\ufffd  [31m")),
    ],
)
def test_an_answer_becomes_code_status_and_words(wire: bytes, reply: Reply) -> None:
    assert replies(wire) == [reply]


@given(st.lists(st.integers(1, 80), max_size=12))
def test_answers_are_the_same_however_the_stream_is_cut(cuts: list[int]) -> None:
    stream = b"250 2.1.0 Ok\r\n250-2.1.5 One\r\n250 2.1.5 two\r\n354 Go\r\n450 4.2.0 Greylisted\r\n"
    chunks, rest = [], stream
    for cut in cuts:
        chunks.append(rest[:cut])
        rest = rest[cut:]
    assert replies(*chunks, rest) == replies(stream)
    assert [reply.code for reply in replies(stream)] == [250, 250, 354, 450]


@pytest.mark.parametrize(
    "wire",
    [
        b"HTTP/1.1 400 Bad Request\r\n",
        b"\r\n",
        b"25\r\n",
        b"250_Ok\r\n",
        b"150 Ok\r\n",
        b"650 Ok\r\n",
        b"\x16\x03\x01\n",
    ],
)
def test_what_is_no_smtp_is_said_to_be_none(wire: bytes) -> None:
    with pytest.raises(NotSmtp):
        replies(wire)


def test_answers_before_the_nonsense_are_still_heard() -> None:
    reader = AnswerReader().feed(b"250 Ok\r\nnonsense\r\n")
    assert next(reader) == Answer(250, [b"250 Ok\r"])
    with pytest.raises(NotSmtp):
        next(reader)


@pytest.mark.parametrize(
    "chunks",
    [
        [b"250-x\r\n"] * 101,
        [b"250 " + b"x" * MAX_REPLY_BYTES],
        [b"x" * 1000] * 9,
        [b"250-" + b"x" * 2000 + b"\r\n"] * 5,
    ],
)
def test_an_endless_answer_is_cut_off(chunks: list[bytes]) -> None:
    with pytest.raises(NotSmtp):
        replies(*chunks)
