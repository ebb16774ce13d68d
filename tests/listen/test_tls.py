"""STARTTLS: nothing said in clear survives it, and the certificate can be changed under way."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import replace
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from config.settings import Receiving, read_settings
from engine.listen import server
from engine.listen.limits import ListenerLimits
from engine.listen.server import read_certificate
from tests.listen.callers import DSN, HOSTNAME, Caller, calling, signed
from tests.listen.conftest import Open


async def test_a_mail_comes_in_over_tls(
    open_house: Open, server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    house = await open_house(tls=server_tls)
    async with calling(house.port) as caller:
        assert "STARTTLS" in await caller.say("EHLO friend.example")
        await caller.go_over_to_tls(client_tls)
        assert (await caller.say("MAIL FROM:<>")).startswith("503 ")
        assert "STARTTLS" not in await caller.say("EHLO friend.example")
        assert (await caller.say("STARTTLS")).startswith("502 ")
        assert (await caller.say("AUTH PLAIN AGEAYg==")).startswith("502 ")
        assert (await caller.hand_over(signed())).startswith("250 ")
        assert (await caller.say("QUIT")).startswith("221 ")
    [mail] = house.listener.spool.pending()
    assert (mail.envelope.tls, mail.raw) == ("TLSv1.3", DSN)


async def test_nothing_pipelined_before_tls_survives_it(open_house: Open, server_tls: ssl.SSLContext) -> None:
    house = await open_house(tls=server_tls)
    async with calling(house.port) as caller:
        caller.shout(b"STARTTLS\r\nMAIL FROM:<evil@example.org>\r\n")
        assert (await caller.hear()).startswith("503 5.5.1")
        assert await caller.is_cut()


async def test_what_comes_in_clear_after_the_220_is_no_command(open_house: Open, server_tls: ssl.SSLContext) -> None:
    house = await open_house(tls=server_tls)
    async with calling(house.port) as caller:
        assert (await caller.say("STARTTLS")).startswith("220 ")
        caller.shout(b"EHLO evil.example\r\n")
        assert b"evil" not in await caller.reader.read()
    assert not house.listener.door.guests


async def test_a_handshake_that_never_comes_frees_its_place(open_house: Open, server_tls: ssl.SSLContext) -> None:
    house = await open_house(replace(ListenerLimits(), handshake_seconds=0.05), tls=server_tls)
    caller = await Caller.introduced(house.port)
    assert (await caller.say("STARTTLS")).startswith("220 ")
    assert await caller.is_cut()
    await caller.hang_up()
    assert not house.listener.door.guests


async def test_tls_handshakes_count_as_strangers(open_house: Open, server_tls: ssl.SSLContext) -> None:
    house = await open_house(replace(ListenerLimits(), handshakes=2), tls=server_tls)
    callers = [await Caller.introduced(house.port) for _ in range(3)]
    for caller in callers:
        assert (await caller.say("STARTTLS")).startswith("220 ")
    assert (await callers[0].hear()).startswith("421 ")
    assert len(house.listener.door.guests) == 2
    await asyncio.gather(*(caller.hang_up() for caller in callers))


def receiving(folder: Path, authority: trustme.CA) -> Receiving:
    """Write a fresh certificate where the settings say."""
    certificate = authority.issue_cert(HOSTNAME)
    (folder / "key.pem").write_bytes(certificate.private_key_pem.bytes())
    (folder / "cert.pem").write_bytes(b"".join(part.bytes() for part in certificate.cert_chain_pems))
    return read_settings(receiving={"tls_certificate": f"{folder}/cert.pem", "tls_key": f"{folder}/key.pem"}).receiving


async def test_a_new_certificate_serves_from_the_next_starttls_on(open_house: Open, tmp_path: Path) -> None:
    old, new = trustme.CA(), trustme.CA()
    trusts = [ssl.create_default_context() for _ in range(2)]
    old.configure_trust(trusts[0])
    new.configure_trust(trusts[1])
    house = await open_house(tls=read_certificate(receiving(tmp_path, old)))
    async with calling(house.port) as before, calling(house.port) as after:
        await before.go_over_to_tls(trusts[0])
        house.listener.use_certificate(read_certificate(receiving(tmp_path, new)))
        await after.go_over_to_tls(trusts[1])
        for caller in (before, after):
            assert (await caller.say("NOOP")).startswith("250 ")


def test_a_certificate_that_cannot_be_read_changes_nothing(tmp_path: Path, authority: trustme.CA) -> None:
    settings = receiving(tmp_path, authority)
    (tmp_path / "cert.pem").write_text("no certificate", encoding="ascii")
    with pytest.raises(ssl.SSLError):
        read_certificate(settings)


def test_a_key_with_a_passphrase_asks_nobody(tmp_path: Path, authority: trustme.CA) -> None:
    settings = receiving(tmp_path, authority)
    key = load_pem_private_key(Path(settings.tls_key).read_bytes(), None)
    locked = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
    Path(settings.tls_key).write_bytes(locked)
    with pytest.raises(ssl.SSLError):
        read_certificate(settings)


def test_nobody_renegotiates(tmp_path: Path, authority: trustme.CA) -> None:
    context = read_certificate(receiving(tmp_path, authority))
    assert context is not None
    assert context.options & ssl.OP_NO_RENEGOTIATION


def test_no_certificate_is_no_tls() -> None:
    assert read_certificate(read_settings().receiving) is None


async def test_a_peer_that_never_answers_our_goodbye_does_not_delay_the_end(
    open_house: Open, server_tls: ssl.SSLContext, client_tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OpenSMTPD keeps a session open for its next mail, and reads nothing until it has one."""
    monkeypatch.setattr(server, "_LAST_SECONDS", 0.1)
    house = await open_house(tls=server_tls)
    async with calling(house.port) as caller:
        await caller.say("EHLO friend.example")
        await caller.go_over_to_tls(client_tls)
        caller.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a StreamWriter's is one that reads too
        async with asyncio.timeout(5):
            await house.listener.stop(grace_seconds=60)
        caller.writer.transport.abort()
