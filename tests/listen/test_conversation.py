"""What the listener says, and what it grants a stranger."""

from __future__ import annotations

import asyncio
import errno
import os
from dataclasses import replace

import pytest
import structlog

from config.vocabulary import Reply
from engine.listen.incoming import Incoming
from engine.listen.limits import ListenerLimits
from engine.listen.policy import RecipientPolicy, Role
from tests.listen.callers import BOUNCE_DOMAIN, DSN, HOSTNAME, RING, SENDER, Caller, calling, signed
from tests.listen.conftest import House, Open

LIMITS = ListenerLimits()


class BrokenPolicy(RecipientPolicy):
    """A policy with an accident in it."""

    def check(self, address: str) -> Role | Reply:
        raise RuntimeError("SELECT secret FROM key")


async def test_the_greeting_and_the_offers_are_neutral(house: House) -> None:
    caller = await Caller.call(house.port)
    assert await caller.hear() == f"220 {HOSTNAME} ESMTP"
    offers = (await caller.say("EHLO friend.example")).replace("250-", "250 ").replace("250 ", "").split("\n")
    assert offers == [HOSTNAME, "PIPELINING", "SIZE 10485760", "ENHANCEDSTATUSCODES", "8BITMIME", "SMTPUTF8"]
    assert await caller.say("QUIT") == "221 2.0.0 Bye"
    assert await caller.is_cut()
    await caller.hang_up()


async def test_a_mail_is_kept_with_its_envelope(house: House) -> None:
    async with calling(house.port) as caller:
        assert await caller.hand_over(signed(), b"Subject: a\r\n\r\n..dot\r\n", "") == "250 2.6.0 Kept"
        assert await caller.hand_over(SENDER, b"\xe5\r\n", "ida@example.org") == "250 2.6.0 Kept"
    first, second = house.listener.spool.pending()
    assert (first.envelope.envelope_from, first.envelope.recipients) == ("", (signed(),))
    assert first.envelope.peer == "127.0.0.1"
    assert (first.envelope.helo, first.envelope.tls, first.raw) == ("friend.example", "", b"Subject: a\r\n\r\n.dot\r\n")
    assert (second.envelope.envelope_from, second.envelope.recipients) == ("ida@example.org", (SENDER,))
    assert second.raw == b"\xe5\r\n"


async def test_the_same_mail_twice_is_kept_twice_for_its_digest_to_decide(house: House) -> None:
    async with calling(house.port) as caller:
        for _ in range(2):
            assert (await caller.hand_over(signed())).startswith("250")
    assert house.mails == [DSN, DSN]


async def test_everything_may_come_in_one_packet(house: House) -> None:
    async with calling(house.port) as caller:
        mail = f"MAIL FROM:<>\r\nRCPT TO:<{signed()}>\r\nDATA\r\n".encode() + DSN + b".\r\n"
        caller.shout(mail + mail + b"QUIT\r\n")
        codes = [(await caller.hear())[:3] for _ in range(9)]
        assert codes == ["250", "250", "354", "250"] * 2 + ["221"]
    assert len(house.mails) == 2


async def test_a_peer_that_closes_its_side_still_hears_the_answer(house: House) -> None:
    async with calling(house.port) as caller:
        caller.shout(f"MAIL FROM:<>\r\nRCPT TO:<{signed()}>\r\nDATA\r\n".encode() + DSN + b".\r\n")
        caller.writer.write_eof()
        assert [(await caller.hear())[:3] for _ in range(5)] == ["250", "250", "354", "250", ""]


@pytest.mark.parametrize(
    ("commands", "reply"),
    [
        (["MAIL FROM:<> RET=HDRS ENVID=QQ1 SIZE=4000 BODY=8BITMIME SMTPUTF8"], "250 2.1.0"),
        (["MAIL FROM:<>", f"RCPT TO:<{signed()}> NOTIFY=NEVER ORCPT=rfc822;a@b.example"], "250 2.1.5"),
        (["MAIL FROM:<> SIZE=10485761"], "552 5.3.4"),
        (["MAIL FROM:<> SIZE=many"], "501 5.5.4"),
        (["MAIL FROM:<> BODY=BINARYMIME"], "501 5.5.4"),
        (["MAIL FROM:<> HOLDFOR=100"], "555 5.5.4"),
        (["MAIL FROM:ida@example.org"], "501 5.5.4"),
        (["MAIL FROM:<>", "MAIL FROM:<>"], "503 5.5.1"),
        (["MAIL FROM:<>", "RCPT TO:<postmaster> X=1"], "555 5.5.4"),
        (["MAIL FROM:<>", "RCPT TO:"], "501 5.5.4"),
        (["MAIL FROM:<>", "RSET", "RCPT TO:<postmaster>"], "503 5.5.1"),
        (["MAIL FROM:<>", "EHLO again", "RCPT TO:<postmaster>"], "503 5.5.1"),
        (["RCPT TO:<postmaster>"], "503 5.5.1"),
        (["DATA"], "503 5.5.1"),
        (["MAIL FROM:<>", "DATA"], "554 5.5.1"),
        (["MAIL FROM:<>", "RCPT TO:<ida@example.org>", "DATA"], "554 5.5.1"),
        (["MAIL FROM:<>", "RCPT TO:<postmaster>", "DATA now"], "501 5.5.4"),
        (["HELO", "EHLO"], "501 5.5.4"),
        (["HELO friend.example"], f"250 {HOSTNAME}"),
        (["NOOP whatever"], "250 2.0.0"),
        (["VRFY ida"], "252 2.5.0"),
        (["STARTTLS"], "502 5.5.1"),
        (["AUTH PLAIN AGEAYg=="], "502 5.5.1"),
        (["HELP"], "502 5.5.1"),
        (["EXPN list"], "502 5.5.1"),
        (["ETRN example.org"], "502 5.5.1"),
        (["TURN"], "502 5.5.1"),
        (["BDAT 10 LAST"], "502 5.5.1"),
        (["XCLIENT ADDR=192.0.2.1"], "502 5.5.1"),
        (["FOO"], "500 5.5.2"),
        ([""], "500 5.5.2"),
        (["NOOP \x1b[2J"], "500 5.5.2"),
        (["GET / HTTP/1.1"], "421 4.7.0"),
    ],
)
async def test_each_command_has_its_reply(house: House, commands: list[str], reply: str) -> None:
    async with calling(house.port) as caller:
        answers = [await caller.say(command) for command in commands]
        assert answers[-1].startswith(reply)


async def test_mail_before_ehlo_is_out_of_order(house: House) -> None:
    caller = await Caller.call(house.port)
    await caller.hear()
    assert (await caller.say("MAIL FROM:<>")).startswith("503 ")
    await caller.hang_up()


async def test_a_line_without_its_cr_is_refused(house: House) -> None:
    async with calling(house.port) as caller:
        caller.shout(b"NOOP\nMAIL FROM:<>\r\n")
        assert (await caller.hear()).startswith("500 5.5.2")
        assert (await caller.hear()).startswith("250 ")


async def test_the_sixth_recipient_is_one_too_many(house: House) -> None:
    async with calling(house.port) as caller:
        await caller.say("MAIL FROM:<>")
        codes = [(await caller.say(f"RCPT TO:<{signed(number)}>"))[:9] for number in range(6)]
        assert codes == ["250 2.1.5"] * 5 + ["452 4.5.3"]


async def test_holding_a_session_with_noop_ends_after_the_granted_commands(open_house: Open) -> None:
    house = await open_house(replace(LIMITS, commands=10))
    async with calling(house.port) as caller:
        replies = [await caller.say(verb) for verb in ["NOOP", "RSET"] * 5]
        assert [reply[:3] for reply in replies] == ["250"] * 9 + ["421"]
        assert await caller.is_cut()


async def test_a_session_that_delivers_is_granted_more_commands(open_house: Open) -> None:
    house = await open_house(replace(LIMITS, commands=8))
    async with calling(house.port) as caller:
        for number in range(5):
            assert (await caller.hand_over(signed(number))).startswith("250")


async def test_all_waiting_for_commands_adds_up(open_house: Open) -> None:
    house = await open_house(replace(LIMITS, command_seconds=0.05))
    async with calling(house.port) as caller:
        assert (await caller.say("NOOP")).startswith("250 ")
        assert (await caller.hear()).startswith("421 4.4.2")
        assert await caller.is_cut()


async def test_a_stranger_who_says_nothing_is_cut_early(open_house: Open) -> None:
    house = await open_house(replace(LIMITS, handshake_seconds=0.02))
    caller = await Caller.call(house.port)
    assert (await caller.hear()).startswith("220 ")
    assert (await caller.hear()).startswith("421 4.4.2")
    await caller.hang_up()


async def test_a_session_does_not_outlive_its_time_though_its_peer_reads_nothing(open_house: Open) -> None:
    house = await open_house(replace(LIMITS, session_seconds=0.05))
    async with calling(house.port) as caller:
        assert await caller.is_cut()


async def test_twenty_errors_end_a_session(house: House) -> None:
    async with calling(house.port) as caller:
        codes = [(await caller.say("RCPT TO:<ida@example.org>"))[:3] for _ in range(20)]
        assert codes == ["503"] * 19 + ["421"]
        assert await caller.is_cut()


async def test_an_endless_command_line_is_cut(house: House) -> None:
    async with calling(house.port) as caller:
        caller.shout(b"NOOP " + b"x" * 5000)
        assert (await caller.hear()).startswith("500 5.5.6")
        assert await caller.is_cut()


async def test_a_body_that_comes_too_slowly_is_cut(open_house: Open) -> None:
    house = await open_house(replace(LIMITS, data_grace_seconds=0.05))
    async with calling(house.port) as caller:
        for command in ("MAIL FROM:<>", f"RCPT TO:<{signed()}>", "DATA"):
            await caller.say(command)
        caller.shout(b"Subject: ")
        assert (await caller.hear()).startswith("421 4.4.2")
        assert await caller.is_cut()
    assert not house.mails


def test_a_body_earns_its_time_byte_by_byte() -> None:
    assert LIMITS.data_time_seconds(0) == 60
    assert LIMITS.data_time_seconds(100_000) == 160
    assert LIMITS.data_time_seconds(10_000_000) == 900


async def test_a_mail_a_little_too_big_is_refused_and_the_session_goes_on(open_house: Open) -> None:
    house = await open_house(replace(LIMITS, message_bytes=100_000))
    async with calling(house.port) as caller:
        assert (await caller.hand_over(signed(), b"x" * 99_998 + b"\r\n")).startswith("250 ")
        assert (await caller.hand_over(signed(), b"x" * 99_999 + b"\r\n")).startswith("552 5.3.4")
        assert (await caller.say("NOOP")).startswith("250 ")
    assert [len(mail) for mail in house.mails] == [100_000]


async def test_an_endless_mail_is_cut_soon_after_its_limit(open_house: Open) -> None:
    house = await open_house(replace(LIMITS, message_bytes=100_000))
    async with calling(house.port) as caller:
        for command in ("MAIL FROM:<>", f"RCPT TO:<{signed()}>", "DATA"):
            await caller.say(command)
        caller.shout(b"x" * 200_000)
        assert (await caller.hear()).startswith("552 5.3.4")
        assert await caller.is_cut()
    await house.listener.stop()
    assert not list(house.listener.spool._tmp.iterdir())


async def test_an_accident_is_one_fixed_temporary_reply(open_house: Open) -> None:
    house = await open_house(policy=BrokenPolicy(RING, BOUNCE_DOMAIN, SENDER))
    async with calling(house.port) as caller:
        await caller.say("MAIL FROM:<>")
        assert await caller.say(f"RCPT TO:<{signed()}>") == "451 4.3.0 Temporary trouble, come back later"
        assert await caller.say("NOOP") == "250 2.0.0 OK"


async def test_an_accident_within_a_body_never_lets_it_be_read_as_commands(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(mail: Incoming, content: bytes) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(Incoming, "write", fail)
    async with calling(house.port) as caller:
        assert await caller.hand_over(signed(), b"NOOP\r\n") == "451 4.3.0 Temporary trouble, come back later"
        assert await caller.is_cut()


@pytest.mark.parametrize(("trouble", "reply"), [(errno.ENOSPC, "452 4.3.1"), (errno.EIO, "451 4.3.0")])
@pytest.mark.parametrize("content", [b"a\r\n", b"x" * 200_000 + b"\r\n"])
async def test_a_disk_that_refuses_is_temporary_trouble(
    house: House, monkeypatch: pytest.MonkeyPatch, trouble: int, reply: str, content: bytes
) -> None:
    def fail(descriptor: int, content: memoryview) -> int:
        raise OSError(trouble, os.strerror(trouble))

    monkeypatch.setattr(os, "write", fail)
    async with calling(house.port) as caller:
        assert (await caller.hand_over(signed(), content)).startswith(reply)
        assert (await caller.say("NOOP")).startswith("250 ")


async def test_a_disk_that_is_nearly_full_takes_nothing(open_house: Open) -> None:
    house = await open_house(replace(LIMITS, free_bytes=1 << 60))
    async with calling(house.port) as caller:
        assert (await caller.hand_over(signed())).startswith("452 4.3.1")


async def test_a_peer_that_leaves_within_a_body_leaves_nothing(house: House) -> None:
    async with calling(house.port) as caller:
        for command in ("MAIL FROM:<>", f"RCPT TO:<{signed()}>", "DATA"):
            await caller.say(command)
        caller.shout(b"x" * 100_000)
    await house.listener.stop()
    assert not house.mails
    assert not list(house.listener.spool._tmp.iterdir())


async def test_a_peer_that_leaves_within_the_commit_does_not_stop_it(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit, begun = house.listener.spool.commit, asyncio.Event()

    async def commit_slowly(mail: Incoming) -> None:
        begun.set()
        await commit(mail)

    monkeypatch.setattr(house.listener.spool, "commit", commit_slowly)
    async with calling(house.port) as caller:
        caller.shout(f"MAIL FROM:<>\r\nRCPT TO:<{signed()}>\r\nDATA\r\n".encode() + DSN + b".\r\n")
        await begun.wait()
        caller.writer.transport.abort()
    await house.listener.stop()
    assert house.mails == [DSN]


async def test_the_eleventh_session_of_an_address_is_turned_away(house: House) -> None:
    callers = [await Caller.introduced(house.port) for _ in range(10)]
    late = await Caller.call(house.port)
    assert (await late.hear()).startswith("421 4.7.0")
    other = await Caller.call(house.port, "127.0.0.2")
    assert (await other.hear()).startswith("220 ")
    await asyncio.gather(*(caller.hang_up() for caller in [*callers, late, other]))


async def test_a_house_full_of_silence_lets_a_talker_in_and_a_mail_through(open_house: Open) -> None:
    house = await open_house(replace(LIMITS, sessions=3))
    silent = [await Caller.introduced(house.port) for _ in range(3)]
    await silent[0].say("NOOP")
    async with calling(house.port) as caller:
        assert (await silent[1].hear()).startswith("421 ")
        assert (await caller.hand_over(signed())).startswith("250 ")
        assert len(house.listener.door.guests) == 3
    assert (await silent[0].say("NOOP")).startswith("250 ")
    await asyncio.gather(*(caller.hang_up() for caller in silent))


async def test_strangers_beyond_fifty_push_out_the_oldest(house: House) -> None:
    callers = [await Caller.call(house.port, f"127.0.1.{number}") for number in range(60)]
    assert all([(await caller.hear()).startswith("220 ") for caller in callers])
    assert all([(await caller.hear()).startswith("421 ") for caller in callers[:10]])
    assert (await callers[10].say("EHLO a.example")).startswith("250")
    await asyncio.gather(*(caller.hang_up() for caller in callers))


async def test_stopping_lets_a_mail_finish_and_ends_the_others(house: House) -> None:
    async with calling(house.port) as idle, calling(house.port) as busy:
        for command in ("MAIL FROM:<>", f"RCPT TO:<{signed()}>", "DATA"):
            await busy.say(command)
        stopping = asyncio.create_task(house.listener.stop())
        assert (await idle.hear()).startswith("421 4.3.2")
        busy.shout(DSN + b".\r\n")
        assert (await busy.hear()).startswith("250 ")
        assert (await busy.hear()).startswith("421 4.3.2")
        await stopping
    assert house.mails == [DSN]


async def test_a_session_is_one_log_line_without_control_characters(house: House) -> None:
    with structlog.testing.capture_logs() as lines:
        caller = await Caller.call(house.port)
        await caller.hear()
        await caller.say("EHLO \u2603" + "x" * 500)
        await caller.say("QUIT")
        assert await caller.is_cut()
        await caller.hang_up()
    [line] = lines
    assert line["helo"].startswith("\\u2603xxx")
    assert len(line["helo"]) < 220
    assert (line["ended_by"], line["kept"]) == ("221 2.0.0 Bye", 0)
