"""Open relay: 24 probes, and a thousand forged senders nobody is written to."""

from __future__ import annotations

import pytest

from tests.listen.callers import BOUNCE_DOMAIN, HOSTNAME, Caller, calling, signed
from tests.listen.conftest import House, Open

FOREIGN = "relaytest.example"
STRANGER = f"antispam@{FOREIGN}"
LITERAL = "[127.0.0.1]"
_TAMPERED = signed().replace("@", "").removesuffix(BOUNCE_DOMAIN)[:-1] + (
    "a" if signed().split("@")[0][-1] != "a" else "b"
)

PROBES = [
    ("", f"relaytest@{FOREIGN}"),
    (STRANGER, f"relaytest@{FOREIGN}"),
    (f"antispam@{HOSTNAME}", f"relaytest@{FOREIGN}"),
    (f"antispam@{LITERAL}", f"relaytest@{FOREIGN}"),
    (f"antispam@{LITERAL}", f"relaytest%{FOREIGN}@{LITERAL}"),
    (f"antispam@{LITERAL}", f"relaytest%{FOREIGN}@{BOUNCE_DOMAIN}"),
    (f"antispam@{LITERAL}", f'"relaytest@{FOREIGN}"'),
    (f"antispam@{LITERAL}", f'"relaytest%{FOREIGN}"'),
    (f"antispam@{LITERAL}", f"relaytest@{FOREIGN}@{LITERAL}"),
    (f"antispam@{LITERAL}", f'"relaytest@{FOREIGN}"@{LITERAL}'),
    (f"antispam@{LITERAL}", f"relaytest@{FOREIGN}@{BOUNCE_DOMAIN}"),
    (f"antispam@{LITERAL}", f"@{LITERAL}:relaytest@{FOREIGN}"),
    (f"antispam@{LITERAL}", f"@{BOUNCE_DOMAIN}:relaytest@{FOREIGN}"),
    (f"antispam@{LITERAL}", f"{FOREIGN}!relaytest"),
    (f"antispam@{LITERAL}", f"{FOREIGN}!relaytest@{LITERAL}"),
    (f"antispam@{LITERAL}", f"{FOREIGN}!relaytest@{BOUNCE_DOMAIN}"),
    ("", f"{_TAMPERED}@{BOUNCE_DOMAIN}"),
    ("", ""),
    ("", "relaytest"),
    ("", f"relaytest@{FOREIGN}."),
    ("", f"postmaster@{BOUNCE_DOMAIN}."),
    ("", f"Relaytest@{BOUNCE_DOMAIN.upper()}"),
    ("", f"postmaster@{BOUNCE_DOMAIN.replace('a', chr(0x430))}"),
    ("", f"postmaster@{BOUNCE_DOMAIN}\u3002{FOREIGN}"),
]


@pytest.mark.parametrize(("sender", "recipient"), PROBES)
async def test_a_relay_probe_is_refused_at_rcpt(house: House, sender: str, recipient: str) -> None:
    async with calling(house.port) as caller:
        assert (await caller.say(f"MAIL FROM:<{sender}>")).startswith("250 ")
        assert (await caller.say(f"RCPT TO:<{recipient}>"))[0] == "5"
        assert (await caller.say("DATA"))[0] == "5"
    assert not house.mails


async def test_a_signed_recipient_does_not_open_the_door_for_a_second(house: House) -> None:
    async with calling(house.port) as caller:
        await caller.say("MAIL FROM:<>")
        assert (await caller.say(f"RCPT TO:<{signed()}>")).startswith("250 ")
        assert (await caller.say(f"RCPT TO:<relaytest@{FOREIGN}>")).startswith("550 5.7.1")
        assert (await caller.say("DATA")).startswith("354 ")
        caller.shout(b"a\r\n.\r\n")
        assert (await caller.hear()).startswith("250 ")
    [mail] = house.listener.spool.pending()
    assert mail.envelope.recipients == (signed(),)


async def test_a_thousand_forged_senders_get_no_mail_back(house: House) -> None:
    refused = 0
    for round_ in range(100):
        caller = await Caller.introduced(house.port)
        for number in range(10):
            await caller.say(f"MAIL FROM:<victim{round_}.{number}@{FOREIGN}>")
            reply = await caller.say(f"RCPT TO:<{_TAMPERED}@{BOUNCE_DOMAIN}>")
            refused += reply == "550 5.1.1 No such mailbox here"
            await caller.say("RSET")
        await caller.hang_up()
    assert refused == 1000, "refused within the session, so that nothing is left to be answered"
    assert not house.mails


async def test_a_guesser_of_addresses_is_cut_off(open_house: Open) -> None:
    house = await open_house()
    async with calling(house.port) as caller:
        await caller.say("MAIL FROM:<>")
        guesses = [(await caller.say(f"RCPT TO:<guess{number}@{BOUNCE_DOMAIN}>"))[:3] for number in range(20)]
        assert guesses == ["550"] * 19 + ["421"]
