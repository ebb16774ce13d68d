"""What the doctor reads in DNS before receivers do."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.settings import Settings, read_settings
from engine.clock import SystemClock
from engine.keys import dkim_record, load_keys
from engine.route.resolver import Answer, Finding, MxRecord, Resolver
from engine.shell.doctor import Check, check_names


class FakeResolver(Resolver):
    """Answers from a table."""

    def __init__(
        self,
        texts: dict[str, str],
        pointer: str = "mail.forening.se",
        exchanger: str = "",
        finding: Finding = Finding.MISSING,
    ) -> None:
        super().__init__(SystemClock(), nameservers=("127.0.0.1",))
        self._texts, self._pointer, self._exchanger, self._finding = texts, pointer, exchanger, finding

    async def find_addresses(self, host: str) -> Answer[str]:
        return Answer(Finding.FOUND, ("192.0.2.25",))

    async def find_names(self, address: str) -> Answer[str]:
        return Answer(Finding.FOUND, (self._pointer,))

    async def find_mx(self, domain: str) -> Answer[MxRecord]:
        return Answer(Finding.FOUND, (MxRecord(10, self._exchanger),)) if self._exchanger else Answer(Finding.EMPTY)

    async def find_texts(self, name: str) -> Answer[str]:
        found = (self._texts[name],) if name in self._texts else ()
        return Answer(Finding.FOUND if found else self._finding, found, words="" if found else "SERVFAIL")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return read_settings(
        sending={
            "mode": "internet",
            "hostname": "mail.forening.se",
            "sender_address": "utskick@forening.se",
            "bounce_domain": "retur.forening.se",
        },
        web={"base_url": "https://post.forening.se"},
        storage={"data_dir": tmp_path},
    )


async def _check(settings: Settings, resolver: Resolver) -> dict[str, Check]:
    return {check.name: check async for check in check_names(settings, resolver)}


async def test_records_that_are_missing_are_given_to_copy(settings: Settings) -> None:
    checks = await _check(settings, FakeResolver({}))
    assert checks["PTR"].cure == ""
    lines = [check.record.line() for check in checks.values() if check.record and check.cure]
    assert lines[0] == "retur.forening.se. MX 10 mail.forening.se."
    assert lines[1] == 'retur.forening.se. TXT "v=spf1 a:mail.forening.se -all"'
    assert lines[3].startswith('b1._domainkey.forening.se. TXT "v=DKIM1; k=rsa; p=')


async def test_another_policy_of_their_own_is_as_good_and_another_exchanger_is_not(settings: Settings) -> None:
    checks = await _check(settings, FakeResolver({"_dmarc.forening.se": "v=DMARC1; p=none"}, exchanger="mx.hotell.se"))
    assert checks["TXT _dmarc.forening.se"].cure == ""
    assert checks["MX retur.forening.se"].found == "mx.hotell.se"
    assert checks["MX retur.forening.se"].cure != ""
    checks = await _check(settings, FakeResolver({}, exchanger="mail.forening.se"))
    assert checks["MX retur.forening.se"].cure == ""


async def test_a_published_key_that_is_another_is_not_taken_for_ours(settings: Settings) -> None:
    (_, key), *_ = load_keys(settings).dkim
    name = "b1._domainkey.forening.se"
    assert (await _check(settings, FakeResolver({name: dkim_record(key)})))[f"TXT {name}"].cure == ""
    assert (await _check(settings, FakeResolver({name: "v=DKIM1; k=rsa; p=AAAA"})))[f"TXT {name}"].cure != ""


async def test_silence_is_not_taken_for_an_empty_zone(settings: Settings) -> None:
    checks = await _check(settings, FakeResolver({}, finding=Finding.FAILED))
    assert checks["TXT _dmarc.forening.se"].found == "no answer from DNS (SERVFAIL)"
    assert "ask again" in checks["TXT _dmarc.forening.se"].cure


async def test_an_address_that_points_elsewhere_is_named(settings: Settings) -> None:
    checks = await _check(settings, FakeResolver({}, pointer="host-25.provider.net"))
    assert checks["PTR"].cure == "ask the provider for the PTR record mail.forening.se"
