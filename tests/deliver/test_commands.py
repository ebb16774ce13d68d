"""The commands of a transaction."""

import pytest

from config.vocabulary import Reply
from engine.deliver.attempt import Envelope
from engine.deliver.commands import Commands, Offer, read_offer, write_commands

PLAIN = Offer()
FULL = Offer(pipelining=True, eight_bit=True, smtputf8=True, dsn=True, starttls=True, size=True)


def write(
    recipient: str = "ida@example.org",
    offer: Offer = PLAIN,
    *,
    sender: str = "b+1.mac@retur.example",
    wire: bytes = b"hej\r\n",
    envelope_id: str = "1.mac",
) -> tuple[str, str]:
    commands = write_commands(Envelope(1, sender, recipient, wire, envelope_id), offer)
    assert isinstance(commands, Commands), commands
    return commands.mail.decode(), commands.rcpt.decode()


def refuse(
    recipient: str = "ida@example.org",
    offer: Offer = PLAIN,
    *,
    sender: str = "b+1.mac@retur.example",
    wire: bytes = b"hej\r\n",
) -> str:
    reply = write_commands(Envelope(1, sender, recipient, wire), offer)
    assert isinstance(reply, Reply), reply
    return f"{reply.code} {reply.enhanced}"


def test_an_offer_is_read_from_the_keywords() -> None:
    keywords = {"pipelining": "", "size": "35882577", "8bitmime": "", "starttls": "", "x-odd": "1"}
    assert read_offer(keywords) == Offer(pipelining=True, eight_bit=True, starttls=True, size=True, max_size=35882577)


@pytest.mark.parametrize("size", ["", "0", "many", "-1", "9" * 20, "٣"])
def test_a_size_that_says_nothing_sets_no_limit(size: str) -> None:
    assert read_offer({"size": size}) == Offer(size=True)


def test_a_receiver_that_offers_nothing_gets_nothing_extra() -> None:
    assert write() == ("MAIL FROM:<b+1.mac@retur.example>\r\n", "RCPT TO:<ida@example.org>\r\n")


def test_every_offer_is_used_where_it_helps() -> None:
    mail, rcpt = write("i+x=y@example.org", FULL, wire="å\r\n".encode())
    assert mail == "MAIL FROM:<b+1.mac@retur.example> SIZE=4 BODY=8BITMIME RET=HDRS ENVID=1.mac\r\n"
    assert rcpt == "RCPT TO:<i+x=y@example.org> NOTIFY=FAILURE,DELAY ORCPT=rfc822;i+2Bx+3Dy@example.org\r\n"


def test_the_null_sender_can_be_written() -> None:
    assert write(sender="")[0] == "MAIL FROM:<>\r\n"


def test_an_international_domain_goes_out_in_a_labels() -> None:
    assert write("ida@räksmörgås.example")[1] == "RCPT TO:<ida@xn--rksmrgs-5wao1o.example>\r\n"


def test_an_international_mailbox_goes_out_where_it_is_taken() -> None:
    mail, rcpt = write("åsa@räksmörgås.example", FULL)
    assert " SMTPUTF8" in mail
    assert rcpt.startswith("RCPT TO:<åsa@xn--rksmrgs-5wao1o.example> ")
    assert rcpt.endswith("ORCPT=utf-8;\\x{E5}sa@xn--rksmrgs-5wao1o.example\r\n")


def test_an_international_mailbox_is_refused_where_it_is_not_taken() -> None:
    assert refuse("åsa@example.org") == "553 5.6.7"


def test_eight_bit_mail_is_refused_where_it_is_not_taken() -> None:
    assert refuse(wire="å\r\n".encode()) == "554 5.6.3"


def test_a_mail_above_the_receivers_size_is_refused_before_it_is_sent() -> None:
    assert refuse(offer=Offer(size=True, max_size=4)) == "552 5.3.4"
    assert write(offer=Offer(size=True, max_size=5))[0].endswith(" SIZE=5\r\n")


@pytest.mark.parametrize(
    "address",
    [
        "ida@example.org\r\nRCPT TO:<eve@example.org>",
        "ida@example.org\nDATA",
        "ida@example.org\r",
        "ida\0@example.org",
        "ida@example.org> SIZE=1",
        "<ida@example.org",
        "ida x@example.org",
        "ida@exa mple.org",
        "ida\x7f@example.org",
        "ida\u2028@example.org",
        "ida\x85@example.org",
        "ida\ud800@example.org",
        "ida",
        "@example.org",
        "ida@",
        "",
        "a@b@example.org",
        "ida@-.räk..example",
        "i" * 250 + "@example.org",
    ],
)
def test_an_address_never_breaks_out_of_its_command(address: str) -> None:
    assert refuse(address, FULL) == "553 5.1.3"
    if address:
        assert refuse(offer=FULL, sender=address) == "553 5.1.3"


def test_an_envelope_id_that_is_too_long_or_odd_is_left_out() -> None:
    for envelope_id in ("x" * 101, "a\r\nb", ""):
        assert "ENVID" not in write(offer=FULL, envelope_id=envelope_id)[0]
