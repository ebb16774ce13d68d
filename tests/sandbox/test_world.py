"""What happens later in the box: when it is due, what is mailed back, and which links are followed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import httpx
import pytest

from config.vocabulary import Reason, VerdictStatus
from dsn_parser.read_report import read_report
from engine.clock import HandClock
from engine.sandbox.browser import Browser
from engine.sandbox.habits import Deed, accepts
from engine.sandbox.mx import Exchangers
from engine.sandbox.postman import Postman
from engine.sandbox.smtp_dialogue import Answer, Exchanger, IncomingMail
from engine.sandbox.world import World

START = datetime(2026, 1, 12, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)
MAIL = IncomingMail(
    "in.relapost.example",
    "b+1.mac@retur.example",
    "ida@relapost.example",
    "",
    b"From: =?utf-8?q?M=C3=A4rta?= <utskick@us.example>\r\nMessage-ID: <1.mac@retur.example>\r\n"
    b"X-Brevduva-Token: 1.mac\r\nCFBL-Address: feedback@us.example; report=arf\r\n"
    b"List-Unsubscribe: <http://us.example/u/1>,\r\n <mailto:u+1.mac@retur.example?subject=x>\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    b"Bekr=C3=A4fta: http://us.example/c/1.abc=\r\ndef.\r\n.hidden\r\nhttp://elsewhere.example/\r\n",
    False,
)


class FakeListener:
    """Our own side of the way back: keeps what it is sent, or answers as told."""

    def __init__(self) -> None:
        self.mails: list[IncomingMail] = []
        self.answer = Answer("250 2.0.0 Stored")

    def greet(self, host: Exchanger) -> Answer:
        return Answer("220 us.example")

    def hear(self, host: Exchanger, mail_from: str, recipient: str) -> Answer:
        return Answer("250 2.1.5 Ok")

    def take(self, mail: IncomingMail) -> Answer:
        if self.answer.is_positive:
            self.mails.append(mail)
        return self.answer


class Scene:
    """A world, its clock, and both doors that it may knock on."""

    def __init__(self, listener: FakeListener, port: int, client: httpx.AsyncClient) -> None:
        self.listener, self.clock = listener, HandClock(START)
        self.world = World(self.clock, Postman("127.0.0.50", port), Browser(client, "http://us.example"))

    async def pass_time(self, *deeds: tuple[Deed, timedelta]) -> None:
        self.world.took(MAIL, accepts(*deeds))
        while (due := self.world.next_due()) and due < START + timedelta(days=30):
            self.clock.leap_to(due)
            await self.world.act_until(due)

    async def reported(self, deed: Deed) -> IncomingMail:
        await self.pass_time((deed, HOUR))
        assert self.world.trouble == []
        [mail] = self.listener.mails
        return mail


@pytest.fixture
def requests() -> list[tuple[str, str, str]]:
    return []


@pytest.fixture
async def scene(requests: list[tuple[str, str, str]]) -> AsyncIterator[Scene]:
    def answer(request: httpx.Request) -> httpx.Response:
        requests.append((request.method, request.url.path, request.content.decode()))
        form = (
            '<form method="post" action="/c/done"><input type="hidden" name="csrf" value="x"><button>Ja</button></form>'
        )
        return httpx.Response(404 if request.url.path == "/u/404" else 200, text=form)

    listener = FakeListener()
    servers = Exchangers((Exchanger("us.example", "127.0.0.50"),), listener)
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        yield Scene(listener, await servers.start(), client)
    await servers.stop()


@pytest.mark.parametrize(
    ("deed", "status", "reason"),
    [
        (Deed.BOUNCE_UNKNOWN, VerdictStatus.INVALID, Reason.USER_UNKNOWN),
        (Deed.BOUNCE_DISABLED, VerdictStatus.BOUNCED, Reason.DISABLED),
        (Deed.BOUNCE_FULL, VerdictStatus.SOFT_BOUNCED, Reason.MAILBOX_FULL),
        (Deed.BOUNCE_PROSE, VerdictStatus.INVALID, Reason.USER_UNKNOWN),
        (Deed.DELAY_NOTICE, VerdictStatus.DEFERRED, None),
        (Deed.COMPLAIN, VerdictStatus.SPAM, Reason.COMPLAINT),
        (Deed.AUTO_REPLY, VerdictStatus.NONE, Reason.AUTO_REPLY),
    ],
)
async def test_what_is_mailed_back_is_understood(
    scene: Scene, deed: Deed, status: VerdictStatus, reason: Reason | None
) -> None:
    mail = await scene.reported(deed)
    verdicts = [finding.verdict for finding in read_report(mail.wire).findings]
    assert [verdict.status for verdict in verdicts] == ([status] if status is not VerdictStatus.NONE else [])
    assert reason in (None, Reason.AUTO_REPLY, *(verdict.reason for verdict in verdicts))


async def test_a_bounce_comes_from_nobody_to_the_return_path(scene: Scene) -> None:
    mail = await scene.reported(Deed.BOUNCE_UNKNOWN)
    assert (mail.mail_from, mail.recipient) == ("", "b+1.mac@retur.example")


async def test_a_complaint_goes_where_the_mail_asks_for_it(scene: Scene) -> None:
    mail = await scene.reported(Deed.COMPLAIN)
    assert (mail.mail_from, mail.recipient) == ("feedback@in.relapost.example", "feedback@us.example")
    assert b"X-Brevduva-Token: 1.mac" in mail.wire


async def test_an_unsubscribe_mail_goes_from_the_member_to_the_address_in_the_header(scene: Scene) -> None:
    mail = await scene.reported(Deed.UNSUBSCRIBE_BY_MAIL)
    assert (mail.mail_from, mail.recipient) == ("ida@relapost.example", "u+1.mac@retur.example")


async def test_who_confirms_opens_the_page_and_presses_its_button(
    scene: Scene, requests: list[tuple[str, str, str]]
) -> None:
    confirmed: list[str] = []
    scene.world.confirmed = confirmed.append
    await scene.pass_time((Deed.CONFIRM, HOUR))
    assert requests == [("GET", "/c/1.abcdef", ""), ("POST", "/c/done", "csrf=x")]
    assert confirmed == ["ida@relapost.example"]


async def test_a_scanner_fetches_and_presses_nothing_and_leaves_the_box_never(
    scene: Scene, requests: list[tuple[str, str, str]]
) -> None:
    await scene.pass_time((Deed.SCAN, HOUR))
    assert requests == [("GET", "/c/1.abcdef", "")]


async def test_one_click_is_one_post(scene: Scene, requests: list[tuple[str, str, str]]) -> None:
    await scene.pass_time((Deed.UNSUBSCRIBE, HOUR))
    [(method, path, body)] = requests
    assert (method, path, parse_qs(body)) == ("POST", "/u/1", {"List-Unsubscribe": ["One-Click"]})


async def test_nothing_happens_before_it_is_due(scene: Scene) -> None:
    scene.world.took(MAIL, accepts((Deed.BOUNCE_UNKNOWN, 2 * HOUR), (Deed.DELAY_NOTICE, HOUR)))
    assert scene.world.next_due() == START + HOUR
    assert await scene.world.act_until(START) == 0
    assert await scene.world.act_until(START + HOUR) == 1
    assert scene.world.next_due() == START + 2 * HOUR
    assert (scene.world.in_flight, scene.world.done[Deed.DELAY_NOTICE]) == (0, 1)


async def test_a_refusal_for_now_is_tried_again_a_quarter_later(scene: Scene) -> None:
    scene.listener.answer = Answer("451 4.3.0 Later")
    scene.world.took(MAIL, accepts((Deed.BOUNCE_UNKNOWN, HOUR)))
    await scene.world.act_until(START + HOUR)
    assert scene.world.next_due() == START + HOUR + timedelta(minutes=15)
    scene.listener.answer = Answer("250 2.0.0 Stored")
    await scene.world.act_until(START + 2 * HOUR)
    assert (len(scene.listener.mails), scene.world.trouble) == (1, [])


async def test_a_refusal_for_good_is_trouble(scene: Scene) -> None:
    scene.listener.answer = Answer("550 5.7.1 No")
    await scene.pass_time((Deed.BOUNCE_UNKNOWN, HOUR))
    assert scene.world.trouble == ["ida@relapost.example sends back a delivery report: no such user, but: 550 5.7.1 No"]
