"""One conversation: what goes over the wire, and what is made of every answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from config.settings import Timeouts
from config.vocabulary import Host
from engine.deliver.attempt import Attempt, Blame, Envelope
from engine.deliver.conversation import Ending
from engine.deliver.session import Dialler
from tests.deliver.posts import PATIENT, QUICK, WIRE, envelope, envelopes, words
from tests.fakes.mx import ALL_EXTENSIONS, DROP, SILENCE, FakeMx

LOCKSTEP = ("SIZE 1000000", "8BITMIME")


async def converse(
    mx: FakeMx,
    mails: list[Envelope],
    timeouts: Timeouts = PATIENT,
    halted: Callable[[], bool] = lambda: False,
) -> tuple[list[Attempt], Ending]:
    """Deliver on one connection; returns what was reported and how it ended, once the receiver is rid of us."""
    waiting, attempts = list(mails), list[Attempt]()
    conversation = await Dialler("out.example", timeouts).open(
        Host("mx1.example", ("127.0.0.1",), mx.port), "127.0.0.1"
    )
    gone = asyncio.Event()
    conversation.on_lost = gone.set
    ending = await conversation.run(lambda: waiting.pop(0) if waiting else None, attempts.append, halted)
    conversation.leave()
    await gone.wait()
    return attempts, ending


def verbs(mx: FakeMx) -> list[str]:
    return [command.split()[0] for command in mx.commands]


async def test_a_mail_is_accepted_word_for_word() -> None:
    async with FakeMx() as mx:
        [attempt], ending = await converse(mx, [envelope(wire=b"Subject: Hej\r\n\r\n..dot\r\nbye\r\n")])
    assert mx.mails == [b"Subject: Hej\r\n\r\n..dot\r\nbye\r\n"]
    assert str(attempt.reply) == "250 2.0.0 Ok: queued as 4F2"
    assert (attempt.stage, attempt.blame, attempt.uncertain, attempt.tls) == ("dot", None, False, "")
    assert attempt.host == "mx1.example [127.0.0.1]"
    assert ending == Ending()
    assert verbs(mx) == ["EHLO", "MAIL", "RCPT", "DATA", "QUIT"]


async def test_a_pipelined_mail_costs_two_round_trips_and_each_further_one_a_single_one() -> None:
    async with FakeMx() as mx:
        await converse(mx, envelopes(10))
        assert len(mx.mails) == 10
        reads = mx.reads[1:-1]  # between EHLO and QUIT
    assert len(reads) == 11
    assert reads[0].endswith(b"\r\nDATA\r\n")
    assert reads[0].startswith(b"MAIL FROM:<b+1.mac@retur.example>")
    assert reads[1].startswith(WIRE + b".\r\nMAIL FROM:<b+2.mac@retur.example>")
    assert reads[1].endswith(b"\r\nDATA\r\n")
    assert reads[10] == WIRE + b".\r\n"


async def test_nothing_is_sent_ahead_of_a_receiver_without_pipelining() -> None:
    async with FakeMx(extensions=LOCKSTEP) as mx:
        attempts, _ = await converse(mx, envelopes(2))
    assert words(attempts) == [(1, "dot", 250), (2, "dot", 250)]
    assert len(mx.reads) == len(mx.commands) + len(mx.mails)


async def test_a_receiver_that_knows_only_helo_gets_its_mail() -> None:
    async with FakeMx(always={"EHLO": b"502 5.5.1 What?\r\n"}) as mx:
        attempts, _ = await converse(mx, envelopes(1))
    assert words(attempts) == [(1, "dot", 250)]
    assert mx.commands[:3] == ["EHLO out.example", "HELO out.example", "MAIL FROM:<b+1.mac@retur.example>"]


@pytest.mark.parametrize("extensions", [ALL_EXTENSIONS, LOCKSTEP])
@pytest.mark.parametrize(
    ("script", "attempt", "blame"),
    [
        ({"MAIL": [b"550 5.7.1 Go away\r\n"]}, (1, "mail", 550), Blame.MESSAGE),
        ({"RCPT": [b"550 5.1.1 Who?\r\n"]}, (1, "rcpt", 550), Blame.RECIPIENT),
        ({"RCPT": [b"450 4.2.0 Greylisted\r\n"]}, (1, "rcpt", 450), Blame.RECIPIENT),
        ({"DATA": [b"451 4.3.0 Not now\r\n"]}, (1, "data", 451), Blame.MESSAGE),
        ({"DOT": [b"552 5.2.2 Full\r\n"]}, (1, "dot", 552), Blame.MESSAGE),
    ],
)
async def test_a_refused_mail_leaves_the_connection_good_for_the_next(
    extensions: tuple[str, ...], script: dict[str, list[bytes]], attempt: tuple[int, str, int], blame: Blame
) -> None:
    if extensions is ALL_EXTENSIONS and "DOT" not in script and "DATA" not in script:
        script = {**script, "DATA": [b"503 5.5.1 No valid recipients\r\n"]}
    async with FakeMx(extensions=extensions, script=script) as mx:
        attempts, ending = await converse(mx, envelopes(2))
    assert words(attempts) == [attempt, (2, "dot", 250)]
    assert attempts[0].blame is blame
    assert (ending, mx.connections, len(mx.mails)) == (Ending(), 1, 2 if "DOT" in script else 1)


@pytest.mark.parametrize("extensions", [ALL_EXTENSIONS, LOCKSTEP])
async def test_an_open_transaction_is_reset_before_the_next(extensions: tuple[str, ...]) -> None:
    script = {"RCPT": [b"550 5.1.1 Who?\r\n"], "DATA": [b"503 5.5.1 No\r\n"] if "PIPELINING" in extensions else []}
    async with FakeMx(extensions=extensions, script=script) as mx:
        await converse(mx, envelopes(2))
    assert verbs(mx)[-5:-1] == ["RSET", "MAIL", "RCPT", "DATA"]


async def test_a_transaction_that_never_opened_needs_no_reset() -> None:
    script = {"MAIL": [b"451 4.7.1 No\r\n"], "RCPT": [b"503 5.5.1 No\r\n"], "DATA": [b"503 5.5.1 No\r\n"]}
    async with FakeMx(script=script) as mx:
        attempts, _ = await converse(mx, envelopes(2))
    assert "RSET" not in verbs(mx)
    assert words(attempts) == [(1, "mail", 451), (2, "dot", 250)]


async def test_only_a_dot_is_sent_where_data_is_taken_although_the_recipient_was_refused() -> None:
    script = {"RCPT": [b"550 5.1.1 Who?\r\n"], "DOT": [b"554 5.5.1 No valid recipients\r\n"]}
    async with FakeMx(script=script) as mx:
        attempts, _ = await converse(mx, envelopes(2))
    assert mx.mails == [b"", WIRE]
    assert words(attempts) == [(1, "rcpt", 550), (2, "dot", 250)]
    assert "RSET" not in verbs(mx)


@pytest.mark.parametrize("extensions", [ALL_EXTENSIONS, LOCKSTEP])
@pytest.mark.parametrize("answer", [DROP, SILENCE, b"garbage\r\n", b"250-" + b"x" * 9000])
async def test_an_answer_to_the_final_dot_that_never_comes_is_uncertain(
    extensions: tuple[str, ...], answer: bytes
) -> None:
    async with FakeMx(extensions=extensions, script={"DOT": [answer]}) as mx:
        attempts, ending = await converse(mx, envelopes(3), QUICK)
    assert words(attempts) == [(1, "dot", 0)]
    assert attempts[0].uncertain
    assert attempts[0].blame is Blame.SESSION
    assert [mail.job_id for mail in ending.untouched] == ([2] if "PIPELINING" in extensions else [])


@pytest.mark.parametrize("extensions", [ALL_EXTENSIONS, LOCKSTEP])
@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("answer", [DROP, SILENCE, b"999 What\r\n", b"421 4.3.2 Closing\r\n"])
async def test_a_mail_cut_short_before_its_content_is_handed_back_and_certain(
    extensions: tuple[str, ...], verb: str, answer: bytes
) -> None:
    async with FakeMx(extensions=extensions, script={verb: [answer]}) as mx:
        attempts, ending = await converse(mx, envelopes(2), QUICK)
    assert attempts == []
    assert ending.cut
    assert (ending.cut.envelope.job_id, ending.cut.uncertain, ending.cut.blame) == (1, False, Blame.SESSION)
    assert ending.cut.reply.code in (0, 421)
    assert ending.untouched == ()
    assert mx.mails == []


@pytest.mark.parametrize(
    ("verb", "answer", "uncertain"),
    [
        ("MAIL", b"354 Go\r\n", False),
        ("RCPT", b"334 Go\r\n", False),
        ("DATA", b"250 Ok\r\n", False),
        ("DOT", b"354\r\n", True),
    ],
)
async def test_an_answer_of_the_wrong_kind_is_never_taken_for_acceptance(
    verb: str, answer: bytes, uncertain: bool
) -> None:
    async with FakeMx(script={verb: [answer]}) as mx:
        attempts, ending = await converse(mx, envelopes(1))
    attempt = attempts[0] if uncertain else ending.cut
    assert attempt
    assert (attempt.reply.code, attempt.uncertain, attempt.blame) == (0, uncertain, Blame.SESSION)
    assert "Answered" in attempt.reply.text


async def test_421_to_the_final_dot_is_that_mails_answer_and_the_end_of_the_session() -> None:
    async with FakeMx(script={"DOT": [b"421 4.7.0 Too fast\r\n"]}) as mx:
        attempts, ending = await converse(mx, envelopes(3))
    assert words(attempts) == [(1, "dot", 421)]
    assert not attempts[0].uncertain
    assert [mail.job_id for mail in ending.untouched] == [2]


async def test_421_after_some_mails_hands_back_the_one_it_struck() -> None:
    async with FakeMx(script={"MAIL": [b"250 Ok\r\n", b"421 4.7.0 Enough\r\n"]}) as mx:
        attempts, ending = await converse(mx, envelopes(3))
    assert words(attempts) == [(1, "dot", 250)]
    assert ending.cut
    assert (ending.cut.envelope.job_id, str(ending.cut.reply)) == (2, "421 4.7.0 Enough")


async def test_a_refusal_stands_when_the_connection_breaks_behind_it() -> None:
    async with FakeMx(script={"RCPT": [b"550 5.1.1 Who?\r\n"], "DATA": [DROP]}) as mx:
        attempts, ending = await converse(mx, envelopes(1))
    assert words(attempts) == [(1, "rcpt", 550)]
    assert ending == Ending()


async def test_answers_that_came_before_the_nonsense_count() -> None:
    async with FakeMx(script={"DOT": [b"250 Ok\r\nnonsense\r\n"]}) as mx:
        attempts, _ = await converse(mx, envelopes(1))
    assert words(attempts) == [(1, "dot", 250)]


async def test_a_local_refusal_sends_no_command() -> None:
    mails = [envelope(1, "a@b.example\r\nDATA"), envelope(2, wire=b"x" * 1_000_001), envelope(3)]
    async with FakeMx() as mx:
        attempts, _ = await converse(mx, mails)
    assert words(attempts) == [(1, "rcpt", 553), (2, "mail", 552), (3, "dot", 250)]
    assert [attempt.blame for attempt in attempts] == [Blame.RECIPIENT, Blame.MESSAGE, None]
    assert verbs(mx) == ["EHLO", "MAIL", "RCPT", "DATA", "QUIT"]


async def test_once_halted_no_content_is_sent_and_the_mail_is_untouched() -> None:
    async with FakeMx() as mx:
        attempts, ending = await converse(mx, envelopes(2), halted=lambda: True)
    assert attempts == []
    assert mx.mails == []
    assert [mail.job_id for mail in ending.untouched] == [1]


async def test_a_receiver_that_stops_reading_is_given_up_and_has_not_got_the_mail() -> None:
    big = envelope(1, wire=b"x" * 70 + b"\r\n" + (b"y" * 998 + b"\r\n") * 20_000)
    async with FakeMx(extensions=("PIPELINING",), deaf_after_data=True) as mx:
        attempts, ending = await converse(mx, [big], QUICK)
    assert attempts == []
    assert ending.cut
    assert (ending.cut.stage, ending.cut.uncertain, ending.cut.reply.code) == ("dot", False, 0)


@pytest.mark.parametrize("script", [{}, {"DOT": [DROP]}, {"DOT": [SILENCE]}, {"RCPT": [b"550 5.1.1 Who?\r\n", DROP]}])
@pytest.mark.parametrize("first", ["m1@example.org", "no address"])
async def test_an_accident_in_the_report_is_raised_and_ends_the_conversation(
    script: dict[str, list[bytes]], first: str
) -> None:
    def stumble(attempt: Attempt) -> None:
        raise ZeroDivisionError(attempt.envelope.job_id)

    async with FakeMx(script=script) as mx:
        conversation = await Dialler("out.example", QUICK).open(Host("mx", ("127.0.0.1",), mx.port), "127.0.0.1")
        waiting = [envelope(1, first), envelope(2)]
        with pytest.raises(ZeroDivisionError):
            await conversation.run(lambda: waiting.pop(0) if waiting else None, stumble)
        assert not conversation.is_open


async def test_a_cancelled_run_leaves_no_connection() -> None:
    async with FakeMx(script={"DOT": [SILENCE]}) as mx:
        conversation = await Dialler("out.example", PATIENT).open(Host("mx", ("127.0.0.1",), mx.port), "127.0.0.1")
        gone = asyncio.Event()
        conversation.on_lost = gone.set
        waiting = envelopes(1)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await conversation.run(lambda: waiting.pop(0) if waiting else None, lambda attempt: None)
        await gone.wait()
        assert not conversation.is_open


async def test_words_nobody_asked_for_close_an_idle_conversation() -> None:
    async with FakeMx() as mx:
        conversation = await Dialler("out.example", PATIENT).open(Host("mx", ("127.0.0.1",), mx.port), "127.0.0.1")
        gone = asyncio.Event()
        conversation.on_lost = gone.set
        mx.say_to_all(b"421 4.4.2 Idle for too long\r\n")
        await gone.wait()
        assert not conversation.is_open
        assert await conversation.run(lambda: None, lambda attempt: None) == Ending()
