"""The box as a process of its own."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import dns.asyncquery
import dns.message
import orjson

from tests.sandbox.client import PlainClient

LETTER = b"Subject: Hej\r\n\r\nHej!\r\n"


async def ask(port: int, name: str) -> list[str]:
    response = await dns.asyncquery.udp(dns.message.make_query(name, "MX"), "127.0.0.1", timeout=5, port=port)
    return [record.to_text() for answer in response.answer for record in answer]


async def deliver(port: int, recipient: str) -> str:
    client = await PlainClient.connect("127.0.0.10", port)
    await client.hear()
    await client.say("EHLO us.example")
    answer = await client.deliver("b+1@us.example", recipient, LETTER)
    await client.close()
    return answer[:3]


async def test_the_box_stands_by_itself_takes_mail_for_any_domain_and_ends_when_told(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "engine.sandbox"),
        env={"BREVDUVA_STORAGE__DATA_DIR": str(tmp_path), "BREVDUVA_SANDBOX__MEMBERS": "10"},
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        ports = orjson.loads(await asyncio.wait_for(process.stdout.readline(), 20))
        assert "mx1.norrpost.example." in " ".join(await ask(ports["dns_port"], "vilken.som.helst.example"))
        assert await ask(ports["dns_port"], "finnsinte.example") == []
        assert await deliver(ports["smtp_port"], "vem.som.helst@vilken.som.helst.example") == "250"
        assert await deliver(ports["smtp_port"], "ida+is_unknown@norrpost.example") == "550"
    finally:
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 20) == 0
    assert b"vem.som.helst" in (tmp_path / "sandbox-receipts.jsonl").read_bytes()
