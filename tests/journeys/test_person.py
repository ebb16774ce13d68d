"""A member's rights: everything in one step, and to be forgotten for good; on both databases."""

from __future__ import annotations

import json
from pathlib import Path

from sqlalchemy import select

from config.settings import read_settings
from config.vocabulary import AddressStatus, MessageStatus
from engine.clock import HandClock
from engine.keys import load_keys
from engine.outbound import Outbound
from engine.return_path import ERASED
from engine.shell.app import Shell
from engine.shell.output import to_json
from engine.shell.person import export, forget
from engine.store import alerts, audit
from engine.store.database import Database
from engine.store.tables import card, metadata, suppression
from tests.fakes.dns import FakeDns
from tests.journeys.returns import bounce, open_house, original_of, send_all
from tests.store.association import NOW, make_association, messages_of, queue_mailing

IDA, OVE = "ida.berg@example.org", "ove@example.org"


async def live(database: Database, folder: Path) -> Shell:
    """Ida's mail came back, a letter of hers lies there, and people have written her address here and there."""
    async with open_house(database, folder) as house:
        async with database.write() as connection:
            _, (ida, _) = await send_all(connection, [IDA.title(), OVE])
            await alerts.raise_alert(connection, "letter", "x", f"A letter from {IDA} waits", NOW)
            detail: dict[str, str | int | None] = {"email": IDA}
            await audit.note(connection, None, actor="user 1", action="card.create", detail=detail, now=NOW)
            of_ove = card.c.email == OVE
            await connection.execute(card.update().where(of_ove).values(notes=f"gift med {IDA.title()}"))
        address = house.address_of(ida)
        await house.bring(address, bounce(original_of(house.keys.ring, ida), IDA, address))
        await house.bring("postmaster@retur.brevduva.example", b"Subject: Hej\r\n\r\nHej\r\n", IDA)
    return Shell(read_settings(storage={"data_dir": folder}), database, HandClock(NOW))


async def everything(database: Database) -> str:
    async with database.read() as connection:
        rows = [row for table in metadata.sorted_tables for row in await connection.execute(select(table))]
    return "\n".join(str(tuple(row)) for row in rows).lower()


async def test_everything_about_a_person_comes_in_one_piece(database: Database, tmp_path: Path) -> None:
    shell = await live(database, tmp_path)
    facts = json.loads(to_json(await export(shell, IDA)))
    assert [one["email"] for one in facts["cards"]] == [IDA.title()]
    assert [one["status"] for one in facts["messages"]] == ["invalid"]
    assert facts["events"] and facts["returned_mail"] and facts["suppressions"]
    assert OVE not in json.dumps(facts["cards"] + facts["messages"])


async def test_nothing_of_an_erased_address_is_left_but_a_hash(database: Database, tmp_path: Path) -> None:
    shell = await live(database, tmp_path)
    assert IDA in await everything(database)
    assert await forget(shell, IDA) == 1
    left = await everything(database)
    assert IDA not in left and ERASED in left and OVE in left
    assert not any((await export(shell, IDA)).values())
    if database.is_sqlite:
        await database.close()
        assert IDA.encode() not in _bytes_of_files(tmp_path).lower()


def _bytes_of_files(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.glob("brevduva.db*"))


async def test_an_erased_address_that_is_entered_again_gets_no_mail(database: Database, tmp_path: Path) -> None:
    shell = await live(database, tmp_path)
    await forget(shell, IDA)
    async with database.write() as connection:
        club = await make_association(connection, [IDA])
        mailing_id = await queue_mailing(connection, club)
    async with FakeDns({"example.org": {"A": ["127.0.0.1"]}}) as names:
        settings = read_settings(storage={"data_dir": tmp_path}, sandbox={"dns_port": names.port})
        sender = Outbound(settings, database, HandClock(NOW), load_keys(settings))
        await sender.run_until_idle()
        await sender.close()
    async with database.read() as connection:
        assert [one.status for one in await messages_of(connection, mailing_id)] == [MessageStatus.BLOCKED]
        status = (await connection.execute(select(card.c.status).where(card.c.email == IDA))).scalar_one()
    assert status == AddressStatus.PROBLEM_BLOCKED


async def test_what_was_suppressed_stays_suppressed_under_its_hash(database: Database, tmp_path: Path) -> None:
    shell = await live(database, tmp_path)
    await forget(shell, IDA)
    async with database.read() as connection:
        rows = (await connection.execute(select(suppression.c.address_key, suppression.c.status))).all()
    assert {row.status for row in rows} == {"invalid", "unsubscribed"}
    assert all(row.address_key.startswith(ERASED) for row in rows)
