"""What is pure about webhooks: addresses that are taken, rests, and the signature."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from engine.clock import HandClock
from engine.errors import InvalidInput
from engine.return_path import KeyRing
from engine.route.guard import may_dial_internet
from engine.route.resolver import Resolver
from engine.route.web import Unreachable, WebClient
from engine.store.webhooks import Webhook
from engine.webhook import check_url, rest_after, secret_of, show_secret, sign
from tests.fakes.dns import FakeDns
from tests.fakes.hook import listening, proves

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
HOOK = Webhook(7, 1, "https://example.org/", "salt", NOW, 0, NOW, 0, "")


def test_the_rests_grow_and_end_after_five_days() -> None:
    rests = [rest_after(failures) for failures in range(1, 40)]
    taken = [rest for rest in rests if rest is not None]
    assert [rest.total_seconds() / 60 for rest in taken[:6]] == [1, 5, 30, 120, 300, 300]
    assert timedelta(days=4.5) < sum(taken, timedelta()) <= timedelta(days=5)
    assert rests[len(taken) :] == [None] * (39 - len(taken))


@pytest.mark.parametrize("url", ["https://example.org/hook?a=b", "https://bücher.example:8443/", "https://192.0.2.1/"])
def test_an_https_address_is_taken(url: str) -> None:
    assert check_url(f" {url} ", "internet").startswith("https://")


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/",
        "https://",
        "https:///hook",
        "https://siv:word@example.org/",
        "https://example.org/#here",
        "ftp://example.org/",
        "example.org",
        "https://exa\nmple.org/",
        "https://example.org:99999/",
        "https://example.org/" + "x" * 2000,
    ],
)
def test_any_other_address_is_refused_with_the_cure(url: str) -> None:
    with pytest.raises(InvalidInput, match="give"):
        check_url(url, "internet")


def test_in_the_sandbox_http_will_do() -> None:
    assert check_url("http://127.0.0.1:8000/", "sandbox") == "http://127.0.0.1:8000/"


def test_a_secret_outlives_a_new_key_and_is_each_webhooks_own() -> None:
    old, new = KeyRing((b"o" * 32,)), KeyRing((b"n" * 32, b"o" * 32))
    assert secret_of(old, HOOK) == secret_of(new, HOOK)
    others = [
        Webhook(8, 1, HOOK.url, "salt", NOW, 0, NOW, 0, ""),
        Webhook(7, 1, HOOK.url, "pepper", NOW, 0, NOW, 0, ""),
    ]
    assert len({secret_of(old, one) for one in (HOOK, *others)}) == 3


def test_a_post_is_signed_as_standard_webhooks_says() -> None:
    """The example of the specification's own reference libraries."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    body = b'{"test": 2432232314}'
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    assert proves(secret, headers, body)
    ours = secret_of(KeyRing((b"o" * 32,)), HOOK)
    assert proves(show_secret(ours), sign(ours, "7-1-2", NOW, body), body)
    assert not proves(show_secret(ours), sign(ours, "7-1-2", NOW, body), body + b" ")


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "[::1]", "10.0.0.1", "169.254.169.254", "[::ffff:127.0.0.1]", "hook.example"]
)
async def test_what_is_private_is_never_dialled(host: str) -> None:
    async with listening() as program, FakeDns({"hook.example": {"A": ["127.0.0.1", "10.0.0.1"]}}) as names:
        web = WebClient(Resolver(HandClock(NOW), nameservers=["127.0.0.1"], port=names.port), may_dial_internet)
        with pytest.raises(Unreachable, match="no address"):
            await web.ask("POST", f"http://{host}:{program.port}/", seconds=5, most_bytes=10)
    assert program.posts == []


async def test_a_name_is_dialled_at_the_address_that_was_checked() -> None:
    async with listening() as program, FakeDns({"hook.example": {"A": ["127.0.0.1"]}}) as names:
        web = WebClient(Resolver(HandClock(NOW), nameservers=["127.0.0.1"], port=names.port), lambda address: True)
        url = f"http://hook.example:{program.port}/krok"
        assert (await web.ask("POST", url, seconds=5, most_bytes=10, content=b"{}")).status == 200
    ((headers, body),) = program.posts
    assert (headers["host"], body) == (f"hook.example:{program.port}", b"{}")


async def test_who_says_nothing_is_not_waited_for_longer_than_that() -> None:
    async with listening(is_silent=True) as program, FakeDns() as names:
        web = WebClient(Resolver(HandClock(NOW), nameservers=["127.0.0.1"], port=names.port), lambda address: True)
        with pytest.raises(Unreachable, match="within 0 s"):
            await web.ask("POST", program.url, seconds=0.05, most_bytes=10, content=b"{}")
